//! An audit that came to no end.

use std::path::Path;

use cavatica_transfer::AuditError;

use super::{Exit, Failure};
use crate::hint;

/// Why an audit stopped, and that what it read is kept.
pub(crate) fn of_audit(error: AuditError, transfer: &Path) -> Failure {
    let again = format!(
        "what was read is kept; `cavatica audit {}` goes on from here",
        hint::path_word(transfer)
    );
    let message = error.to_string();
    match error {
        AuditError::Journal(error) => error.into(),
        AuditError::Call(error) => Failure::from(error).hint(again),
        AuditError::List(error) => Failure::from(error).hint(again),
        AuditError::Interrupted { .. } => Failure::new(Exit::Interrupted, message).hint(again),
        AuditError::Running { .. } => {
            Failure::usage(message).hint("wait until it has ended, or stop it there")
        }
        AuditError::RunMeanwhile { .. } => Failure::new(Exit::Interrupted, message)
            .hint("give the same command again; it reads the list anew"),
        AuditError::Audited { .. } => Failure::usage(message).hint("wait until it has ended"),
        _ => Failure::new(Exit::Other, message),
    }
}
