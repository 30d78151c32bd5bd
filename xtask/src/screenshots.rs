//! Pictures of the pages that people look at, in headless Chromium, and what can be checked of them by a machine: that
//! nothing is wider than the window, that text stands out, that the console is silent, that print is short.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

mod chromium;

use chromium::{Chromium, View};

use crate::sandbox::{Running, SandboxProcess};
use crate::{Failed, because, cargo, command, root, say, target};

/// Looks at a page and answers what is wrong with it.
const CHECK: &str = include_str!("../screenshots/check.js");

/// The most sheets that a report may take, however many files it has.
const MOST_SHEETS: usize = 3;

/// A picture ends here: below are more rows of the same.
const PICTURED: u64 = 2_400;

/// How much of the report the README shows, in pixels.
const README_SIZE: (u32, u64) = (1000, 700);

#[derive(Debug, Default, clap::Args)]
pub(crate) struct Options {
    /// The folder for the pictures; without it one below the target folder
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write the README's picture, too
    #[arg(long)]
    write: bool,
}

/// A page to look at.
struct ReportPage {
    name: &'static str,
    address: String,
    /// A report is printed as well.
    is_report: bool,
}

const VIEWS: [(&str, View); 4] = [
    (
        "light",
        View {
            width: 1200,
            dark: false,
            media: "screen",
        },
    ),
    (
        "dark",
        View {
            width: 1200,
            dark: true,
            media: "screen",
        },
    ),
    (
        "phone",
        View {
            width: 390,
            dark: false,
            media: "screen",
        },
    ),
    (
        "print",
        View {
            width: 794,
            dark: false,
            media: "print",
        },
    ),
];

pub(crate) fn run(options: &Options) -> Result<(), Failed> {
    let folder = options
        .out
        .clone()
        .unwrap_or_else(|| target().join("screenshots"));
    let work = fresh(&folder.join("work")).map_err(because("screenshots"))?;
    let start = || Chromium::start(&work.join("profile")).map_err(because("screenshots"));
    let browser = match start()? {
        // CI's machine is nobody's.
        None if std::env::var_os("CI").is_some() => {
            Chromium::install();
            start()?
        }
        found => found,
    };
    let Some(browser) = browser else {
        say(
            "screenshots: there is no Chromium here, so nobody looked at the pages; Debian's package is `chromium`",
        );
        // Who wants pictures has none.
        return if options.write { Err(Failed) } else { Ok(()) };
    };
    command(cargo().args(["build", "--package", "cavatica-cli", "--locked"]))?;
    let faults = look(browser, &folder, options.write).map_err(because("screenshots"))?;
    for fault in &faults {
        say(fault);
    }
    say(format_args!(
        "screenshots: {} in {}",
        counted(faults.len()),
        folder.display()
    ));
    if faults.is_empty() {
        Ok(())
    } else {
        Err(Failed)
    }
}

fn counted(faults: usize) -> String {
    match faults {
        0 => "nothing is wrong with the pages".to_owned(),
        1 => "1 thing is wrong with the pages".to_owned(),
        more => format!("{more} things are wrong with the pages"),
    }
}

fn fresh(folder: &Path) -> Result<PathBuf, String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| error.to_string())?;
    }
    fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    Ok(folder.to_owned())
}

/// Takes every picture, and answers what is wrong.
fn look(mut browser: Chromium, folder: &Path, write: bool) -> Result<Vec<String>, String> {
    let stage = Workshop::set(&folder.join("work"))?;
    let mut faults = Vec::new();
    for page in stage.pages() {
        for (view_name, view) in VIEWS {
            browser.open(&page.address, view)?;
            let found = browser.evaluate(CHECK)?;
            let found = found
                .as_array()
                .into_iter()
                .flatten()
                .map(ToString::to_string);
            let complaints = browser.complaints.drain(..);
            let all = found.chain(complaints);
            faults.extend(all.map(|fault| format!("{} {view_name}: {fault}", page.name)));
            save(
                folder,
                &format!("{}-{view_name}.png", page.name),
                &browser.picture(view, PICTURED)?,
            )?;
        }
        if page.is_report {
            let pdf = browser.printed()?;
            save(folder, &format!("{}.pdf", page.name), &pdf)?;
            let sheets = sheets(&pdf);
            if !(1..=MOST_SHEETS).contains(&sheets) {
                faults.push(format!("{} print: it takes {sheets} sheets", page.name));
            }
        }
    }
    if write {
        let (width, height) = README_SIZE;
        let view = View {
            width,
            dark: false,
            media: "screen",
        };
        browser.open(&stage.report("missing"), view)?;
        let picture = browser.picture(view, height)?;
        save(&root().join("docs"), "report.png", &picture)?;
    }
    Ok(faults)
}

fn save(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), String> {
    fs::write(folder.join(name), bytes).map_err(|error| format!("{name}: {error}"))
}

/// How many pages a PDF of Chromium's has.
fn sheets(pdf: &[u8]) -> usize {
    let text = String::from_utf8_lossy(pdf);
    text.matches("/Type /Page\n").count()
}

/// A platform, and transfers that stand in every way that a page shows.
struct Workshop {
    folder: PathBuf,
    program: PathBuf,
    sandbox: SandboxProcess,
    /// A run that never ends.
    _running: Running,
    _site: Running,
    site: String,
}

