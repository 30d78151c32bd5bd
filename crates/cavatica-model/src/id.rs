//! Names of things on the platform: made by parsing, then carried as types.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::text::visible;

/// Why a text can't be an id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is no {kind}: {fault}", visible(.text))]
pub struct IdError {
    kind: &'static str,
    text: Box<str>,
    fault: &'static str,
}

impl IdError {
    pub(crate) fn new(kind: &'static str, text: &str, fault: &'static str) -> Self {
        IdError {
            kind,
            text: text.into(),
            fault,
        }
    }

    /// What the text should have been, for instance `file id`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Why it was refused.
    pub fn fault(&self) -> &'static str {
        self.fault
    }

    /// The text that was refused.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The fault of a text that must be a single opaque part of a URL's path.
fn opaque_fault(text: &str) -> Option<&'static str> {
    // As the platform writes them. Every answer brings hundreds, so they are looked at without a branch for each letter.
    let plain = text
        .bytes()
        .fold(true, |plain, byte| plain & byte.is_ascii_alphanumeric());
    if plain && !text.is_empty() {
        return None;
    }
    if text.is_empty() {
        Some("it is empty")
    } else if text.chars().any(char::is_control) {
        Some("it has a control character")
    } else if text.contains('/') {
        Some("it has a `/`")
    } else if text == "." || text == ".." {
        Some("it is a relative path")
    } else {
        None
    }
}

/// The fault of a text that must be `owner/name`.
fn owned_fault(text: &str) -> Option<&'static str> {
    let Some((owner, name)) = text.split_once('/') else {
        return Some("expected `owner/name`");
    };
    if name.contains('/') || owner.is_empty() || name.is_empty() {
        return Some("expected `owner/name`");
    }
    opaque_fault(owner).or_else(|| opaque_fault(name))
}

macro_rules! id {
    ($(#[$meta:meta])* $Id:ident, $kind:literal, $fault:ident) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $Id(Box<str>);

        impl $Id {
            /// The id as the platform writes it.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $Id {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                match $fault(text) {
                    None => Ok($Id(text.into())),
                    Some(fault) => Err(IdError { kind: $kind, text: text.into(), fault }),
                }
            }
        }

        impl<'de> Deserialize<'de> for $Id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;

                impl de::Visitor<'_> for Text {
                    type Value = $Id;

                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str(concat!("a ", $kind))
                    }

                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$Id, E> {
                        text.parse().map_err(E::custom)
                    }
                }

                deserializer.deserialize_str(Text)
            }
        }

        impl PartialEq<$Id> for String {
            fn eq(&self, id: &$Id) -> bool {
                **self == *id.0
            }
        }

        impl TryFrom<String> for $Id {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl TryFrom<&str> for $Id {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$Id> for String {
            fn from(id: $Id) -> String {
                id.0.into()
            }
        }

        impl Borrow<str> for $Id {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $Id {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $Id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $Id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }
    };
}

id!(
    /// The id of a file or folder; on the platform 24 hex digits, opaque to us.
    FileId, "file id", opaque_fault
);
id!(
    /// The id of an export job; on the platform 32 letters and digits, opaque to us.
    ExportId, "export id", opaque_fault
);
id!(
    /// The id of a task; on the platform a UUID, opaque to us.
    TaskId, "task id", opaque_fault
);
id!(
    /// The id of a volume, `owner/name`. It isn't the bucket's name.
    ///
    /// ```
    /// use cavatica_model::VolumeId;
    ///
    /// // As every id, it can be looked up by its text.
    /// let known = std::collections::HashSet::from([VolumeId::try_from("rfranklin/output".to_owned())?]);
    /// assert!(known.contains("rfranklin/output"));
    /// let id: VolumeId = "rfranklin/output".parse()?;
    /// assert_eq!((id.owner(), id.name()), ("rfranklin", "output"));
    /// assert!("my-bucket".parse::<VolumeId>().is_err());
    /// # Ok::<(), cavatica_model::id::IdError>(())
    /// ```
    VolumeId, "volume id", owned_fault
);
id!(
    /// The id of a project, `owner/short-name`.
    ProjectId, "project id", owned_fault
);

impl VolumeId {
    /// The user or division that owns the volume.
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The volume's name within its owner's volumes.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }
}

impl ProjectId {
    /// The project of the platform's public reference files: they can't be exported, nor can copies of them.
    ///
    /// Source: <https://docs.sevenbridges.com/reference/list-files-primary-method>.
    pub const PUBLIC: &'static str = "admin/sbg-public-data";

    /// The user or division that owns the project.
    pub fn owner(&self) -> &str {
        self.0.split_once('/').map_or("", |(owner, _)| owner)
    }

    /// The project's short name.
    pub fn name(&self) -> &str {
        self.0.split_once('/').map_or("", |(_, name)| name)
    }

    /// Whether this is the platform's project of public reference files.
    pub fn is_public(&self) -> bool {
        &*self.0 == Self::PUBLIC
    }
}
