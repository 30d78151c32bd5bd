//! In which order a list of jobs comes. The platform's documentation doesn't tell.

use crate::model::ExportJob;
use crate::model::wire::DateTime;

/// The order of a list of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListOrder {
    /// The newest jobs come first.
    NewestFirst,
    /// The oldest jobs come first.
    OldestFirst,
    /// Neither.
    Mixed,
}

impl ListOrder {
    /// The order of a page of three jobs at least. `None` where their times don't tell.
    pub fn of(page: &[ExportJob]) -> Option<Self> {
        let moment = |job: &ExportJob| job.started_on.value().and_then(DateTime::timestamp);
        let moments: Vec<_> = page.iter().map(moment).collect::<Option<_>>()?;
        let first = moments.first()?;
        if moments.len() < 3 || moments.iter().all(|moment| moment == first) {
            return None;
        }
        Some(if moments.is_sorted_by(|one, next| one >= next) {
            ListOrder::NewestFirst
        } else if moments.is_sorted() {
            ListOrder::OldestFirst
        } else {
            ListOrder::Mixed
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(started: &str) -> ExportJob {
        let job = json!({"id": "a", "state": "RUNNING", "started_on": started});
        serde_json::from_value(job).expect("a job")
    }

    #[test]
    fn three_jobs_tell_the_order_of_a_page() {
        let said = |minutes: &[u32]| {
            let at = |minute: &u32| job(&format!("2026-01-01T10:{minute:02}:00Z"));
            ListOrder::of(&minutes.iter().map(at).collect::<Vec<_>>())
        };
        assert_eq!(said(&[3, 2, 2, 1]), Some(ListOrder::NewestFirst));
        assert_eq!(said(&[1, 1, 2]), Some(ListOrder::OldestFirst));
        for mixed in [[1, 3, 2], [3, 1, 2]] {
            assert_eq!(said(&mixed), Some(ListOrder::Mixed));
        }
        assert_eq!(
            (said(&[1, 1, 1]), said(&[1]), said(&[])),
            (None, None, None)
        );
        assert_eq!(ListOrder::of(&[job("soon"), job("later")]), None);
    }
}
