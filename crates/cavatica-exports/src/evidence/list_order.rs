//! In which order a list of jobs comes. No page tells, and nothing relies on it.

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
    /// The order of a page, as three of its jobs tell it. `None` where their times don't.
    pub fn of(page: &[ExportJob]) -> Option<Self> {
        let [first, .., last] = page else {
            return None;
        };
        let moment = |job: &ExportJob| job.started_on.value().and_then(DateTime::timestamp);
        let [first, middle, last] = [first, &page[page.len() / 2], last].map(moment);
        let (first, middle, last) = (first?, middle?, last?);
        if first == last && middle == last {
            return None;
        }
        Some(if first >= middle && middle >= last {
            ListOrder::NewestFirst
        } else if first <= middle && middle <= last {
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
        assert_eq!(said(&[1, 3, 2]), Some(ListOrder::Mixed));
        assert_eq!(
            (said(&[1, 1, 1]), said(&[1]), said(&[])),
            (None, None, None)
        );
        assert_eq!(ListOrder::of(&[job("soon"), job("later")]), None);
    }
}
