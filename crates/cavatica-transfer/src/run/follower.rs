//! Following what was accepted to its end.
//!
//! A copy is followed by its jobs. A move is followed by its files: one that is an alias of the planned object has arrived,
//! and nothing else proves it. They are read by listing their folders where that is cheaper ([`Folders`]), else by their ids.
//! Jobs are read only for files that haven't arrived: to see them fail, or go on. So that failures are seen early, failed
//! jobs are asked for as well.

mod pages;

pub(super) use pages::PageFailure;

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use cavatica_exports::model::{ExportId, ExportMode};
use tokio::time::Instant;

use super::Timing;
use super::folders::{Address, FolderChoice, Folders, PageWish};
use super::followed::{Followed, SampledPage};
use super::poll_schedule::{Action, PollSchedule, Spacing, Trust};
use crate::event::FolderDecision;
use crate::evidence::Whereabouts;
use crate::journal::{Folder, FolderId};
use crate::state::{Doubt, ItemId};

/// The most readings that are under way at once.
const READS: usize = 3;

/// The most files or jobs of one reading.
const PAGE: usize = 100;

/// How often a job must have shown nothing that is understood, besides for how long, before it is given up: one answer with a
/// gap in it, after a long pause, says little.
const PUZZLE_READINGS: u32 = 3;

/// A file that shows nothing that is understood.
#[derive(Debug)]
struct Puzzle {
    followed: Followed,
    doubt: Doubt,
    first: Option<Instant>,
    /// The first look and the last one that showed the file on the platform though its job had completed.
    unmoved: Option<(Instant, Instant)>,
    readings: u32,
    due: Instant,
}

/// What to read.
#[derive(Debug)]
pub(super) enum Errand {
    /// How many jobs are unfinished.
    Count,
    /// Whether these files have arrived; of most, that is expected.
    Files(Vec<Followed>),
    /// How these jobs stand.
    Jobs(Vec<Followed>),
    /// How these jobs stand, of files that most others on a page of their folder had not arrived with either.
    Sample(SampledPage, Vec<Followed>),
    /// The next page of a folder.
    Page(PageWish),
    /// Which jobs have failed.
    Failures,
    /// Both: they have puzzled us.
    Both(Vec<Followed>),
}

/// What is followed, and how.
#[derive(Debug)]
pub(super) struct Follower {
    mode: ExportMode,
    /// Those read least recently come first.
    followed: VecDeque<Followed>,
    folders: Folders,
    /// Files to be moved that had not arrived when most of their neighbours had.
    stragglers: VecDeque<Followed>,
    /// Files whose jobs are listed as failed.
    suspects: Vec<Followed>,
    /// Files of pages where most had not arrived.
    samples: Vec<(SampledPage, Vec<Followed>)>,
    puzzles: Vec<Puzzle>,
    schedule: PollSchedule,
    counting: bool,
    /// How many must have ended before failed jobs are asked for.
    failures_wanted_at: u64,
    /// How many failed jobs were listed when they were asked for.
    failures_listed: Option<u64>,
    /// Whether the last page was read because nearly all files have arrived.
    reads_all: bool,
    reads: usize,
    reading: usize,
    /// Whether a moved file was seen to become an alias of the planned object.
    alias_seen: bool,
}

impl Follower {
    pub(super) fn new(mode: ExportMode, timing: &Timing, alias_seen: bool, now: Instant) -> Self {
        let spacing = Spacing {
            first: timing.first_poll,
            longest: timing.longest_poll,
        };
        Follower {
            mode,
            followed: VecDeque::new(),
            folders: Folders::default(),
            stragglers: VecDeque::new(),
            suspects: Vec::new(),
            samples: Vec::new(),
            puzzles: Vec::new(),
            schedule: PollSchedule::new(spacing, now),
            counting: false,
            failures_wanted_at: PAGE as u64,
            failures_listed: None,
            reads_all: false,
            reads: 0,
            reading: 0,
            alias_seen,
        }
    }

    /// Follows one more, by listing its folder if that was found to be worth it.
    pub(super) fn follow(&mut self, followed: Followed, address: Option<Address>) {
        let back = match address {
            Some(address) => self.folders.watch(address, followed),
            None => Some(followed),
        };
        self.followed.extend(back);
    }

