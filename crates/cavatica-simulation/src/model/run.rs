//! What a run does: the loop of the engine, which asks the engine's own functions what follows.

use std::collections::BTreeSet;

use cavatica_transfer::proof::{Doubts, Since, Where, Why};
use cavatica_transfer::state::{Answer, Failure, Observation, State, Step};

use super::action::{Action, Pick, Saved, Shape, Sight};
use super::names::{export_id, item_id, job_of, volume};
use super::platform::index;
use super::setting::Setting;
use super::world::{
    BYTE_LIFE, Caution, File, Owner, Record, Request, Sending, Snapshot, Stage, Taken, Way,
    instant, stamp, timing,
};
use crate::Belief;

impl Snapshot {
    /// What the runs may do now, and what may happen to them.
    pub(super) fn run_actions(&self, setting: &Setting, into: &mut Vec<Action>) {
        let faulty = self.faults > 0;
        let alone = self.owners.iter().flatten().count() == 0;
        for number in 0..2 {
            let Some(owner) = &self.owners[usize::from(number)] else {
                // Which of two runs does nothing is all the same.
                if alone && number == 0 && self.may_begin(setting) {
                    into.push(Action::Start(number));
                } else if !alone && faulty && setting.faults.second && self.may_begin(setting) {
                    into.push(Action::TakeOver(number, Saved::All));
                    into.push(Action::TakeOver(number, Saved::Least));
                }
                continue;
            };
            self.owner_actions(number, owner, setting, into);
            if !owner.newest {
                into.push(Action::Leave(number));
            }
            if faulty && setting.faults.deaths {
                into.push(Action::Die(number, Saved::All));
                into.push(Action::Die(number, Saved::Least));
                if !setting.believes(Belief::SyncedStays) {
                    into.push(Action::LosePower(number));
                }
            }
        }
        for (number, call) in self.calls.iter().enumerate() {
            self.call_actions(index(number), call, setting, into);
        }
        if faulty && self.may_be_restored(setting) {
            into.push(Action::Restore);
        }
    }

    fn owner_actions(&self, number: u8, owner: &Owner, setting: &Setting, into: &mut Vec<Action>) {
        // A run goes on with other things meanwhile; that only makes its lists worse.
        if owner.inquiry.is_some() {
            into.push(Action::AskOn(number));
            return;
        }
        let in_doubt = |file: &u8| owner.doubts.is_open(item_id(*file));
        if (0..setting.files).any(|file| in_doubt(&file))
            && !owner.doubts.clone().due(self.is_quiet(number)).is_empty()
        {
            into.push(Action::Ask(number));
        }
        let under_way = self.calls.iter().any(|call| call.owner == Some(number));
        let free = |file: &u8| self.is_free(owner, *file);
        let files: Vec<u8> = (0..setting.files).filter(free).collect();
        if !(owner.caution == Caution::First && under_way) {
            for file in &files {
                // One file is like the other until something happened to one of them.
                if *file == 0 || !self.is_untouched() {
                    into.push(Action::Intend(number, Pick::One(*file)));
                }
            }
            if files.len() > 1 {
                into.push(Action::Intend(number, Pick::All));
            }
        }
        for file in 0..setting.files {
            match &owner.rows[usize::from(file)].state {
                State::Accepted { export } if !owner.doubts.is_open(item_id(file)) => {
                    if self.shows_an_end(file, job_of(export), setting) {
                        into.push(Action::Follow(number, file));
                    } else if !setting.believes(Belief::AliasIsTrue)
                        && self.faults > 0
                        && self.jobs[usize::from(job_of(export))].stage == Stage::Completed
                    {
                        into.push(Action::LeaveUnmoved(number, file));
                    }
                }
                State::Failed { .. } if self.retries > 0 => {
                    into.push(Action::Retry(number, file));
                }
                _ => {}
            }
        }
    }

