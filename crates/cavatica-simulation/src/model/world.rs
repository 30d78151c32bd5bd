//! A world of two files: what the platform has, what is on the wire, what is on disk, and what the runs have in memory.

use std::hash::{Hash, Hasher};
use std::time::Duration;

use cavatica_transfer::Timing;
use cavatica_transfer::proof::{Doubts, Where};
use cavatica_transfer::state::{Proof, State};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::setting::{Occupant, Setting};
use crate::Belief;

/// A moment, in the lives of a byte before the present: a third of a settling time. The present is 0.
pub(super) type Tick = i16;

/// How long the bytes of a call live.
pub(super) const BYTE_LIFE: Tick = 1;

/// The settling time.
const SETTLE: Tick = 3;

/// How long an answer is waited for.
pub(super) const LONGEST_CALL: Tick = 6;

/// How late lists and files may be.
pub(super) const LATEST: Tick = 4 * SETTLE;

/// What is older than this doesn't become older: nothing is decided by it any more.
const OLDEST: Tick = 40;

/// One life of a byte, to the engine. It measures its waits and the platform's dates apart, so they need not agree here.
const UNIT: Duration = Duration::from_millis(1);

/// The same, in the dates of the platform.
const UNIT_ON_THE_CLOCK: SignedDuration = SignedDuration::from_secs(20);

/// The present, on the platform's clock.
pub(super) fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("a moment")
}

/// When the transfer was planned: it doesn't become older either.
pub(super) fn planned() -> Timestamp {
    now() - SignedDuration::from_hours(2)
}

/// A number for people: two states that differ in it are one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Label(pub(super) u8);