    /// The folder of an address about which it isn't decided yet how its files are followed.
    pub(super) fn undecided(&self, address: Option<Address>) -> Option<FolderId> {
        let folder = address?.folder;
        let open = !self.folders.is_given_up() && !self.folders.knows(folder);
        open.then_some(folder)
    }

    /// The folders whose files are followed by listing.
    pub(super) fn meet(&mut self, id: FolderId, folder: Folder) -> Option<FolderDecision> {
        self.folders.meet(id, folder)
    }

    /// Follows one that an earlier run didn't understand: one more look is enough.
    pub(super) fn puzzle_once_more(&mut self, item: ItemId, export: ExportId, now: Instant) {
        self.puzzles.push(Puzzle {
            followed: Followed {
                item,
                export,
                since: None,
            },
            doubt: Doubt::JobUnclear,
            first: None,
            unmoved: None,
            readings: PUZZLE_READINGS,
            due: now,
        });
    }

    /// So many jobs were accepted just now.
    pub(super) fn accepted(&mut self, jobs: usize, now: Instant) {
        self.schedule.sent(jobs, now);
    }

    pub(super) fn in_flight(&self) -> usize {
        let late = self.stragglers.len() + self.suspects.len() + self.puzzles.len();
        let samples = self.samples.iter().map(|(_, some)| some.len());
        self.waiting() + late + samples.sum::<usize>() + self.reading
    }

    /// Those that wait for their turn to be read.
    fn waiting(&self) -> usize {
        self.followed.len() + self.folders.len()
    }

    fn all(&self) -> impl Iterator<Item = &Followed> {
        let late = self.stragglers.iter().chain(&self.suspects);
        let samples = self.samples.iter().flat_map(|(_, some)| some);
        let waiting = self.followed.iter().chain(self.folders.all());
        waiting.chain(late).chain(samples)
    }

    /// The jobs in flight that were accepted before this moment: as many from either end as one wants to be sure of.
    pub(super) fn oldest(&self, before: Instant, most: usize) -> Vec<ExportId> {
        let old = |followed: &&Followed| followed.since.is_none_or(|since| since < before);
        let queue = || self.all().filter(old);
        let count = queue().count();
        let middle = most / 2..count.saturating_sub(most / 2);
        let ends = queue()
            .enumerate()
            .filter(|(place, _)| !middle.contains(place));
        ends.map(|(_, followed)| followed.export.clone()).collect()
    }

    /// The ids of all jobs in flight.
    pub(super) fn exports(&self) -> HashSet<&ExportId> {
        let puzzles = self.puzzles.iter().map(|puzzle| &puzzle.followed);
        self.all()
            .chain(puzzles)
            .map(|followed| &followed.export)
            .collect()
    }

    /// What to read now.
    pub(super) fn next(&mut self, now: Instant) -> Option<Errand> {
        if self.reads >= READS {
            return None;
        }
        if let Some(errand) = self.next_late(now) {
            return Some(errand);
        }
        if self.waiting() == 0 {
            return None;
        }
        if let Some(errand) = self.next_page() {
            return Some(errand);
        }
        match self
            .schedule
            .action(self.waiting(), self.followed.len(), now)
        {
            Action::Read(count) => {
                let some: Vec<_> = self.followed.drain(..count).collect();
                self.schedule.reading(some.len());
                let some = self.begin(some);
                Some(match self.mode {
                    ExportMode::Move => Errand::Files(some),
                    ExportMode::Copy => Errand::Jobs(some),
                })
            }
            Action::Count | Action::Wait(_) if self.wants_failures() => {
                self.reads += 1;
                // The next question waits until thrice as many have ended; pages show failures as well.
                let (_, ended) = self.schedule.ended();
                self.failures_wanted_at = ended * 3;
                Some(Errand::Failures)
            }
            Action::Count if self.reads == 0 && !self.counting => {
                self.counting = true;
                Some(Errand::Count)
            }
            Action::Count | Action::Wait(_) => None,
        }
    }

