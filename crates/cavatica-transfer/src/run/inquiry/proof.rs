//! What the engine decides by, laid open to a checker that tries everything. Behind the feature `proof`, which neither the
//! program nor another crate asks for: it shows what is there, and decides nothing.
//!
//! The checker plays the loop, the platform and the disk. Time stands still at [`Instant::now`]; [`Doubts::pass`] makes
//! everything older instead, so that two histories that left the same behind are one.

use std::hash::{Hash, Hasher};

use cavatica_exports::model::bulk::{BulkAnswer, ExportKey};
use cavatica_exports::model::job::StartedJob;
use cavatica_exports::model::{ExportId, ExportJob, ExportMode, Fate, FileId, VolumeId};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Cause, Inquiry, Open, Witness};
use crate::Timing;
use crate::evidence::{Evidence, Extent, Question, SentBy, Settling, Whereabouts, seen};
use crate::journal::{Change, Item, Sent};
use crate::state::{Answer, Failure, ItemId, SeenJob, Step};

/// Why it isn't known what becomes of a file.
#[derive(Clone, Debug)]
pub enum Why {
    /// Its answer was lost.
    Lost,
    /// The whole call was answered with no.
    Refused,
    /// It was answered with no, in a way that may echo the call itself.
    Denied(Failure),
    /// What it was told may be the echo of our own success.
    Echo(Change),
    /// Somebody else's job of it is under way.
    Held,
}

/// When the moments of a question lie.
#[derive(Clone, Copy, Debug)]
pub struct Since {
    /// When no byte of its call moves any more.
    pub dead: Instant,
    /// Whether an earlier run sent it.
    pub earlier_run: bool,
}

/// Where a file was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Where {
    /// On the platform.
    Platform,
    /// At the planned place.
    Planned,
    /// At another place.
    Elsewhere,
    /// Nowhere.
    Gone,
}

/// How much of the list of jobs was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Read {
    /// Unfinished jobs.
    Unfinished,
    /// Unfinished and failed ones.
    States,
    /// All of them.
    Whole,
}

/// What one inquiry saw.
#[derive(Clone, Debug)]
pub struct Saw {
    /// The jobs that were listed, each as it was seen last.
    pub jobs: Vec<ExportJob>,
    /// Where files lie.
    pub places: Vec<(FileId, Where)>,
    /// Files whose planned objects are there.
    pub objects: Vec<FileId>,
    /// How much was read.
    pub read: Read,
    /// Whether the lists show all that they must.
    pub clean: bool,
    /// When it began.
    pub began: Instant,
    /// The present, on the platform's clock.
    pub now: Timestamp,
}

/// What an inquiry brought.
#[derive(Clone, Debug)]
pub struct InquiryResult {
    /// What is to be recorded.
    pub changes: Vec<Change>,
    /// Held files that may be sent.
    pub free: Vec<ItemId>,
}

/// The files whose fate isn't known, as one run keeps them in memory.
#[derive(Clone, Debug)]
pub struct Doubts(Inquiry);

impl Doubts {
    /// Nothing is in doubt.
    pub fn new(mode: ExportMode, volume: VolumeId) -> Self {
        Doubts(Inquiry::new(mode, volume))
    }

    /// A file's fate isn't known.
    pub fn ask(
        &mut self,
        sent: Sent,
        why: Why,
        since: Since,
        planned_free: bool,
        earlier: Vec<ExportId>,
        timing: &Timing,
    ) {
        let cause = match why {
            Why::Lost => Cause::Lost,
            Why::Refused => Cause::Refused(None),
            Why::Denied(failure) => Cause::Refused(Some(failure)),
            Why::Echo(change) => Cause::Echo(change),
            Why::Held => Cause::Held,
        };
        let question = Question {
            file: sent.item.file,
            location: sent.item.location,
            sent: sent.at,
            run: if since.earlier_run {
                SentBy::AnEarlierRun
            } else {
                SentBy::ThisRun
            },
            planned_free,
            earlier,
            others_count: cause.is_about_others(),
        };
        let settling = Settling::since(since.dead, timing.settle);
        self.0
            .ask(sent.item.id, sent.call, question, cause, settling);
    }

    /// A call was accepted.
    pub fn witness(&mut self, export: ExportId, sent: Instant, at: Timestamp) {
        self.0.witness(Witness { export, sent, at });
    }

    /// A job of this run was dated `started`.
    pub fn learn(&mut self, started: Timestamp, sent: Timestamp, heard: Timestamp) {
        self.0.clock.learn(started, sent, heard);
    }

    /// A job of an earlier run was dated `started`.
    pub fn learn_later(&mut self, started: Timestamp, sent: Timestamp) {
        self.0.earlier_clock.learn_later(started, sent);
    }

