//! Reads the destination again and compares it with the journal. Nothing is decided here about where a file stands: what
//! was seen is recorded beside the outcome, and never becomes one.
//!
//! A listing tells size and ETag, not content. What the platform sent has no checksum to compare with, and an ETag is the
//! content's MD5 only for uploads in one piece without a KMS key. So the first look proves that the keys are there in the
//! right sizes, or where a listing tells no sizes, that the keys are there; it remembers the ETags, and every later look, against the volume or the bucket, proves that nothing was
//! written again since.

#[cfg(feature = "s3")]
mod bucket;
mod compare;
mod looks;
mod source;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cavatica_exports::Volumes;
#[cfg(feature = "s3")]
use cavatica_exports::model::volume::expected_beginning;
use jiff::Timestamp;
use serde::Serialize;

#[cfg(feature = "s3")]
pub use bucket::find_beginning;
pub use compare::{Against, Encryption, Finding, ListedObject, Reason, Untold};
pub(crate) use compare::{Known, compare};
pub use source::{Destination, ListingError};

use crate::journal::{JournalError, Tally, Terms, TransferFile};
#[cfg(feature = "s3")]
use crate::observe::Habit;
use looks::Looks;
use source::Source;

/// One key that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// The key relative to the volume.
    pub location: String,
    /// What the look came to.
    pub finding: Finding,
    /// Why, where that doesn't say it all.
    pub reasons: Vec<Reason>,
}

/// What a look at the destination came to, in the shape that the program prints as JSON.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct VerifySummary {
    /// The transfer's file.
    pub transfer: String,
    /// `volume` or `bucket`.
    pub against: &'static str,
    /// Completed files whose objects are there, as far as they can be compared.
    pub same: u64,
    /// Of those the same, files whose sizes could not be compared: their keys are there, and their ETags are as they were
    /// where they are told.
    pub same_without_size: u64,
    /// Completed files whose objects aren't there.
    pub missing: u64,
    /// Objects that the transfer doesn't know as completed.
    pub extra: u64,
    /// Completed files whose objects aren't what they were to be.
    pub differ: u64,
    /// Completed files that could not be looked at.
    pub errors: u64,
    /// Of those the same without a size, objects whose sizes the listing didn't tell.
    #[serde(skip)]
    pub sizes_not_listed: u64,
    /// Files of the plan that aren't completed.
    #[serde(skip)]
    pub not_completed: u64,
    /// Where extra objects were looked for: everything in this folder; where it is empty, the volume's top level and the
    /// folders on it that the transfer writes to.
    #[serde(skip)]
    pub folder: String,
    /// Why the listing was given up, if it was.
    #[serde(skip)]
    pub given_up: Option<ListingError>,
    /// Whether there was something to look for: a file that completed, or may have.
    #[serde(skip)]
    pub looked: bool,
    /// What it came to for each transfer, where several were looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<VerifyPart>,
}

/// What a look at several transfers came to for one of them. Objects that none of them knows are counted for all together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VerifyPart {
    /// The transfer's file.
    pub transfer: String,
    /// Completed files whose objects are there, as far as they can be compared.
    pub same: u64,
    /// Completed files whose objects aren't there.
    pub missing: u64,
    /// Objects that lie where files that aren't completed are to go.
    pub extra: u64,
    /// Completed files whose objects aren't what they were to be.
    pub differ: u64,
    /// Completed files that could not be looked at.
    pub errors: u64,
}

impl VerifyPart {
    fn new(path: &Path) -> Self {
        VerifyPart {
            transfer: path.display().to_string(),
            same: 0,
            missing: 0,
            extra: 0,
            differ: 0,
            errors: 0,
        }
    }

    fn count(&mut self, found: &Found) {
        *match found.finding {
            Finding::Same => &mut self.same,
            Finding::Missing => &mut self.missing,
            Finding::Extra => &mut self.extra,
            Finding::Differs => &mut self.differ,
            Finding::Unread => &mut self.errors,
        } += 1;
    }
}