    /// What to read of files that are late, or not understood.
    fn next_late(&mut self, now: Instant) -> Option<Errand> {
        let due = self.due_puzzles(now);
        if !due.is_empty() {
            return Some(Errand::Both(self.begin(due)));
        }
        if !self.suspects.is_empty() {
            let count = PAGE.min(self.suspects.len());
            let some = self.suspects.drain(..count).collect();
            return Some(Errand::Jobs(self.begin(some)));
        }
        if let Some((page, some)) = self.samples.pop() {
            return Some(Errand::Sample(page, self.begin(some)));
        }
        let waited_for = self.waiting() == 0 && self.reads == 0;
        if self.stragglers.len() >= PAGE || (waited_for && !self.stragglers.is_empty()) {
            let count = PAGE.min(self.stragglers.len());
            let some = self.stragglers.drain(..count).collect();
            return Some(Errand::Jobs(self.begin(some)));
        }
        None
    }

    /// The next page of a folder, if it is worth it. What is better read by its id is handed over.
    fn next_page(&mut self) -> Option<Errand> {
        if self.folders.len() == 0 {
            return None;
        }
        if self.waiting() <= PAGE || (self.schedule.is_fruitless() && self.followed.is_empty()) {
            let first = self.folders.take_first(PAGE);
            self.followed.extend(first);
        }
        loop {
            let (ended, all) = match self.schedule.trust(self.waiting()) {
                Trust::InOrder(ended) => (ended, false),
                Trust::NearlyAll(ended) => (ended, true),
                Trust::None => return None,
            };
            match self.folders.next(ended, all)? {
                FolderChoice::Release(some) => self.followed.extend(some),
                FolderChoice::Read(wish) => {
                    self.reads += 1;
                    self.reads_all = all;
                    // Of nearly all it isn't known which have not.
                    let share = wish.expected as u64 * ended as u64 / self.waiting() as u64;
                    let ended = usize::try_from(share).unwrap_or(wish.expected);
                    self.schedule
                        .reading(if all { ended } else { wish.expected });
                    return Some(Errand::Page(wish));
                }
            }
        }
    }

    /// Whether jobs have ended that aren't read yet, so that failures among them would not show.
    fn wants_failures(&self) -> bool {
        let (unread, ended) = self.schedule.ended();
        let late = unread >= PAGE && ended >= self.failures_wanted_at;
        late && self.mode == ExportMode::Move && !self.counting
    }

    fn begin(&mut self, some: Vec<Followed>) -> Vec<Followed> {
        self.reads += 1;
        self.reading += some.len();
        some
    }

    fn due_puzzles(&mut self, now: Instant) -> Vec<Followed> {
        let is_due = |puzzle: &Puzzle| puzzle.due <= now;
        let due = self.puzzles.iter_mut().filter(|puzzle| is_due(puzzle));
        let far = now + Duration::from_secs(86_400);
        due.take(PAGE)
            .map(|puzzle| {
                // Until it is known what came of it.
                puzzle.due = far;
                puzzle.followed.clone()
            })
            .collect()
    }

    /// The platform said how many jobs are unfinished.
    pub(super) fn counted(&mut self, unfinished: u64, now: Instant) {
        self.counting = false;
        self.schedule.counted(unfinished, self.waiting(), now);
    }

    /// It couldn't be asked.
    pub(super) fn not_counted(&mut self, now: Instant) {
        self.counting = false;
        self.schedule.failed(now);
    }

    /// A reading ended. These hadn't: they go on. So many of the others had. `scheduled` says whether it was due, or only
    /// gathered what others had left over.
    pub(super) fn read(
        &mut self,
        asked: usize,
        ended: usize,
        go_on: Vec<Followed>,
        scheduled: bool,
        now: Instant,
    ) {
        self.reads -= 1;
        self.reading -= asked;
        self.followed.extend(go_on);
        if scheduled {
            self.schedule.read(asked, ended, self.waiting(), now);
        }
    }

    /// A reading brought nothing.
    pub(super) fn not_read(&mut self, asked: Vec<Followed>, now: Instant) {
        self.reads -= 1;
        self.reading -= asked.len();
        for followed in asked {
            match self.puzzle_of(followed.item) {
                Some(puzzle) => puzzle.due = now,
                None => self.followed.push_back(followed),
            }
        }
        self.schedule.failed(now);
    }

    /// Files that had not arrived, though most of their neighbours had: their jobs are read together.
    pub(super) fn straggle(&mut self, some: impl IntoIterator<Item = Followed>) {
        self.stragglers.extend(some);
    }