    /// The files to ask about now, each with the moment when it was sent.
    pub fn due(&mut self, quiet: bool) -> Vec<(ItemId, Timestamp)> {
        let questions = self.0.next(quiet, Instant::now()).unwrap_or_default();
        self.0.not_answered();
        let is_due = |open: &&Open| {
            let mut questions = questions.iter();
            questions.any(|question| question.file == open.question.file)
        };
        let due = self.0.open.iter().filter(is_due);
        due.map(|open| (open.item, open.question.sent)).collect()
    }

    /// When the newest witness among these jobs was sent, or of all.
    pub fn newest_witness(&self, shown_by: Option<&[ExportJob]>) -> Option<Timestamp> {
        let evidence = shown_by.map(|jobs| Evidence::of(jobs.to_vec(), []));
        let witness = self.0.newest_witness(evidence.as_ref());
        witness.map(|witness| witness.at)
    }

    /// The platform was asked about these.
    pub fn answered(&mut self, asked: &[ItemId], saw: Saw, timing: &Timing) -> InquiryResult {
        let questions: Vec<Question> = self
            .0
            .open
            .iter()
            .filter(|open| asked.contains(&open.item))
            .map(|open| open.question.clone())
            .collect();
        let volume = self.0.volume.clone();
        let places = saw.places.into_iter().map(|(file, place)| {
            let location = |planned| {
                let question = questions.iter().find(|asked| asked.file == file);
                let location = question.map(|asked| asked.location.to_string());
                location.filter(|_| planned).or(Some("other/place".into()))
            };
            let volume = |planned| Whereabouts::Volume {
                volume: Some(volume.clone()),
                location: location(planned),
            };
            let place = match place {
                Where::Platform => Whereabouts::Platform,
                Where::Planned => volume(true),
                Where::Elsewhere => volume(false),
                Where::Gone => Whereabouts::Gone,
            };
            (file, place)
        });
        let places: Vec<_> = places.collect();
        let mut evidence = Evidence::of(saw.jobs, places);
        evidence.objects.extend(saw.objects);
        evidence.extent = match saw.read {
            Read::Unfinished => Extent::Unfinished,
            Read::States => Extent::States,
            Read::Whole => Extent::Whole,
        };
        let outcome = self
            .0
            .answered(&questions, &evidence, saw.clean, saw.began, saw.now, timing);
        InquiryResult {
            changes: outcome.changes,
            free: outcome.free,
        }
    }

    /// Whether this file's fate isn't known.
    pub fn is_open(&self, item: ItemId) -> bool {
        self.0.is_open(item)
    }

    /// When the bytes of the newest call in doubt are dead, if any is.
    pub fn dead(&self) -> Option<Instant> {
        self.0.doubts()
    }

    /// When to ask next.
    pub fn next_wake(&self) -> Option<Instant> {
        self.0.next_wake()
    }

    /// Time passes: the moments that are kept become older.
    pub fn pass(
        &mut self,
        older: impl Fn(Instant) -> Instant,
        older_on_the_clock: impl Fn(Timestamp) -> Timestamp,
    ) {
        for open in &mut self.0.open {
            open.settling = open.settling.with_moments(&older);
            open.completed = open.completed.with_moments(&older);
            open.due = open.due.map(&older);
            open.question.sent = older_on_the_clock(open.question.sent);
        }
        for witness in &mut self.0.witnesses {
            witness.sent = older(witness.sent);
            witness.at = older_on_the_clock(witness.at);
        }
    }
}

impl Hash for Doubts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for open in &self.0.open {
            open.item.hash(state);
            open.call.hash(state);
            open.question.sent.hash(state);
            open.question.run.hash(state);
            open.question.earlier.hash(state);
            std::mem::discriminant(&open.cause).hash(state);
            match &open.cause {
                Cause::Echo(change) => change.hash(state),
                Cause::Refused(failure) => failure.hash(state),
                Cause::Lost | Cause::Held => {}
            }
            open.settling.hash(state);
            open.completed.hash(state);
            open.due.hash(state);
        }
        for witness in &self.0.witnesses {
            (&witness.export, witness.sent, witness.at).hash(state);
        }
        (self.0.clock, self.0.earlier_clock).hash(state);
    }
}

/// What a bulk answer says of each file that was sent; `None` where it says nothing.
pub fn answers(
    sent: &[Item],
    volume: &VolumeId,
    mode: ExportMode,
    answer: &BulkAnswer<StartedJob>,
) -> Vec<Option<Step>> {
    let keys = sent
        .iter()
        .map(|item| ExportKey::new(&item.file, volume, &item.location));
    let step = |fate| match fate {
        Fate::Accepted(job) => {
            let job = seen((*job).into(), mode, None);
            Some(Step::Answer(Answer::Accepted(job)))
        }
        Fate::Refused(error) => Some(Step::Answer(Answer::Refused(Failure::of(&error, None)))),
        Fate::Missing => None,
    };
    answer.by_request(keys).into_iter().map(step).collect()
}

/// How a job stands, in the words of the state machine.
pub fn standing(job: &ExportJob, mode: ExportMode) -> SeenJob {
    seen(job.clone().into(), mode, None)
}
