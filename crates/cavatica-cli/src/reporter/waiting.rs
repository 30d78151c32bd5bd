//! What a run waits for, and until when, as far as anybody knows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cavatica_exports::transport::{Wait, WaitReason};
use cavatica_transfer::Event;
use jiff::Timestamp;

use super::progress::Progress;
use crate::ui::{clock, counted};

/// What the client waits for, as it said last. Requests that wait for the same moment are one wait.
#[derive(Clone, Default)]
pub(crate) struct ClientWaits(Arc<Mutex<Option<Wait>>>);

impl ClientWaits {
    /// Notes a wait that begins, and answers whether it goes on beyond those that were noted before.
    pub(crate) fn note(&self, wait: &Wait) -> bool {
        let mut longest = self.locked();
        let is_longer = longest.is_none_or(|known| known.until < wait.until);
        if is_longer {
            *longest = Some(*wait);
        }
        is_longer
    }

    fn at(&self, now: Timestamp) -> Option<Wait> {
        self.locked().filter(|wait| wait.until > now)
    }

    fn locked(&self) -> MutexGuard<'_, Option<Wait>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a client waits for, and until when.
pub(crate) fn wait_words(wait: &Wait) -> String {
    let until = clock(wait.until);
    match wait.reason {
        WaitReason::Budget => format!("the limit on requests, until {until}"),
        WaitReason::Maintenance => {
            format!("the end of the platform's maintenance; next try {until}")
        }
        WaitReason::Retry => format!("another attempt at {until}"),
        other => format!("{other}, until {until}"),
    }
}

/// What holds a run up besides its client.
#[derive(Debug, Default)]
pub(super) struct WaitNote {
    /// The platform is away, until it is asked again.
    away_until: Option<Timestamp>,
    /// So many answers were lost, and the platform is asked about them then.
    look: Option<(usize, Timestamp)>,
    first_copy: bool,
    stopping: bool,
}

impl WaitNote {
    pub(super) fn note(&mut self, event: &Event, now: Timestamp) {
        match event {
            Event::Paused { pause, .. } => self.away_until = now.checked_add(*pause).ok(),
            Event::LookDue { files, wait } => {
                self.look = now.checked_add(*wait).ok().map(|due| (*files, due));
            }
            Event::CopyGoesAlone => self.first_copy = true,
            Event::CopyProven => self.first_copy = false,
            Event::SendingStopped { .. } => self.stopping = true,
            _ => {}
        }
    }

    /// What stands in the way now, the greatest first.
    pub(super) fn words(
        &self,
        waits: &ClientWaits,
        progress: &Progress,
        now: Timestamp,
    ) -> Option<String> {
        let away_until = self.away_until.filter(|until| *until > now);
        let look = self.look.filter(|(_, due)| *due > now);
        let (tally, again) = (&progress.tally, progress.again);
        let jobs = tally.accepted.files + tally.intended.files;
        Some(if self.stopping {
            "the answers that are due; nothing more is sent".to_owned()
        } else if let Some(until) = away_until {
            format!("the platform; next try {}", clock(until))
        } else if let Some(wait) = waits.at(now) {
            wait_words(&wait)
        } else if self.first_copy {
            "the first copy, which goes alone until the platform is seen to keep its source"
                .to_owned()
        } else if tally.accepted.files == 0
            && let Some((files, due)) = look
        {
            let files = counted(files as u64, "file");
            format!("{}, to ask the platform what became of {files}", clock(due))
        } else if tally.planned.files > 0 {
            return None;
        } else if jobs > 0 {
            format!("the end of {} at the platform", counted(jobs, "job"))
        } else if again > 0 {
            format!(
                "the right moment to send {} again",
                counted(again, "failed file")
            )
        } else {
            return None;
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use cavatica_transfer::journal::{Count, Tally};
    use cavatica_transfer::{Event, Hindrance, StopReason};

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn progress(planned: u64, accepted: u64, again: u64) -> Progress {
        let count = |files| Count { files, bytes: 0 };
        let mut progress = Progress::default();
        let mut tally = Tally::default();
        tally.planned = count(planned);
        tally.accepted = count(accepted);
        tally.failed = count(again);
        progress.note(Duration::ZERO, &tally, again);
        progress
    }

    #[test]
    fn the_greatest_hindrance_is_named_and_for_how_long() {
        let (mut waiting, waits) = (WaitNote::default(), ClientWaits::default());
        let words = |waiting: &WaitNote, progress: &Progress, second| {
            waiting.words(&ClientWaits::default(), progress, at(second))
        };
        assert_eq!(words(&waiting, &progress(10, 5, 0), 0), None);
        let jobs = words(&waiting, &progress(0, 5, 0), 0);
        assert_eq!(jobs.unwrap(), "the end of 5 jobs at the platform");
        let again = words(&waiting, &progress(0, 0, 1), 0);
        assert_eq!(
            again.unwrap(),
            "the right moment to send 1 failed file again"
        );

        waiting.note(&Event::CopyGoesAlone, at(0));
        let alone = words(&waiting, &progress(10, 1, 0), 0).unwrap();
        assert!(alone.starts_with("the first copy"), "{alone}");
        let away = Event::Paused {
            reason: Hindrance::Unreachable,
            words: String::new(),
            pause: Duration::from_secs(30),
        };
        waiting.note(&away, at(60));
        let away = words(&waiting, &progress(10, 1, 0), 61).unwrap();
        assert_eq!(away, "the platform; next try 00:01:30Z");
        let over = words(&waiting, &progress(10, 1, 0), 90).unwrap();
        assert!(over.starts_with("the first copy"), "{over}");
        waiting.note(&Event::CopyProven, at(91));
        assert_eq!(words(&waiting, &progress(10, 1, 0), 91), None);

        let look = Event::LookDue {
            files: 100,
            wait: Duration::from_secs(60),
        };
        waiting.note(&look, at(100));
        let look = words(&waiting, &progress(1, 0, 0), 159).unwrap();
        assert_eq!(
            look,
            "00:02:40Z, to ask the platform what became of 100 files"
        );
        let meanwhile = words(&waiting, &progress(1, 5, 0), 159);
        assert_eq!(meanwhile, None);
        assert_eq!(words(&waiting, &progress(1, 0, 0), 160), None);

        waiting.note(
            &Event::SendingStopped {
                reason: StopReason::Asked,
            },
            at(92),
        );
        let stopping = waiting.words(&waits, &progress(10, 1, 0), at(92)).unwrap();
        assert!(stopping.ends_with("nothing more is sent"), "{stopping}");
    }
}