    fn call_actions(&self, number: u8, call: &Request, setting: &Setting, into: &mut Vec<Action>) {
        let Some(owner) = call.owner else { return };
        let faulty = self.faults > 0 && setting.faults.answers;
        let owner = self.owners[usize::from(owner)].as_ref();
        let owner = owner.expect("calls of the dead are nobody's");
        match call.way {
            Way::Intended if is_careful(call, owner, setting) => into.push(Action::Check(number)),
            Way::Intended | Way::Checked => {
                into.push(Action::Send(number));
                if faulty {
                    into.push(Action::Unsent(number));
                }
            }
            Way::Wire => {
                if call.items.iter().all(|item| item.taken != Taken::NotYet) {
                    into.push(Action::Answer(number, Shape::Whole));
                    if faulty {
                        into.push(Action::Answer(number, Shape::Stumbled));
                        // Of a copy it is believed; and where a belief is off, sending twice is the graver story.
                        if setting.is_move() && setting.without.is_none() {
                            into.push(Action::Answer(number, Shape::Echoed));
                        }
                        if call.items.len() > 1 {
                            into.push(Action::Answer(number, Shape::Reversed));
                            into.push(Action::Answer(number, Shape::Short));
                        }
                    }
                }
                if faulty {
                    into.push(Action::GiveUp(number));
                    into.push(Action::SayNo(number));
                }
            }
        }
    }

    /// What a backup doesn't know must show: a job that is under way in the list, one that has completed on its file.
    fn may_begin(&self, setting: &Setting) -> bool {
        let shown = |file: &File| file.shown == file.lies;
        !self.restored || !setting.believes(Belief::OneDisk) || self.files.iter().all(shown)
    }

    /// Whether nothing has happened to any file.
    fn is_untouched(&self) -> bool {
        let there = |file: &File| file.lies == Where::Platform;
        let mut rows = self.owners.iter().flatten().flat_map(|owner| &owner.rows);
        self.calls.is_empty()
            && !self.jobs.iter().any(|job| job.ours)
            && self.files.iter().all(there)
            && rows.all(|row| row.state == State::Planned)
    }

    /// Whether a file may be sent.
    fn is_free(&self, owner: &Owner, file: u8) -> bool {
        owner.rows[usize::from(file)].state == State::Planned
            && !owner.doubts.is_open(item_id(file))
    }

    /// Whether nothing goes on but doubts, and at most one file that waits to be a witness for them.
    pub(super) fn is_quiet(&self, number: u8) -> bool {
        let owner = self.owners[usize::from(number)].as_ref();
        let owner = owner.expect("a living run");
        let under_way = self.calls.iter().any(|call| call.owner == Some(number));
        let followed = |row: &Record| matches!(row.state, State::Accepted { .. });
        let free = (0..index(owner.rows.len())).filter(|file| self.is_free(owner, *file));
        !under_way && !owner.rows.iter().any(followed) && free.count() <= 1
    }

    /// Whether a file that is followed, or its job, shows that it has ended.
    fn shows_an_end(&self, file: u8, job: u8, setting: &Setting) -> bool {
        let place = self.files[usize::from(file)].shown;
        let job = self.jobs[usize::from(job)];
        match job.stage {
            _ if setting.is_move() && place == Where::Planned => true,
            _ if job.forgotten => false,
            Stage::Live => false,
            Stage::Failed(_) => true,
            Stage::Completed => !setting.is_move() || place == Where::Gone,
        }
    }

    /// A program begins to run the transfer, whether another one does or not.
    pub(super) fn start(&mut self, number: u8, setting: &Setting, met: &mut BTreeSet<Sight>) {
        // Whoever ran it before is cut off from now on.
        for owner in self.owners.iter_mut().flatten() {
            owner.newest = false;
        }
        for call in &mut self.calls {
            call.given_up.get_or_insert(0);
        }
        let mut doubts = Doubts::new(setting.mode, volume());
        for (file, row) in (0..).zip(&self.disk) {
            if let Some(dated) = row.dated.filter(|_| setting.is_dated()) {
                doubts.learn_later(self.dated(dated, setting), stamp(row.sent));
            }
            let dead = match &row.state {
                State::Intended => BYTE_LIFE,
                State::Unknown { export: None, .. } => 0,
                _ => continue,
            };
            let since = Since {
                dead: instant(dead),
                earlier_run: true,
            };
            ask(&mut doubts, row, file, Why::Lost, since, setting);
        }
        let rows = self.disk.clone();
        // A page of unfinished jobs: those of our files that we don't know hold them back.
        let (mut ours, mut others) = (0, Vec::new());
        let mut total = 0;
        for (number, job) in (0..).zip(&self.jobs) {
            if job.listed && !job.forgotten && job.stage == Stage::Live {
                total += 1;
                let row = &rows[usize::from(job.file)];
                if row.state.export() == Some(&export_id(number)) {
                    continue;
                }
                others.push(job.file);
            }
        }
        for row in &rows {
            ours += usize::from(matches!(
                row.state,
                State::Intended | State::Accepted { .. }
            ));
        }
        for file in others {
            let row = &rows[usize::from(file)];
            if total > ours && row.state == State::Planned && !doubts.is_open(item_id(file)) {
                met.insert(Sight::Held);
                let since = Since {
                    dead: instant(0),
                    earlier_run: false,
                };
                let row = Record {
                    sent: 0,
                    call: 0,
                    ..row.clone()
                };
                ask(&mut doubts, &row, file, Why::Held, since, setting);
            }
        }
        self.begun.0 += 1;
        self.owners[usize::from(number)] = Some(Owner {
            number: self.begun,
            newest: true,
            rows,
            doubts,
            caution: match (setting.is_move(), setting.overwrite) {
                (false, _) => Caution::None,
                (true, false) => Caution::First,
                (true, true) => Caution::All,
            },
            inquiry: None,
        });
    }

