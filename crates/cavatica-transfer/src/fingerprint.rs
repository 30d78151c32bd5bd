//! What a second person approves: one number over everything that would be sent.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A SHA-256 over the terms of a transfer and every file with its location. Two plans that would send the same have the
/// same fingerprint, however the files were found.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Fingerprint)
    }

    /// What a second person approves for all parts of a plan: a SHA-256 over their fingerprints, in their order.
    pub(crate) fn over<'a>(parts: impl IntoIterator<Item = &'a Fingerprint>) -> Self {
        // Terms are JSON, so no plan has this one.
        let mut hash = Sha256::new_with_prefix("parts");
        for part in parts {
            hash.update(part.0);
        }
        Fingerprint(hash.finalize().into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is no fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no fingerprint; it has 64 hex digits, as `plan` prints it")]
pub struct FingerprintError(String);

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut bytes = [0; 32];
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(FingerprintError(text.to_owned()));
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = std::str::from_utf8(pair)
                .ok()
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or_else(|| FingerprintError(text.to_owned()))?;
        }
        Ok(Fingerprint(bytes))
    }
}

/// The hashes of items lie apart by their first bits: a part fits where a plan's other tables were before, and one large
/// block would lie beside all that the allocator hasn't given back yet.
const PARTS: usize = 64;

/// Takes files in any order. 32 bytes of memory for each.
pub(crate) struct Fingerprinter {
    terms: Sha256,
    items: [Vec<[u8; 32]>; PARTS],
}

impl Fingerprinter {
    pub(crate) fn new(terms: &impl Serialize, files: usize) -> Self {
        let mut hash = Sha256::new();
        // JSON of a struct: fields in a fixed order, no two contents with one text.
        hash.update(serde_json::to_vec(terms).expect("terms are plain data"));
        Fingerprinter {
            terms: hash,
            // The parts of many files are alike; what one of few is too small by is nothing.
            items: std::array::from_fn(|_| Vec::with_capacity(files / PARTS * 17 / 16)),
        }
    }

    /// Takes one file; the location is relative to the prefix, which the terms have.
    pub(crate) fn add(
        &mut self,
        file: &str,
        location: &str,
        may_overwrite: bool,
        properties: Option<&str>,
    ) {
        // Neither ids nor locations hold control characters, so no two items have one text.
        let mut hash = Sha256::new();
        hash.update(file);
        hash.update([0, u8::from(may_overwrite)]);
        hash.update(location);
        if let Some(properties) = properties {
            hash.update([0]);
            hash.update(properties);
        }
        let hash: [u8; 32] = hash.finalize().into();
        self.items[usize::from(hash[0]) * PARTS / 256].push(hash);
    }

    pub(crate) fn finish(mut self) -> Fingerprint {
        for part in &mut self.items {
            part.sort_unstable();
            self.terms.update(part.as_flattened());
        }
        Fingerprint(self.terms.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_over_the_hashes_of_all_items_in_their_order() {
        let files: Vec<String> = (0..1_000).map(|file| format!("{file:024x}")).collect();
        let mut printer = Fingerprinter::new(&"terms", files.len());
        for file in &files {
            printer.add(file, "a.bam", false, None);
        }
        let item = |file: &String| Sha256::digest(format!("{file}\0\0a.bam"));
        let mut items: Vec<_> = files.iter().map(item).collect();
        items.sort_unstable();
        let mut whole = Sha256::new_with_prefix("\"terms\"");
        items.iter().for_each(|item| whole.update(item));
        assert_eq!(printer.finish(), Fingerprint(whole.finalize().into()));
    }
}
