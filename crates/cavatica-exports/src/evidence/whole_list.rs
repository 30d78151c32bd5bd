//! Whether all of a list came.

use std::collections::HashSet;

use super::shown::hashed;
use crate::model::ExportId;
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
}

impl ListedJobs {
    /// A page came, with the total that the list told by then.
    pub fn came<'a>(&mut self, jobs: impl IntoIterator<Item = &'a ExportId>, total: Option<u64>) {
        self.distinct
            .extend(jobs.into_iter().map(|job| hashed(job.as_str())));
        self.most = self.most.max(total.unwrap_or(0));
    }

    /// Whether none is missing, as far as the list tells how many it has.
    pub fn are_all(&self) -> bool {
        self.distinct.len() as u64 >= self.most || Mutation::GapsOverlooked.is_on()
    }

    pub(super) fn into_hashes(self) -> HashSet<u64> {
        self.distinct
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(pages: &[(&[&str], Option<u64>)]) -> bool {
        let mut listed = ListedJobs::default();
        for (page, total) in pages {
            let ids: Vec<ExportId> = page.iter().map(|id| id.parse().expect("an id")).collect();
            listed.came(&ids, *total);
        }
        listed.are_all()
    }

    #[test]
    fn a_list_is_whole_with_as_many_jobs_as_it_ever_had() {
        assert!(listed(&[]));
        assert!(listed(&[(&["a", "b"], None)]));
        assert!(listed(&[(&["a", "b"], Some(3)), (&["c"], Some(3))]));
        // One that began meanwhile moved the others back, and may have taken another's place.
        assert!(!listed(&[(&["a", "b"], Some(3)), (&["b", "c"], Some(4))]));
        assert!(!listed(&[(&["a", "b"], Some(3)), (&["b"], Some(3))]));
        // `a` ended, and `c` moved onto the first page.
        assert!(!listed(&[(&["a", "b"], Some(4)), (&["d"], Some(3))]));
    }
}
