//! What the answer of a bulk start says about each request that was sent.

use std::cell::LazyCell;
use std::collections::HashMap;

use super::{BulkAnswer, BulkItem};
use crate::job::StartedJob;
use crate::{ApiError, CheckedExport, ExportRequest, FileId, Location, VolumeId};

/// What the answer of a bulk start says about one of its requests.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// The platform has a job for it.
    Accepted(Box<StartedJob>),
    /// The platform refused it.
    Refused(ApiError),
    /// The answer doesn't say. It may have been started: look for its job before you send it again.
    Missing,
}

/// By what the answer of a start tells a request from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ExportKey<'a> {
    /// The file.
    pub file: &'a FileId,
    /// Where it goes to.
    pub volume: &'a VolumeId,
    /// Where it goes to.
    pub location: &'a Location,
}

impl<'a> ExportKey<'a> {
    /// A request of this file to this place.
    pub fn new(file: &'a FileId, volume: &'a VolumeId, location: &'a Location) -> Self {
        ExportKey {
            file,
            volume,
            location,
        }
    }
}

impl<'a> From<&'a ExportRequest> for ExportKey<'a> {
    fn from(request: &'a ExportRequest) -> Self {
        ExportKey {
            file: &request.source.file,
            volume: &request.destination.volume,
            location: &request.destination.location,
        }
    }
}

impl<'a> From<&'a CheckedExport> for ExportKey<'a> {
    fn from(export: &'a CheckedExport) -> Self {
        export.request().into()
    }
}

impl BulkAnswer<StartedJob> {
    /// What the answer says about each request of its call, in the order in which they were sent.
    ///
    /// That the answer keeps the order is promised nowhere, so:
    ///
    /// * a job belongs to the file and destination that it names, in whatever spelling the location comes back;
    /// * position counts only where the number of items agrees and no job stands in another's place;
    /// * an error names no file. Where position doesn't count, it is still known whom the errors are for if as many requests
    ///   are left over as there are errors, and all errors are alike;
    /// * an error that says that a server failed, or had no time, says nothing about its request.
    ///
    /// Everything else is missing, and harms only itself.
    ///
    /// ```
    /// use cavatica_model::bulk::BulkAnswer;
    /// use cavatica_model::job::StartedJob;
    /// use cavatica_model::{ExportRequest, Fate};
    ///
    /// let request = ExportRequest::new("f1".parse()?, "rfranklin/output".parse()?, "a.vcf".parse()?);
    /// let answer: BulkAnswer<StartedJob> = serde_json::from_str(
    ///     r#"{"items": [{"error": {"status": 403, "code": 9006, "message": "Requested file cannot be exported."}}]}"#,
    /// )?;
    /// let fates = answer.by_request([&request]);
    /// assert!(matches!(&fates[..], [Fate::Refused(error)] if error.code() == Some(9006)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn by_request<'a, K: Into<ExportKey<'a>>>(
        &self,
        sent: impl IntoIterator<Item = K>,
    ) -> Vec<Fate> {
        let sent: Vec<ExportKey<'a>> = sent.into_iter().map(Into::into).collect();
        fates(&sent, &self.items)
    }
}

