//! What was learned, and what of it is not yet on disk.

use std::time::Duration;

use tokio::time::Instant;

use crate::journal::Change;

/// How long what was learned may wait for its sync, together with what comes after it: it is the syncs that cost. Lost with
/// the machine, it is asked for again.
const LINGER: Duration = Duration::from_secs(1);

/// What has to be written, and what has to be brought to disk.
#[derive(Debug, Default)]
pub(super) struct Saving {
    learned: Vec<Change>,
    /// Since when something is written that isn't on disk.
    unsaved: Option<Instant>,
    /// Whether intents are among it: nothing is sent before they are on disk.
    intents: bool,
}

impl Saving {
    /// Keeps changes until everything that came together was looked at.
    pub(super) fn learn(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.learned.extend(changes);
    }

    pub(super) fn has_learned_nothing(&self) -> bool {
        self.learned.is_empty()
    }

    /// What was learned since the last time.
    pub(super) fn take_learned(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.learned)
    }

    /// The journal says whether all that was written is on disk. What only began to be written counts: it keeps others from
    /// writing.
    pub(super) fn look(&mut self, is_saved: bool, now: Instant) {
        self.unsaved = (!is_saved).then(|| self.unsaved.unwrap_or(now));
    }

    /// An intent was written.
    pub(super) fn intended(&mut self) {
        self.intents = true;
    }

    /// Everything is on disk.
    pub(super) fn saved(&mut self) {
        self.unsaved = None;
        self.intents = false;
    }

    /// Whether what is written has to be brought to disk now.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.intents || self.next_wake().is_some_and(|due| due <= now)
    }

    /// Whether everything learned is on disk.
    pub(super) fn is_idle(&self) -> bool {
        self.learned.is_empty() && self.unsaved.is_none()
    }

    pub(super) fn next_wake(&self) -> Option<Instant> {
        self.unsaved.map(|since| since + LINGER)
    }
}
