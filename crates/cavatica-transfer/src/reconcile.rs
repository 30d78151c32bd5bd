//! What a look at the platform says about a file whose answer was lost. Pure: no network, no clock, no disk.

use std::collections::HashMap;

use cavatica_exports::model::{
    DateTime, ExportId, ExportJob, ExportMode, ExportState, File, FileId, JobStanding, Tri,
    VolumeId,
};
use jiff::{SignedDuration, Timestamp};

use crate::item::{Doubt, Failure, ItemId, Observation, SeenJob, Verdict};
use crate::journal::Item;

/// How a job stands, in the words of the state machine.
pub(crate) fn seen(job: JobStanding, request_id: Option<&str>) -> SeenJob {
    let verdict = match job.state.known() {
        Some(ExportState::Completed) => Verdict::Completed,
        Some(ExportState::Failed) => Verdict::Failed(match job.error.value() {
            Some(error) => Failure::of(error, request_id),
            None => Failure {
                code: None,
                status: None,
                message: "the job failed, and the platform gives no reason".to_owned(),
                request_id: request_id.map(str::to_owned),
            },
        }),
        Some(ExportState::Pending | ExportState::Running) | None => Verdict::Unfinished,
    };
    SeenJob {
        export: job.id,
        verdict,
    }
}

/// The moments that a job tells: when it was queued, and when it ended.
pub(crate) type Times = (Option<Timestamp>, Option<Timestamp>);

/// Reads the moments of many jobs. Those of one answer are mostly of the same second, and to see that two texts are the same
/// takes a small part of the time that reading one takes.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    started: LastRead,
    finished: LastRead,
}

type LastRead = Option<(DateTime, Option<Timestamp>)>;

impl Moments {
    pub(crate) fn of(&mut self, job: &JobStanding) -> Times {
        (
            read(&mut self.started, &job.started_on),
            read(&mut self.finished, &job.finished_on),
        )
    }
}

fn read(last: &mut LastRead, time: &Tri<DateTime>) -> Option<Timestamp> {
    let time = time.value()?;
    match last {
        Some((text, moment)) if text == time => *moment,
        _ => last.insert((time.clone(), time.timestamp())).1,
    }
}

/// A file of which it isn't known whether the platform took it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Question {
    /// The file as it was sent.
    pub(crate) item: Item,
    /// When the intent was written: our job can't be older.
    pub(crate) intended: Timestamp,
    /// Its job, where one is known and only its end is in doubt.
    pub(crate) export: Option<ExportId>,
    /// Jobs of earlier attempts: not the one that is looked for.
    pub(crate) earlier: Vec<ExportId>,
}

impl Question {
    pub(crate) fn id(&self) -> ItemId {
        self.item.id
    }

    /// Whether a listed job is the one that is looked for.
    fn is_answered_by(&self, job: &ExportJob, volume: &VolumeId, skew: SignedDuration) -> bool {
        if let Some(export) = &self.export {
            return job.id == *export;
        }
        let (Some(source), Some(destination)) = (job.source.value(), job.destination.value())
        else {
            return false;
        };
        let started = job.started_on.value().and_then(DateTime::timestamp);
        let young_enough = started.is_none_or(|started| {
            self.intended
                .checked_sub(skew)
                .is_ok_and(|earliest| started >= earliest)
        });
        source.file == self.item.file
            && destination.volume == *volume
            && destination.location == self.item.location.as_str()
            && young_enough
            && !self.earlier.contains(&job.id)
    }
}

/// Where the bytes of a file lie, as the platform tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Whereabouts {
    /// On the platform.
    Platform,
    /// On a volume, at this location.
    Volume {
        volume: Option<VolumeId>,
        location: Option<String>,
    },
    /// The file isn't there, or not for us.
    Gone,
}

impl Whereabouts {
    pub(crate) fn of(file: &File) -> Self {
        if !file.is_alias() {
            return Whereabouts::Platform;
        }
        let storage = file.storage.value();
        Whereabouts::Volume {
            volume: storage.and_then(|storage| storage.volume.value()?.parse().ok()),
            location: storage.and_then(|storage| storage.location.value().cloned()),
        }
    }

