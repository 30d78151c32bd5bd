//! Where an object is to lie on a volume.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Deserializer, Serialize, de};
use unicode_normalization::UnicodeNormalization;

use crate::text::visible;
use crate::volume::key_beginnings;

/// The longest key that S3 takes, in bytes of UTF-8, the volume's prefix included.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>.
pub const MAX_KEY_BYTES: usize = 1024;

/// The key of an object relative to its volume, for instance `run1/output.vcf`.
///
/// The platform puts the volume's prefix before it. What the platform does with odd keys isn't documented and a move
/// can't be undone, so these are refused: an empty key, a leading, trailing or doubled `/`, segments `.` and `..`,
/// control characters, and more than [`MAX_KEY_BYTES`]. Everything else may stand in a name and does on the platform:
/// spaces, `#`, `%`, `+`, quotes, any script.
///
/// ```
/// use cavatica_model::destination::LocationFault;
/// use cavatica_model::Location;
///
/// let location: Location = "cohort 7/NA12878 #2.bam".parse()?;
/// assert_eq!(location.name(), "NA12878 #2.bam");
///
/// let error = "/run1//output.vcf".parse::<Location>().unwrap_err();
/// assert_eq!(error.faults(), [LocationFault::LeadingSlash, LocationFault::EmptySegment]);
/// # Ok::<(), cavatica_model::destination::LocationError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Location(Box<str>);

/// One reason why a text can't be a [`Location`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LocationFault {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// It begins with `/`; whether that becomes part of the S3 key isn't documented.
    #[error("it begins with `/`")]
    LeadingSlash,
    /// It ends with `/`: a folder's name, not an object's.
    #[error("it ends with `/`")]
    TrailingSlash,
    /// `//` within it.
    #[error("it has an empty part (`//`)")]
    EmptySegment,
    /// `.` or `..` as a segment: S3 keeps them, most tools that read the bucket don't.
    #[error("it has a part `.` or `..`")]
    DotSegment,
    /// A control character, a line break for instance.
    #[error("it has a control character")]
    ControlCharacter,
    /// Longer than S3 allows, the volume's prefix included.
    #[error(
        "it has {bytes} bytes with the volume's prefix, more than the {MAX_KEY_BYTES} of an S3 key"
    )]
    TooLong {
        /// Its length in bytes of UTF-8.
        bytes: usize,
    },
}

impl LocationFault {
    /// A name for programs and filters; it doesn't change.
    pub fn name(self) -> &'static str {
        match self {
            LocationFault::Empty => "empty",
            LocationFault::LeadingSlash => "leading-slash",
            LocationFault::TrailingSlash => "trailing-slash",
            LocationFault::EmptySegment => "empty-part",
            LocationFault::DotSegment => "dot-part",
            LocationFault::ControlCharacter => "control-character",
            LocationFault::TooLong { .. } => "too-long",
        }
    }
}

/// A text that can't be a [`Location`], with all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationError {
    text: Box<str>,
    faults: Vec<LocationFault>,
}

impl LocationError {
    /// The text that was refused.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Everything that is wrong with it.
    pub fn faults(&self) -> &[LocationFault] {
        &self.faults
    }
}