    pub(super) fn dated(&self, dated: super::world::Tick, setting: &Setting) -> jiff::Timestamp {
        stamp(dated) + jiff::SignedDuration::from_secs(setting.ahead.unwrap_or(0))
    }

    pub(super) fn owner(&mut self, number: u8) -> &mut Owner {
        self.owners[usize::from(number)]
            .as_mut()
            .expect("a living run")
    }

    /// Writes to the disk what is in memory, if it is still this run's turn.
    pub(super) fn save(&mut self, number: u8) {
        if let Some(owner) = &self.owners[usize::from(number)]
            && owner.newest
        {
            self.disk.clone_from(&owner.rows);
        }
    }

    fn commit(&mut self, number: u8, setting: &Setting, met: &mut BTreeSet<Sight>) {
        if self.owner(number).newest {
            self.unsynced = (!setting.believes(Belief::SyncedStays)).then(|| self.disk.clone());
            self.save(number);
        } else {
            met.insert(Sight::FencedAtCommit);
            self.die(number, setting);
        }
    }

    /// Writes down that files are about to be sent in one call.
    pub(super) fn intend(
        &mut self,
        number: u8,
        pick: Pick,
        setting: &Setting,
        met: &mut BTreeSet<Sight>,
    ) {
        let owner = self.owners[usize::from(number)].as_ref();
        let owner = owner.expect("a living run");
        let files: Vec<u8> = match pick {
            Pick::One(file) => vec![file],
            Pick::All => (0..setting.files)
                .filter(|file| self.is_free(owner, *file))
                .collect(),
        };
        let id = self.next_call();
        let mut items = Vec::new();
        for file in files {
            self.step(number, file, Step::Intend, met);
            let row = &mut self.owner(number).rows[usize::from(file)];
            row.attempt += 1;
            row.sent = 0;
            row.call = id;
            if row.attempt > 1 {
                met.insert(Sight::SentAgain);
            }
            if row.lost && setting.overwrite {
                met.insert(Sight::SentAgainWithoutOverwrite);
            }
            items.push(Sending {
                file,
                overwrite: setting.overwrite && !row.lost,
                taken: Taken::NotYet,
            });
        }
        self.commit(number, setting, met);
        if self.owners[usize::from(number)].is_some() {
            self.calls.push(Request {
                id,
                owner: Some(number),
                way: Way::Intended,
                items,
                sent: 0,
                given_up: None,
            });
        }
    }

    /// Reads where the files of a call lie, immediately before it is sent.
    pub(super) fn check_files(&mut self, call: u8, met: &mut BTreeSet<Sight>) {
        let (owner, items) = self.of_call(call);
        let place = |item: &Sending| self.files[usize::from(item.file)].shown;
        let places: Vec<(u8, Where)> = items.iter().map(|item| (item.file, place(item))).collect();
        if places.iter().all(|(_, place)| *place == Where::Platform) {
            self.calls[usize::from(call)].way = Way::Checked;
            return;
        }
        met.insert(Sight::Withheld);
        self.calls.remove(usize::from(call));
        self.owner(owner).caution = Caution::All;
        for (file, place) in places {
            let step = match place {
                Where::Platform => Step::Answer(Answer::NotSent),
                Where::Planned => Step::Observation(Observation::AliasAtDestination),
                Where::Elsewhere | Where::Gone => {
                    Step::Observation(Observation::MovedAway(elsewhere()))
                }
            };
            self.step(owner, file, step, met);
        }
    }

