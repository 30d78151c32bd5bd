//! `cavatica doctor --rehearse`: open questions settled with one file that can be spared.

use cavatica_exports::Cavatica;
use cavatica_exports::model::destination::Prefix;
use cavatica_exports::model::file::FileRef;
use cavatica_exports::model::volume::expected_beginning;
use cavatica_exports::model::{ExportMode, VolumeId};
use cavatica_exports::transport::Client;
use cavatica_report::{Contract, QuestionLine};
use cavatica_transfer::Stop;
use cavatica_transfer::journal::Copying;
use cavatica_transfer::observe::Habit;
use cavatica_transfer::rehearse::{
    Halt, Left, MOST_REQUESTS, REHEARSED, Rehearsal, Rehearsed, Scene, rehearse,
};
use jiff::Timestamp;
use serde::Serialize;

use crate::api;
use crate::args::{Doctor, Global};
use crate::copying::Memory;
use crate::credentials::Environment;
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::interrupt::Listener;
use crate::ui::{self, Ui};

/// What is printed as JSON.
#[derive(Serialize)]
struct Printed<'r> {
    requests: u64,
    ended: &'static str,
    #[serde(flatten)]
    contract: &'r Contract,
    left_behind: Vec<LeftBehind>,
}

#[derive(Serialize)]
struct LeftBehind {
    what: &'static str,
    location: String,
    /// What removes it.
    command: String,
}

pub(super) async fn run(
    file: &FileRef,
    volume: &VolumeId,
    args: &Doctor,
    global: &Global,
    ui: &Ui,
) -> Result<Exit, Failure> {
    let mode = if args.moves {
        ExportMode::Move
    } else {
        ExportMode::Copy
    };
    if !args.yes {
        return Err(unasked(mode));
    }
    let client = api::client_without_retries(global, api::credentials(global, ui)?)?;
    let platform = Cavatica::new(client.clone());
    let file = match file {
        FileRef::Id(id) => id.clone(),
        FileRef::Path(_) => api::look_up(&platform, file).await?.id,
    };
    let mut wish = Rehearsal::new(file, volume.clone(), folder(args), mode);
    wish.first_wait = args.poll;
    wish.most_requests = MOST_REQUESTS.saturating_sub(client.budget().sent);
    let (stop, quit) = (Stop::new(), Stop::new());
    let listener = {
        let (stop, quit) = (stop.clone(), quit.clone());
        Listener::start(move |number| match number {
            1 => {
                ui::note("stopping after what is under way; once more to quit at once");
                stop.ask();
            }
            2 => quit.ask(),
            _ => std::process::exit(i32::from(Exit::Interrupted as u8)),
        })?
    };
    let mut tell = |act: Scene| ui::note(act.words());
    let rehearsed = rehearse(&client, &wish, &stop, &quit, &mut tell).await;
    drop(listener);
    remember(&client, &rehearsed, ui);
    tell_all(&client, &wish, &rehearsed, ui)?;
    match rehearsed.halt {
        None => Ok(Exit::Done),
        Some(halt) => Err(of_halt(halt, &rehearsed.left, &wish)),
    }
}

/// What would be done.
fn unasked(mode: ExportMode) -> Failure {
    let steps = Scene::of(mode).iter().map(|act| act.words());
    let steps: Vec<_> = steps.collect();
    let failure = Failure::usage(format!(
        "nothing was sent: with --yes a rehearsal makes {MOST_REQUESTS} requests at most, to {}",
        steps.join("; ")
    ));
    let failure = failure.hint("choose a small file that you can spare; its objects stay in the bucket, and it is listed what removes them");
    match mode {
        ExportMode::Copy => {
            failure.hint("--move moves the file in the end, and settles what moves alone can show")
        }
        ExportMode::Move => failure.hint(
            "the move can't be undone: the object on the volume is the file's only copy then",
        ),
    }
}

/// A folder of its own, so that nothing lies there.
fn folder(args: &Doctor) -> Prefix {
    let now = || Timestamp::now().strftime("cavatica-rehearsal/%Y%m%dT%H%M%SZ/");
    let made = || now().to_string().parse().expect("a folder of plain words");
    args.prefix.clone().unwrap_or_else(made)
}

/// A platform that moves what was to be copied is remembered, as after `export` and `run`.
fn remember(client: &Client, rehearsed: &Rehearsed, ui: &Ui) {
    if let Some(account) = &rehearsed.account
        && rehearsed.seen.count(Habit::SourceMoved) > 0
    {
        let endpoint = client.endpoint().to_string();
        let memory = Memory::of(&Environment::read());
        memory.note(&endpoint, account, Copying::MovesSource, ui);
    }
}

