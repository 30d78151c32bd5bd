//! One look at a destination for several transfers: it is listed once, and an object is extra only where none knows it.

use std::collections::HashSet;
use std::path::Path;

use jiff::Timestamp;

use super::compare::{Against, Finding, ListedObject};
use super::summary::{Found, VerifyPart};
use crate::journal::{JournalError, Verification};
#[cfg(feature = "s3")]
use crate::observe::Habit;
use crate::observe::Habits;

/// The looks of all transfers, each with what it came to.
pub(super) struct Looks {
    looks: Vec<(Verification, VerifyPart)>,
}

impl Looks {
    pub(super) fn begin(
        paths: &[&Path],
        against: Against,
        now: Timestamp,
    ) -> Result<Self, JournalError> {
        let looks = paths.iter().map(|path| {
            let look = Verification::begin(path, against, now)?;
            Ok((look, VerifyPart::new(path)))
        });
        Ok(Looks {
            looks: looks.collect::<Result<_, JournalError>>()?,
        })
    }

    /// The folder that all planned locations lie in, with a `/` at its end; empty if there is none but the volume itself.
    pub(super) fn folder(&self) -> String {
        let folders = self.looks.iter().map(|(look, _)| look.folder());
        let common = folders.reduce(|one, other| {
            let same = one.bytes().zip(other.bytes());
            let same = same.take_while(|(one, other)| one == other).count();
            let end = one.as_bytes()[..same]
                .iter()
                .rposition(|byte| *byte == b'/');
            one[..end.map_or(0, |slash| slash + 1)].to_owned()
        });
        common.unwrap_or_default()
    }

    /// What a page shows of the platform: kept with the first, as it is seen once.
    pub(super) fn saw(&mut self, habits: &Habits) {
        if let Some((look, _)) = self.looks.first_mut() {
            look.seen.add(habits);
        }
    }

    /// How locations begin in the bucket, if anything was found there.
    #[cfg(feature = "s3")]
    pub(super) fn saw_beginning(&mut self, habit: Habit) {
        for (look, part) in &mut self.looks {
            if part.same > 0 {
                look.seen.saw(habit);
            }
        }
    }

    /// Whether one of them writes to this folder on the volume's top level.
    pub(super) fn writes_to(&self, folder: &str) -> bool {
        self.looks.iter().any(|(look, _)| look.writes_to(folder))
    }

    /// Which of these objects are completed files that were to be encrypted in a way that was named.
    pub(super) fn to_be_encrypted(
        &self,
        objects: &[ListedObject],
    ) -> Result<Vec<bool>, JournalError> {
        let mut any = vec![false; objects.len()];
        for (look, _) in &self.looks {
            let asked = look.to_be_encrypted(objects)?;
            any.iter_mut()
                .zip(asked)
                .for_each(|(any, asked)| *any |= asked);
        }
        Ok(any)
    }

    /// Compares objects with what was planned, and answers what each look came to.
    pub(super) fn see(
        &mut self,
        mut objects: Vec<ListedObject>,
    ) -> Result<Vec<Found>, JournalError> {
        let mut all = Vec::with_capacity(objects.len());
        let last = self.looks.len() - 1;
        for (index, (look, part)) in self.looks.iter_mut().enumerate() {
            let mut unknown = HashSet::new();
            for found in look.see(&objects)? {
                if !found.is_unknown() {
                    part.count(&found);
                } else if index < last {
                    unknown.insert(found.location);
                    continue;
                }
                all.push(found);
            }
            // What this one doesn't know may be another's.
            objects.retain(|object| unknown.contains(&object.location));
        }
        Ok(all)
    }

    /// Settles every completed file that was not seen, and ends the looks.
    pub(super) fn finish(
        mut self,
        unread: &HashSet<String>,
        now: Timestamp,
        tell: &mut dyn FnMut(Found),
    ) -> Result<Vec<VerifyPart>, JournalError> {
        for (look, part) in &mut self.looks {
            look.settle(unread, &mut |found| {
                part.count(&found);
                tell(found);
            })?;
            look.finish(now)?;
        }
        Ok(self.looks.into_iter().map(|(_, part)| part).collect())
    }
}

impl Found {
    /// Whether no planned file is known to go there.
    fn is_unknown(&self) -> bool {
        self.finding == Finding::Extra && self.reasons.is_empty()
    }
}
