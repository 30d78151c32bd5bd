//! When the program dies.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::setup::Setup;
use crate::sandbox::Running;

/// When the program is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// After so many milliseconds, wherever it is.
    Anywhere(u64),
    /// While its n-th commit is under way.
    WithinCommit(u32),
    /// Right after its n-th commit: an intent is on disk and its call not sent, or an answer has been written.
    AfterCommit(u32),
    /// When the sandbox has got its n-th call of the run that starts exports.
    AfterSend(u32),
}

impl Moment {
    /// Soon, or the transfer is done before it has died often enough.
    pub(super) fn choose(random: &mut fastrand::Rng) -> Self {
        match random.u8(0..4) {
            0 => Moment::Anywhere(random.u64(20..400)),
            1 => Moment::WithinCommit(random.u32(1..4)),
            2 => Moment::AfterCommit(random.u32(1..3)),
            _ => Moment::AfterSend(random.u32(1..3)),
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Moment::Anywhere(_) => "anywhere",
            Moment::WithinCommit(_) => "within a commit",
            Moment::AfterCommit(_) => "after a commit",
            Moment::AfterSend(_) => "after a send",
        }
    }
}

impl Setup {
    /// Waits for the moment; false if the program ended first.
    pub(super) fn wait_for(&self, moment: Moment, program: &mut Running) -> Result<bool, String> {
        let journal = self.folder.join("t.transfer-journal");
        let began = Instant::now();
        let before = match moment {
            Moment::AfterSend(_) => self.starts()?,
            Moment::Anywhere(_) | Moment::WithinCommit(_) | Moment::AfterCommit(_) => 0,
        };
        let (mut begun, mut done, mut is_there) = (0, 0, journal.exists());
        loop {
            if program
                .0
                .try_wait()
                .map_err(|error| error.to_string())?
                .is_some()
            {
                return Ok(false);
            }
            let there = journal.exists();
            begun += u32::from(there && !is_there);
            done += u32::from(!there && is_there);
            is_there = there;
            let reached = match moment {
                Moment::Anywhere(after) => began.elapsed() >= Duration::from_millis(after),
                Moment::WithinCommit(nth) => begun >= nth,
                Moment::AfterCommit(nth) => done >= nth,
                Moment::AfterSend(nth) => self.starts()? >= before + u64::from(nth),
            };
            if reached {
                return Ok(true);
            }
            sleep(Duration::from_micros(50));
        }
    }
}
