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
mod listing;
mod looks;
mod source;
mod summary;

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use cavatica_exports::Volumes;
#[cfg(feature = "s3")]
use cavatica_exports::model::volume::expected_beginning;
use jiff::Timestamp;
use tracing::{Instrument, info_span};

#[cfg(feature = "s3")]
pub use bucket::find_beginning;
pub use compare::{Against, Encryption, Finding, ListedObject, Reason, Untold};
pub(crate) use compare::{Known, compare};
pub use listing::ListingError;
pub use source::Destination;
pub use summary::{Found, VerifyPart, VerifySummary};

use crate::journal::{JournalError, Tally, Terms, TransferFile};
#[cfg(feature = "s3")]
use crate::observe::Habit;
use looks::Looks;
use source::Source;

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
    let span = info_span!("verify", against = destination.against().name());
    look(transfers, destination, now, tell)
        .instrument(span)
        .await
}

async fn look(
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