impl VerifySummary {
    fn new(paths: &[&Path], against: Against, tally: &Tally) -> Self {
        let names = paths.iter().map(|path| path.display().to_string());
        VerifySummary {
            transfer: names.collect::<Vec<_>>().join(" "),
            against: against.name(),
            same: 0,
            same_without_size: 0,
            sizes_not_listed: 0,
            missing: 0,
            extra: 0,
            differ: 0,
            errors: 0,
            folder: String::new(),
            given_up: None,
            looked: may_be_there(tally),
            not_completed: tally.total().files - tally.completed.files,
            parts: Vec::new(),
        }
    }

    fn count(&mut self, found: &Found) {
        for reason in &found.reasons {
            if let (Finding::Same, Reason::SizeUntold(untold)) = (found.finding, reason) {
                self.same_without_size += 1;
                self.sizes_not_listed += u64::from(*untold == Untold::Object);
            }
        }
        *match found.finding {
            Finding::Same => &mut self.same,
            Finding::Missing => &mut self.missing,
            Finding::Extra => &mut self.extra,
            Finding::Differs => &mut self.differ,
            Finding::Unread => &mut self.errors,
        } += 1;
    }

    /// Whether every completed file is there as it was to be, and nothing else is.
    pub fn is_all_the_same(&self) -> bool {
        self.given_up.is_none() && self.missing + self.extra + self.differ + self.errors == 0
    }
}

/// Why nothing was verified.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The transfer's file can't be used.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Transfers are looked at together only where they have one destination.
    #[error("transfer `{}` goes to another volume, or has another prefix, than the first", path.display())]
    Elsewhere {
        /// The transfer.
        path: PathBuf,
    },
    /// No transfer was named.
    #[error("there is no transfer to look at")]
    None,
    /// Not even the first page of the destination could be read.
    #[error("the destination can't be listed")]
    Listing(#[from] ListingError),
}

/// Looks at every key of the transfers, tells each finding as it is made, and records what was seen.
///
/// Several transfers, such as the parts of a plan, are looked at together: the destination is listed once.
///
/// It holds the transfers' locks: what is compared must not change meanwhile, and a run isn't disturbed. A listing that
/// breaks off is given up; what was not read until then counts as an error each.
///
/// # Requests
///
/// A volume is listed by the folder, a hundred objects a request; a bucket as a whole, a thousand. Only S3's answer for a
/// single object tells its encryption, so against a bucket each file that was to be encrypted in a way that was named
/// costs one more.
///
/// # Errors
///
/// [`VerifyError`] if a transfer can't be used, they can't be looked at together, or nothing could be read at all.
pub async fn verify(
    transfers: &[impl AsRef<Path>],
    destination: &Destination,
    now: impl Fn() -> Timestamp,
    tell: &mut (dyn FnMut(Found) + Send),
) -> Result<VerifySummary, VerifyError> {
    let paths: Vec<&Path> = transfers.iter().map(AsRef::as_ref).collect();
    let (terms, tally) = survey(&paths, destination)?;
    let mut summary = VerifySummary::new(&paths, destination.against(), &tally);
    if !summary.looked {
        return Ok(summary);
    }
    let source = match destination {
        Destination::Volume(client) => Source::Volume(Volumes::new(client.clone()), &terms.volume),
        #[cfg(feature = "s3")]
        Destination::Bucket { bucket, beginning } => Source::Bucket(bucket, beginning),
    };
    let mut looks = Looks::begin(&paths, destination.against(), now())?;
    let folder = match terms.prefix.as_str() {
        "" => looks.folder(),
        prefix => prefix.to_owned(),
    };
    source.check().await?;
    let mut count = |found: Found| {
        summary.count(&found);
        tell(found);
    };
    let reading = read(&mut looks, &source, &folder, &mut count).await?;
    #[cfg(feature = "s3")]
    if let Destination::Bucket { beginning, .. } = destination
        && !terms.volume_prefix.is_empty()
    {
        looks.saw_beginning(join(&terms, beginning));
    }
    let parts = looks.finish(&reading.unread, now(), &mut count)?;
    summary.parts = if parts.len() > 1 { parts } else { Vec::new() };
    summary.folder = folder;
    summary.given_up = reading.given_up;
    Ok(summary)
}

