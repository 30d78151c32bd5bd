//! The account behind a token.

use serde::{Deserialize, Serialize};

use crate::{Tri, UnknownKeys};

/// The user that a token belongs to; a cheap way to test one. Unset values are empty texts.
///
/// Source: <https://docs.cancergenomicscloud.org/reference/get-my-information>.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
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