    /// Sends a call, unless another run has begun since.
    pub(super) fn send(&mut self, call: u8, setting: &Setting, met: &mut BTreeSet<Sight>) {
        let (owner, _) = self.of_call(call);
        if !self.owner(owner).newest {
            met.insert(Sight::FencedAtSend);
            self.die(owner, setting);
            return;
        }
        let call = &mut self.calls[usize::from(call)];
        call.way = Way::Wire;
        call.sent = 0;
    }

    /// Provably nothing was sent.
    pub(super) fn not_sent(&mut self, call: u8, setting: &Setting, met: &mut BTreeSet<Sight>) {
        let (owner, items) = self.of_call(call);
        self.calls.remove(usize::from(call));
        if !self.owner(owner).newest {
            self.die(owner, setting);
            return;
        }
        for item in items {
            self.step(owner, item.file, Step::Answer(Answer::NotSent), met);
        }
    }

    /// The answer never comes: the call is given up.
    pub(super) fn give_up(&mut self, call: u8, setting: &Setting) {
        let (owner, items) = self.of_call(call);
        let call = &mut self.calls[usize::from(call)];
        call.owner = None;
        call.given_up.get_or_insert(0);
        self.lose(owner, items, Why::Lost, BYTE_LIFE, setting);
        self.forget_dead_calls(setting);
    }

    /// The whole call is answered with no, whatever was taken of it.
    pub(super) fn say_no(&mut self, call: u8, setting: &Setting) {
        let (owner, items) = self.of_call(call);
        self.calls.remove(usize::from(call));
        self.lose(owner, items, Why::Refused, 0, setting);
    }

    pub(super) fn lose(
        &mut self,
        owner: u8,
        items: Vec<Sending>,
        why: Why,
        dead: i16,
        setting: &Setting,
    ) {
        let since = Since {
            dead: instant(dead),
            earlier_run: false,
        };
        let owner = self.owner(owner);
        for item in items {
            let row = owner.rows[usize::from(item.file)].clone();
            ask(
                &mut owner.doubts,
                &row,
                item.file,
                why.clone(),
                since,
                setting,
            );
        }
    }

    /// The number of a call only says which files went together.
    fn next_call(&self) -> i64 {
        let memories = self.owners.iter().flatten().map(|owner| &owner.rows);
        let rows = memories.chain([&self.disk]).flatten().map(|row| row.call);
        let known = rows.chain(self.calls.iter().map(|call| call.id));
        known.max().unwrap_or(0) + 1
    }

    pub(super) fn of_call(&self, call: u8) -> (u8, Vec<Sending>) {
        let call = &self.calls[usize::from(call)];
        let owner = call.owner.expect("somebody waits for it");
        (owner, call.items.clone())
    }

    /// A program dies. What it wrote, the system goes on sending.
    pub(super) fn die(&mut self, number: u8, setting: &Setting) {
        self.owners[usize::from(number)] = None;
        for call in &mut self.calls {
            if call.owner == Some(number) {
                call.owner = None;
                call.given_up.get_or_insert(0);
            }
        }
        self.calls
            .retain(|call| call.owner.is_some() || call.way == Way::Wire);
        self.forget_dead_calls(setting);
    }

    /// Whether a backup may be put in the place of the transfer. Its own run sees the jobs of the one that it takes the
    /// place of, if that ended a while ago; a copy leaves no other mark.
    fn may_be_restored(&self, setting: &Setting) -> bool {
        let settled = || {
            let shown = self.files.iter().all(|file| file.shown == file.lies);
            self.calls.is_empty() && shown && self.jobs.iter().all(|job| job.listed)
        };
        self.backup.is_some() && (settled() || !setting.believes(Belief::OneDisk))
    }

    pub(super) fn restore(&mut self, setting: &Setting) {
        for owner in 0..2 {
            self.die(owner, setting);
        }
        self.disk = self.backup.take().expect("there is one");
        self.unsynced = None;
        self.restored = true;
    }
}

fn ask(doubts: &mut Doubts, row: &Record, file: u8, why: Why, since: Since, setting: &Setting) {
    let sent = row.as_sent(file, setting);
    let earlier = row.earlier();
    doubts.ask(sent, why, since, !setting.overwrite, earlier, &timing());
}

fn is_careful(call: &Request, owner: &Owner, setting: &Setting) -> bool {
    let overwrites = call.items.iter().any(|item| item.overwrite);
    setting.is_move() && (overwrites || owner.caution != Caution::None)
}

fn elsewhere() -> Failure {
    Failure {
        code: None,
        status: None,
        message: "moved".into(),
        request_id: None,
    }
}
