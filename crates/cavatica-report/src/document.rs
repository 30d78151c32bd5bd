use serde::Serialize;

/// The version of `docs/json.md` that is written. A key that is removed or changes its meaning makes the next one; a key
/// that is added doesn't.
const VERSION: u32 = 1;

/// What programs read: an object, with the version of its shape as its first key.
#[derive(Debug, Serialize)]
pub struct Document<T> {
    version: u32,
    #[serde(flatten)]
    value: T,
}

impl<T: Serialize> Document<T> {
    /// The document of a value that is written as an object; anything else can't be written.
    pub fn new(value: T) -> Self {
        Document {
            version: VERSION,
            value,
        }
    }
}
