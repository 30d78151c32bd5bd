//! What really arrived on a volume: the measure of a program that says so.

use std::collections::BTreeMap;

use cavatica_model::ExportMode;

use super::ledger::{Ledger, LedgerPlace, ObjectFate, ObjectOrigin, StartedBy};

/// A volume's objects by where they lie, ready to be asked about file after file.
#[derive(Debug)]
pub struct Arrivals<'a> {
    ledger: &'a Ledger,
    mode: ExportMode,
    /// By location: whose file the object is, and who brought it.
    objects: BTreeMap<&'a str, (&'a str, &'a StartedBy)>,
}

impl Ledger {
    /// What exports brought to a volume and is there now.
    pub fn arrivals(&self, volume: &str, mode: ExportMode) -> Arrivals<'_> {
        let jobs: BTreeMap<&str, _> = self.jobs.iter().map(|job| (&*job.id, job)).collect();
        let there = self
            .locations
            .iter()
            .filter(|object| object.fate == ObjectFate::There && object.volume == volume);
        let objects = there.filter_map(|object| {
            let ObjectOrigin::Export(job) = &object.came else {
                return None;
            };
            let job = jobs.get(&**job)?;
            Some((&*object.location, (&*job.file, &job.by)))
        });
        Arrivals {
            ledger: self,
            mode,
            objects: objects.collect(),
        }
    }
}

impl Arrivals<'_> {
    /// Whether the file's own object lies at the location, and, after a move, the file is its alias (or deleted).
    pub fn has(&self, file: &str, location: &str) -> bool {
        let object = self.objects.get(location);
        let is_there = object.is_some_and(|(whose, _)| *whose == file);
        let now = self.ledger.files.get(file).map(|file| &file.now);
        is_there
            && match (self.mode, now) {
                (ExportMode::Copy, _) | (ExportMode::Move, Some(LedgerPlace::Gone)) => true,
                (ExportMode::Move, Some(LedgerPlace::Alias { location: to, .. })) => to == location,
                (ExportMode::Move, Some(LedgerPlace::Platform) | None) => false,
            }
    }

    /// The same, and a client's export brought it.
    pub fn has_by_client(&self, file: &str, location: &str) -> bool {
        let object = self.objects.get(location);
        self.has(file, location) && object.is_some_and(|(_, by)| **by == StartedBy::Client)
    }
}
