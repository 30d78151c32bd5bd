//! What the answer of a bulk call says about each file that was sent. Pure: no network, no clock, no disk.

use std::cell::LazyCell;
use std::collections::HashMap;

use cavatica_exports::model::{ApiError, BulkItem, JobStanding, StartedJob, VolumeId};

use crate::journal::Item;
use crate::mutation::Mutation;

/// What the answer of a bulk call says about one of the files that were sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ItemAnswer {
    /// The platform has a job for it.
    Accepted(JobStanding),
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
/// * a job belongs to the file and location that it names, in whatever spelling the location comes back;
/// * position counts only where the number of items agrees and no job stands in another's place;
/// * an error names no file. Where position doesn't count, it is still known whom the errors are for if as many files are
///   left over as there are errors, and all errors are alike.
///
/// Everything else is missing, and harms only itself.
pub(crate) fn match_answer(
    sent: &[Item],
    volume: &VolumeId,
    items: Vec<BulkItem<StartedJob>>,
) -> Matched {
    // Most often the order is kept, and nobody needs this.
    let by_file: LazyCell<HashMap<_, Vec<usize>>, _> = LazyCell::new(|| {
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, item) in sent.iter().enumerate() {
            places.entry(&item.file).or_default().push(place);
        }
        places
    });
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
                let answer = if is_definite(&error) {
                    ItemAnswer::Refused(error)
                } else {
                    ItemAnswer::Missing
                };
                nameless.push((position, answer));
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
            nameless.push((position, ItemAnswer::Accepted(job.into())));
            continue;
        };
        let names = |item: &Item| {
            source.file == item.file && item.location.is_echoed_as(&destination.location)
        };
        let index = if sent.get(position).is_some_and(names) {
            Some(position)
        } else {
            let mut places = by_file.get(&source.file).into_iter().flatten().copied();
            places.find(|place| names(&sent[*place]))
        };
        let index = index.filter(|_| destination.volume == *volume);
        match index {
            Some(index) if answers[index] == ItemAnswer::Missing => {
                in_place &= index == position;
                answers[index] = ItemAnswer::Accepted(job.into());
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

/// Whether an error says that its item was refused. What a server says that failed, or had no time, is no answer.
fn is_definite(error: &ApiError) -> bool {
    !matches!(error.http_status(), Some(408 | 429 | 500..)) || Mutation::ItemErrorBelieved.is_on()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::judge::tests::{item, job, volume};

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
}