fn fates(sent: &[ExportKey<'_>], items: &[BulkItem<StartedJob>]) -> Vec<Fate> {
    // Most often the order is kept, and nobody needs this.
    let by_file: LazyCell<HashMap<_, Vec<usize>>, _> = LazyCell::new(|| {
        let mut places: HashMap<_, Vec<usize>> = HashMap::new();
        for (place, item) in sent.iter().enumerate() {
            places.entry(item.file).or_default().push(place);
        }
        places
    });
    let mut answers = vec![Fate::Missing; sent.len()];
    let mut in_place = items.len() == sent.len();
    let count_agrees = in_place;
    // What names no file, with its position.
    let mut nameless = Vec::new();
    for (position, item) in items.iter().enumerate() {
        let job = match item {
            BulkItem::Resource(job, _) => job,
            BulkItem::Error(error, _) => {
                let answer = if is_definite(error) {
                    Fate::Refused(error.clone())
                } else {
                    Fate::Missing
                };
                nameless.push((position, answer));
                continue;
            }
            BulkItem::Unreadable { .. } => {
                nameless.push((position, Fate::Missing));
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
                .is_some_and(|(source, item)| source.file != *item.file);
            in_place &= !other_file;
            nameless.push((position, Fate::Accepted(Box::new(job.clone()))));
            continue;
        };
        let names = |item: &ExportKey<'_>| {
            source.file == *item.file
                && item.location.is_echoed_as(&destination.location)
                && destination.volume == item.volume.as_str()
        };
        let index = if sent.get(position).is_some_and(names) {
            Some(position)
        } else {
            let mut places = by_file.get(&source.file).into_iter().flatten().copied();
            places.find(|place| names(&sent[*place]))
        };
        match index {
            Some(index) if answers[index] == Fate::Missing => {
                in_place &= index == position;
                answers[index] = Fate::Accepted(Box::new(job.clone()));
            }
            Some(_) | None => in_place = false,
        }
    }
    // With jobs of others among them there would be fewer errors than places.
    let belongs = match (in_place, count_agrees) {
        (true, _) => Nameless::InOrder,
        (false, true) => Nameless::Anywhere,
        (false, false) => Nameless::Nowhere,
    };
    share_out(&mut answers, nameless, belongs);
    answers
}

/// Where what names no file belongs.
enum Nameless {
    /// Where it stands: every job that names its file stands in its own place, so this place is free.
    InOrder,
    /// Among the places that are left, in no known order.
    Anywhere,
    /// There is more or less of it than was asked for.
    Nowhere,
}

/// Gives what names no file to the requests that it can only belong to.
fn share_out(answers: &mut [Fate], nameless: Vec<(usize, Fate)>, belongs: Nameless) {
    match belongs {
        Nameless::InOrder => {
            for (position, answer) in nameless {
                answers[position] = answer;
            }
        }
        // Errors that say the same fit whichever requests are left.
        Nameless::Anywhere => {
            let left: Vec<usize> = (0..answers.len())
                .filter(|index| answers[*index] == Fate::Missing)
                .collect();
            let errors: Vec<&ApiError> = nameless
                .iter()
                .filter_map(|(_, answer)| match answer {
                    Fate::Refused(error) => Some(error),
                    Fate::Accepted(_) | Fate::Missing => None,
                })
                .collect();
            let says = |error: &ApiError| (error.code(), error.message.clone());
            let alike = errors.windows(2).all(|pair| says(pair[0]) == says(pair[1]));
            if errors.len() == nameless.len() && errors.len() == left.len() && alike {
                for (index, (_, answer)) in left.into_iter().zip(nameless) {
                    answers[index] = answer;
                }
            }
        }
        Nameless::Nowhere => {}
    }
}

/// Whether an error says that its item was refused. What a server says that failed, or had no time, is no answer.
fn is_definite(error: &ApiError) -> bool {
    !matches!(error.http_status(), Some(408 | 429 | 500..))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn request(number: i64) -> ExportRequest {
        ExportRequest::new(
            format!("{number:024x}").parse().expect("a file id"),
            "lab/results".parse().expect("a volume id"),
            format!("run/{number}.bam").parse().expect("a location"),
        )
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

    fn fates(sent: &[ExportRequest], items: Vec<Value>) -> Vec<Fate> {
        let answer = serde_json::from_value(json!({"items": items}));
        let answer: BulkAnswer<StartedJob> = answer.expect("items never fail");
        answer.by_request(sent)
    }

    fn words(fates: &[Fate]) -> Vec<String> {
        let word = |fate: &Fate| match fate {
            Fate::Accepted(job) => job.id.to_string(),
            Fate::Refused(error) => format!("{}", error.code().unwrap_or(0)),
            Fate::Missing => "?".to_owned(),
        };
        fates.iter().map(word).collect()
    }

    #[track_caller]
    fn check(answer: Vec<Value>, expected: &[&str]) {
        let sent: Vec<_> = (1..=3).map(request).collect();
        assert_eq!(words(&fates(&sent, answer)), expected);
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
        let sent: Vec<_> = (1..=2).map(request).collect();
        let fates = fates(&sent, vec![job(1), job(7), job(2)]);
        assert_eq!(words(&fates), ["job1", "job2"]);
        check(vec![job(7), error(9006), job(3)], &["?", "?", "job3"]);
    }

    #[test]
    fn of_two_jobs_of_one_file_the_first_is_its_own() {
        let mut again = job(1);
        again["resource"]["id"] = json!("again");
        check(vec![job(1), again, job(3)], &["job1", "?", "job3"]);
    }

    #[test]
    fn a_job_to_another_place_is_surplus() {
        for (key, value) in [("location", "run/2.bam"), ("volume", "lab/other")] {
            let mut elsewhere = job(1);
            elsewhere["resource"]["destination"][key] = json!(value);
            check(vec![elsewhere, job(2), job(3)], &["?", "job2", "job3"]);
        }
    }

    #[test]
    fn a_job_that_names_its_file_alone_counts_in_the_place_of_that_file() {
        let mut job_of = job(2);
        job_of["resource"]["destination"].take();
        check(
            vec![job(1), job_of.clone(), job(3)],
            &["job1", "job2", "job3"],
        );
        check(vec![job_of, nameless_job(1), job(3)], &["?", "?", "job3"]);
    }

    /// A server that failed, or had no time, doesn't say whether the item was taken.
    #[test]
    fn an_items_error_is_a_refusal_only_where_it_is_definite() {
        for (status, answer) in [
            (json!(403), "9006"),
            (json!(409), "9006"),
            (json!(null), "9006"),
            (json!(408), "?"),
            (json!(429), "?"),
            (json!(500), "?"),
            (json!(503), "?"),
        ] {
            let mut refused = error(9006);
            refused["error"]["status"] = status;
            check(vec![job(1), refused, job(3)], &["job1", answer, "job3"]);
        }
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
            let sent: Vec<_> = (1..).take(truth.len()).map(request).collect();
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
            let fates = fates(&sent, kept);
            for ((number, truth), answer) in (1..).zip(&truth).zip(&fates) {
                match (truth, answer) {
                    (None, Fate::Accepted(job)) => prop_assert_eq!(job.id.to_string(), format!("job{number}")),
                    (Some(code), Fate::Refused(error)) => {
                        prop_assert!(only_errors || error.code() == Some(*code));
                    }
                    (_, Fate::Missing) => {}
                    (truth, answer) => prop_assert!(false, "file {} was {:?}, taken for {:?}", number, truth, answer),
                }
            }
        }
    }
}
