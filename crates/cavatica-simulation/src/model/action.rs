//! Everything that can happen in a step.

use std::collections::BTreeSet;

use cavatica_transfer::proof::Where;

use super::checker::System;
use super::setting::Setting;
use super::world::{Broken, Snapshot, Tick};

/// How an answer comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Whole,
    /// In another order.
    Reversed,
    /// Without its first item.
    Short,
    /// Its first item says that the server failed.
    Stumbled,
    /// Its first item was taken, and says that it can't be exported.
    Echoed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    // A run.
    Start(u8),
    Intend(u8, Pick),
    Check(u8),
    Send(u8),
    Ask(u8),
    AskOn(u8),
    Follow(u8, u8),
    // The platform.
    Take(u8, u8),
    Answer(u8, Shape),
    Succeed(u8),
    List(u8),
    Show(u8),
    Wait(Tick),
    /// A run that isn't the newest any more ends when it is about to commit.
    Leave(u8),
    // What may go wrong.
    Fail(u8),
    GiveUp(u8),
    SayNo(u8),
    Unsent(u8),
    /// With what was learned and not yet committed on disk, or not.
    Die(u8, Saved),
    LosePower(u8),
    TakeOver(u8, Saved),
    Restore,
    TakeAway(u8, Where),
    // What somebody asks for.
    Retry(u8, u8),
    // What isn't believed.
    Forget(u8),
    ShowTooMuch(u8),
    LeaveUnmoved(u8, u8),
}

/// What a run learned is committed by and by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saved {
    All,
    /// No more than had to be: what was intended.
    Least,
}

/// Which files go in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    One(u8),
    All,
}

/// What must be met by a search that is worth something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sight {
    Planned,
    Intended,
    Accepted,
    CompletedByFile,
    CompletedByJob,
    Failed,
    Unknown,
    FoundByItsJob,
    FoundByItsFile,
    Absent,
    NotTaken,
    MovedAway,
    Held,
    Freed,
    Withheld,
    FencedAtCommit,
    FencedAtSend,
    SentAgain,
    SentAgainWithoutOverwrite,
    AnswerWithGaps,
    UncleanList,
    RetriedByAPerson,
}

impl Sight {
    pub(super) const ALL: [Sight; 22] = [
        Sight::Planned,
        Sight::Intended,
        Sight::Accepted,
        Sight::CompletedByFile,
        Sight::CompletedByJob,
        Sight::Failed,
        Sight::Unknown,
        Sight::FoundByItsJob,
        Sight::FoundByItsFile,
        Sight::Absent,
        Sight::NotTaken,
        Sight::MovedAway,
        Sight::Held,
        Sight::Freed,
        Sight::Withheld,
        Sight::FencedAtCommit,
        Sight::FencedAtSend,
        Sight::SentAgain,
        Sight::SentAgainWithoutOverwrite,
        Sight::AnswerWithGaps,
        Sight::UncleanList,
        Sight::RetriedByAPerson,
    ];
}

impl System for Setting {
    type State = Snapshot;
    type Action = Action;
    type Broken = Broken;
    type Sight = Sight;

    fn begin(&self) -> Snapshot {
        Snapshot::new(self)
    }

    fn actions(&self, world: &Snapshot) -> Vec<Action> {
        let mut actions = Vec::new();
        world.run_actions(self, &mut actions);
        world.platform_actions(self, &mut actions);
        actions
    }

    fn next(&self, world: &Snapshot, action: Action, met: &mut BTreeSet<Sight>) -> Snapshot {
        let mut next = world.clone();
        if action.is_a_fault() {
            next.faults -= 1;
        }
        next.act(action, self, met);
        next.tidy(self);
        next
    }

    fn broken(&self, world: &Snapshot) -> Option<Broken> {
        world.check(self)
    }

    fn is_over(&self, world: &Snapshot) -> bool {
        world.is_over(self)
    }

    fn is_optional(&self, action: Action) -> bool {
        action.is_a_fault() || matches!(action, Action::Retry(..))
    }
}

impl Action {
    fn is_a_fault(self) -> bool {
        match self {
            Action::Fail(_)
            | Action::GiveUp(_)
            | Action::SayNo(_)
            | Action::Unsent(_)
            | Action::Die(..)
            | Action::LosePower(_)
            | Action::TakeOver(..)
            | Action::Restore
            | Action::TakeAway(..)
            | Action::Forget(_)
            | Action::ShowTooMuch(_)
            | Action::LeaveUnmoved(..) => true,
            Action::Answer(_, shape) => shape != Shape::Whole,
            Action::Start(_)
            | Action::Intend(..)
            | Action::Check(_)
            | Action::Send(_)
            | Action::Ask(_)
            | Action::AskOn(_)
            | Action::Follow(..)
            | Action::Take(..)
            | Action::Succeed(_)
            | Action::List(_)
            | Action::Show(_)
            | Action::Wait(_)
            | Action::Leave(_)
            | Action::Retry(..) => false,
        }
    }
}

impl Snapshot {
    fn act(&mut self, action: Action, setting: &Setting, met: &mut BTreeSet<Sight>) {
        match action {
            Action::Start(owner) => self.start(owner, setting, met),
            Action::TakeOver(owner, saved) => {
                if saved == Saved::All {
                    self.save(1 - owner);
                }
                self.start(owner, setting, met);
            }
            Action::Intend(owner, pick) => self.intend(owner, pick, setting, met),
            Action::Check(call) => self.check_files(call, met),
            Action::Send(call) => self.send(call, setting, met),
            Action::Ask(owner) => self.ask(owner),
            Action::AskOn(owner) => self.ask_on(owner, setting, met),
            Action::Follow(owner, file) => self.follow(owner, file, setting, met),
            Action::Take(call, place) => self.take(call, place, setting),
            Action::Answer(call, shape) => self.answer(call, shape, setting, met),
            Action::Succeed(job) => self.succeed(job, setting),
            Action::List(job) => self.jobs[usize::from(job)].listed = true,
            Action::Show(file) => self.show(file, setting),
            Action::Wait(by) => self.wait(by, setting),
            Action::Fail(job) => self.fail(job),
            Action::GiveUp(call) => self.give_up(call, setting),
            Action::SayNo(call) => self.say_no(call, setting),
            Action::Unsent(call) => self.not_sent(call, setting, met),
            Action::Die(owner, saved) => {
                if saved == Saved::All {
                    self.save(owner);
                }
                self.die(owner, setting);
            }
            Action::LosePower(owner) => {
                self.die(owner, setting);
                self.disk = self.unsynced.take().unwrap_or_else(|| self.disk.clone());
            }
            Action::Leave(owner) => self.die(owner, setting),
            Action::Restore => self.restore(setting),
            Action::TakeAway(file, place) => self.take_away(file, place),
            Action::Retry(owner, file) => self.retry(owner, file, setting, met),
            Action::Forget(job) => self.jobs[usize::from(job)].forgotten = true,
            Action::ShowTooMuch(file) => self.files[usize::from(file)].shown = Where::Planned,
            Action::LeaveUnmoved(owner, file) => self.leave_unmoved(owner, file, met),
        }
    }
}
