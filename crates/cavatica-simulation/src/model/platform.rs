//! What the platform does, and what goes wrong around it.

use cavatica_transfer::proof::Where;

use super::action::Action;
use super::setting::Occupant;
use super::setting::Setting;
use super::world::{Broken, Job, LATEST, LONGEST_CALL, Snapshot, Stage, Taken, Tick, Way};
use crate::Belief;

/// The platform's codes: the file can't be exported, the place is taken, something failed.
const CANT_BE_EXPORTED: i64 = 9006;
const OCCUPIED: i64 = 9107;
const BROKE: i64 = 9020;

impl Snapshot {
    /// What the platform, time and other people may do now.
    pub(super) fn platform_actions(&self, setting: &Setting, into: &mut Vec<Action>) {
        for (number, call) in self.calls.iter().enumerate() {
            if call.way != Way::Wire || !call.may_be_carried_out(setting) {
                continue;
            }
            let number = index(number);
            for (place, item) in call.items.iter().enumerate() {
                if item.taken == Taken::NotYet {
                    into.push(Action::Take(number, index(place)));
                }
            }
        }
        for (number, job) in self.jobs.iter().enumerate() {
            let number = index(number);
            if job.stage == Stage::Live {
                into.push(Action::Succeed(number));
                if self.faults > 0 && setting.faults.jobs {
                    into.push(Action::Fail(number));
                }
            }
            if !job.listed && self.may_be_listed(number, setting) {
                into.push(Action::List(number));
            }
            if !setting.believes(Belief::JobsKept) && self.faults > 0 && !job.forgotten {
                into.push(Action::Forget(number));
            }
        }
        for (number, file) in self.files.iter().enumerate() {
            let number = index(number);
            if file.lies != file.shown && file.shown != Where::Gone {
                into.push(Action::Show(number));
            }
            if !setting.believes(Belief::AliasIsTrue)
                && self.faults > 0
                && file.shown == Where::Platform
                && self.exported(number).is_some()
            {
                into.push(Action::ShowTooMuch(number));
            }
            if self.may_be_taken_away(number, setting) {
                into.push(Action::TakeAway(number, Where::Elsewhere));
                if file.object == Occupant::Nothing {
                    into.push(Action::TakeAway(number, Where::Planned));
                }
            }
        }
        let inquiring = self.owners.iter().flatten();
        if inquiring.filter(|owner| owner.inquiry.is_some()).count() == 0
            && let Some(event) = self.next_event()
            && self.may_wait(event)
        {
            into.push(Action::Wait(event));
        }
    }

    /// A run that isn't cut off sends what it has intended, and waits for no answer longer than it waits.
    fn may_wait(&self, by: Tick) -> bool {
        self.calls.iter().all(|call| {
            let waits = call.owner.is_some() && call.given_up.is_none();
            !waits || (call.way == Way::Wire && call.sent - by >= -LONGEST_CALL)
        })
    }

    /// Jobs are listed in the order in which they were accepted.
    fn may_be_listed(&self, number: u8, setting: &Setting) -> bool {
        let before = &self.jobs[..usize::from(number)];
        !setting.believes(Belief::ListInOrder) || before.iter().all(|job| job.listed)
    }

    /// Whether somebody else may move a file now.
    fn may_be_taken_away(&self, file: u8, setting: &Setting) -> bool {
        let checked = |call: &super::world::Request| {
            call.way != Way::Intended
                && call
                    .items
                    .iter()
                    .any(|item| item.file == file && !matches!(item.taken, Taken::Refused(_)))
        };
        let ours = self.calls.iter().any(checked) || self.exported(file).is_some();
        setting.is_move()
            && self.faults > 0
            && setting.faults.others
            && self.files[usize::from(file)].lies == Where::Platform
            && (!ours || !setting.believes(Belief::OneAccount))
    }