impl Hash for Label {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A file of the platform, and the place that it is planned for.
#[derive(Clone, Debug, Hash)]
pub(super) struct File {
    /// Where it lies.
    pub(super) lies: Where,
    /// Where it is shown.
    pub(super) shown: Where,
    pub(super) object: Occupant,
    /// Whether what was there first went away though nobody had asked for it.
    pub(super) robbed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    Live,
    Completed,
    /// With the platform's code.
    Failed(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Job {
    pub(super) file: u8,
    /// Whether this transfer started it.
    pub(super) ours: bool,
    pub(super) overwrite: bool,
    pub(super) stage: Stage,
    pub(super) listed: bool,
    pub(super) forgotten: bool,
    pub(super) began: Tick,
    pub(super) ended: Tick,
}

/// What the platform did with an item of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Taken {
    NotYet,
    Accepted(u8),
    Refused(i64),
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Way {
    /// Its intent is on disk.
    Intended,
    /// Its files were read, and are there.
    Checked,
    /// Its bytes are on their way, or have come.
    Wire,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) id: i64,
    /// Whose it is: who waits for the answer. `None` once nobody does.
    pub(super) owner: Option<u8>,
    pub(super) way: Way,
    pub(super) items: Vec<Sending>,
    /// When it was sent.
    pub(super) sent: Tick,
    /// Since when its bytes can only die.
    pub(super) given_up: Option<Tick>,
}

impl Request {
    /// Whether it may still be carried out: its bytes move, or have come a settling time ago at most.
    pub(super) fn may_be_carried_out(&self, setting: &Setting) -> bool {
        let since = self.given_up.unwrap_or(0);
        since > -(BYTE_LIFE + SETTLE) || !setting.believes(Belief::RequestsDie)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Sending {
    pub(super) file: u8,
    pub(super) overwrite: bool,
    pub(super) taken: Taken,
}

/// What the journal has of a file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Record {
    pub(super) state: State,
    pub(super) attempt: u32,
    /// Whether a sending was lost: it may not overwrite any more.
    pub(super) lost: bool,
    pub(super) call: i64,
    /// When its intent was written.
    pub(super) sent: Tick,
    /// When its job began, and when that was heard, if it was told.
    pub(super) dated: Option<Tick>,
    /// Jobs of earlier attempts.
    pub(super) past: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Caution {
    None,
    First,
    All,
}

/// A program that runs the transfer.
#[derive(Clone, Debug, Hash)]
pub(super) struct Owner {
    pub(super) number: Label,
    /// Whether its run is the newest of the transfer.
    pub(super) newest: bool,
    /// The journal, with what isn't committed yet.
    pub(super) rows: Vec<Record>,
    pub(super) doubts: Doubts,
    pub(super) caution: Caution,
    pub(super) inquiry: Option<Inquiry>,
}

/// An inquiry under way: what it has seen so far.
#[derive(Clone, Debug, Hash)]
pub(super) struct Inquiry {
    pub(super) asked: Vec<u8>,
    /// When the oldest of them was sent.
    pub(super) oldest: Timestamp,
    pub(super) quiet: bool,
    pub(super) reads: u8,
    /// Jobs that were listed, as they were seen last.
    pub(super) jobs: Vec<(u8, Stage)>,
    pub(super) places: Vec<(u8, Where)>,
}

#[derive(Clone, Debug, Hash)]
pub(super) struct Snapshot {
    pub(super) files: Vec<File>,
    pub(super) jobs: Vec<Job>,
    pub(super) calls: Vec<Request>,
    /// What was committed. What a run learned since may be on disk or not when it dies.
    pub(super) disk: Vec<Record>,
    /// What would be on disk if the last commit had not outlasted the loss of power.
    pub(super) unsynced: Option<Vec<Record>>,
    pub(super) backup: Option<Vec<Record>>,
    /// Whether a backup was put in the transfer's place.
    pub(super) restored: bool,
    pub(super) owners: [Option<Owner>; 2],
    /// How many runs have begun.
    pub(super) begun: Label,
    /// How many things may still go wrong.
    pub(super) faults: u8,
    /// How often a person may still ask for a retry.
    pub(super) retries: u8,
    pub(super) broken: Option<Broken>,
}

/// What must not be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Broken {
    /// A start was accepted while an earlier job of the file lived, or had succeeded.
    Doubled { file: u8, had_succeeded: bool },
    /// A file is recorded as completed, and isn't.
    NotCompleted(u8),
    /// A file is recorded as failed while a job of ours for it lives, or has succeeded.
    NotFailed(u8),
    /// An alias points at nothing: the only copy is gone.
    Dangling(u8),
    /// An object is gone that nobody had asked to overwrite.
    Robbed(u8),
    /// The state machine refused a step.
    Illegal(String),
}

impl Snapshot {
    pub(super) fn new(setting: &Setting) -> Self {
        let file = File {
            lies: Where::Platform,
            shown: Where::Platform,
            object: setting.occupied,
            robbed: false,
        };
        let row = Record {
            state: State::Planned,
            attempt: 0,
            lost: false,
            call: 0,
            sent: 0,
            dated: None,
            past: Vec::new(),
        };
        let files = usize::from(setting.files);
        // Where something lies already, a copy of the same file by the same account brought it, three hours ago.
        let earlier = (0..setting.files).map(|file| Job {
            file,
            ours: false,
            overwrite: false,
            stage: Stage::Completed,
            listed: true,
            forgotten: false,
            began: Tick::MIN,
            ended: Tick::MIN,
        });
        let occupied = setting.occupied != Occupant::Nothing;
        let disk = vec![row; files];
        Snapshot {
            files: vec![file; files],
            jobs: earlier.filter(|_| occupied).collect(),
            calls: Vec::new(),
            backup: setting.faults.backup.then(|| disk.clone()),
            disk,
            unsynced: None,
            restored: false,
            owners: [None, None],
            begun: Label(0),
            faults: setting.faults.most,
            retries: u8::from(setting.faults.jobs),
            broken: None,
        }
    }

    /// What is wrong.
    pub(super) fn check(&self, setting: &Setting) -> Option<Broken> {
        if self.broken.is_some() {
            return self.broken.clone();
        }
        for (number, file) in (0..).zip(&self.files) {
            if file.lies == Where::Planned && file.object != Occupant::Ours {
                return Some(Broken::Dangling(number));
            }
            if file.robbed {
                return Some(Broken::Robbed(number));
            }
        }
        // A run that was taken over may think what it likes.
        let newest = |owner: &&Owner| owner.newest;
        let memories = self.owners.iter().flatten().filter(newest);
        for rows in memories.map(|owner| &owner.rows).chain([&self.disk]) {
            for (number, row) in (0..).zip(rows) {
                let file = &self.files[usize::from(number)];
                match &row.state {
                    State::Completed {
                        proof: Proof::File | Proof::Job,
                        ..
                    } if file.object != Occupant::Ours
                        || (setting.is_move() && file.lies != Where::Planned) =>
                    {
                        return Some(Broken::NotCompleted(number));
                    }
                    State::Failed { .. } if self.exported(number).is_some() => {
                        return Some(Broken::NotFailed(number));
                    }
                    _ => {}
                }
            }
        }
        None
    }

    /// A job of ours of this file that lives or has succeeded.
    pub(super) fn exported(&self, file: u8) -> Option<&Job> {
        self.jobs.iter().find(|job| {
            job.ours && job.file == file && matches!(job.stage, Stage::Live | Stage::Completed)
        })
    }

