//! What is sent next, and when.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use tokio::time::Instant;

use crate::journal::Count;
use crate::state::ItemId;

/// The most starts that are under way at once. The limit on requests allows three or four calls a second; a start takes a
/// second or two.
const STARTS: usize = 16;

/// With more starts than this under way no more are sent: those that follow then come together, and cost one commit.
const REFILL: usize = STARTS / 2;

/// The most files of one bulk call.
const BATCH: usize = 100;

/// The most files of a call after one was refused as a whole, to find out whose fault it is.
const SMALL_BATCH: usize = 10;

/// What the rest of the run allows to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// How many files may be in flight, and how many are.
    pub(super) most: usize,
    pub(super) in_flight: usize,
    /// Whether files go one by one, each once the one before has ended.
    pub(super) alone: bool,
    /// Whether anything is in doubt, and from when on a start that is sent now is a witness for it.
    pub(super) doubts: Option<Instant>,
    /// Whether nothing is under way but doubts.
    pub(super) idle: bool,
}

/// Which files to send in one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// Up to so many that were never sent.
    Fresh(usize),
    /// Those that came back.
    Again(Vec<ItemId>),
}

/// What is to be sent.
#[derive(Debug)]
pub(super) struct Sender {
    /// Files that came back and may be sent again.
    again: VecDeque<ItemId>,
    /// Files that failed in a way that passes by waiting.
    later: Vec<Waiting>,
    /// How many files that were never sent this run may still send.
    fresh: usize,
    /// Whether there is more than one of them to begin with: then the last is kept back as a witness for those in doubt.
    keeps_one: bool,
    starting: usize,
    batch: usize,
    caution: Caution,
    /// Whether nothing is sent any more.
    held: bool,
}

/// Files that failed at about the same time, and go together.
#[derive(Debug)]
struct Waiting {
    items: Vec<ItemId>,
    /// How long each of them waits at least.
    wait: Duration,
    /// When the last of them has waited for so long.
    last: Instant,
    /// When they go at the latest.
    latest: Instant,
}

impl Waiting {
    fn goes(&self, company: Company) -> Instant {
        match company {
            Company::MayCome => self.latest,
            Company::Complete => self.last,
        }
    }
}

/// Whether more files may fail soon, which could go with those that wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    MayCome,
    /// Nothing is under way.
    Complete,
}

/// Whose files are read before they are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caution {
    /// Nobody's: a copy leaves no mark on its file.
    None,
    /// Those of the first call, which goes alone: if this is a copy of a transfer that another program ran, they show it.
    First,
    /// All, because one was found elsewhere, or because an object might be overwritten.
    All,
}

impl Sender {
    pub(super) fn new(caution: Caution) -> Self {
        Sender {
            again: VecDeque::new(),
            later: Vec::new(),
            fresh: 0,
            keeps_one: false,
            starting: 0,
            batch: BATCH,
            caution,
            held: false,
        }
    }

    /// Up to so many files that were never sent may be sent.
    pub(super) fn allow_fresh(&mut self, files: usize) {
        self.fresh = files;
        self.keeps_one = files > 1;
    }

    /// Nothing is sent any more: what isn't sent yet stays where it is.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }

    pub(super) fn is_held(&self) -> bool {
        self.held
    }

    /// There are no more of them than were taken.
    pub(super) fn out_of_fresh(&mut self) {
        self.fresh = 0;
    }

    /// A file is to be sent again.
    pub(super) fn again(&mut self, item: ItemId) {
        self.again.push_back(item);
    }

    /// A file is to be sent again once it has waited for so long, or up to a quarter longer while others may fail: half a call
    /// costs as much as a whole one.
    pub(super) fn later(&mut self, now: Instant, wait: Duration, item: ItemId) {
        let due = now + wait;
        let mut known = self.later.iter_mut();
        match known.find(|known| known.wait == wait && known.latest >= due) {
            Some(known) => {
                known.items.push(item);
                known.last = due;
            }
            None => self.later.push(Waiting {
                items: vec![item],
                wait,
                last: due,
                latest: due + wait / 4,
            }),
        }
    }

