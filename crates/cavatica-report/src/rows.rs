//! The rows of a transfer, and the names that forms share.

use cavatica_model::volume::expected_beginning;
use cavatica_transfer::RunOptions;
use cavatica_transfer::journal::{ItemRow, JournalError, SkippedRow, Terms, TransferFile};
use cavatica_transfer::state::State;

use crate::format::ReportError;

/// How often the run that is on sends a file before its failure counts: until then the file is to be sent, so that no count is
/// contradicted by a later one. Where nothing runs, every failure counts.
pub(crate) fn attempts_of_run(transfer: &TransferFile) -> Option<u32> {
    transfer.owner()?;
    Some(RunOptions::default().max_attempts)
}

/// Visits every planned file, in the order of the plan.
pub(crate) fn each_item<E: From<JournalError>>(
    transfer: &TransferFile,
    mut visit: impl FnMut(ItemRow) -> Result<(), E>,
) -> Result<(), E> {
    let (mut after, most) = (None, attempts_of_run(transfer));
    loop {
        let mut page = transfer.items(after)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = Some(last.id);
        for item in &mut page {
            if most.is_some_and(|most| item.state.is_sent_again(item.attempts, most)) {
                item.state = State::Planned;
            }
        }
        page.into_iter().try_for_each(&mut visit)?;
    }
}

/// Visits every file that the plan left out.
pub(crate) fn each_skipped<E: From<JournalError>>(
    transfer: &TransferFile,
    mut visit: impl FnMut(SkippedRow) -> Result<(), E>,
) -> Result<(), E> {
    let mut after = 0;
    loop {
        let page = transfer.skipped(after)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after = last.id;
        page.into_iter().try_for_each(&mut visit)?;
    }
}

/// The key that is expected in the bucket, the volume's prefix included.
pub(crate) fn key(terms: &Terms, item: &ItemRow) -> String {
    expected_beginning(&terms.volume_prefix) + &item.location
}

/// The last part of a path.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The bucket, for those forms that can't do without.
pub(crate) fn bucket(terms: &Terms) -> Result<&str, ReportError> {
    terms
        .bucket
        .as_deref()
        .ok_or_else(|| ReportError::NoBucket {
            volume: terms.volume.clone(),
        })
}
