//! A run that came to no end.

use std::path::Path;

use cavatica_exports::transport::{Error, Outcome};
use cavatica_transfer::RunError;
use cavatica_transfer::journal::Tally;

use super::{Exit, Failure};
use crate::hint;
use crate::reporter::going_on_there;

/// A platform that is away before anything is sent: what was sent by earlier runs goes on there.
pub(crate) fn not_begun(error: Error, transfer: &Path, tally: &Tally) -> Failure {
    let is_away = match error.outcome() {
        Outcome::NotSent | Outcome::Throttled | Outcome::Maintenance | Outcome::Unknown => true,
        Outcome::Refused => false,
    };
    let mut failure = Failure::from(error);
    if is_away {
        failure.message += &format!("{}; the run has not begun", going_on_there(tally));
        failure = failure.hint(format!(
            "give the same command again later: `cavatica run {} --yes`",
            hint::path_word(transfer)
        ));
    }
    failure
}

/// Why a run stopped, and that nothing is lost.
pub(crate) fn of_run(error: RunError, transfer: &Path) -> Failure {
    let again = format!(
        "nothing is lost; `cavatica run {} --yes` goes on from here",
        hint::path_word(transfer)
    );
    let message = error.to_string();
    match error {
        RunError::Journal(error) => error.into(),
        RunError::Refused(error) => Failure::from(error).hint(again),
        RunError::Unreachable { source, .. } => {
            Failure::new(Exit::Interrupted, message).caused_by(source).hint(again)
        }
        RunError::CopyMoved { .. } => Failure::new(Exit::SomeFailed, message).hint(
            "the platform ignored `copy_only`, which is remembered; plan the transfer with --move if that is what you want",
        ),
        RunError::VolumeChanged { volume, .. } => Failure::usage(message)
            .hint("nothing further was sent; where the volume is as it should be now, plan the transfer anew")
            .hint(format!(
                "`cavatica volumes get {}` shows it",
                hint::shell_word(volume.as_str())
            )),
        RunError::Contradicted { belief, .. } => Failure::new(Exit::Unknown, message)
            .hint(format!(
                "`cavatica contract {}` tells what was seen; send it to the project, and ask the platform's support",
                hint::path_word(transfer)
            ))
            .hint(format!(
                "docs/reliability.md says what can go wrong without `{belief}`; `cavatica run {} --yes --despite {belief}` sends the rest all the same",
                hint::path_word(transfer)
            )),
        RunError::NotMoved { .. } => Failure::new(Exit::Unknown, message)
            .hint("look at the file and its job before anything else is moved")
            .hint(again),
        _ => Failure::new(Exit::Other, message).hint(again),
    }
}
