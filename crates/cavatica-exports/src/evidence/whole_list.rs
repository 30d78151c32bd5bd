//! Whether all of a list came.

use std::collections::HashSet;

use super::list_order::ListOrder;
use super::shown::hashed;
use crate::model::ExportJob;
use crate::mutation::Mutation;

/// What came of a list of jobs, page by page.
///
/// Pages are counted from the list's beginning. Where a job ends while the unfinished ones are listed, those behind it move up,
/// and one that was to begin the next page ends the one that was read. So as many different jobs must come as the list ever
/// said that it has.
#[derive(Debug, Default)]
pub struct ListedJobs {
    distinct: HashSet<u64>,
    most: u64,
    pages: u64,
    newest_first: Option<bool>,
}

impl ListedJobs {
    /// A page came, with the total that the list told by then.
    pub fn came(&mut self, page: &[ExportJob], total: Option<u64>) {
        let hashes = page.iter().map(|job| hashed(job.id.as_str()));
        self.distinct.extend(hashes);
        self.most = self.most.max(total.unwrap_or(0));
        self.pages += 1;
        if let Some(order) = ListOrder::of(page) {
            let so_far = self.newest_first.unwrap_or(true);
            self.newest_first = Some(so_far && order == ListOrder::NewestFirst);
        }
    }

    /// Whether none is missing, as far as the list tells how many it has.
    pub fn are_all(&self) -> bool {
        self.distinct.len() as u64 >= self.most || Mutation::GapsOverlooked.is_on()
    }

    /// The same of a list of unfinished jobs, which jobs leave, given the reading before this one.
    ///
    /// Where the newest come last, as many may come as have gone, and the number of jobs tells nothing. But had one gone from a
    /// page that was read, the next reading couldn't bring the same ones.
    pub fn are_all_unfinished(&self, before: Option<&ListedJobs>) -> bool {
        let by_number = self.pages < 2 || self.newest_first == Some(true);
        let are_the_same = || before.is_some_and(|before| before.distinct == self.distinct);
        self.are_all() && (by_number || are_the_same() || Mutation::GapsOverlooked.is_on())
    }

    pub(super) fn hashes(&self) -> &HashSet<u64> {
        &self.distinct
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A page of jobs, each with the minute that it was queued in.
    type Page<'a> = (&'a [(&'a str, u32)], Option<u64>);

    fn read(pages: &[Page<'_>]) -> ListedJobs {
        let mut listed = ListedJobs::default();
        for (page, total) in pages {
            let job = |(id, minute): &(&str, u32)| {
                let started = format!("2026-01-01T10:{minute:02}:00Z");
                let job = json!({"id": id, "state": "RUNNING", "started_on": started});
                serde_json::from_value(job).expect("a job")
            };
            listed.came(&page.iter().map(job).collect::<Vec<_>>(), *total);
        }
        listed
    }

    #[test]
    fn a_list_is_whole_with_as_many_jobs_as_it_ever_had() {
        let are_all = |pages: &[Page<'_>]| read(pages).are_all();
        let (a, b, c, d) = (("a", 4), ("b", 3), ("c", 2), ("d", 1));
        assert!(are_all(&[]));
        assert!(are_all(&[(&[a, b], None)]));
        assert!(are_all(&[(&[a, b], Some(3)), (&[c], Some(3))]));
        // One that began meanwhile moved the others back, and may have taken another's place.
        assert!(!are_all(&[(&[a, b], Some(3)), (&[b, c], Some(4))]));
        assert!(!are_all(&[(&[a, b], Some(3)), (&[b], Some(3))]));
        // `a` ended, and `c` moved onto the first page.
        assert!(!are_all(&[(&[a, b], Some(4)), (&[d], Some(3))]));
    }

    #[test]
    fn where_the_newest_come_last_a_list_that_jobs_leave_is_whole_when_two_readings_agree() {
        let (a, b, c, d, e) = (("a", 1), ("b", 2), ("c", 3), ("d", 4), ("e", 5));
        // `a` ended, `d` moved onto the first page, and another began.
        let shifted = read(&[(&[a, b, c], Some(5)), (&[e, ("f", 6)], Some(5))]);
        assert!(shifted.are_all(), "by its number");
        assert!(!shifted.are_all_unfinished(None));
        let again = read(&[(&[b, c, d], Some(5)), (&[e, ("f", 6)], Some(5))]);
        assert!(!again.are_all_unfinished(Some(&shifted)));
        assert!(again.are_all_unfinished(Some(&again)));
        // Nothing tells the order, or it is none.
        let page = [("a", 1), ("b", 1), ("c", 1)];
        assert!(!read(&[(&page, Some(4)), (&[d], Some(4))]).are_all_unfinished(None));
        let mixed = read(&[(&[c, b, a], Some(6)), (&[d, ("f", 6), e], Some(6))]);
        assert!(!mixed.are_all_unfinished(None));
        // A page on its own is of one moment, and the newest first tell by their number.
        assert!(read(&[(&[a, b, c], Some(3))]).are_all_unfinished(None));
        let newest_first = read(&[(&[e, d, c], Some(5)), (&[b, a], Some(5))]);
        assert!(newest_first.are_all_unfinished(None));
        let short = read(&[(&[e, d, c], Some(6)), (&[b, a], Some(6))]);
        assert!(!short.are_all_unfinished(Some(&short)));
    }
}
