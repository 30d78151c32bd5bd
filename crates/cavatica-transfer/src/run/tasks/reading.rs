//! Reading files and jobs that are followed.

use std::collections::HashMap;

use cavatica_exports::Cavatica;
use cavatica_exports::model::bulk::{Batch, BulkItem};
use cavatica_exports::model::job::JobStanding;
use cavatica_exports::model::{ExportId, FileId, VolumeId};

use super::Done;
use crate::evidence::{AskError, Whereabouts, object_exists, whereabouts};
use crate::journal::{Item, Terms};
use crate::run::followed::{Followed, SampledPage};

/// What to read of files that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::run) enum What {
    /// Whether they have arrived; where too few have, how their jobs stand as well.
    Files,
    Jobs,
    /// How the jobs stand of files that were seen on a page of a folder, and had not arrived.
    Sample(SampledPage),
    /// Both of each.
    Both,
}

/// What was read of files that are followed.
#[derive(Debug)]
pub(in crate::run) struct Reading {
    pub(in crate::run) what: What,
    pub(in crate::run) asked: Vec<Followed>,
    /// The same files, as they are planned; empty where only jobs were read.
    pub(in crate::run) items: Vec<Item>,
    /// Where they lie.
    pub(in crate::run) places: HashMap<FileId, Whereabouts>,
    /// How their jobs stand, of those that were read.
    pub(in crate::run) jobs: Vec<JobStanding>,
    /// Whether they were read.
    pub(in crate::run) jobs_read: bool,
    pub(in crate::run) request_id: Option<String>,
    /// Of files that lie elsewhere than planned, whether the planned object is there.
    pub(in crate::run) objects: HashMap<FileId, bool>,
    pub(in crate::run) failed: Option<AskError>,
}

pub(in crate::run) async fn read(
    platform: Cavatica,
    terms: Terms,
    asked: Vec<Followed>,
    items: Vec<Item>,
    what: What,
) -> Done {
    let mut reading = Reading {
        what,
        asked,
        items,
        places: HashMap::new(),
        jobs: Vec::new(),
        jobs_read: false,
        request_id: None,
        objects: HashMap::new(),
        failed: None,
    };
    if let Err(error) = reading.read(&platform, &terms).await {
        reading.failed = Some(error);
    }
    Done::Read(Box::new(reading))
}

impl Reading {
    async fn read(&mut self, platform: &Cavatica, terms: &Terms) -> Result<(), AskError> {
        let what = self.what;
        if matches!(what, What::Files | What::Both) {
            let files: Vec<FileId> = self.items.iter().map(|item| item.file.clone()).collect();
            self.places = whereabouts(platform, &files).await?;
        }
        let arrived = |item: &Item, places: &HashMap<FileId, Whereabouts>| {
            let place = places.get(&item.file);
            place.is_some_and(|place| place.is_at(&terms.volume, &item.location))
        };
        let left: Vec<ExportId> = match what {
            What::Jobs | What::Sample(_) => self
                .asked
                .iter()
                .map(|followed| followed.export.clone())
                .collect(),
            What::Files | What::Both => {
                let both = self.asked.iter().zip(&self.items);
                let left = both.filter(|(_, item)| !arrived(item, &self.places));
                left.map(|(followed, _)| followed.export.clone()).collect()
            }
        };
        // A few that are late are read later, together with those of other readings.
        let too_few = left.len() * 10 > self.asked.len();
        if left.is_empty() || (what == What::Files && !too_few) {
            return Ok(());
        }
        let batch = Batch::new(left).expect("1 to 100 jobs are read at a time");
        let answer = platform.exports.get_bulk(&batch).await?;
        self.request_id = answer.request_id;
        self.jobs = answer
            .value
            .items
            .into_iter()
            .filter_map(BulkItem::into_resource)
            .collect();
        self.jobs_read = true;
        if what == What::Both {
            self.look_for_objects(platform, &terms.volume).await?;
        }
        Ok(())
    }

    /// A completed file that shows another place than the planned one may show it in a form of its own: then the object tells.
    async fn look_for_objects(
        &mut self,
        platform: &Cavatica,
        volume: &VolumeId,
    ) -> Result<(), AskError> {
        for item in &self.items {
            let place = self.places.get(&item.file);
            let elsewhere = matches!(place, Some(Whereabouts::Volume { .. }));
            if !elsewhere || place.is_some_and(|place| place.is_at(volume, &item.location)) {
                continue;
            }
            let found = object_exists(platform, volume, &item.location).await?;
            self.objects.insert(item.file.clone(), found);
        }
        Ok(())
    }

    /// How the job of one of the files stands, if that was read and shown.
    pub(in crate::run) fn take_job(
        &mut self,
        place: usize,
        export: &ExportId,
    ) -> Option<JobStanding> {
        // Their order isn't promised, but most often each stands where it was asked for.
        let at = match self.jobs.get(place) {
            Some(job) if job.id == *export => place,
            _ => self.jobs.iter().position(|job| job.id == *export)?,
        };
        Some(self.jobs[at].clone())
    }
}
