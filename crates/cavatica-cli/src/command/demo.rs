//! `cavatica demo`: plan, run, verify and status on a sandbox. The commands are the program's own, as anybody would type
//! them.

use std::ffi::OsString;
use std::pin::Pin;

use cavatica_sandbox::Sandbox;
use clap::FromArgMatches;

use crate::args::{self, Cli};
use crate::failure::{Exit, Failure};
use crate::help;
use crate::hint;
use crate::ui::Ui;

mod world;

use world::{PROJECT, VOLUME, made_up_files, start};

/// What a command comes to.
pub(crate) type CommandEnd<'c> = Pin<Box<dyn Future<Output = Result<Exit, Failure>> + 'c>>;

pub(crate) async fn run<'c>(
    args: &args::Demo,
    carry_out: &'c dyn Fn(Cli) -> CommandEnd<'c>,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let folder = tempfile::Builder::new()
        .prefix("cavatica-demo-")
        .tempdir()
        .map_err(Failure::no_temporary_file)?
        .keep();
    let source = match &args.from {
        Some(own) if own.is_dir() => own.clone(),
        Some(own) => return Err(Failure::usage(format!("{} is no folder", own.display()))),
        None => made_up_files(&folder.join("files"))?,
    };
    let sandbox = start(&source, &folder.join("sandbox")).await?;
    let stage = Play {
        // The sandbox keeps it in a file that only its user can read.
        token: folder.join("sandbox/token").into(),
        sandbox: &sandbox,
        carry_out,
        ui,
    };
    let at = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let (transfer, page) = (&*at("demo.transfer"), &*at("report.html"));
    ui.note(format_args!(
        "a sandbox at {} stands in for the platform; nothing leaves this machine",
        sandbox.endpoint()
    ));

    stage
        .play(
            "which files go where, and what stands against it; nothing is sent yet",
            &[
                "plan",
                "--out",
                transfer,
                "--project",
                PROJECT,
                "--volume",
                VOLUME,
                "--prefix",
                "cohort7/",
                "--move",
            ],
        )
        .await?;
    let ran = stage
        .play(
            "each file exactly once, whatever happens; the platform refuses what the plan warned of",
            &["run", transfer, "--yes", "--poll", "200ms"],
        )
        .await?;
    let verified = stage
        .play("is everything where it should be?", &["verify", transfer])
        .await?;
    stage
        .play("how it stands, at any time", &["status", transfer])
        .await?;
    if !ui.is_json() {
        stage
            .play(
                "for whoever asks how it went: a page for the browser",
                &["report", transfer, "--format", "html", "--out", page],
            )
            .await?;
    }
    sandbox.stop().await;
    ui.note(format_args!(
        "the exported files lie in {}",
        folder.join("sandbox/volumes").join(VOLUME).display()
    ));
    Ok(match (ran, verified) {
        // Some files of the sandbox can't be exported: that is part of the show.
        (Exit::Done | Exit::SomeFailed, Exit::Done) => Exit::Done,
        (_, Exit::Done) => ran,
        (_, verified) => verified,
    })
}

/// Where the commands play: the sandbox, and its token in a file.
struct Play<'s, 'c> {
    sandbox: &'s Sandbox,
    token: OsString,
    /// Carries a command out as the program does.
    carry_out: &'c dyn Fn(Cli) -> CommandEnd<'c>,
    ui: &'s Ui,
}

impl Play<'_, '_> {
    /// Shows a command and carries it out, as if it had been typed with the sandbox as the platform.
    async fn play(&self, what: &str, words: &[&str]) -> Result<Exit, Failure> {
        if !self.ui.is_json() {
            self.ui.line("")?;
            self.ui.line(format_args!("# {what}"))?;
            let shown: Vec<_> = words.iter().map(|word| hint::shell_word(word)).collect();
            self.ui
                .line(format_args!("$ cavatica {}", shown.join(" ")))?;
        }
        let mut line: Vec<OsString> = vec!["cavatica".into()];
        line.extend(words.iter().map(OsString::from));
        line.extend(["--endpoint".into(), self.sandbox.endpoint().into()]);
        line.extend(["--token-file".into(), self.token.clone()]);
        let matches = help::command().try_get_matches_from(line);
        let cli = matches
            .and_then(|matches| Cli::from_arg_matches(&matches))
            .expect("the demo's own lines are commands");
        (self.carry_out)(cli).await
    }
}
