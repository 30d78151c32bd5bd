//! `cavatica support`: what somebody who helps has to know about a transfer, and nothing that they must not.

use std::fs::File;
use std::io::Write;

use cavatica_exports::model::text::visible_json;
use cavatica_report::{Document, Overview, Standing};
use cavatica_transfer::Habits;
use cavatica_transfer::journal::{RunRow, TransferFile, TroubledItem};
use jiff::Timestamp;
use serde::Serialize;

use crate::args::{Global, Support};
use crate::command::doctor;
use crate::credentials::{self, Environment, TokenSource};
use crate::failure::{Exit, Failure};
use crate::ui::Ui;

/// The most failures that are written down.
const FAILURES: usize = 1_000;

/// What stands where a name stood.
const HIDDEN: &str = "(hidden)";

/// What is written. Keys that begin with the same word as those of `cavatica transfers` mean the same.
#[derive(Serialize)]
struct Bundle {
    written_at: Timestamp,
    program: &'static str,
    system: String,
    token_from: String,
    network_variables: Vec<&'static str>,
    endpoint: String,
    transfer: String,
    label: Option<String>,
    schema: i64,
    plan_is_unchanged: bool,
    selection: String,
    mode: &'static str,
    volume: String,
    state: Standing,
    files: u64,
    bytes: u64,
    completed: u64,
    failed: u64,
    unknown: u64,
    left: u64,
    skipped: Vec<(String, u64)>,
    planned_at: Timestamp,
    runs: Vec<Run>,
    failures: Vec<FailedFile>,
    /// As `cavatica contract` tells it.
    observed: Habits,
}

#[derive(Serialize)]
struct Run {
    version: String,
    started: Timestamp,
    seen: Timestamp,
    requests: u64,
}

#[derive(Serialize)]
struct FailedFile {
    /// Its number in the plan.
    number: i64,
    file_id: String,
    location: String,
    state: &'static str,
    code: Option<i64>,
    status: Option<u16>,
    message: String,
    request_id: Option<String>,
}

pub(crate) fn run(args: &Support, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    let bundle = bundle(args, global)?;
    let mut text =
        serde_json::to_string_pretty(&Document::new(&bundle)).expect("a bundle is plain data");
    text.push('\n');
    let text = visible_json(&text);
    match &args.out {
        None => ui.text(&text)?,
        Some(path) => {
            let mut file = File::create_new(path).map_err(|error| {
                Failure::usage(format!("{} can't be made", path.display()))
                    .caused_by(error)
                    .hint("choose a name that isn't taken, in a folder where you may write")
            })?;
            file.write_all(text.as_bytes())?;
        }
    }
    ui.note(if args.with_names {
        "this holds names of files and folders, which can tell who a patient is: send it only to those who may know"
    } else {
        "this holds no token, and no names of files, folders and keys; read it before you send it"
    });
    Ok(Exit::Done)
}

fn bundle(args: &Support, global: &Global) -> Result<Bundle, Failure> {
    let file = TransferFile::open(&args.transfer)?;
    let line = Overview::read(&args.transfer)?;
    let name = |text: &str| {
        if args.with_names {
            text.to_owned()
        } else {
            HIDDEN.to_owned()
        }
    };
    let failures = file.failures(None, FAILURES)?;
    Ok(Bundle {
        written_at: Timestamp::now(),
        program: env!("CAVATICA_VERSION"),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        token_from: token_from(global),
        network_variables: doctor::network_variables(),
        endpoint: file.terms().endpoint.clone(),
        transfer: name(&line.transfer),
        label: line.label.as_deref().map(name),
        schema: file.version()?,
        plan_is_unchanged: file.compute_fingerprint()? == file.fingerprint(),
        selection: name(&line.selection),
        mode: line.mode.as_str(),
        volume: name(line.volume.as_ref()),
        state: line.state,
        files: line.files,
        bytes: line.bytes,
        completed: line.completed,
        failed: line.failed,
        unknown: line.unknown,
        left: line.left,
        skipped: file.skipped_by_kind()?,
        planned_at: line.planned_at,
        runs: file.runs()?.into_iter().map(Run::of).collect(),
        observed: file.observations()?,
        failures: failures
            .into_iter()
            .map(|item| FailedFile::of(item, args.with_names))
            .collect(),
    })
}

/// Where the token comes from, without the name of the one who keeps it there.
fn token_from(global: &Global) -> String {
    match credentials::find(global, &Environment::read()) {
        Ok(found) => match found.origin {
            TokenSource::TokenFile(_) => "a token file".to_owned(),
            TokenSource::Environment => "the environment".to_owned(),
            TokenSource::Profile { .. } => "a profile".to_owned(),
        },
        Err(_) => "nowhere".to_owned(),
    }
}

impl Run {
    fn of(row: RunRow) -> Self {
        Run {
            version: row.version,
            started: row.started,
            seen: row.seen,
            requests: row.requests,
        }
    }
}

impl FailedFile {
    fn of(item: TroubledItem, with_names: bool) -> Self {
        let failure = item.failure().cloned();
        // The platform repeats names in its sentences, encoded and in other case too: none of its text is taken over.
        let named = |text: String| if with_names { text } else { HIDDEN.to_owned() };
        let message = failure.as_ref().map(|failure| failure.message.clone());
        FailedFile {
            number: item.id.0,
            file_id: item.file.to_string(),
            state: item.state.name(),
            code: failure.as_ref().and_then(|failure| failure.code),
            status: failure.as_ref().and_then(|failure| failure.status),
            message: named(message.unwrap_or_default()),
            request_id: failure.and_then(|failure| failure.request_id),
            location: named(item.location.clone()),
        }
    }
}
