//! Which files of a project or folder are meant.

use std::fmt;

use cavatica_exports::model::File;

use super::glob::Glob;

/// What a file must be like to be planned. Files that aren't are passed over and not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The name fits one of these; any name if empty.
    pub names: Vec<Glob>,
    /// All these metadata fields have these values.
    pub metadata: Vec<(String, String)>,
    /// The file has all these tags.
    pub tags: Vec<String>,
}

impl Filter {
    /// Whether a file is meant.
    pub fn fits(&self, file: &File) -> bool {
        let name = file.name.value().map_or("", String::as_str);
        (self.names.is_empty() || self.names.iter().any(|glob| glob.fits(name)))
            && self
                .metadata
                .iter()
                .all(|(field, value)| has(file, field, value))
            && self.tags.iter().all(|tag| {
                let tags = file.tags.value();
                tags.is_some_and(|tags| tags.contains(tag))
            })
    }
}

/// Values of metadata are mostly texts; others are compared as they are written.
fn has(file: &File, field: &str, wanted: &str) -> bool {
    match file
        .metadata
        .value()
        .and_then(|metadata| metadata.get(field))
    {
        Some(serde_json::Value::String(text)) => text == wanted,
        Some(other) => {
            let written = other.to_string();
            written == wanted
        }
        None => false,
    }
}

/// As in `, name *.bam, where sample_id=NA12878, tag final`.
impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.names {
            write!(f, ", name {name}")?;
        }
        for (field, value) in &self.metadata {
            write!(f, ", where {field}={value}")?;
        }
        for tag in &self.tags {
            write!(f, ", tag {tag}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use cavatica_exports::model::Tri;

    use super::*;

    #[test]
    fn everything_that_is_asked_must_be_so() {
        let file: File = serde_json::from_str(
            r#"{"id": "568cf5dce4b0307bc0462060", "name": "a.bam", "tags": ["final", "hg38"],
                "metadata": {"sample_id": "NA12878", "lane": 3}}"#,
        )
        .expect("a file");
        let field = |field: &str, value: &str| (field.to_owned(), value.to_owned());
        let all = Filter {
            names: vec![Glob::new("*.cram"), Glob::new("*.bam")],
            metadata: vec![field("sample_id", "NA12878"), field("lane", "3")],
            tags: vec!["hg38".to_owned()],
        };
        assert!(all.fits(&file));
        assert_eq!(
            all.to_string(),
            ", name *.cram, name *.bam, where sample_id=NA12878, where lane=3, tag hg38"
        );
        for other in [
            Filter {
                names: vec![Glob::new("*.cram")],
                ..Filter::default()
            },
            Filter {
                metadata: vec![field("sample_id", "NA12891")],
                ..Filter::default()
            },
            Filter {
                metadata: vec![field("case_id", "")],
                ..Filter::default()
            },
            Filter {
                tags: vec!["hg38".to_owned(), "draft".to_owned()],
                ..Filter::default()
            },
        ] {
            assert!(!other.fits(&file), "{other}");
        }
        let bare = File {
            tags: Tri::Absent,
            ..file
        };
        assert!(!all.fits(&bare));
    }
}
