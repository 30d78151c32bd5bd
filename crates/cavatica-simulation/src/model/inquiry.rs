//! Inquiries, read by read, and what a run records.

use std::collections::BTreeSet;

use cavatica_transfer::journal::Change;
use cavatica_transfer::proof::{Read, Saw, Where};
use cavatica_transfer::state::{
    Answer, IllegalStep, Observation, Proof, State, Step, Verdict, Word,
};
use jiff::{SignedDuration, Timestamp};

use super::action::Sight;
use super::names::{file_id, file_of, item_id, job_of, shown};
use super::setting::Setting;
use super::world::{Broken, Inquiry, LATEST, Record, Snapshot, Stage, instant, now, stamp, timing};

/// Which jobs a list shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Unfinished,
    Failed,
    All,
}

impl Snapshot {
    /// Begins to ask about what is in doubt: unfinished jobs come first.
    pub(super) fn ask(&mut self, number: u8) {
        let quiet = self.is_quiet(number);
        let due = self.owner(number).doubts.due(quiet);
        let oldest = due.iter().map(|(_, sent)| *sent).min();
        let mut inquiry = Inquiry {
            asked: due.iter().map(|(item, _)| file_of(*item)).collect(),
            oldest: oldest.expect("something is asked"),
            quiet,
            reads: 0,
            jobs: Vec::new(),
            places: Vec::new(),
        };
        self.read_list(List::Unfinished, &mut inquiry);
        self.owner(number).inquiry = Some(inquiry);
    }

    /// Reads on, cheapest question first, and ends where nothing is open any more.
    pub(super) fn ask_on(&mut self, number: u8, setting: &Setting, met: &mut BTreeSet<Sight>) {
        let mut inquiry = self.owner(number).inquiry.take().expect("it is under way");
        inquiry.reads += 1;
        let whole = inquiry.quiet || !setting.long_list;
        let read = match (inquiry.reads, whole) {
            (1, _) => {
                self.read_files(&mut inquiry, setting);
                let open = self.is_open(&inquiry);
                (!open || !(whole || setting.is_move())).then_some(Read::Unfinished)
            }
            (2, true) => {
                self.read_list(List::All, &mut inquiry);
                None
            }
            (2, false) => {
                self.read_list(List::Failed, &mut inquiry);
                None
            }
            (3, true) => {
                self.read_files(&mut inquiry, setting);
                Some(Read::Whole)
            }
            (3, false) => {
                self.read_files(&mut inquiry, setting);
                None
            }
            (_, _) => {
                self.read_list(List::Unfinished, &mut inquiry);
                Some(Read::States)
            }
        };
        match read {
            None => self.owner(number).inquiry = Some(inquiry),
            Some(read) => self.conclude(number, inquiry, read, setting, met),
        }
    }

    fn read_list(&self, list: List, inquiry: &mut Inquiry) {
        for (number, job) in (0..).zip(&self.jobs) {
            let wanted = match list {
                List::All => true,
                List::Unfinished => job.stage == Stage::Live,
                List::Failed => matches!(job.stage, Stage::Failed(_)),
            };
            if wanted && job.listed && !job.forgotten {
                inquiry.jobs.retain(|(known, _)| *known != number);
                inquiry.jobs.push((number, job.stage));
            }
        }
    }

    fn read_files(&self, inquiry: &mut Inquiry, setting: &Setting) {
        if setting.is_move() {
            let place = |file: &u8| (*file, self.files[usize::from(*file)].shown);
            inquiry.places = inquiry.asked.iter().map(place).collect();
        }
    }

    /// Whether a file shows neither a job under way nor its own arrival.
    fn is_open(&self, inquiry: &Inquiry) -> bool {
        inquiry.asked.iter().any(|file| {
            let arrived = inquiry.places.contains(&(*file, Where::Planned));
            let live = inquiry.jobs.iter().any(|(job, stage)| {
                self.jobs[usize::from(*job)].file == *file && *stage == Stage::Live
            });
            !arrived && !live
        })
    }

    /// Takes in what an inquiry saw.
    fn conclude(
        &mut self,
        number: u8,
        inquiry: Inquiry,
        read: Read,
        setting: &Setting,
        met: &mut BTreeSet<Sight>,
    ) {
        let jobs: Vec<_> = inquiry
            .jobs
            .iter()
            .map(|(job, stage)| shown(&self.jobs[usize::from(*job)], *job, *stage, setting))
            .collect();
        let clean = self.shows_what_it_must(number, &inquiry, read, &jobs);
        if !clean {
            met.insert(Sight::UncleanList);
        }
        let exists = |file: &&u8| {
            self.files[usize::from(**file)].object != super::setting::Occupant::Nothing
        };
        let objects = inquiry.asked.iter().filter(exists);
        let saw = Saw {
            jobs,
            places: inquiry
                .places
                .iter()
                .map(|(file, place)| (file_id(*file), *place))
                .collect(),
            objects: objects
                .filter(|_| !setting.is_move())
                .map(|file| file_id(*file))
                .collect(),
            read,
            clean,
            began: instant(0),
            now: now(),
        };
        let asked: Vec<_> = inquiry.asked.iter().copied().map(item_id).collect();
        let told = self.owner(number).doubts.answered(&asked, saw, &timing());
        if !told.free.is_empty() {
            met.insert(Sight::Freed);
        }
        for change in told.changes {
            if let Step::Observation(Observation::Job(job)) = &change.step {
                let job = job_of(&job.export);
                let began = self.jobs[usize::from(job)].began;
                let row = &mut self.owner(number).rows[usize::from(file_of(change.item))];
                row.dated = setting.is_dated().then_some(began);
            }
            let Change { item, step, .. } = change;
            self.step(number, file_of(item), step, met);
        }
    }

