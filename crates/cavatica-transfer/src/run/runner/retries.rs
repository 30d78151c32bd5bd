//! Sending failed files again.

use std::collections::HashMap;

use cavatica_exports::model::ExportId;
use cavatica_exports::model::job::JobStanding;

use super::Runner;
use crate::event::Event;
use crate::evidence::{Moments, Whereabouts, seen};
use crate::journal::{Change, Failed};
use crate::run::RunError;
use crate::run::retrying::OverwriteAgain;
use crate::run::tasks::{self, Revisited};
use crate::state::{ItemId, Observation, Step, Verdict};

impl Runner<'_> {
    /// Reads failed files again that are to be sent again.
    pub(super) fn revisit(&mut self) -> Result<(), RunError> {
        while let Some(after) = self.retrying.wants_more() {
            let page = self.journal.failed(after)?;
            let wanted = self.retrying.take_page(page);
            if !wanted.is_empty() {
                let (platform, terms) = (self.platform.clone(), self.terms.clone());
                self.spawn(tasks::revisit(platform, terms, wanted));
            }
        }
        Ok(())
    }

    pub(super) fn revisited(&mut self, revisited: Revisited) -> Result<(), RunError> {
        let Revisited {
            failed,
            jobs,
            places,
            in_flight,
            error,
        } = revisited;
        if let Some(error) = error {
            let first = failed.first().map_or(ItemId(0), |failed| failed.item.id);
            self.retrying.not_read(first);
            return self.troubled(error);
        }
        self.retrying.read();
        self.outage.is_over();
        let overwrites = self.retrying.retry().map(|retry| retry.overwrite);
        let mut jobs: HashMap<ExportId, JobStanding> =
            jobs.into_iter().map(|job| (job.id.clone(), job)).collect();
        let (mut changes, mut again) = (Vec::new(), Vec::new());
        for Failed { item, export, .. } in failed {
            let place = places.get(&item.file);
            let job = export.and_then(|export| jobs.remove(&export));
            if place.is_some_and(|place| place.is_at(&self.terms.volume, &item.location)) {
                let alias = Step::Observation(Observation::AliasAtDestination);
                changes.push(Change::new(item.id, alias));
            } else if let Some(change) = self.came_back(item.id, job) {
                changes.push(change);
            } else if place.is_none_or(|place| *place == Whereabouts::Platform)
                && !in_flight.contains(&item.file)
            {
                again.push(item.id);
                changes.push(Change::new(item.id, Step::Retry));
            }
        }
        if overwrites == Some(OverwriteAgain::Yes) {
            self.journal.allow_overwrite(&again)?;
        }
        (self.report)(Event::FilesRetried { files: again.len() });
        self.record(changes)
    }

    /// A job that had failed and goes on, or has completed.
    fn came_back(&self, item: ItemId, job: Option<JobStanding>) -> Option<Change> {
        let job = job?;
        let (started, finished) = Moments::default().of(&job);
        let job = seen(job, self.terms.mode, None);
        let failed = matches!(job.verdict, Verdict::Failed(_));
        (!failed).then(|| Change {
            started,
            finished,
            ..Change::new(item, Step::Observation(Observation::Job(job)))
        })
    }
}