    /// Whether it is exactly where the transfer wanted it.
    pub(crate) fn is_at(&self, volume: &VolumeId, item: &Item) -> bool {
        match self {
            Whereabouts::Volume {
                volume: Some(found),
                location: Some(location),
            } => found == volume && location == item.location.as_str(),
            Whereabouts::Volume { .. } | Whereabouts::Platform | Whereabouts::Gone => false,
        }
    }
}

/// Whether the list of our own jobs was read to its end, long enough after the question arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ListReach {
    /// All jobs that existed when the settling time was over: what isn't in it doesn't exist.
    Everything,
    /// Some jobs: what is in it exists, and no more than that is known.
    Part,
}

/// What a look at the platform brought.
///
/// The order of the looks matters: the list first, the storage after it. A job only goes forward, so one that ends between
/// the two is missing from neither.
#[derive(Debug)]
pub(crate) struct Look<'a> {
    pub(crate) mode: ExportMode,
    pub(crate) volume: &'a VolumeId,
    pub(crate) jobs: &'a HashMap<FileId, Vec<ExportJob>>,
    pub(crate) reach: ListReach,
    /// Where files lie; one that was not asked for, or couldn't be read, is absent.
    pub(crate) whereabouts: &'a HashMap<FileId, Whereabouts>,
    /// How far the platform's clock may be behind ours.
    pub(crate) skew: SignedDuration,
}