    /// How many files wait before they are sent again.
    pub(super) fn waiting(&self) -> usize {
        self.later.iter().map(|waiting| waiting.items.len()).sum()
    }

    /// The first files that have waited; the others go on waiting.
    pub(super) fn due(&mut self, now: Instant, company: Company, most: usize) -> Vec<ItemId> {
        let mut taken = Vec::new();
        if self.held {
            return taken;
        }
        let due = |waiting: &&mut Waiting| waiting.goes(company) <= now;
        for waiting in self.later.iter_mut().filter(due) {
            let some = waiting.items.len().min(most - taken.len());
            taken.extend(waiting.items.drain(..some));
        }
        self.later.retain(|waiting| !waiting.items.is_empty());
        taken
    }

    /// These aren't to be sent for now. So many of them had never been sent.
    pub(super) fn forget(&mut self, items: &[ItemId]) {
        let gone: HashSet<&ItemId> = items.iter().collect();
        let before = self.again.len();
        self.again.retain(|item| !gone.contains(item));
        let were_again = before - self.again.len();
        self.fresh = self.fresh.saturating_sub(items.len() - were_again);
    }

    /// The next call, if one may be sent.
    pub(super) fn next(&mut self, room: &Room, now: Instant) -> Option<Choice> {
        if self.held {
            return None;
        }
        if room.alone && !(room.idle && self.starting == 0 && room.doubts.is_none()) {
            return None;
        }
        if self.caution == Caution::First && self.starting > 0 {
            return None;
        }
        // Half a batch costs as much as a whole one, so room is waited for, as much as what is left can use.
        let left = self.fresh + self.again.len();
        let limit = if room.alone {
            1
        } else {
            self.batch.min(room.most).min(left).max(1)
        };
        if self.starting >= STARTS || room.most.saturating_sub(room.in_flight) < limit {
            return None;
        }
        if !self.again.is_empty() {
            let count = limit.min(self.again.len());
            return Some(Choice::Again(self.again.drain(..count).collect()));
        }
        let free = match self.fresh {
            0 => return None,
            1 if self.keeps_one => usize::from(self.witness_is_wanted(room, now)),
            fresh if self.keeps_one => fresh - 1,
            fresh => fresh,
        };
        (free > 0).then(|| Choice::Fresh(limit.min(free)))
    }

    /// The last file goes once all others were answered, and as a witness for what is in doubt then.
    fn witness_is_wanted(&self, room: &Room, now: Instant) -> bool {
        self.starting == 0 && room.doubts.is_none_or(|from| from < now)
    }

    /// Whether a round of calls is worth its commit: where as much as may be is in flight already, room for several is
    /// waited for.
    pub(super) fn is_worth_it(&self, room: &Room) -> bool {
        let left = self.fresh + self.again.len();
        let wanted = (REFILL * BATCH).min(room.most / 2).min(left);
        self.starting <= REFILL && room.most.saturating_sub(room.in_flight) >= wanted
    }

    /// A call was written down and is about to be sent.
    pub(super) fn begun(&mut self, choice: &Choice, taken: Count) {
        if let Choice::Fresh(_) = choice {
            let files = usize::try_from(taken.files).unwrap_or(usize::MAX);
            self.fresh = self.fresh.saturating_sub(files);
        }
        self.starting += 1;
    }

    /// Whether the files of the next call are to be read before it is sent.
    pub(super) fn reads_first(&self) -> bool {
        self.caution != Caution::None
    }

    /// A call ended, one way or another.
    pub(super) fn ended(&mut self) {
        self.starting -= 1;
    }

    /// A call was answered for each of its files.
    pub(super) fn answered(&mut self) {
        self.batch = BATCH.min(self.batch * 2);
        if self.caution == Caution::First {
            self.caution = Caution::None;
        }
    }

