//! What the platform showed.

use std::collections::hash_map::DefaultHasher;
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};

use jiff::Timestamp;

use super::list_order::ListOrder;
use super::settling::Extent;
use super::whereabouts::Whereabouts;
use crate::model::wire::DateTime;
use crate::model::{ExportJob, FileId, Tri};

/// What the platform answered.
#[derive(Debug)]
pub struct Evidence {
    /// The jobs of the files that were asked about.
    pub jobs: HashMap<FileId, Vec<ExportJob>>,
    /// Where those files lie; one that couldn't be read is absent.
    pub whereabouts: HashMap<FileId, Whereabouts>,
    /// The files, to be copied, whose planned objects were seen, of those whose jobs have no date that says enough.
    pub objects: HashSet<FileId>,
    /// How much of the list of jobs was read.
    pub extent: Extent,
    /// Whether the whole list had as many jobs as it said, and those of unfinished ones show what they must.
    pub clean: bool,
    /// Every job that was listed, by the whole list alone where that was read; by its hash: eight bytes each.
    pub(super) listed: HashSet<u64>,
    /// The order in which a page of jobs came, if that shows.
    pub order: Option<ListOrder>,
}

impl Evidence {
    /// Whether a list showed this job. Should two hashes meet, a job is taken for listed; that is why no single one decides.
    pub fn shows(&self, export: &str) -> bool {
        self.listed.contains(&hashed(export))
    }

    /// The latest moment that a job of these files tells, on the clock that jobs are dated by.
    pub fn latest_date(&self) -> Option<Timestamp> {
        let jobs = self.jobs.values().flatten();
        jobs.flat_map(|job| [dated(&job.started_on), dated(&job.finished_on)])
            .flatten()
            .max()
    }

    /// A whole list of these jobs, and where files lie.
    pub fn of(
        listed: Vec<ExportJob>,
        whereabouts: impl IntoIterator<Item = (FileId, Whereabouts)>,
    ) -> Self {
        let mut jobs: HashMap<FileId, Vec<ExportJob>> = HashMap::new();
        for job in &listed {
            if let Some(source) = job.source.value() {
                jobs.entry(source.file.clone())
                    .or_default()
                    .push(job.clone());
            }
        }
        Evidence {
            jobs,
            whereabouts: whereabouts.into_iter().collect(),
            objects: HashSet::new(),
            extent: Extent::Whole,
            clean: true,
            listed: listed.iter().map(|job| hashed(job.id.as_str())).collect(),
            order: None,
        }
    }
}

pub(super) fn dated(time: &Tri<DateTime>) -> Option<Timestamp> {
    time.value().and_then(DateTime::timestamp)
}

pub(super) fn hashed(export: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    export.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::judge::tests::job;

    #[test]
    fn a_list_shows_the_jobs_that_are_on_it() {
        let listed = [1, 2].map(|number| job(number)["resource"].take());
        let listed = listed.map(|job| serde_json::from_value(job).expect("a job"));
        let evidence = Evidence::of(listed.into(), []);
        let shown = ["job1", "job2", "job3"].map(|export| evidence.shows(export));
        assert_eq!(shown, [true, true, false]);
    }
}
