//! A running `cavatica sandbox`, for the chores that need a platform.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

/// A program that is killed when it goes out of scope, so that nothing is left behind.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// The platform on the desk, until it goes out of scope.
pub(crate) struct SandboxProcess {
    process: Running,
    /// Host and port.
    address: String,
    pub(crate) endpoint: String,
    pub(crate) token: String,
    pub(crate) credentials: PathBuf,
}

impl SandboxProcess {
    /// Starts `program sandbox` with these arguments; it answers when this returns.
    pub(crate) fn start(program: &Path, args: &[&str], data: &Path) -> Result<Self, String> {
        SandboxProcess::start_with(&[], program, args, data)
    }

    /// The same with variables.
    pub(crate) fn start_with(
        variables: &[(&str, &str)],
        program: &Path,
        args: &[&str],
        data: &Path,
    ) -> Result<Self, String> {
        let mut command = Command::new(program);
        command
            .envs(variables.iter().copied())
            .args(["sandbox", "--json"])
            .args(args)
            .arg("--data")
            .arg(data)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = Running(command.spawn().map_err(|error| error.to_string())?);
        let mut line = String::new();
        let output = process.0.stdout.take().ok_or("the sandbox says nothing")?;
        BufReader::new(output)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        let ready: Value = serde_json::from_str(&line)
            .map_err(|error| format!("the sandbox did not start: {error}"))?;
        let text = |key: &str| ready[key].as_str().unwrap_or_default().to_owned();
        let endpoint = text("endpoint");
        let address = endpoint
            .trim_start_matches("http://")
            .trim_end_matches("/v2");
        Ok(SandboxProcess {
            process,
            address: address.to_owned(),
            token: text("token"),
            credentials: text("credentials").into(),
            endpoint,
        })
    }

    /// Host and port.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The number by which the machine knows it.
    pub(crate) fn process(&self) -> u32 {
        self.process.0.id()
    }

    /// One request to the sandbox's own calls.
    pub(crate) fn request(&self, method: &str, path: &str, body: &str) -> Result<Value, String> {
        let exchange = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(&self.address)?;
            stream.set_read_timeout(Some(Duration::from_secs(30)))?;
            write!(
                stream,
                "{method} {path} HTTP/1.1\r\nhost: {}\r\nx-sbg-auth-token: {}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                self.address,
                self.token,
                body.len()
            )?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer)?;
            Ok(answer)
        };
        let answer = exchange().map_err(|error| format!("the sandbox doesn't answer: {error}"))?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        if !head.starts_with("HTTP/1.1 200") {
            return Err(format!("the sandbox answers {head}"));
        }
        serde_json::from_str(body)
            .map_err(|error| format!("the sandbox's answer can't be read: {error}"))
    }
}
