//! A call to the platform that came to nothing.

use cavatica_exports::model::error::StatusCode;
use cavatica_exports::transport::{Effect, Error, Fault, Outcome};
use cavatica_exports::{ListError, Missing, WaitError};

use super::{Absent, Exit, Failure};
use crate::hint;

/// What is said of something that isn't there, where the call named nothing.
const NO_SUCH_THING: &str = "the platform has no such thing, or doesn't show it to you";

/// What is said where something answers that doesn't know the call.
const NOT_THE_API: &str = "this address answers, but it isn't the API: it ends in `/v2`";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let missing = Missing::of(&error);
        let (exit, message) = exit_and_message(&error);
        let message = match &missing {
            Some(thing) => format!("the platform has no {thing}, or doesn't show it to you"),
            None => message.to_owned(),
        };
        let hints = hint::of_call(&error);
        Failure {
            source: Some(Box::new(error)),
            hints,
            absent: missing.map(|thing| Box::new(Absent::Thing(thing))),
            ..Failure::new(exit, message)
        }
    }
}

fn exit_and_message(error: &Error) -> (Exit, &'static str) {
    let is_start = error.effect() == Effect::Start;
    match error.outcome() {
        Outcome::NotSent if *error.fault() == Fault::OtherOrigin => {
            let message = "an answer leads away from the platform, where the token would have gone with the next request";
            (Exit::Other, message)
        }
        Outcome::NotSent => (Exit::Other, "the platform can't be reached"),
        Outcome::Refused if error.status() == Some(401) => {
            (Exit::Denied, "the platform doesn't accept the token")
        }
        Outcome::Refused if is_denial(error) => (Exit::Denied, "the platform doesn't allow this"),
        Outcome::Refused if *error.fault() == Fault::NoSuchCall => (Exit::Refused, NOT_THE_API),
        // What was looked up before anything is sent was named by the user.
        Outcome::Refused if error.status() == Some(404) && is_start => (Exit::Other, NO_SUCH_THING),
        Outcome::Refused if error.status() == Some(404) => (Exit::Refused, NO_SUCH_THING),
        Outcome::Refused => (Exit::Other, "the platform refused this"),
        Outcome::Throttled => (Exit::Other, "the limit on requests is used up"),
        Outcome::Maintenance => (Exit::Other, "the platform is under maintenance"),
        Outcome::Unknown if is_start => (
            Exit::Unknown,
            "it isn't known whether the export was started",
        ),
        Outcome::Unknown => (Exit::Other, "the platform gave no answer that can be read"),
    }
}

/// Whether the account's rights are at fault. The platform also answers 403 for files that can't be exported by anybody.
fn is_denial(error: &Error) -> bool {
    error.status() == Some(403) && error.code() != Some(StatusCode::NOT_EXPORTABLE)
}

impl Failure {
    /// One export that the platform did not take, and provably did not start.
    pub(crate) fn not_started(error: Error) -> Self {
        let refused = *error.outcome() == Outcome::Refused;
        let failure = Failure::from(error);
        match failure.exit {
            Exit::Other if refused => Failure {
                exit: Exit::SomeFailed,
                message: "the platform refused the export".to_owned(),
                ..failure
            },
            _ => failure,
        }
    }
}

impl From<ListError> for Failure {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Call(error) => error.into(),
            _ => Failure::new(Exit::Other, error.to_string()),
        }
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Call(error) => error.into(),
            WaitError::TimedOut { ref jobs, .. } => {
                let ids = jobs.iter().map(|job| hint::shell_word(job.id.as_str()));
                let ids: Vec<_> = ids.collect();
                Failure::new(Exit::Unknown, error.to_string()).hint(format!(
                    "the platform goes on; look again with `cavatica jobs wait {}`",
                    ids.join(" ")
                ))
            }
            _ => Failure::new(Exit::Unknown, error.to_string()),
        }
    }
}
