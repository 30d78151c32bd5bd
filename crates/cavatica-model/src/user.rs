//! The account behind a token.

use serde::{Deserialize, Serialize};

use crate::{Tri, UnknownKeys};

/// The user that a token belongs to; a cheap way to test one. Unset values are empty texts.
///
/// Source: <https://docs.cancergenomicscloud.org/reference/get-my-information>.
///
/// ```
/// use cavatica_model::account::User;
///
/// let user: User = serde_json::from_str(r#"{"username": "rfranklin", "email": "", "city": "London"}"#)?;
/// assert_eq!(user.username.value().map(String::as_str), Some("rfranklin"));
/// assert_eq!(user.unknown["city"], "London");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct User {
    /// The URL of this user.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub href: Tri<String>,
    /// The account's name.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub username: Tri<String>,
    /// The account's address.
    #[serde(default, skip_serializing_if = "Tri::is_absent")]
    pub email: Tri<String>,
    /// Everything else: names, affiliation, address.
    #[serde(flatten)]
    pub unknown: UnknownKeys,
}
