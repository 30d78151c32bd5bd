//! What speaks for an object being the file that was exported. Pure: everything it decides on is an argument.

use std::fmt;

use cavatica_exports::model::ExportProperties;

use crate::state::State;

/// Where the objects were looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Against {
    /// Through the platform: the volume's listing.
    Volume,
    /// Through S3 itself, with the user's own credentials.
    Bucket,
}

impl Against {
    /// The word for it in JSON and reports; it doesn't change.
    pub fn name(self) -> &'static str {
        match self {
            Against::Volume => "volume",
            Against::Bucket => "bucket",
        }
    }
}

impl fmt::Display for Against {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An object as a listing shows it. What the listing doesn't tell isn't compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedObject {
    /// Its key relative to the volume.
    pub location: String,
    /// Bytes.
    pub size: Option<u64>,
    /// Without quotes.
    pub etag: Option<String>,
    /// As S3 names it.
    pub storage_class: Option<String>,
    /// What asking for this object alone told of its encryption, if anybody asked.
    pub encryption: Option<Encryption>,
}

impl ListedObject {
    /// What most listings tell of an object.
    pub fn new(location: impl Into<String>, size: Option<u64>, etag: Option<&str>) -> Self {
        ListedObject {
            location: location.into(),
            size,
            etag: etag.map(str::to_owned),
            ..ListedObject::default()
        }
    }
}

/// How an object is encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// So, as S3 names it; none where it isn't encrypted.
    Told {
        /// `AES256`, `aws:kms`, ...
        algorithm: Option<String>,
        /// The KMS key, as an ARN.
        kms_key: Option<String>,
    },
    /// S3 didn't answer: why not.
    Untold(String),
}

impl ListedObject {
    /// Whether it stands for an empty folder, as S3's console makes them. Such a key is no file's, planned or not.
    pub(crate) fn is_folder_mark(&self) -> bool {
        self.location.ends_with('/') && self.size.unwrap_or(0) == 0
    }
}

/// What a look at one key came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// A completed file's object is there, as far as it can be compared.
    Same,
    /// A completed file's object isn't there.
    Missing,
    /// There is an object that the transfer doesn't know as completed.
    Extra,
    /// A completed file's object isn't what it was to be.
    Differs,
    /// It couldn't be looked at.
    Unread,
}

impl Finding {
    /// The finding in one word for reports; it doesn't change.
    pub fn name(self) -> &'static str {
        match self {
            Finding::Same => "same",
            Finding::Missing => "missing",
            Finding::Extra => "extra",
            Finding::Differs => "differs",
            Finding::Unread => "unread",
        }
    }

    /// The symbol that `rclone check` prints for it.
    ///
    /// Source: <https://rclone.org/commands/rclone_check/>.
    pub fn symbol(self) -> char {
        match self {
            Finding::Same => '=',
            Finding::Missing => '-',
            Finding::Extra => '+',
            Finding::Differs => '*',
            Finding::Unread => '!',
        }
    }
}

/// Why a finding is what it is, where its name doesn't say it all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The sizes weren't compared, because one of them isn't known. It speaks neither for the object nor against it.
    SizeUntold(Untold),
    /// The object has another size than the file had when it was planned.
    Size {
        /// Bytes of the file.
        planned: u64,
        /// Bytes of the object.
        found: u64,
    },
    /// The object was written again after it was first found right.
    Rewritten {
        /// Its ETag then.
        before: String,
        /// Its ETag now.
        now: String,
    },
    /// The object isn't in the storage class that was asked for.
    StorageClass {
        /// As it was asked for.
        asked: String,
        /// As it is.
        found: String,
    },
    /// The object isn't encrypted as it was asked for.
    Encryption {
        /// As it was asked for.
        asked: String,
        /// As it is.
        found: String,
    },
    /// S3 didn't say how the object is encrypted.
    EncryptionUntold {
        /// Why not.
        why: String,
    },
    /// The object lies at the key of a file that isn't completed.
    NotCompleted {
        /// The file's state, in one word.
        state: &'static str,
        /// Whether the sizes speak for it being the file all the same.
        size_fits: Option<bool>,
    },
}