/// What stands in the bucket before locations, as an S3 address.
fn bucket(rehearsed: &Rehearsed) -> String {
    let volume = rehearsed.volume.as_ref();
    match volume.and_then(|volume| Some((volume, volume.bucket()?))) {
        Some((volume, bucket)) => {
            format!("s3://{bucket}/{}", expected_beginning(volume.prefix()))
        }
        None => "s3://BUCKET/PREFIX/".to_owned(),
    }
}

fn tell_all(
    client: &Client,
    wish: &Rehearsal,
    rehearsed: &Rehearsed,
    ui: &Ui,
) -> Result<(), Failure> {
    let endpoint = client.endpoint().to_string();
    let contract = Contract::new(&endpoint, &rehearsed.seen, REHEARSED);
    let bucket = bucket(rehearsed);
    let left = rehearsed.left.iter();
    let left_behind: Vec<_> = left.map(|left| behind(left, &bucket)).collect();
    if ui.is_json() {
        ui.json(&Printed {
            requests: client.budget().sent,
            ended: rehearsed.halt.as_ref().map_or("done", name),
            contract: &contract,
            left_behind,
        })?;
        return Ok(());
    }
    for line in &contract.questions {
        show(line, wish.mode, ui)?;
    }
    for line in &contract.measures {
        ui.hanging(
            "measured   ",
            format_args!("{}: {}", line.words, line.greatest),
            11,
        )?;
    }
    ui.line(format_args!(
        "{} made",
        ui::counted(client.budget().sent, "request")
    ))?;
    for left in &left_behind {
        let lead = format_args!("left       {}: ", left.what);
        ui.hanging(
            lead,
            format_args!("{} on {}", left.location, wish.volume),
            11,
        )?;
        ui.line(format_args!("           {}", left.command))?;
    }
    Ok(())
}

/// One question: what is expected, what was observed here, and what the program does about it.
fn show(line: &QuestionLine, mode: ExportMode, ui: &Ui) -> Result<(), Failure> {
    let expected = format!("{} {}", line.basis, line.expected.join(" or "));
    if line.observed.is_empty() {
        let why = match mode {
            ExportMode::Copy => "not seen here; --move may show it",
            ExportMode::Move => "not seen here",
        };
        let text = format_args!("{} ({expected}): {why}", line.asks);
        return Ok(ui.hanging("open       ", text, 11)?);
    }
    for habit in &line.observed {
        let lead = if habit.expected {
            "as expected"
        } else {
            "OTHERWISE  "
        };
        let text = format_args!(
            "{} ({expected}): observed {}; {}",
            line.asks, habit.habit, habit.follows
        );
        ui.hanging(format_args!("{lead} "), text, 12)?;
    }
    Ok(())
}

fn behind(left: &Left, bucket: &str) -> LeftBehind {
    let (what, location, next) = match left {
        Left::Object(location) => ("an object", location, "rm"),
        // It may be the only copy of a file that was to be moved: nothing to be removed unseen.
        Left::PerhapsObject(location) => ("perhaps an object", location, "ls"),
        Left::OnlyCopy(location) => (
            "the file's only copy, of which it is an alias now",
            location,
            "rm",
        ),
    };
    LeftBehind {
        what,
        location: location.to_string(),
        command: format!(
            "aws s3 {next} {}",
            hint::shell_word(&format!("{bucket}{location}"))
        ),
    }
}

fn name(halt: &Halt) -> &'static str {
    match halt {
        Halt::Stopped => "stopped",
        Halt::OutOfRequests => "out-of-requests",
        Halt::Rejected(_) | Halt::Location(_) => "rejected",
        Halt::Unended { .. } => "unended",
        Halt::Failed { .. } => "failed",
        Halt::Unsaid | Halt::Call(_) | Halt::List(_) => "no-answer",
        Halt::NotMoved => "not-moved",
        _ => "other",
    }
}

fn of_halt(halt: Halt, left: &[Left], wish: &Rehearsal) -> Failure {
    let unclear = left
        .iter()
        .any(|left| matches!(left, Left::PerhapsObject(_)));
    let message = format!("the rehearsal went no further: {halt}");
    let failure = match halt {
        Halt::Rejected(rejected) => return Failure::objections("the rehearsal", &rejected),
        Halt::Stopped => Failure::new(Exit::Interrupted, message),
        Halt::Location(_) => Failure::usage(message),
        Halt::Failed { code, .. } => {
            let failure = Failure::new(Exit::SomeFailed, message);
            match code {
                Some(code) => failure.hint(format!("`cavatica explain {code}` says what it means")),
                None => failure,
            }
        }
        Halt::Call(error) => Failure {
            message,
            ..Failure::from(error)
        },
        Halt::List(error) => Failure {
            message,
            ..Failure::from(error)
        },
        _ => Failure::new(Exit::Other, message),
    };
    if !unclear {
        return failure;
    }
    Failure {
        exit: Exit::Unknown,
        ..failure
    }
    .hint(format!(
        "look with `cavatica jobs list --volume {}` before you remove anything",
        hint::shell_word(wish.volume.as_str())
    ))
}
