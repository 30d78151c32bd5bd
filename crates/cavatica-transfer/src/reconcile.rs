//! What an answer or a look at the platform says about each file. Pure: no network, no clock, no disk.

use std::collections::HashMap;

use cavatica_exports::model::{
    ApiError, BulkItem, ExportId, ExportJob, ExportMode, ExportState, File, FileId, Tri, VolumeId,
};
use jiff::{SignedDuration, Timestamp};

use crate::item::{Doubt, Failure, ItemId, Observation, SeenJob, Verdict};
use crate::journal::Item;

/// What the answer of a bulk call says about one of the files that were sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemAnswer {
    /// The platform has a job for it.
    Accepted(Box<ExportJob>),
    /// The platform refused it.
    Refused(ApiError),
    /// The answer doesn't say; it has to be looked up.
    Missing,
}

/// The answer of a bulk call, sorted by the files that were sent.
#[derive(Debug, PartialEq)]
pub(crate) struct Matched {
    /// One for each file, in the order in which they were sent.
    pub(crate) answers: Vec<ItemAnswer>,
    /// Items of the answer that belong to no file.
    pub(crate) surplus: usize,
}

/// Sorts the answer of a bulk call by the files that were sent. That the order is kept is promised nowhere, so:
///
/// * a job belongs to the file and location that it names;
/// * position counts only where the number of items agrees and no job stands in another's place;
/// * an error names no file. Where position doesn't count, it is still known whom the errors are for if as many files are
///   left over as there are errors, and all errors are alike.
///
/// Everything else is missing, and harms only itself.
pub(crate) fn match_answer(
    sent: &[Item],
    volume: &VolumeId,
    items: Vec<BulkItem<ExportJob>>,
) -> Matched {
    let by_name: HashMap<(&str, &str), usize> = sent
        .iter()
        .enumerate()
        .map(|(index, item)| ((item.file.as_str(), item.location.as_str()), index))
        .collect();
    let mut answers: Vec<ItemAnswer> = vec![ItemAnswer::Missing; sent.len()];
    let mut surplus = 0;
    let mut in_place = items.len() == sent.len();
    let count_agrees = in_place;
    // What names no file, with its position.
    let mut nameless = Vec::new();
    for (position, item) in items.into_iter().enumerate() {
        let job = match item {
            BulkItem::Resource(job, _) => job,
            BulkItem::Error(error, _) => {
                nameless.push((position, ItemAnswer::Refused(error)));
                continue;
            }
            BulkItem::Unreadable { .. } => {
                nameless.push((position, ItemAnswer::Missing));
                continue;
            }
        };
        let (Some(source), Some(destination)) = (job.source.value(), job.destination.value())
        else {
            // What it does name must not speak against the position.
            let other_file = job
                .source
                .value()
                .zip(sent.get(position))
                .is_some_and(|(source, item)| source.file != item.file);
            in_place &= !other_file;
            nameless.push((position, ItemAnswer::Accepted(Box::new(job))));
            continue;
        };
        let index = by_name
            .get(&(source.file.as_str(), destination.location.as_str()))
            .copied()
            .filter(|_| destination.volume == *volume);
        match index {
            Some(index) if answers[index] == ItemAnswer::Missing => {
                in_place &= index == position;
                answers[index] = ItemAnswer::Accepted(Box::new(job));
            }
            Some(_) | None => {
                in_place = false;
                surplus += 1;
            }
        }
    }
    if in_place {
        for (position, answer) in nameless {
            // Every job that names its file stands in its own place, so this place is free.
            answers[position] = answer;
        }
    } else {
        let left: Vec<usize> = (0..sent.len())
            .filter(|index| answers[*index] == ItemAnswer::Missing)
            .collect();
        let errors: Vec<&ApiError> = nameless
            .iter()
            .filter_map(|(_, answer)| match answer {
                ItemAnswer::Refused(error) => Some(error),
                ItemAnswer::Accepted(_) | ItemAnswer::Missing => None,
            })
            .collect();
        let alike = errors
            .windows(2)
            .all(|pair| (pair[0].code(), &pair[0].message) == (pair[1].code(), &pair[1].message));
        let all_errors = errors.len() == nameless.len() && errors.len() == left.len();
        if count_agrees && surplus == 0 && all_errors && alike {
            for (index, (_, answer)) in left.into_iter().zip(nameless) {
                answers[index] = answer;
            }
        } else {
            surplus += nameless
                .iter()
                .filter(|(_, answer)| matches!(answer, ItemAnswer::Accepted(_)))
                .count();
        }
    }
    Matched { answers, surplus }
}

/// How a job stands, in the words of the state machine.
pub(crate) fn seen(job: &ExportJob, request_id: Option<&str>) -> SeenJob {
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
        export: job.id.clone(),
        verdict,
    }
}

