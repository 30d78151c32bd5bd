//! Where in a bucket the platform is expected to put what is exported to a location.
//!
//! No page says how a volume's prefix and a location are joined. The examples, the policies that the platform asks for
//! (`BUCKET/PREFIX/*`) and an alias in an answer speak for one `/` between them (*inferred*). Whoever asks the platform
//! needs no key; whoever looks into the bucket itself tries all of them.

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
