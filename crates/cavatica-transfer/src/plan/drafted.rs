//! What the selection came to, before the locations are held against each other.

use super::error::Refusal;
use super::unplanned::Examples;
use crate::journal::Draft;

/// What the selection came to.
pub(super) struct Drafted {
    pub(super) draft: Draft,
    pub(super) refusal: Refusal,
    pub(super) left_out: Examples,
}
