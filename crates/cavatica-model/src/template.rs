//! Where files go: a template that makes a location out of what is known about a file.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::Location;
use crate::destination::LocationFault;

/// Something about a file that a template can name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Field {
    /// `{id}`: the file's id.
    Id,
    /// `{name}`: the file's name, without folders.
    Name,
    /// `{path}`: the folders that the file lies in, from the project's root; empty for a file that lies in none.
    Path,
    /// `{project}`: the project's whole id, `owner/short-name`: two folders.
    Project,
    /// `{project.name}`: the project's short name alone. Two owners may have projects of the same short name.
    ProjectName,
    /// `{task}`: the id of the task whose output the file is.
    Task,
    /// `{metadata.FIELD}`: a metadata field.
    Metadata(String),
}

impl Field {
    /// Whether the field's value may be several folders, or none.
    pub(crate) fn spans_segments(&self) -> bool {
        match self {
            Field::Path | Field::Project => true,
            Field::Id | Field::Name | Field::ProjectName | Field::Task | Field::Metadata(_) => {
                false
            }
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Field::Id => f.write_str("{id}"),
            Field::Name => f.write_str("{name}"),
            Field::Path => f.write_str("{path}"),
            Field::Project => f.write_str("{project}"),
            Field::ProjectName => f.write_str("{project.name}"),
            Field::Task => f.write_str("{task}"),
            Field::Metadata(field) => write!(f, "{{metadata.{field}}}"),
        }
    }
}

impl FromStr for Field {
    type Err = TemplateError;

    /// Takes the field's name without the braces.
    fn from_str(text: &str) -> Result<Self, TemplateError> {
        Ok(match text {
            "id" => Field::Id,
            "name" => Field::Name,
            "path" => Field::Path,
            "project" => Field::Project,
            "project.name" => Field::ProjectName,
            "task" => Field::Task,
            _ => match text.strip_prefix("metadata.") {
                Some(field) if !field.is_empty() && !field.contains('/') => {
                    Field::Metadata(field.to_owned())
                }
                _ => return Err(TemplateError::UnknownField(text.to_owned())),
            },
        })
    }
}

/// Why a text can't be a [`Template`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// A field that nobody knows.
    #[error(
        "template field `{{{0}}}` is unknown; there are {{id}}, {{name}}, {{path}}, {{project}}, {{project.name}}, {{task}} and {{metadata.FIELD}}"
    )]
    UnknownField(String),
    /// A brace without its partner.
    #[error("template `{0}` has a single brace; write `{{{{` or `}}}}` for a brace itself")]
    LoneBrace(String),
    /// `{path}` or `{project}`, which may be several folders, within a name.
    #[error("template field `{0}` can be several folders, so it must stand alone between two `/`")]
    NotAlone(Field),
    /// All files would get the same location.
    #[error("template `{0}` has no field, so all files would get the same location")]
    NoField(String),
    /// The fixed text of the template can't be in a location.
    #[error("template `{template}`: {fault}")]
    Location {
        /// The template.
        template: String,
        /// What is wrong with it.
        fault: LocationFault,
    },
}

/// A recipe for locations, such as `{project}/{path}/{name}`.
///
/// Fields are those of [`Field`]; `{{` and `}}` are braces themselves. The default is `{path}/{name}`: the file's path in
/// its project. What isn't known about a file, is empty, or would change the number of folders (a metadata value with a
/// `/`) is an error, never a gap or a replacement: a file in the wrong place of a bucket is worse than one that waits.
///
/// ```
/// use cavatica_model::destination::{FileFacts, Template};
/// use cavatica_model::{Layout, ProjectId};
///
/// let project: ProjectId = "kids-first/cohort-7".parse()?;
/// let mut file = FileFacts::default();
/// file.project = Some(&project);
/// file.path = Some("run1/bam");
/// file.name = Some("NA12878.bam");
///
/// let layout = Layout::new("archive/".parse()?, "{project}/{path}/{name}".parse()?);
/// assert_eq!(layout.location(&file)?.as_str(), "archive/kids-first/cohort-7/run1/bam/NA12878.bam");
///
/// // The default keeps the folders, and adds nothing.
/// assert_eq!(Layout::default().location(&file)?.as_str(), "run1/bam/NA12878.bam");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template(Vec<Segment>);

/// What stands between two `/`.
type Segment = Vec<Part>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Text(String),
    Field(Field),
}

impl Template {
    /// `{name}`: all files in one folder. Files of the same name in different folders collide.
    pub fn flat() -> Self {
        Template(vec![vec![Part::Field(Field::Name)]])
    }

    /// What stands between the `/`.
    pub(crate) fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The fields that it names, in their order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().flatten().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Text(_) => None,
        })
    }
}

/// `{path}/{name}`.
impl Default for Template {
    fn default() -> Self {
        Template(vec![
            vec![Part::Field(Field::Path)],
            vec![Part::Field(Field::Name)],
        ])
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, TemplateError> {
        let segments: Vec<Segment> = text
            .split('/')
            .map(parse_segment)
            .collect::<Result<_, _>>()?;
        for segment in &segments {
            for part in segment {
                match part {
                    Part::Field(field) if field.spans_segments() && segment.len() > 1 => {
                        return Err(TemplateError::NotAlone(field.clone()));
                    }
                    Part::Field(_) | Part::Text(_) => {}
                }
            }
        }
        let template = Template(segments);

        // With a letter in the place of each field, what is wrong is wrong with the fixed text.
        let sample: Vec<String> = template
            .0
            .iter()
            .map(|segment| {
                segment
                    .iter()
                    .map(|part| match part {
                        Part::Text(text) => text,
                        Part::Field(_) => "x",
                    })
                    .collect()
            })
            .collect();
        if let Err(error) = sample.join("/").parse::<Location>() {
            let fault = error.faults()[0];
            return Err(TemplateError::Location {
                template: text.to_owned(),
                fault,
            });
        }
        if template.fields().next().is_none() {
            return Err(TemplateError::NoField(text.to_owned()));
        }
        Ok(template)
    }
}

fn parse_segment(segment: &str) -> Result<Segment, TemplateError> {
    let lone_brace = || TemplateError::LoneBrace(segment.to_owned());
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = segment;
    while let Some(position) = rest.find(['{', '}']) {
        literal.push_str(&rest[..position]);
        rest = &rest[position..];
        if let Some(after) = rest.strip_prefix("{{") {
            literal.push('{');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("}}") {
            literal.push('}');
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (field, after) = after.split_once('}').ok_or_else(lone_brace)?;
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(Part::Field(field.parse()?));
            rest = after;
        } else {
            return Err(lone_brace());
        }
    }
    literal.push_str(rest);
    if !literal.is_empty() {
        parts.push(Part::Text(literal));
    }
    Ok(parts)
}

/// Writes the template so that it can be parsed again.
impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            if position > 0 {
                f.write_str("/")?;
            }
            for part in segment {
                match part {
                    Part::Text(text) => {
                        f.write_str(&text.replace('{', "{{").replace('}', "}}"))?;
                    }
                    Part::Field(field) => write!(f, "{field}")?,
                }
            }
        }
        Ok(())
    }
}

impl Serialize for Template {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}