    /// A call of so many files went unanswered, in whole or in part.
    pub(super) fn lost(&mut self, files: usize) {
        self.batch = (files / 2).max(1);
    }

    /// A call of so many files was refused as a whole: smaller ones find out whose fault it is.
    pub(super) fn refused(&mut self, files: usize) {
        self.batch = if files > SMALL_BATCH { SMALL_BATCH } else { 1 };
    }

    /// Files were found elsewhere before they were sent: from now on all are looked at.
    pub(super) fn found_elsewhere(&mut self) {
        self.caution = Caution::All;
    }

    pub(super) fn starting(&self) -> usize {
        self.starting
    }

    /// Whether nothing is left to be sent, now or later.
    pub(super) fn is_idle(&self) -> bool {
        self.starting == 0 && (self.held || self.fresh == 0 && self.nothing_came_back())
    }

    /// Whether nothing that came back is to be sent.
    fn nothing_came_back(&self) -> bool {
        self.again.is_empty() && self.later.is_empty()
    }

    /// Whether nothing can be sent but the file that is kept back as a witness.
    pub(super) fn has_only_its_witness(&self) -> bool {
        let rest = self.fresh <= usize::from(self.keeps_one) && self.nothing_came_back();
        self.starting == 0 && (self.held || rest)
    }

    pub(super) fn next_wake(&self, company: Company) -> Option<Instant> {
        let later = self.later.iter().filter(|_| !self.held);
        later.map(|waiting| waiting.goes(company)).min()
    }

    /// Whether anything may be sent that hasn't failed.
    pub(super) fn sends(&self) -> bool {
        let more = self.fresh > 0 || !self.again.is_empty();
        self.starting > 0 || (more && !self.held)
    }
}

/// How long a file waits that failed this often in a way that passes.
pub(super) fn wait_after(attempts: u32, first: Duration) -> Duration {
    first * (1 << (attempts.clamp(1, 8) - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_last_file_waits_for_no_more_room_than_it_needs() {
        let mut sender = Sender::new(Caution::None);
        sender.allow_fresh(2);
        let mut room = Room {
            most: 1_000,
            in_flight: 998,
            alone: false,
            doubts: None,
            idle: false,
        };
        let now = Instant::now();
        let first = sender.next(&room, now).expect("there is room");
        assert_eq!(first, Choice::Fresh(1));
        let taken = Count { files: 1, bytes: 0 };
        sender.begun(&first, taken);
        sender.ended();
        room.in_flight = 999;
        assert_eq!(sender.next(&room, now), Some(Choice::Fresh(1)));
        room.in_flight = 1_000;
        assert_eq!(sender.next(&room, now), None);
    }

    #[test]
    fn files_that_fail_at_about_the_same_time_go_together_and_wait_for_nobody_else() {
        let (start, wait) = (Instant::now(), 20 * SECOND);
        let mut sender = Sender::new(Caution::None);
        sender.later(start, wait, ItemId(1));
        sender.later(start + 4 * SECOND, wait, ItemId(2));
        sender.later(start + 6 * SECOND, wait, ItemId(3));
        assert_eq!(sender.waiting(), 3);

        // More may fail: the first two go together, a quarter later than the first could.
        let just = |seconds: u32| start + seconds * SECOND;
        assert_eq!(sender.next_wake(Company::MayCome), Some(just(25)));
        assert_eq!(sender.due(just(24), Company::MayCome, 9), []);
        assert_eq!(
            sender.due(just(25), Company::MayCome, 9),
            [ItemId(1), ItemId(2)]
        );

        // Nothing is under way: nobody is waited for.
        assert_eq!(sender.next_wake(Company::Complete), Some(just(26)));
        assert_eq!(sender.due(just(25), Company::Complete, 9), []);
        assert_eq!(sender.due(just(26), Company::Complete, 9), [ItemId(3)]);
        assert_eq!(sender.waiting(), 0);
    }
}