    /// Whether every file has its outcome. Of a copy to where an earlier one lies, that may be *unknown*: where no job of
    /// the transfer tells the clock, the two can't be told apart.
    pub(super) fn is_over(&self, setting: &Setting) -> bool {
        let may_be_unknown = !setting.is_move() && setting.occupied != Occupant::Nothing;
        let ended = |row: &Record| match row.state {
            State::Completed { .. } | State::Failed { .. } => true,
            State::Unknown { .. } => may_be_unknown,
            _ => false,
        };
        let memories = self.owners.iter().flatten().filter(|owner| owner.newest);
        let mut rows = memories.map(|owner| &owner.rows).chain([&self.disk]);
        rows.any(|rows| rows.iter().all(ended))
    }

    /// When something is due that waits, from now on.
    pub(super) fn next_event(&self) -> Option<Tick> {
        let owners = self.owners.iter().flatten();
        let events = owners.flat_map(|owner| {
            let due = owner.doubts.next_wake().map(moment_of);
            // From then on a start is a witness.
            let dead = owner.doubts.dead().map(|dead| moment_of(dead) + 1);
            due.into_iter().chain(dead)
        });
        // The last moment in which a call that was given up is still carried out.
        let given_up = self.calls.iter().filter_map(|call| call.given_up);
        let last = given_up.map(|since| since + BYTE_LIFE + SETTLE - 1);
        let events = events.chain(last);
        events.filter(|event| *event > 0).min()
    }

    /// Makes states one that differ in nothing that matters.
    pub(super) fn tidy(&mut self, setting: &Setting) {
        if self.owners[0].is_none() {
            self.owners.swap(0, 1);
            for call in &mut self.calls {
                call.owner = call.owner.map(|_| 0);
            }
        }
        if setting.is_dated() {
            return;
        }
        for job in &mut self.jobs {
            let file = &self.files[usize::from(job.file)];
            if job.listed {
                job.began = Tick::MIN;
            }
            if file.lies == file.shown || !setting.is_move() {
                job.ended = Tick::MIN;
            }
        }
    }

    /// Time passes.
    pub(super) fn pass(&mut self, by: Tick) {
        let older = |moment: &mut Tick| {
            if *moment > Tick::MIN {
                *moment = (*moment - by).max(-OLDEST);
            }
        };
        for job in &mut self.jobs {
            older(&mut job.began);
            older(&mut job.ended);
        }
        for call in &mut self.calls {
            older(&mut call.sent);
            call.given_up.as_mut().map(older);
        }
        let owners = self.owners.iter_mut().flatten();
        let rows = owners.map(|owner| &mut owner.rows);
        let disks = [
            Some(&mut self.disk),
            self.unsynced.as_mut(),
            self.backup.as_mut(),
        ];
        let disks = disks.into_iter().flatten();
        for row in rows.chain(disks).flatten() {
            older(&mut row.sent);
            row.dated.as_mut().map(older);
        }
        let engine = |moment: Instant| instant((moment_of(moment) - by).max(-OLDEST));
        let clock = |moment: Timestamp| {
            let oldest = stamp(-OLDEST);
            if moment < oldest {
                moment
            } else {
                (moment - UNIT_ON_THE_CLOCK * i32::from(by)).max(oldest)
            }
        };
        for owner in self.owners.iter_mut().flatten() {
            owner.doubts.pass(engine, clock);
        }
    }
}

/// A moment as the engine has it.
pub(super) fn instant(moment: Tick) -> Instant {
    let units = UNIT * u32::from(moment.unsigned_abs());
    if moment < 0 {
        Instant::now() - units
    } else {
        Instant::now() + units
    }
}

fn moment_of(instant: Instant) -> Tick {
    let now = Instant::now();
    let units = |time: Duration| Tick::try_from(time.as_millis()).expect("a moment of ours");
    if instant < now {
        -units(now - instant)
    } else {
        units(instant - now)
    }
}

/// A moment on the platform's clock.
pub(super) fn stamp(moment: Tick) -> Timestamp {
    if moment == Tick::MIN {
        return now() - SignedDuration::from_hours(3);
    }
    now() + UNIT_ON_THE_CLOCK * i32::from(moment)
}

/// How long the engine waits.
pub(super) fn timing() -> Timing {
    let mut timing = Timing::default();
    timing.settle = UNIT * u32::from(SETTLE.unsigned_abs());
    timing
}