    /// A job has completed, of a file that wasn't read: it is read at once.
    pub(super) fn completed(&mut self, followed: Followed, now: Instant) {
        if self.puzzle_of(followed.item).is_none() {
            self.puzzles.push(Puzzle {
                followed,
                doubt: Doubt::JobUnclear,
                first: Some(now),
                unmoved: None,
                readings: 0,
                due: now,
            });
        }
    }

    fn puzzle_of(&mut self, item: ItemId) -> Option<&mut Puzzle> {
        let mut puzzles = self.puzzles.iter_mut();
        puzzles.find(|puzzle| puzzle.followed.item == item)
    }

    /// A file shows nothing that is understood. Answers whether it is given up.
    pub(super) fn puzzled(
        &mut self,
        followed: &Followed,
        doubt: Doubt,
        timing: &Timing,
        now: Instant,
    ) -> bool {
        let item = followed.item;
        if self.puzzle_of(item).is_none() {
            self.puzzles.push(Puzzle {
                followed: followed.clone(),
                doubt,
                first: Some(now),
                unmoved: None,
                readings: 0,
                due: now,
            });
        }
        let puzzle = self.puzzle_of(item).expect("it is there");
        puzzle.readings += 1;
        puzzle.doubt = doubt;
        if doubt == Doubt::NotMoved {
            let (first, _) = puzzle.unmoved.unwrap_or((now, now));
            puzzle.unmoved = Some((first, now));
        }
        let waited = puzzle.first.map(|first| now - first);
        if puzzle.readings >= PUZZLE_READINGS
            && waited.is_none_or(|waited| waited >= timing.unclear_job)
        {
            self.understood(item);
            return true;
        }
        let longer = timing.first_poll * (1 << puzzle.readings.min(16));
        puzzle.due = now + longer.min(timing.longest_poll).min(timing.unclear_job / 2);
        false
    }

    /// How long a file lay on the platform all the same after its job had completed, as far as looks show.
    pub(super) fn unmoved_for(&mut self, item: ItemId) -> Option<Duration> {
        let (first, last) = self.puzzle_of(item)?.unmoved?;
        // Files are read before jobs: a single look may lie on both sides of the job's end.
        (last > first).then(|| last - first)
    }

    /// A file is understood again, or given up.
    pub(super) fn understood(&mut self, item: ItemId) {
        self.puzzles.retain(|puzzle| puzzle.followed.item != item);
    }

    /// A moved file was seen to be an alias of the planned object.
    pub(super) fn saw_alias(&mut self) {
        self.alias_seen = true;
    }

    /// Whether a moved file was ever seen to be one.
    pub(super) fn alias_seen(&self) -> bool {
        self.alias_seen
    }

    /// Whether jobs have completed without their files showing it, and none showed it yet: then everything that is inferred
    /// about moves may be wrong.
    pub(super) fn doubts_aliases(&self) -> bool {
        let not_moved = |puzzle: &Puzzle| puzzle.doubt == Doubt::NotMoved;
        !self.alias_seen && self.puzzles.iter().any(not_moved)
    }

    /// Whether nothing is followed.
    pub(super) fn is_idle(&self) -> bool {
        self.in_flight() == 0 && self.reads == 0
    }

    pub(super) fn next_wake(&self, now: Instant) -> Option<Instant> {
        let puzzle = self.puzzles.iter().map(|puzzle| puzzle.due).min();
        let scheduled = if self.waiting() == 0 || self.counting {
            None
        } else {
            match self
                .schedule
                .action(self.waiting(), self.followed.len(), now)
            {
                Action::Wait(until) => Some(until),
                Action::Count | Action::Read(_) => None,
            }
        };
        puzzle.into_iter().chain(scheduled).min()
    }
}

/// What a completed job of a move means whose file isn't the planned alias.
pub(super) fn doubt_of(place: Option<&Whereabouts>) -> Doubt {
    match place {
        Some(Whereabouts::Platform) => Doubt::NotMoved,
        Some(Whereabouts::Volume { .. } | Whereabouts::Gone) | None => Doubt::JobUnclear,
    }
}

#[cfg(test)]
mod tests;
