//! What the server remembers of its requests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the request of an object asked for besides its bytes, as the headers said it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// `x-amz-server-side-encryption`.
    pub sse: Option<String>,
    /// `x-amz-server-side-encryption-aws-kms-key-id`.
    pub kms_key_id: Option<String>,
    /// `x-amz-storage-class`.
    pub storage_class: Option<String>,
    /// `x-amz-acl`.
    pub acl: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub(crate) kept: BTreeMap<(String, String), Kept>,
    pub(crate) etags: BTreeMap<(String, String), String>,
    pub(crate) closed: BTreeSet<String>,
    pub(crate) slow_downs: u32,
    pub(crate) requests: u64,
}

/// What is locked is changed in single steps.
pub(crate) fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}