/// Whose size isn't known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Untold {
    /// The object's: the listing told none. A bucket's own listing always does.
    Object,
    /// The file's: the platform told none when it was planned.
    File,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::SizeUntold(Untold::Object) => {
                f.write_str("its size wasn't compared: the listing tells none")
            }
            Reason::SizeUntold(Untold::File) => f.write_str(
                "its size wasn't compared: the platform told none when the file was planned",
            ),
            Reason::Size { planned, found } => {
                write!(f, "has {found} bytes, was planned with {planned}")
            }
            Reason::Rewritten { before, now } => write!(
                f,
                "was written again since it was first verified: its ETag was {before} and is {now}"
            ),
            Reason::StorageClass { asked, found } => {
                write!(f, "is in storage class {found}, {asked} was asked for")
            }
            Reason::Encryption { asked, found } => {
                write!(f, "has encryption {found}, {asked} was asked for")
            }
            Reason::EncryptionUntold { why } => {
                write!(f, "may or may not be encrypted as it was asked for: {why}")
            }
            Reason::NotCompleted { state, size_fits } => {
                write!(f, "is there although the file is {state}")?;
                match size_fits {
                    Some(true) => f.write_str("; the size is the file's"),
                    Some(false) => f.write_str("; the size isn't the file's"),
                    None => Ok(()),
                }
            }
        }
    }
}

/// What is known of a planned file before its object is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Known {
    pub(crate) state: State,
    pub(crate) size: Option<u64>,
    /// The ETag that the object had when it was first found right.
    pub(crate) etag: Option<String>,
    /// What was asked of S3 for it.
    pub(crate) asked: Option<ExportProperties>,
}

impl Known {
    /// The encryption that was asked for, and with which key. Asking for none is asking for nothing that can be found:
    /// a bucket encrypts by itself.
    pub(crate) fn encryption_asked(&self) -> Option<(&str, Option<&str>)> {
        let asked = self.asked.as_ref()?;
        let algorithm = asked.sse_algorithm.value()?;
        let key = asked.sse_aws_kms_key_id.value();
        Some((algorithm.as_str(), key.map(String::as_str)))
    }
}

/// Compares a planned file with the object at its key. Where they are the same, a reason tells what wasn't compared.
pub(crate) fn compare(known: &Known, object: &ListedObject) -> (Finding, Vec<Reason>) {
    let sizes = known.size.zip(object.size);
    if !matches!(known.state, State::Completed { .. }) {
        let reason = Reason::NotCompleted {
            state: known.state.name(),
            size_fits: sizes.map(|(planned, found)| planned == found),
        };
        return (Finding::Extra, vec![reason]);
    }
    let mut reasons = Vec::new();
    if let Some((planned, found)) = sizes
        && planned != found
    {
        reasons.push(Reason::Size { planned, found });
    }
    if let Some((before, now)) = known.etag.as_ref().zip(object.etag.as_ref())
        && before != now
    {
        reasons.push(Reason::Rewritten {
            before: before.clone(),
            now: now.clone(),
        });
    }
    let class = known
        .asked
        .as_ref()
        .and_then(|asked| asked.aws_storage_class.value());
    if let Some((asked, found)) = class.zip(object.storage_class.as_ref())
        && !asked.as_str().eq_ignore_ascii_case(found)
    {
        reasons.push(Reason::StorageClass {
            asked: asked.as_str().to_owned(),
            found: found.clone(),
        });
    }
    let mut untold = None;
    match (known.encryption_asked(), &object.encryption) {
        (None, _) | (_, None) => {}
        (Some(_), Some(Encryption::Untold(why))) => {
            untold = Some(Reason::EncryptionUntold { why: why.clone() });
        }
        (Some((asked, asked_key)), Some(Encryption::Told { algorithm, kms_key })) => {
            let key_fits = asked_key.is_none_or(|asked| names_key(kms_key.as_deref(), asked));
            let found = algorithm.as_deref().unwrap_or("none");
            if !asked.eq_ignore_ascii_case(found) || !key_fits {
                reasons.push(Reason::Encryption {
                    asked: with_key(asked, asked_key),
                    found: with_key(found, kms_key.as_deref()),
                });
            }
        }
    }
    match (reasons.is_empty(), untold) {
        (true, None) => {
            let untold = match (known.size, object.size) {
                (Some(_), Some(_)) => None,
                (_, None) => Some(Untold::Object),
                (None, Some(_)) => Some(Untold::File),
            };
            (
                Finding::Same,
                untold.map(Reason::SizeUntold).into_iter().collect(),
            )
        }
        (true, Some(untold)) => (Finding::Unread, vec![untold]),
        (false, untold) => {
            reasons.extend(untold);
            (Finding::Differs, reasons)
        }
    }
}

/// Whether S3's name for a key, an ARN, is the key that was asked for by ARN or by id. An alias can't be told from here.
fn names_key(found: Option<&str>, asked: &str) -> bool {
    if asked.contains("alias/") {
        return true;
    }
    found.is_some_and(|found| {
        found == asked
            || found
                .strip_suffix(asked)
                .is_some_and(|rest| rest.ends_with('/'))
    })
}

fn with_key(algorithm: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!("{algorithm} with key {key}"),
        None => algorithm.to_owned(),
    }
}