impl Workshop {
    fn set(folder: &Path) -> Result<Self, String> {
        let program = target().join("debug/cavatica");
        fill(&folder.join("results"))?;
        let results = folder.join("results").display().to_string();
        let args = [
            "--project-from",
            &results,
            "--faults",
            "fail-jobs=9103,every=20",
            "--job-duration",
            "200ms-4s",
        ];
        let sandbox = SandboxProcess::start(&program, &args, &folder.join("sandbox"))?;
        let mut site = Command::new(&program)
            .args(["page", "."])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map(Running)
            .map_err(|error| error.to_string())?;
        let mut address = String::new();
        let output = site.0.stdout.take().ok_or("the page has no address")?;
        BufReader::new(output)
            .read_line(&mut address)
            .map_err(|error| error.to_string())?;
        let mut stage = Workshop {
            folder: folder.to_owned(),
            program,
            sandbox,
            _running: Running(
                Command::new("true")
                    .spawn()
                    .map_err(|error| error.to_string())?,
            ),
            _site: site,
            site: address.trim().to_owned(),
        };
        stage.play()?;
        Ok(stage)
    }

    fn play(&mut self) -> Result<(), String> {
        let plan = |name: &str, folder: &str| {
            format!(
                "plan --out {name}.transfer --project sandbox/demo --folder {folder} --volume sandbox/output --prefix {name}/ --move"
            )
        };
        self.cavatica(
            &format!("{} --label trio-7", plan("missing", "trio-7")),
            &[0],
        )?;
        self.cavatica(
            "run missing.transfer --yes --poll 200ms --no-progress",
            &[3],
        )?;
        let report = self.output("report missing.transfer --format jsonl")?;
        let rows = report
            .lines()
            .filter_map(|row| serde_json::from_str::<Value>(row).ok());
        let arrived = rows.filter(|row| row["state"] == "completed");
        let keys = arrived.filter_map(|row| row["key"].as_str().map(str::to_owned));
        for key in keys.filter(|key| !key.contains(' ')).take(2) {
            let path = format!("/_sandbox/objects?volume=sandbox/output&location={key}");
            self.sandbox.request("DELETE", &path, "")?;
        }
        self.cavatica("verify missing.transfer", &[3])?;
        self.sandbox.request("DELETE", "/_sandbox/faults", "")?;
        self.cavatica(&plan("done", "small"), &[0])?;
        self.cavatica("run done.transfer --yes --poll 200ms --no-progress", &[0])?;
        self.cavatica(&plan("planned", "other"), &[0])?;
        self.cavatica(&plan("running", "long"), &[0])?;
        let forever = r#"{"job_milliseconds": [86400000, 86400000]}"#;
        self.sandbox
            .request("PATCH", "/_sandbox/settings", forever)?;
        let running = self
            .command("run running.transfer --yes --no-progress")
            .spawn();
        self._running = Running(running.map_err(|error| error.to_string())?);
        while !self
            .output("status running.transfer --json")?
            .contains("\"in_flight\":40")
        {
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        self.cavatica(
            "report missing.transfer --format html --out missing.html",
            &[0],
        )?;
        self.cavatica("report done.transfer --format html --out done.html", &[0])
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(line.split(' '))
            .current_dir(&self.folder)
            .env("SB_API_ENDPOINT", &self.sandbox.endpoint)
            .env("SB_AUTH_TOKEN", &self.sandbox.token)
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    fn output(&self, line: &str) -> Result<String, String> {
        let output = self
            .command(line)
            .output()
            .map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn cavatica(&self, line: &str, expected: &[i32]) -> Result<(), String> {
        let ended = self.command(line).stdout(Stdio::null()).status();
        let code = ended.map_err(|error| error.to_string())?.code();
        match code {
            Some(code) if expected.contains(&code) => Ok(()),
            code => Err(format!("`cavatica {line}` ended with {code:?}")),
        }
    }

    fn report(&self, name: &str) -> String {
        format!(
            "file://{}",
            self.folder.join(format!("{name}.html")).display()
        )
    }

    fn pages(&self) -> [ReportPage; 4] {
        [
            ReportPage {
                name: "missing",
                address: self.report("missing"),
                is_report: true,
            },
            ReportPage {
                name: "done",
                address: self.report("done"),
                is_report: true,
            },
            ReportPage {
                name: "running",
                address: format!("{}running.transfer", self.site),
                is_report: false,
            },
            ReportPage {
                name: "transfers",
                address: self.site.clone(),
                is_report: false,
            },
        ]
    }
}

/// The results of a trio and of other samples, some of them with long names, as they are.
fn fill(folder: &Path) -> Result<(), String> {
    let parts = [("trio-7", 400), ("small", 12), ("other", 3), ("long", 40)];
    for (part, files) in parts {
        for number in 1..=files {
            let sample = folder.join(part).join(format!("sample-{:03}", number / 4));
            fs::create_dir_all(&sample).map_err(|error| error.to_string())?;
            let name = match number % 4 {
                0 => format!("BS_{number:08}.recalibrated.haplotype_caller.g.vcf.gz"),
                1 => format!("{number:04}.bam"),
                2 => format!("{number:04}.bam.bai"),
                _ => "fastqc report, lane 1 and 2 (final).html".to_owned(),
            };
            let size = 200 + 137 * (number % 29) * (number % 29);
            fs::write(sample.join(name), vec![b'x'; size]).map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
