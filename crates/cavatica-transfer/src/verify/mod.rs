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
mod source;

use std::collections::HashSet;
use std::path::Path;

use cavatica_exports::Volumes;
use jiff::Timestamp;
use serde::Serialize;

#[cfg(feature = "s3")]
pub use bucket::find_beginning;
pub use compare::{Against, Encryption, Finding, ListedObject, Reason, Untold};
pub(crate) use compare::{Known, compare};
pub use source::{Destination, ListingError};

use crate::journal::{JournalError, Tally, TransferFile, Verification};
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
}

impl VerifySummary {
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
    /// Not even the first page of the destination could be read.
    #[error("the destination can't be listed")]
    Listing(#[from] ListingError),
}

/// Looks at every key of the transfer, tells each finding as it is made, and records what was seen.
///
/// It holds the transfer's lock: what is compared must not change meanwhile, and a run isn't disturbed. A listing that
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
/// [`VerifyError`] if the transfer can't be used, or nothing could be read at all.
pub async fn verify(
    path: &Path,
    destination: &Destination,
    now: impl Fn() -> Timestamp,
    tell: &mut (dyn FnMut(Found) + Send),
) -> Result<VerifySummary, VerifyError> {
    let transfer = TransferFile::open(path)?;
    let tally = transfer.tally()?;
    let mut summary = VerifySummary {
        transfer: path.display().to_string(),
        against: destination.against().name(),
        same: 0,
        same_without_size: 0,
        sizes_not_listed: 0,
        missing: 0,
        extra: 0,
        differ: 0,
        errors: 0,
        folder: String::new(),
        given_up: None,
        looked: may_be_there(&tally),
        not_completed: tally.total().files - tally.completed.files,
    };
    if let Destination::Volume(client) = destination {
        transfer.terms().must_be_at(path, client.endpoint())?;
    }
    if !summary.looked {
        return Ok(summary);
    }
    let terms = transfer.terms().clone();
    let source = match destination {
        Destination::Volume(client) => Source::Volume(Volumes::new(client.clone()), &terms.volume),
        #[cfg(feature = "s3")]
        Destination::Bucket { bucket, beginning } => Source::Bucket(bucket, beginning),
    };
    drop(transfer);
    let mut look = Verification::begin(path, destination.against(), now())?;
    let folder = match terms.prefix.as_str() {
        "" => look.folder(),
        prefix => prefix.to_owned(),
    };
    source.check().await?;
    let mut count = |found: Found| {
        summary.count(&found);
        tell(found);
    };
    let reading = read(&mut look, &source, &folder, &mut count).await?;
    look.settle(&reading.unread, &mut count)?;
    look.finish(now())?;
    summary.folder = folder;
    summary.given_up = reading.given_up;
    Ok(summary)
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
    look: &mut Verification,
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
            if source.tells_encryption() {
                let chosen = look.to_be_encrypted(&page.objects)?;
                source.ask_encryption(&mut page.objects, &chosen).await;
            }
            objects.append(&mut page.objects);
            if objects.len() >= TOGETHER {
                look.see(&objects)?.into_iter().for_each(&mut *tell);
                objects.clear();
            }
            for child in page.folders {
                // The volume's top level may hold other people's folders. A listing that shows no folder below this one
                // would lead in circles.
                let ours = !folder.is_empty() || look.writes_to(&child);
                if ours && child.len() > folder.len() && child.starts_with(&folder) {
                    children.push(child);
                }
            }
        }
        // The first is read next.
        folders.extend(children.into_iter().rev());
    }
    look.see(&objects)?.into_iter().for_each(tell);
    Ok(reading)
}
