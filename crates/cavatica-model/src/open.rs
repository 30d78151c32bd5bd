//! Enumerations that the platform may extend, and spells in more than one way.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::text::visible;

/// The names that are known of an open enumeration.
pub trait OpenName: Copy + Eq + fmt::Debug + 'static {
    /// Every known name, as the documentation spells it.
    const ALL: &'static [Self];

    /// The name as the documentation spells it.
    fn name(self) -> &'static str;

    /// The known name that `text` spells, in any letter case. [`FromStr`] does the same, with an error.
    fn from_name(text: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|known| known.name().eq_ignore_ascii_case(text))
    }
}

/// A text that is none of the known names of an enumeration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is none of {known}", visible(.text))]
pub struct NameError {
    text: Box<str>,
    known: String,
}

impl NameError {
    pub(crate) fn new<K: OpenName>(text: &str) -> Self {
        let names: Vec<_> = K::ALL
            .iter()
            .map(|known| format!("`{}`", known.name()))
            .collect();
        NameError {
            text: text.into(),
            known: names.join(", "),
        }
    }
}

/// A name that may or may not be one of those that `K` knows.
///
/// Known names are recognised in any letter case (the platform writes both `FILE` and `file`); what came is written
/// again as it came.
///
/// ```
/// use cavatica_model::file::FileKind;
/// use cavatica_model::wire::Open;
///
/// let kind: Open<FileKind> = serde_json::from_str("\"FOLDER\"")?;
/// assert_eq!(kind.known(), Some(FileKind::Folder));
/// assert_eq!(serde_json::to_string(&kind)?, "\"FOLDER\"");
///
/// let odd: Open<FileKind> = serde_json::from_str("\"symlink\"")?;
/// assert_eq!(odd.known(), None);
/// assert_eq!(odd.as_str(), "symlink");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct Open<K> {
    known: Option<K>,
    /// What came, where it isn't the documented spelling of `known`.
    spelling: Option<Box<str>>,
}

impl<K: OpenName> Open<K> {
    /// The known name, or `None` for one that this version doesn't know.
    pub fn known(&self) -> Option<K> {
        self.known
    }

    /// Whether this is `name`, however it is spelled.
    pub fn is(&self, name: K) -> bool {
        self.known == Some(name)
    }

    /// The text as it came.
    pub fn as_str(&self) -> &str {
        match (&self.spelling, self.known) {
            (Some(text), _) => text,
            (None, Some(known)) => known.name(),
            (None, None) => "",
        }
    }
}

impl<K: OpenName> From<K> for Open<K> {
    fn from(known: K) -> Self {
        Open {
            known: Some(known),
            spelling: None,
        }
    }
}

impl<K: OpenName> From<&str> for Open<K> {
    fn from(text: &str) -> Self {
        let known = K::from_name(text);
        let spelling = (known.map(K::name) != Some(text)).then(|| text.into());
        Open { known, spelling }
    }
}

impl<K: OpenName> FromStr for Open<K> {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(text.into())
    }
}

/// Known names are equal whatever their spelling.
impl<K: OpenName> PartialEq for Open<K> {
    fn eq(&self, other: &Self) -> bool {
        match (self.known, other.known) {
            (None, None) => self.as_str() == other.as_str(),
            (mine, theirs) => mine == theirs,
        }
    }
}

impl<K: OpenName> Eq for Open<K> {}

impl<K: OpenName> PartialEq<K> for Open<K> {
    fn eq(&self, other: &K) -> bool {
        self.is(*other)
    }
}

impl<K: OpenName> Hash for Open<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self.known {
            Some(known) => known.name().hash(state),
            None => self.as_str().hash(state),
        }
    }
}

impl<K: OpenName> fmt::Debug for Open<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl<K: OpenName> fmt::Display for Open<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<K: OpenName> Serialize for Open<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, K: OpenName> Deserialize<'de> for Open<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text<K>(std::marker::PhantomData<K>);

        impl<K: OpenName> de::Visitor<'_> for Text<K> {
            type Value = Open<K>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(text.into())
            }
        }

        deserializer.deserialize_str(Text(std::marker::PhantomData))
    }
}

/// Declares the known names of an open enumeration, each with its documented spelling.
macro_rules! open_names {
    ($(#[$meta:meta])* pub enum $Name:ident { $($(#[$doc:meta])* $Variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $Name { $($(#[$doc])* $Variant,)+ }

        impl $crate::wire::OpenName for $Name {
            const ALL: &'static [Self] = &[$($Name::$Variant),+];

            fn name(self) -> &'static str {
                match self { $($Name::$Variant => $text),+ }
            }
        }

        impl std::str::FromStr for $Name {
            type Err = $crate::wire::NameError;

            /// In any letter case.
            fn from_str(text: &str) -> Result<Self, $crate::wire::NameError> {
                $crate::wire::OpenName::from_name(text)
                    .ok_or_else(|| $crate::wire::NameError::new::<Self>(text))
            }
        }

        impl serde::Serialize for $Name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($crate::wire::OpenName::name(*self))
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad($crate::wire::OpenName::name(*self))
            }
        }
    };
}

pub(crate) use open_names;