/// What the transfers have in common, and how many of their files stand where.
fn survey(paths: &[&Path], destination: &Destination) -> Result<(Terms, Tally), VerifyError> {
    let mut common: Option<Terms> = None;
    let mut tally = Tally::default();
    for path in paths {
        let transfer = TransferFile::open(path)?;
        let terms = transfer.terms();
        match destination {
            Destination::Volume(client) => terms.must_be_at(path, client.endpoint())?,
            #[cfg(feature = "s3")]
            Destination::Bucket { .. } => {}
        }
        tally = tally.plus(&transfer.tally()?);
        let first = common.get_or_insert_with(|| terms.clone());
        let place = |terms: &Terms| (terms.volume.clone(), terms.prefix.clone());
        if place(first) != place(terms) {
            return Err(VerifyError::Elsewhere {
                path: path.to_path_buf(),
            });
        }
    }
    Ok((common.ok_or(VerifyError::None)?, tally))
}

/// What stands between the volume's prefix and the locations, of which some were found there.
#[cfg(feature = "s3")]
fn join(terms: &Terms, beginning: &str) -> Habit {
    if beginning == expected_beginning(&terms.volume_prefix) {
        Habit::OneSlash
    } else {
        Habit::AnotherJoin
    }
}

/// Whether a file completed, or may have.
fn may_be_there(tally: &Tally) -> bool {
    let counts = [
        tally.completed,
        tally.intended,
        tally.accepted,
        tally.unknown,
    ];
    counts.iter().any(|count| count.files > 0)
}

/// What became of reading a destination.
struct FolderReading {
    /// Folders that were not read to their end.
    unread: HashSet<String>,
    given_up: Option<ListingError>,
}

/// So many objects are compared and recorded together, because each time waits for the disk. A page has a hundred at least.
const TOGETHER: usize = 1_000;

/// Reads a folder with all below it. The folders still to be read are in memory, the objects a few pages at a time.
async fn read(
    looks: &mut Looks,
    source: &Source<'_>,
    root: &str,
    tell: &mut (dyn FnMut(Found) + Send),
) -> Result<FolderReading, VerifyError> {
    let mut reading = FolderReading {
        unread: HashSet::new(),
        given_up: None,
    };
    let mut folders = vec![root.to_owned()];
    let mut objects = Vec::new();
    let mut nothing_read = true;
    'folders: while let Some(folder) = folders.pop() {
        let mut pages = source.open(&folder);
        let mut children = Vec::new();
        loop {
            let mut page = match pages.next().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(error) if nothing_read => return Err(error.into()),
                Err(error) => {
                    reading.unread = folders.into_iter().chain([folder]).collect();
                    reading.given_up = Some(error);
                    break 'folders;
                }
            };
            nothing_read = false;
            looks.saw(&page.seen);
            if source.tells_encryption() {
                let chosen = looks.to_be_encrypted(&page.objects)?;
                source.ask_encryption(&mut page.objects, &chosen).await;
            }
            objects.append(&mut page.objects);
            if objects.len() >= TOGETHER {
                let objects = std::mem::take(&mut objects);
                looks.see(objects)?.into_iter().for_each(&mut *tell);
            }
            for child in page.folders {
                // The volume's top level may hold other people's folders. A listing that shows no folder below this one
                // would lead in circles.
                let ours = !folder.is_empty() || looks.writes_to(&child);
                if ours && child.len() > folder.len() && child.starts_with(&folder) {
                    children.push(child);
                }
            }
        }
        // The first is read next.
        folders.extend(children.into_iter().rev());
    }
    looks.see(objects)?.into_iter().for_each(tell);
    Ok(reading)
}