    /// An item of a call is carried out.
    pub(super) fn take(&mut self, call: u8, place: u8, setting: &Setting) {
        let item = self.calls[usize::from(call)].items[usize::from(place)];
        let refused = self.cant(item.file, item.overwrite, setting);
        let taken = match refused {
            Some(code) if !setting.looks_late => Taken::Refused(code),
            _ => {
                if let Some(job) = self.exported(item.file) {
                    self.broken = Some(Broken::Doubled {
                        file: item.file,
                        had_succeeded: job.stage == Stage::Completed,
                    });
                }
                let number = index(self.jobs.len());
                self.jobs.push(Job {
                    file: item.file,
                    ours: true,
                    overwrite: item.overwrite,
                    stage: Stage::Live,
                    listed: false,
                    forgotten: false,
                    began: 0,
                    ended: 0,
                });
                Taken::Accepted(number)
            }
        };
        self.calls[usize::from(call)].items[usize::from(place)].taken = taken;
        self.forget_dead_calls(setting);
    }

    /// Why a file can't be exported. A platform that overwrites deletes the object before it sees that.
    fn cant(&mut self, file: u8, overwrite: bool, setting: &Setting) -> Option<i64> {
        let file = &mut self.files[usize::from(file)];
        if overwrite && file.object != Occupant::Nothing {
            file.robbed |= !setting.overwrite;
            file.object = Occupant::Nothing;
        }
        if setting.is_move() && file.lies != Where::Platform {
            Some(CANT_BE_EXPORTED)
        } else if file.object != Occupant::Nothing {
            Some(OCCUPIED)
        } else {
            None
        }
    }

    /// A job ends.
    pub(super) fn succeed(&mut self, number: u8, setting: &Setting) {
        let Job {
            file, overwrite, ..
        } = self.jobs[usize::from(number)];
        let stage = match self.cant(file, overwrite, setting) {
            Some(code) => Stage::Failed(code),
            None => {
                let file = &mut self.files[usize::from(file)];
                file.object = Occupant::Ours;
                if setting.is_move() {
                    file.lies = Where::Planned;
                }
                Stage::Completed
            }
        };
        self.end(number, stage);
    }

    fn end(&mut self, number: u8, stage: Stage) {
        let job = &mut self.jobs[usize::from(number)];
        job.stage = stage;
        job.ended = 0;
    }

    pub(super) fn fail(&mut self, number: u8) {
        self.end(number, Stage::Failed(BROKE));
    }

    /// A file shows where it lies.
    pub(super) fn show(&mut self, file: u8, setting: &Setting) {
        let file = &mut self.files[usize::from(file)];
        file.shown = if file.lies == Where::Planned && !setting.believes(Belief::FileKeepsId) {
            // The alias is another file.
            Where::Gone
        } else {
            file.lies
        };
    }

    /// Somebody else moves a file, for all to see.
    pub(super) fn take_away(&mut self, file: u8, place: Where) {
        let file = &mut self.files[usize::from(file)];
        (file.lies, file.shown) = (place, place);
        if place == Where::Planned {
            file.object = Occupant::Ours;
        }
    }

    /// Time passes, and what is late comes.
    pub(super) fn wait(&mut self, by: Tick, setting: &Setting) {
        self.pass(by);
        if setting.believes(Belief::ListInOrder) {
            let is_due = |job: &Job| job.began <= -LATEST && !job.listed;
            let due = self
                .jobs
                .iter()
                .rposition(is_due)
                .map_or(0, |last| last + 1);
            for job in &mut self.jobs[..due] {
                job.listed = true;
            }
        }
        for number in 0..index(self.files.len()) {
            let is_due = |job: &Job| {
                job.file == number && job.stage == Stage::Completed && job.ended <= -LATEST
            };
            if self.jobs.iter().any(|job| job.ours && is_due(job)) {
                self.show(number, setting);
            }
        }
        self.forget_dead_calls(setting);
    }

    /// Calls that nobody waits for, and of which nothing comes any more.
    pub(super) fn forget_dead_calls(&mut self, setting: &Setting) {
        self.calls.retain(|call| {
            let left = call.items.iter().any(|item| item.taken == Taken::NotYet);
            call.owner.is_some()
                || (call.way == Way::Wire && call.may_be_carried_out(setting) && left)
        });
        // They come in no order that anything depends on.
        self.calls.sort_by_key(|call| call.id);
    }
}

pub(super) fn index(number: usize) -> u8 {
    u8::try_from(number).expect("a small world")
}
