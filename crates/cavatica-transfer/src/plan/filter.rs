//! Which files of a project or folder are meant.

use std::fmt;

use cavatica_exports::model::File;

use super::glob::Glob;

/// What a file must be like to be planned. Files that aren't are passed over and not listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
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
        self.clauses().all(|clause| clause.fits(file))
    }

    fn clauses(&self) -> impl Iterator<Item = Clause<'_>> {
        let names = Some(&self.names).filter(|names| !names.is_empty());
        let names = names.map(|names| Clause::Names(names));
        let fields = self
            .metadata
            .iter()
            .map(|(field, value)| Clause::Field(field, value));
        names
            .into_iter()
            .chain(fields)
            .chain(self.tags.iter().map(|tag| Clause::Tag(tag)))
    }
}

/// One of the things that a filter asks.
enum Clause<'f> {
    Names(&'f [Glob]),
    Field(&'f str, &'f str),
    Tag(&'f str),
}

impl Clause<'_> {
    fn fits(&self, file: &File) -> bool {
        match self {
            Clause::Names(globs) => {
                let name = file.name.value().map_or("", String::as_str);
                globs.iter().any(|glob| glob.fits(name))
            }
            Clause::Field(field, value) => has(file, field, value),
            Clause::Tag(tag) => file
                .tags
                .value()
                .is_some_and(|tags| tags.iter().any(|it| it == tag)),
        }
    }
}

/// As in `name *.bam or *.cram`.
impl fmt::Display for Clause<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Clause::Names(globs) => {
                let globs: Vec<String> = globs.iter().map(Glob::to_string).collect();
                write!(f, "name {}", globs.join(" or "))
            }
            Clause::Field(field, value) => write!(f, "{field}={value}"),
            Clause::Tag(tag) => write!(f, "tag {tag}"),
        }
    }
}

/// A filter at work, which remembers what it kept back.
#[derive(Default)]
pub(super) struct Tally<'f> {
    /// What is asked, and how many files were left after it.
    clauses: Vec<(Clause<'f>, u64)>,
    files: u64,
}

impl<'f> Tally<'f> {
    pub(super) fn new(filter: &'f Filter) -> Self {
        Tally {
            clauses: filter.clauses().map(|clause| (clause, 0)).collect(),
            files: 0,
        }
    }

    /// Whether a file is meant.
    pub(super) fn fits(&mut self, file: &File) -> bool {
        self.files += 1;
        self.clauses.iter_mut().all(|(clause, left)| {
            let fits = clause.fits(file);
            *left += u64::from(fits);
            fits
        })
    }

    /// Why no file was left.
    pub(super) fn why_nothing(&self) -> String {
        if self.files == 0 {
            return "there is no file in it".to_owned();
        }
        let mut before = self.files;
        for (clause, left) in &self.clauses {
            if *left == 0 {
                return if before == self.files {
                    format!("none of its {} has {clause}", files(before))
                } else {
                    format!(
                        "none of the {} that fit what else is asked has {clause}",
                        files(before)
                    )
                };
            }
            before = *left;
        }
        format!("none of its {} is left", files(self.files))
    }
}

fn files(count: u64) -> String {
    match count {
        1 => "1 file".to_owned(),
        count => format!("{count} files"),
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
        let mut bare = file;
        bare.tags = Tri::Absent;
        assert!(!all.fits(&bare));
    }
}