/// What a look says about one file: an observation, the job it rests on if there is one, or nothing yet.
pub(crate) fn judge<'a>(
    question: &Question,
    look: &'a Look<'_>,
) -> Option<(Observation, Option<&'a ExportJob>)> {
    let job = look
        .jobs
        .get(&question.item.file)
        .into_iter()
        .flatten()
        .filter(|job| question.is_answered_by(job, look.volume, look.skew))
        // Should there be several, success counts before hope, and hope before failure.
        .max_by_key(|job| match job.state.known() {
            Some(ExportState::Completed) => 2,
            Some(ExportState::Pending | ExportState::Running) | None => 1,
            Some(ExportState::Failed) => 0,
        });
    if let Some(job) = job {
        let seen = seen(job.clone().into(), None);
        return Some((Observation::Job(seen), Some(job)));
    }
    let whereabouts = look.whereabouts.get(&question.item.file);
    if look.mode == ExportMode::Move
        && whereabouts.is_some_and(|place| place.is_at(look.volume, &question.item))
    {
        return Some((Observation::AliasAtDestination, None));
    }
    if look.reach == ListReach::Part {
        return None;
    }
    let observation = match (question.export.is_some(), look.mode, whereabouts) {
        // The platform gave us this job and doesn't show it: it can't be called absent.
        (true, ExportMode::Move | ExportMode::Copy, _) => Observation::Unclear(Doubt::JobUnclear),
        (false, ExportMode::Copy, _) => Observation::Absent,
        (false, ExportMode::Move, Some(Whereabouts::Platform)) => Observation::Absent,
        (false, ExportMode::Move, Some(Whereabouts::Volume { .. } | Whereabouts::Gone)) => {
            Observation::Unclear(Doubt::FileChanged)
        }
        (false, ExportMode::Move, None) => return None,
    };
    Some((observation, None))
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::journal::Overwrite;

    pub(crate) fn volume() -> VolumeId {
        "lab/results".parse().expect("a volume id")
    }

    pub(crate) fn item(number: i64) -> Item {
        Item {
            id: ItemId(number),
            file: format!("{number:024x}").parse().expect("a file id"),
            location: format!("run/{number}.bam").parse().expect("a location"),
            size: Some(1),
            overwrite: Overwrite::Forbidden,
            properties: Tri::Absent,
            attempt: 1,
        }
    }

    pub(crate) fn job(number: i64) -> Value {
        json!({"resource": {
            "id": format!("job{number}"), "state": "PENDING", "source": {"file": format!("{number:024x}")},
            "destination": {"volume": "lab/results", "location": format!("run/{number}.bam")}
        }})
    }

    fn question(number: i64) -> Question {
        Question {
            item: item(number),
            intended: "2026-01-01T10:00:00Z".parse().expect("a moment"),
            export: None,
            earlier: Vec::new(),
        }
    }

    fn listed(id: &str, number: i64, state: &str, started: &str) -> ExportJob {
        let mut value = job(number)["resource"].take();
        value["id"] = json!(id);
        value["state"] = json!(state);
        value["started_on"] = json!(started);
        serde_json::from_value(value).expect("a job")
    }

    fn judged(
        question: &Question,
        mode: ExportMode,
        jobs: Vec<ExportJob>,
        reach: ListReach,
        place: Option<Whereabouts>,
    ) -> Option<Observation> {
        let file = question.item.file.clone();
        let look = Look {
            mode,
            volume: &volume(),
            jobs: &HashMap::from([(file.clone(), jobs)]),
            reach,
            whereabouts: &place.map(|place| (file, place)).into_iter().collect(),
            skew: SignedDuration::from_mins(10),
        };
        judge(question, &look).map(|(observation, _)| observation)
    }

    #[test]
    fn each_job_keeps_its_own_times() {
        let (one, other) = ("2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z");
        let mut moments = Moments::default();
        for (started, finished) in [
            (one, other),
            (one, one),
            (other, one),
            ("soon", other),
            (one, "later"),
            (one, other),
        ] {
            let mut job = listed("a", 1, "COMPLETED", started);
            job.finished_on = serde_json::from_value(json!(finished)).expect("a text");
            let told = moments.of(&job.into());
            assert_eq!(told, (started.parse().ok(), finished.parse().ok()));
        }
    }

    #[test]
    fn a_listed_job_of_the_same_file_and_place_is_ours() {
        let jobs = vec![listed("a", 1, "RUNNING", "2026-01-01T10:00:01Z")];
        let found = judged(&question(1), ExportMode::Move, jobs, ListReach::Part, None);
        let job = SeenJob {
            export: "a".parse().expect("an id"),
            verdict: Verdict::Unfinished,
        };
        assert_eq!(found, Some(Observation::Job(job)));
    }

    #[test]
    fn an_old_job_or_one_of_an_earlier_attempt_is_not_ours() {
        let old = vec![listed("a", 1, "FAILED", "2026-01-01T09:00:00Z")];
        let earlier = Question {
            earlier: vec!["b".parse().expect("an id")],
            ..question(1)
        };
        let known = vec![listed("b", 1, "FAILED", "2026-01-01T10:00:01Z")];
        for (question, jobs) in [(question(1), old), (earlier, known)] {
            let place = Some(Whereabouts::Platform);
            let found = judged(
                &question,
                ExportMode::Move,
                jobs,
                ListReach::Everything,
                place,
            );
            assert_eq!(found, Some(Observation::Absent));
        }
    }

    #[test]
    fn success_counts_before_failure() {
        let jobs = vec![
            listed("a", 1, "FAILED", "2026-01-01T10:00:01Z"),
            listed("b", 1, "COMPLETED", "2026-01-01T10:00:02Z"),
            listed("c", 1, "RUNNING", "2026-01-01T10:00:03Z"),
        ];
        let found = judged(&question(1), ExportMode::Copy, jobs, ListReach::Part, None);
        let Some(Observation::Job(job)) = found else {
            panic!("{found:?}");
        };
        assert_eq!(job.verdict, Verdict::Completed);
    }

    #[test]
    fn an_alias_at_the_planned_place_is_our_success_and_any_other_is_a_doubt() {
        let at = |location: &str| {
            Some(Whereabouts::Volume {
                volume: Some(volume()),
                location: Some(location.to_owned()),
            })
        };
        let here = judged(
            &question(1),
            ExportMode::Move,
            vec![],
            ListReach::Part,
            at("run/1.bam"),
        );
        assert_eq!(here, Some(Observation::AliasAtDestination));
        let elsewhere = at("run/2.bam");
        let there = judged(
            &question(1),
            ExportMode::Move,
            vec![],
            ListReach::Everything,
            elsewhere,
        );
        assert_eq!(there, Some(Observation::Unclear(Doubt::FileChanged)));
    }

    #[test]
    fn nothing_is_absent_before_everything_was_seen() {
        let on_platform = || Some(Whereabouts::Platform);
        let ask = |mode, reach, place| judged(&question(1), mode, vec![], reach, place);
        assert_eq!(ask(ExportMode::Move, ListReach::Part, on_platform()), None);
        assert_eq!(ask(ExportMode::Move, ListReach::Everything, None), None);
        let absent = Some(Observation::Absent);
        assert_eq!(
            ask(ExportMode::Move, ListReach::Everything, on_platform()),
            absent
        );
        assert_eq!(ask(ExportMode::Copy, ListReach::Everything, None), absent);
    }
}