    /// Whether the lists show every job of ours that they must.
    fn shows_what_it_must(
        &self,
        number: u8,
        inquiry: &Inquiry,
        read: Read,
        jobs: &[cavatica_exports::model::ExportJob],
    ) -> bool {
        let owner = self.owners[usize::from(number)].as_ref();
        let owner = owner.expect("a living run");
        let shows = |export: u8| inquiry.jobs.iter().any(|(job, _)| *job == export);
        let long_ago = Some(stamp(-LATEST));
        let missing = |row: &Record, until: Option<Timestamp>| {
            let sent_before = until.is_some_and(|until| stamp(row.sent) < until);
            row.state
                .export()
                .map(job_of)
                .filter(|job| sent_before && !shows(*job))
        };
        match read {
            Read::Unfinished => true,
            Read::States => {
                let until = owner.doubts.newest_witness(None).max(long_ago);
                let followed = |row: &&Record| matches!(row.state, State::Accepted { .. });
                let mut missing = owner
                    .rows
                    .iter()
                    .filter(followed)
                    .filter_map(|row| missing(row, until));
                missing.all(|job| self.jobs[usize::from(job)].stage != Stage::Live)
            }
            Read::Whole => {
                let asked = Some(inquiry.oldest + SignedDuration::from_millis(1));
                let witness = owner.doubts.newest_witness(Some(jobs));
                let until = witness.max(long_ago).max(asked);
                owner.rows.iter().all(|row| missing(row, until).is_none())
            }
        }
    }

    /// Takes a file where a step leads, as the journal does.
    pub(super) fn step(&mut self, owner: u8, file: u8, step: Step, met: &mut BTreeSet<Sight>) {
        sight(&step, met);
        let owner = self.owner(owner);
        let row = &mut owner.rows[usize::from(file)];
        match take(row, step) {
            Ok(()) => {
                let sight = match &row.state {
                    State::Planned => Sight::Planned,
                    State::Intended => Sight::Intended,
                    State::Accepted { .. } => Sight::Accepted,
                    State::Completed {
                        proof: Proof::File, ..
                    } => Sight::CompletedByFile,
                    State::Completed { .. } => Sight::CompletedByJob,
                    State::Failed { .. } => Sight::Failed,
                    State::Unknown { .. } => Sight::Unknown,
                };
                met.insert(sight);
            }
            Err(illegal) => self.broken = Some(Broken::Illegal(illegal.to_string())),
        }
    }
}

/// What the journal keeps of a step.
fn take(row: &mut Record, step: Step) -> Result<(), IllegalStep> {
    let unsent = matches!(
        step,
        Step::Answer(Answer::NotSent) | Step::Observation(Observation::NotTaken)
    );
    let in_doubt = matches!(row.state, State::Intended | State::Unknown { .. });
    let in_vain = in_doubt
        && matches!(
            step,
            Step::Observation(Observation::MovedAway(_)) | Step::Word(Word::Failed(_))
        );
    let before = row.state.clone();
    row.state = before.clone().step(step)?;
    row.lost |= in_vain;
    if !matches!(row.state, State::Intended | State::Unknown { .. }) {
        row.call = 0;
    }
    if row.state != State::Planned {
        return Ok(());
    }
    row.dated = None;
    match before {
        State::Failed { export, .. } => row.past.extend(export.as_ref().map(job_of)),
        State::Intended if unsent => row.attempt -= 1,
        State::Intended | State::Unknown { .. } => row.lost = true,
        _ => {}
    }
    Ok(())
}

fn sight(step: &Step, met: &mut BTreeSet<Sight>) {
    let Step::Observation(observation) = step else {
        return;
    };
    met.insert(match observation {
        Observation::Job(job) if matches!(job.verdict, Verdict::Failed(_)) => return,
        Observation::Job(_) => Sight::FoundByItsJob,
        Observation::AliasAtDestination => Sight::FoundByItsFile,
        Observation::Absent => Sight::Absent,
        Observation::NotTaken => Sight::NotTaken,
        Observation::MovedAway(_) => Sight::MovedAway,
        Observation::Unclear(_) => return,
    });
}
