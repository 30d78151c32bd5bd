//! Where in a bucket the platform is expected to put what is exported to a location.
//!
//! No page says how a volume's prefix and a location are joined. The examples, the policies that the platform asks for
//! (`BUCKET/PREFIX/*`) and an alias in an answer speak for one `/` between them (*inferred*). Whoever asks the platform
//! needs no key; whoever looks into the bucket itself tries all of them.

use crate::Volume;

/// What may stand in the bucket before every location of a volume with this prefix, the expected one first.
///
/// ```
/// use cavatica_model::volume::key_beginnings;
///
/// assert_eq!(key_beginnings(""), [""]);
/// assert_eq!(key_beginnings("lab"), ["lab/", "lab"]);
/// assert_eq!(key_beginnings("lab/"), ["lab/", "lab//"]);
/// ```
pub fn key_beginnings(volume_prefix: &str) -> Vec<String> {
    let with_slash = format!("{volume_prefix}/");
    match volume_prefix {
        "" => vec![String::new()],
        prefix if prefix.ends_with('/') => vec![prefix.to_owned(), with_slash],
        prefix => vec![with_slash, prefix.to_owned()],
    }
}

/// What is expected to stand in the bucket before every location of a volume with this prefix.
pub fn expected_beginning(volume_prefix: &str) -> String {
    key_beginnings(volume_prefix).swap_remove(0)
}

impl Volume {
    /// Whether an object of one volume may lie at the same key as one of the other: they have the same bucket, and one's
    /// keys may be among the other's, however prefix and location are joined.
    ///
    /// ```
    /// use cavatica_model::Volume;
    ///
    /// let volume = |prefix: &str| -> Volume {
    ///     let service = serde_json::json!({"type": "s3", "bucket": "lab", "prefix": prefix});
    ///     serde_json::from_value(serde_json::json!({"id": "ada/v", "service": service})).unwrap()
    /// };
    /// assert!(volume("").may_share_keys(&volume("run1")));
    /// assert!(volume("run").may_share_keys(&volume("run1")), "`run` + `1/a` is `run1/a` without a `/` between");
    /// assert!(!volume("run1/").may_share_keys(&volume("run2")));
    /// ```
    pub fn may_share_keys(&self, other: &Volume) -> bool {
        let service = |volume: &Volume| {
            volume
                .service_type()
                .map(|kind| kind.as_str().to_lowercase())
        };
        let same_bucket = self.bucket().is_some()
            && self.bucket() == other.bucket()
            && service(self) == service(other);
        let others = key_beginnings(other.prefix());
        let mut pairs = key_beginnings(self.prefix())
            .into_iter()
            .flat_map(|one| others.iter().map(move |other| (one.clone(), other)));
        same_bucket && pairs.any(|(one, other)| one.starts_with(other) || other.starts_with(&one))
    }
}