impl fmt::Display for LocationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no location on a volume: ", visible(&self.text))?;
        for (position, fault) in self.faults.iter().enumerate() {
            write!(f, "{}{fault}", if position > 0 { ", " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for LocationError {}

impl Location {
    /// The key that somebody means who writes a Windows path: backslashes are no folders to S3. `None` if the text
    /// isn't such a path.
    ///
    /// ```
    /// use cavatica_model::Location;
    ///
    /// let key = Location::of_windows_path(r"C:\results\calls.vcf");
    /// assert_eq!(key.as_deref(), Some("results/calls.vcf"));
    /// assert_eq!(Location::of_windows_path("C:/results/calls.vcf"), key);
    /// assert_eq!(Location::of_windows_path(r"run1/odd\name.txt"), None);
    /// ```
    pub fn of_windows_path(text: &str) -> Option<String> {
        let path = without_drive(text);
        let is_path = path.len() < text.len() || text.contains('\\') && !text.contains('/');
        is_path.then(|| path.trim_start_matches('\\').replace('\\', "/"))
    }

    /// The key as it is sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a location in an answer of the platform is this one. What was sent may come back in another Unicode form, or
    /// percent-encoded (inferred: no page promises that it comes back as it was sent).
    ///
    /// ```
    /// use cavatica_model::Location;
    ///
    /// let sent: Location = "run 1/caf\u{e9}.bam".parse()?;
    /// assert!(sent.is_echoed_as("run 1/cafe\u{301}.bam"));
    /// assert!(sent.is_echoed_as("run%201/caf%C3%A9.bam"));
    /// assert!(!sent.is_echoed_as("run 1/cafe.bam"));
    /// # Ok::<(), cavatica_model::destination::LocationError>(())
    /// ```
    pub fn is_echoed_as(&self, echo: &str) -> bool {
        if echo == self.as_str() {
            return true;
        }
        if echo.is_ascii() && self.0.is_ascii() && !echo.contains('%') {
            return false;
        }
        let decoded = percent_decode_str(echo).decode_utf8_lossy();
        echo.nfc().eq(self.0.nfc()) || decoded.nfc().eq(self.0.nfc())
    }

    /// The last segment.
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The key that is expected within the bucket of a volume with this prefix, see [`key_beginnings`].
    ///
    /// # Errors
    ///
    /// [`LocationFault::TooLong`] if the longest of the possible keys is longer than an S3 key may be.
    pub fn key_with_prefix(&self, prefix: &str) -> Result<String, LocationError> {
        let beginnings = key_beginnings(prefix);
        let longest = beginnings.iter().map(String::len).max().unwrap_or(0);
        let bytes = longest + self.0.len();
        if bytes > MAX_KEY_BYTES {
            return Err(LocationError {
                text: self.0.clone(),
                faults: vec![LocationFault::TooLong { bytes }],
            });
        }
        Ok([&beginnings[0], &*self.0].concat())
    }
}

fn without_drive(text: &str) -> &str {
    match text.as_bytes() {
        [drive, b':', b'\\' | b'/', ..] if drive.is_ascii_alphabetic() => &text[3..],
        _ => text,
    }
}

/// What every location of a transfer begins with: nothing, or folders with a `/` at the end.
///
/// It is the transfer's own, chosen by whoever exports, and becomes part of the location; the prefix that a *volume* has is
/// put before it by the platform. The `/` at the end may be left out when it is written; it is always there when it is
/// read.
///
/// ```
/// use cavatica_model::destination::Prefix;
/// use cavatica_model::Location;
///
/// let prefix: Prefix = "cohort 7/bam".parse()?;
/// let location: Location = "NA12878.bam".parse()?;
/// assert_eq!(prefix.join(&location)?.as_str(), "cohort 7/bam/NA12878.bam");
/// assert_eq!(Prefix::default().join(&location)?, location);
/// assert!("../elsewhere".parse::<Prefix>().is_err());
/// # Ok::<(), cavatica_model::destination::LocationError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Prefix(Box<str>);

impl Prefix {
    /// Empty, or with a `/` at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The location under this prefix.
    ///
    /// # Errors
    ///
    /// [`LocationFault::TooLong`] if the whole is longer than an S3 key may be.
    pub fn join(&self, location: &Location) -> Result<Location, LocationError> {
        if self.0.is_empty() {
            return Ok(location.clone());
        }
        [&*self.0, location.as_str()].concat().parse()
    }
}

impl FromStr for Prefix {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        if text.is_empty() {
            return Ok(Prefix::default());
        }
        let folders: Location = text.strip_suffix('/').unwrap_or(text).parse()?;
        Ok(Prefix(format!("{folders}/").into()))
    }
}

impl<'de> Deserialize<'de> for Prefix {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// Whether nothing can be wrong with a text, as with nearly all; looked at without a branch for each letter.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let printable = bytes
        .iter()
        .fold(true, |all, byte| all & (b' '..=b'~').contains(byte));
    let parted = bytes.windows(2).fold(true, |all, pair| {
        all & ((pair[0] != b'/') | ((pair[1] != b'/') & (pair[1] != b'.')))
    });
    let ends = !text.starts_with(['/', '.']) && !text.ends_with('/');
    printable && parted && ends && (1..=MAX_KEY_BYTES).contains(&text.len())
}

fn faults(text: &str) -> Vec<LocationFault> {
    if is_plain(text) {
        return Vec::new();
    }
    if text.is_empty() {
        return vec![LocationFault::Empty];
    }
    let mut faults = Vec::new();
    if text.starts_with('/') {
        faults.push(LocationFault::LeadingSlash);
    }
    if text.ends_with('/') {
        faults.push(LocationFault::TrailingSlash);
    }
    if text.as_bytes().windows(2).any(|pair| pair == b"//") {
        faults.push(LocationFault::EmptySegment);
    }
    if text
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
        faults.push(LocationFault::DotSegment);
    }
    let has_control = if text.is_ascii() {
        text.bytes().any(|byte| byte.is_ascii_control())
    } else {
        text.chars().any(char::is_control)
    };
    if has_control {
        faults.push(LocationFault::ControlCharacter);
    }
    if text.len() > MAX_KEY_BYTES {
        faults.push(LocationFault::TooLong { bytes: text.len() });
    }
    faults
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        let faults = faults(text);
        if faults.is_empty() {
            Ok(Location(text.into()))
        } else {
            Err(LocationError {
                text: text.into(),
                faults,
            })
        }
    }
}

impl<'de> Deserialize<'de> for Location {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl TryFrom<String> for Location {
    type Error = LocationError;

    fn try_from(text: String) -> Result<Self, LocationError> {
        text.parse()
    }
}

impl Borrow<str> for Location {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for Location {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All else is only slower.
    #[test]
    fn ordinary_texts_are_seen_to_be_plain() {
        let printable: String = (b' '..=b'~').map(char::from).collect();
        let longest = "a".repeat(MAX_KEY_BYTES);
        for text in ["a", "run/1.bam", "run.1/a..b", &printable, &longest] {
            assert!(is_plain(text), "{text}");
        }
    }
}