/// The moments that a job tells: when it was queued, and when it ended.
pub(crate) fn times(job: &ExportJob) -> (Option<Timestamp>, Option<Timestamp>) {
    let moment = |time: &Tri<cavatica_exports::model::DateTime>| time.value()?.timestamp();
    (moment(&job.started_on), moment(&job.finished_on))
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
        let young_enough = times(job).0.is_none_or(|started| {
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
            volume: storage.and_then(|storage| storage.volume.value().cloned()),
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
        .max_by_key(|job| match seen(job, None).verdict {
            Verdict::Completed => 2,
            Verdict::Unfinished => 1,
            Verdict::Failed(_) => 0,
        });
    if let Some(job) = job {
        return Some((Observation::Job(seen(job, None)), Some(job)));
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
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::journal::Overwrite;

    fn volume() -> VolumeId {
        "lab/results".parse().expect("a volume id")
    }

    fn item(number: i64) -> Item {
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

    fn job(number: i64) -> Value {
        json!({"resource": {
            "id": format!("job{number}"), "state": "PENDING", "source": {"file": format!("{number:024x}")},
            "destination": {"volume": "lab/results", "location": format!("run/{number}.bam")}
        }})
    }

    fn nameless_job(number: i64) -> Value {
        json!({"resource": {"id": format!("job{number}"), "state": "PENDING"}})
    }

    fn error(code: i64) -> Value {
        json!({"error": {"status": 403, "code": code, "message": format!("error {code}")}})
    }

    fn matched(sent: &[Item], answer: Vec<Value>) -> Matched {
        let items = answer
            .into_iter()
            .map(|value| serde_json::from_value(value).expect("items never fail"))
            .collect();
        match_answer(sent, &volume(), items)
    }

    fn words(matched: &Matched) -> Vec<String> {
        let word = |answer: &ItemAnswer| match answer {
            ItemAnswer::Accepted(job) => job.id.to_string(),
            ItemAnswer::Refused(error) => format!("{}", error.code().unwrap_or(0)),
            ItemAnswer::Missing => "?".to_owned(),
        };
        matched.answers.iter().map(word).collect()
    }

    #[track_caller]
    fn check(answer: Vec<Value>, expected: &[&str]) {
        let sent: Vec<Item> = (1..=3).map(item).collect();
        assert_eq!(words(&matched(&sent, answer)), expected);
    }

    #[test]
    fn answers_in_order_are_taken_by_position() {
        check(
            vec![job(1), error(9006), nameless_job(3)],
            &["job1", "9006", "job3"],
        );
    }

    #[test]
    fn shuffled_jobs_find_their_files_and_a_lone_error_the_file_that_is_left() {
        check(vec![error(9006), job(3), job(1)], &["job1", "9006", "job3"]);
    }

    #[test]
    fn different_errors_of_a_shuffled_answer_are_for_nobody_we_know() {
        check(vec![error(9006), job(1), error(9020)], &["job1", "?", "?"]);
    }

    #[test]
    fn a_missing_item_makes_errors_and_nameless_jobs_nobodys() {
        check(vec![job(1), error(9006)], &["job1", "?", "?"]);
        check(vec![nameless_job(1), job(3)], &["?", "?", "job3"]);
    }

    #[test]
    fn a_job_of_somebody_else_is_surplus() {
        let sent: Vec<Item> = (1..=2).map(item).collect();
        let matched = matched(&sent, vec![job(1), job(7), job(2)]);
        assert_eq!(words(&matched), ["job1", "job2"]);
        assert_eq!(matched.surplus, 1);
    }

    #[test]
    fn an_unreadable_item_is_looked_up() {
        check(
            vec![job(1), json!({"resource": 7}), job(3)],
            &["job1", "?", "job3"],
        );
    }

    proptest! {
        /// Whatever the platform does to the answer, no file gets another's job, and a file that was refused is never
        /// taken for accepted, nor the other way round.
        #[test]
        fn no_file_gets_anothers_answer(
            truth in prop::collection::vec(prop_oneof![Just(None), (9000_i64..9003).prop_map(Some)], 1..20),
            order in any::<u64>(),
            keep in prop::collection::vec(prop::bool::weighted(0.9), 20),
            named in any::<bool>(),
        ) {
            let sent: Vec<Item> = (1..).take(truth.len()).map(item).collect();
            let mut answer: Vec<Value> = (1..).zip(&truth).map(|(number, truth)| match truth {
                Some(code) => error(*code),
                None if named || order % 3 > 0 => job(number),
                None => nameless_job(number),
            }).collect();
            // Jobs without a name can't be told apart once they are out of order.
            let all_named = named || order % 3 > 0;
            if all_named && order % 2 == 0 {
                let length = answer.len();
                answer.rotate_left(usize::try_from(order % 19).unwrap() % length);
            }
            // An answer that lost items and holds nothing that shows it can't be seen through only if its length agrees.
            let kept: Vec<Value> = answer.into_iter().zip(keep).filter_map(|(item, keep)| keep.then_some(item)).collect();
            let only_errors = truth.iter().all(Option::is_some);
            let matched = matched(&sent, kept);
            for ((number, truth), answer) in (1..).zip(&truth).zip(&matched.answers) {
                match (truth, answer) {
                    (None, ItemAnswer::Accepted(job)) => prop_assert_eq!(job.id.to_string(), format!("job{number}")),
                    (Some(code), ItemAnswer::Refused(error)) => {
                        prop_assert!(only_errors || error.code() == Some(*code));
                    }
                    (_, ItemAnswer::Missing) => {}
                    (truth, answer) => prop_assert!(false, "file {} was {:?}, taken for {:?}", number, truth, answer),
                }
            }
        }
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
