//! What answers hold that this version has no field for.

use serde_json::{Map, Value};

/// Keys that this version of the crate has no field for, kept so that they can be written again.
pub type UnknownKeys = Map<String, Value>;
