//! A set of tags for each object.
//!
//! S3 takes at most 10 tags on an object, keys of 128 and values of 256 UTF-16 units, made of letters, numbers, spaces and
//! `+ - = . _ : / @`. Sources: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>,
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_Tag.html>.

use std::collections::BTreeSet;
use std::io::Write;

use serde::Serialize;
use serde_json::{Map, Value};

use super::sheet::json_line;
use crate::format::{ReportError, Written};
use crate::rows::{bucket, each_item, key};
use cavatica_transfer::journal::{ItemRow, TransferFile};
use cavatica_transfer::state::State;

const MOST_TAGS: usize = 10;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// The arguments of one call, spelt as `aws s3api put-object-tagging --cli-input-json` reads them.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TaggingCall<'a> {
    bucket: &'a str,
    key: String,
    tagging: Tagging,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tagging {
    tag_set: Vec<Tag>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Tag {
    key: String,
    value: String,
}

pub(super) fn write(
    transfers: &[TransferFile],
    out: &mut dyn Write,
) -> Result<Written, ReportError> {
    let mut written = Written::default();
    for transfer in transfers {
        let terms = transfer.terms();
        let bucket = bucket(terms)?;
        each_item(transfer, |item| {
            if !matches!(item.state, State::Completed { .. }) {
                return Ok(());
            }
            written.rows += 1;
            let mut set = TagSet::default();
            set.fill(&item);
            written.altered_tags += set.altered;
            let call = TaggingCall {
                bucket,
                key: key(terms, &item),
                tagging: Tagging { tag_set: set.tags },
            };
            json_line(&call, out).map_err(ReportError::Write)
        })?;
    }
    out.flush()?;
    Ok(written)
}

/// Tags as S3 takes them.
#[derive(Debug, Default)]
struct TagSet {
    tags: Vec<Tag>,
    keys: BTreeSet<String>,
    /// How many were respelt, shortened or left out.
    altered: u64,
}

impl TagSet {
    /// Where the object comes from, then the chosen metadata as far as there is room.
    fn fill(&mut self, item: &ItemRow) {
        self.add("cavatica:file_id", item.file.as_str());
        for (name, value) in [
            ("cavatica:project", &item.project),
            ("cavatica:task", &item.task),
            ("cavatica:app", &item.app),
        ] {
            if let Some(value) = value {
                self.add(name, value);
            }
        }
        let metadata = item.metadata.as_deref().unwrap_or("{}");
        let fields: Map<String, Value> = serde_json::from_str(metadata).unwrap_or_default();
        for (name, value) in &fields {
            match value {
                Value::Null => {}
                Value::String(text) => self.add(name, text),
                Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    self.add(name, &value.to_string());
                }
            }
        }
    }

    fn add(&mut self, name: &str, value: &str) {
        let key = fitted(name, LONGEST_KEY);
        let room = self.tags.len() < MOST_TAGS;
        // Keys that begin like this belong to Amazon.
        let reserved = key.to_lowercase().starts_with("aws:");
        if key.is_empty() || reserved || !room || !self.keys.insert(key.clone()) {
            self.altered += 1;
            return;
        }
        let fitted = fitted(value, LONGEST_VALUE);
        self.altered += u64::from(key != name || fitted != value);
        self.tags.push(Tag { key, value: fitted });
    }
}

/// The text with `_` for every character that S3 refuses, cut to so many UTF-16 units.
fn fitted(text: &str, longest: usize) -> String {
    let mut units = 0;
    text.chars()
        .map(|c| if is_allowed(c) { c } else { '_' })
        .take_while(|c| {
            units += c.len_utf16();
            units <= longest
        })
        .collect()
}

fn is_allowed(c: char) -> bool {
    c.is_alphabetic() || c.is_numeric() || " +-=._:/@".contains(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_s3_refuses_is_respelt_shortened_or_left_out_and_counted() {
        let mut set = TagSet::default();
        set.add("sample_id", "BS-1");
        set.add("note", "a*b?c");
        set.add("sample_id", "again");
        set.add("aws:mine", "no");
        set.add("long", &"\u{1d538}".repeat(200));
        let tags: Vec<_> = set
            .tags
            .iter()
            .map(|tag| (&*tag.key, &*tag.value))
            .collect();
        let long = "\u{1d538}".repeat(128);
        assert_eq!(
            tags,
            [("sample_id", "BS-1"), ("note", "a_b_c"), ("long", &*long)]
        );
        assert_eq!(set.altered, 4);
    }

    proptest! {
        #[test]
        fn every_set_is_one_that_s3_takes(fields in proptest::collection::vec((".*", ".*"), 0..20)) {
            let mut set = TagSet::default();
            for (name, value) in &fields {
                set.add(name, value);
            }
            prop_assert!(set.tags.len() <= MOST_TAGS);
            let mut keys = BTreeSet::new();
            for tag in &set.tags {
                prop_assert!((1..=128).contains(&tag.key.encode_utf16().count()));
                prop_assert!(tag.value.encode_utf16().count() <= 256);
                prop_assert!(tag.key.chars().chain(tag.value.chars()).all(is_allowed));
                prop_assert!(keys.insert(&tag.key));
            }
        }
    }
}
