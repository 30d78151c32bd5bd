//! A key of a JSON object that is absent, null, or has a value.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A key that is absent, null, or has a value: three different things to the platform.
///
/// In an export's properties, an absent `sse_algorithm` asks for the volume's default, `null` for no encryption at all.
/// Fields of this type carry `#[serde(default, skip_serializing_if = "Tri::is_absent")]`.
///
/// ```
/// use cavatica_model::{ExportProperties, Tri};
///
/// let properties: ExportProperties = serde_json::from_str(r#"{"aws_canned_acl": null}"#)?;
/// assert_eq!(properties.sse_algorithm, Tri::Absent);
/// assert_eq!(properties.aws_canned_acl, Tri::Null);
/// assert_eq!(serde_json::to_string(&properties)?, r#"{"aws_canned_acl":null}"#);
/// assert_eq!(properties.aws_canned_acl.map(|acl| acl.to_string()), Tri::Null);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Tri<T> {
    /// The key is not there.
    #[default]
    Absent,
    /// The key is there and null.
    Null,
    /// The key has a value.
    Value(T),
}

impl<T> Tri<T> {
    /// Whether the key is not there.
    pub fn is_absent(&self) -> bool {
        matches!(self, Tri::Absent)
    }

    /// The value, if there is one; absent and null alike give `None`.
    pub fn value(&self) -> Option<&T> {
        match self {
            Tri::Absent | Tri::Null => None,
            Tri::Value(value) => Some(value),
        }
    }

    /// Takes the value out, if there is one.
    pub fn into_value(self) -> Option<T> {
        match self {
            Tri::Absent | Tri::Null => None,
            Tri::Value(value) => Some(value),
        }
    }

    /// The value, or this one where there is none.
    pub fn unwrap_or(self, other: T) -> T {
        self.into_value().unwrap_or(other)
    }

    /// The same with the value by reference.
    pub fn as_ref(&self) -> Tri<&T> {
        match self {
            Tri::Absent => Tri::Absent,
            Tri::Null => Tri::Null,
            Tri::Value(value) => Tri::Value(value),
        }
    }

    /// The same with what a function makes of the value.
    pub fn map<U>(self, make: impl FnOnce(T) -> U) -> Tri<U> {
        match self {
            Tri::Absent => Tri::Absent,
            Tri::Null => Tri::Null,
            Tri::Value(value) => Tri::Value(make(value)),
        }
    }
}

/// Absent and null alike give `None`.
impl<T> From<Tri<T>> for Option<T> {
    fn from(tri: Tri<T>) -> Self {
        tri.into_value()
    }
}

impl<T> From<T> for Tri<T> {
    fn from(value: T) -> Self {
        Tri::Value(value)
    }
}

impl<T: Serialize> Serialize for Tri<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Tri<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::deserialize(deserializer)? {
            Some(value) => Tri::Value(value),
            None => Tri::Null,
        })
    }
}
