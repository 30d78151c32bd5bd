//! A headless Chromium, spoken to over a pipe: <https://chromedevtools.github.io/devtools-protocol/>.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use crate::sandbox::Running;

/// How the browser may be called.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// One page of a browser.
pub(super) struct Chromium {
    _process: Running,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    session: String,
    sent: u64,
    /// What the page complained of since it was opened.
    pub(super) complaints: Vec<String>,
    loaded: bool,
}

/// How a page is looked at.
#[derive(Clone, Copy)]
pub(super) struct View {
    pub(super) width: u32,
    pub(super) dark: bool,
    pub(super) media: &'static str,
}

impl Chromium {
    /// `None` where there is none on this machine.
    pub(super) fn start(profile: &Path) -> Result<Option<Self>, String> {
        let version = |name: &&&str| {
            let found = Command::new(name).arg("--version").output();
            found.is_ok_and(|output| output.status.success())
        };
        let Some(name) = NAMES.iter().find(version) else {
            return Ok(None);
        };
        // The pipe wants to be numbers 3 and 4.
        let mut command = Command::new("/bin/sh");
        command
            .args([
                "-c",
                "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null",
                "sh",
                name,
            ])
            .args([
                "--headless=new",
                "--remote-debugging-pipe",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
                "--hide-scrollbars",
                "--force-color-profile=srgb",
            ])
            .arg(format!("--user-data-dir={}", profile.display()))
            .arg("about:blank")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Running(command.spawn().map_err(words)?);
        let to = process.0.stdin.take().ok_or("it has no input")?;
        let from = process.0.stdout.take().ok_or("it has no output")?;
        let mut browser = Chromium {
            _process: process,
            to,
            from: BufReader::new(from),
            session: String::new(),
            sent: 0,
            complaints: Vec::new(),
            loaded: false,
        };
        // The first page: one that is made behind it is never drawn.
        let targets = browser.ask("Target.getTargets", &json!({}))?;
        let mut targets = targets["targetInfos"].as_array().into_iter().flatten();
        let page = targets.find(|target| target["type"] == "page");
        let page = page.ok_or("it has no page")?;
        let attach = json!({"targetId": page["targetId"], "flatten": true});
        let attached = browser.ask("Target.attachToTarget", &attach)?;
        browser.session = attached["sessionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            browser.ask(domain, &json!({}))?;
        }
        Ok(Some(browser))
    }

    /// Installs Debian's, where that can be done; who looks for it next sees whether it was.
    pub(super) fn install() {
        for what in [
            &["update"][..],
            &["install", "--yes", "--no-install-recommends", "chromium"],
        ] {
            let mut apt = Command::new("apt-get");
            apt.args(what).env("DEBIAN_FRONTEND", "noninteractive");
            apt.stdout(Stdio::null()).status().ok();
        }
    }

    /// Opens an address and waits until it is loaded.
    pub(super) fn open(&mut self, address: &str, view: View) -> Result<(), String> {
        self.resize(view, 900)?;
        let scheme = if view.dark { "dark" } else { "light" };
        let media = json!({"media": view.media, "features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", &media)?;
        self.complaints.clear();
        self.loaded = false;
        self.ask("Page.navigate", &json!({"url": address}))?;
        while !self.loaded {
            self.read()?;
        }
        Ok(())
    }

    /// What an expression comes to on the page.
    pub(super) fn evaluate(&mut self, expression: &str) -> Result<Value, String> {
        let asked = json!({"expression": expression, "returnByValue": true});
        let answer = self.ask("Runtime.evaluate", &asked)?;
        match answer.get("exceptionDetails") {
            Some(error) => Err(format!("the check failed: {error}")),
            None => Ok(answer["result"]["value"].clone()),
        }
    }

    /// A picture of the page, down to so many pixels of its height at the most.
    pub(super) fn picture(&mut self, view: View, most: u64) -> Result<Vec<u8>, String> {
        let whole = self.evaluate("Math.ceil(document.documentElement.scrollHeight)")?;
        self.resize(view, whole.as_u64().unwrap_or(most).min(most))?;
        let answer = self.ask("Page.captureScreenshot", &json!({"format": "png"}))?;
        decoded(&answer)
    }

    fn resize(&mut self, view: View, height: u64) -> Result<Value, String> {
        let size = json!({"width": view.width, "height": height, "deviceScaleFactor": 1, "mobile": view.width < 600});
        self.ask("Emulation.setDeviceMetricsOverride", &size)
    }

    /// The page as it is printed on A4.
    pub(super) fn printed(&mut self) -> Result<Vec<u8>, String> {
        let paper = json!({"paperWidth": 8.27, "paperHeight": 11.69, "printBackground": false});
        let answer = self.ask("Page.printToPDF", &paper)?;
        decoded(&answer)
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Result<Value, String> {
        self.sent += 1;
        let mut message = json!({"id": self.sent, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.to
            .write_all(format!("{message}\0").as_bytes())
            .map_err(words)?;
        loop {
            let message = self.read()?;
            if message["id"] == json!(self.sent) {
                return match message.get("error") {
                    Some(error) => Err(format!("{method}: {error}")),
                    None => Ok(message["result"].clone()),
                };
            }
        }
    }

    /// The next message; of events, what matters is kept.
    fn read(&mut self) -> Result<Value, String> {
        let mut bytes = Vec::new();
        self.from.read_until(0, &mut bytes).map_err(words)?;
        if bytes.pop() != Some(0) {
            return Err(words(ErrorKind::UnexpectedEof.into()));
        }
        let message: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
        let said = &message["params"];
        match message["method"].as_str() {
            Some("Page.loadEventFired") => self.loaded = true,
            Some("Runtime.exceptionThrown") => {
                self.complaints.push(said["exceptionDetails"].to_string());
            }
            Some("Log.entryAdded") if said["entry"]["level"] == "error" => {
                self.complaints.push(said["entry"]["text"].to_string());
            }
            Some("Runtime.consoleAPICalled") if said["type"] == "error" => {
                self.complaints.push(said["args"].to_string());
            }
            _ => {}
        }
        Ok(message)
    }
}

fn decoded(answer: &Value) -> Result<Vec<u8>, String> {
    let data = answer["data"].as_str().unwrap_or_default();
    BASE64_STANDARD
        .decode(data)
        .map_err(|error| error.to_string())
}

fn words(error: std::io::Error) -> String {
    format!("the browser doesn't answer: {error}")
}
