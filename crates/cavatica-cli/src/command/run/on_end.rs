//! `--on-end`: telling somebody how a run ended.

use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use cavatica_exports::model::text::visible_json;
use cavatica_report::{Document, Summary};

use crate::failure::{Exit, Failure};
use crate::ui::{self, Ui};

/// Hands the last word to a command, as JSON on its standard input and the codes in its environment: nothing that somebody
/// else wrote stands on a command line. That it fails is shown, and changes nothing.
pub(super) fn tell(
    command: &str,
    transfer: &Path,
    outcome: &Result<(Summary, Exit), Failure>,
    ui: &Ui,
) {
    let document = match outcome {
        Ok((summary, _)) => serde_json::to_string(&Document::new(summary)),
        Err(failure) => serde_json::to_string(&Document::new(ui::failure_document(failure))),
    };
    let document = document.expect("a summary is plain data");
    let (exit, state) = match outcome {
        Ok((summary, exit)) => (*exit, summary.overview.state.name()),
        Err(failure) => (failure.exit, "error"),
    };
    let mut shell = shell(command);
    shell
        .env("CAVATICA_EXIT_CODE", (exit as u8).to_string())
        .env("CAVATICA_STATE", state)
        .env("CAVATICA_TRANSFER", transfer);
    match run(&mut shell, &visible_json(&document)) {
        Ok(status) if status.success() => {}
        Ok(status) => ui.warn(format_args!("the command of --on-end failed: {status}")),
        Err(error) => ui.warn(format_args!(
            "the command of --on-end can't be run: {error}"
        )),
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", command]);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.args(["/C", command]);
    shell
}

fn run(shell: &mut Command, document: &str) -> std::io::Result<ExitStatus> {
    let mut child = shell
        .stdin(Stdio::piped())
        .stdout(ui::for_child())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        // A command that reads nothing has been told all the same.
        input.write_all(document.as_bytes()).ok();
        input.write_all(b"\n").ok();
    }
    child.wait()
}
