//! Planned locations held against each other, and against what lies on the volume.

use cavatica_exports::Cavatica;
use cavatica_exports::model::Volume;
use cavatica_exports::model::destination::{Census, Meeting};

use super::drafted::Drafted;
use super::error::PlanError;
use super::existing::{self, PlannedFolders};
use super::options::Existing;
use super::report::PlanCollision;
use crate::journal::{Draft, JournalError};
use crate::state::ItemId;

/// Holds the planned locations against each other and against what lies on the volume. Gives back those that only a disk
/// can't keep apart.
pub(super) async fn meet(
    platform: &Cavatica,
    volume: &Volume,
    existing: Existing,
    drafted: &mut Drafted,
) -> Result<Vec<PlanCollision>, PlanError> {
    let (files, _, _) = drafted.draft.counts();
    let files = usize::try_from(files).unwrap_or(0);
    let mut census = Census::with_capacity(files);
    let mut folders = PlannedFolders::default();
    drafted.draft.each_location(|_, location| {
        census.count(location);
        folders.note(location);
    })?;
    let (same, twins) = collisions(&drafted.draft, census)?;
    drafted.refusal.collisions = same;
    if files > 0 && existing != Existing::Overwrite {
        existing::sift(platform, volume, existing, &folders, drafted).await?;
    }
    Ok(twins)
}

/// The locations that are the same, and those that S3 keeps apart and a disk doesn't.
fn collisions(
    draft: &Draft,
    census: Census,
) -> Result<(Vec<PlanCollision>, Vec<PlanCollision>), JournalError> {
    let mut suspects = census.suspects();
    if suspects.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    draft.each_location(|item, location| suspects.look(item.0.unsigned_abs(), location))?;
    let (mut same, mut twins) = (Vec::new(), Vec::new());
    let file = |line: &u64| {
        let item = ItemId(line.cast_signed());
        draft.file(item).map(|file| file.to_string())
    };
    let prefix = draft.terms().prefix.clone();
    for collision in suspects.collisions() {
        let meeting = collision.meeting;
        let told = PlanCollision {
            kind: match meeting {
                Meeting::Same => "same",
                Meeting::Twins => "twins",
                Meeting::Nested => "nested",
            },
            locations: collision
                .keys
                .iter()
                .map(|key| format!("{prefix}{key}"))
                .collect(),
            file_ids: collision.lines.iter().map(file).collect::<Result<_, _>>()?,
            files: collision.rows,
        };
        match meeting {
            Meeting::Same => same.push(told),
            Meeting::Twins | Meeting::Nested => twins.push(told),
        }
    }
    Ok((same, twins))
}
