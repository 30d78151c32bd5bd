//! Where files go: a template that makes a location out of what is known about a file.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use crate::{
    File, FileId, Location, LocationError, LocationFault, Prefix, ProjectId, TaskId, UnknownKeys,
};

/// Something about a file that a template can name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
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
    fn spans_segments(&self) -> bool {
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

/// How far the locations that a template makes keep files apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Separation {
    /// Different files can get the same location; look for collisions.
    NotGuaranteed,
    /// Files of one project that differ in path or name get different locations.
    WithinProject,
    /// Different files get different locations.
    Everywhere,
}

/// A recipe for locations, such as `{project}/{path}/{name}`.
///
/// Fields are those of [`Field`]; `{{` and `}}` are braces themselves. The default is `{path}/{name}`: the file's path in
/// its project. What isn't known about a file, is empty, or would change the number of folders (a metadata value with a
/// `/`) is an error, never a gap or a replacement: a file in the wrong place of a bucket is worse than one that waits.
///
/// ```
/// use cavatica_model::{FileFacts, Layout, ProjectId, Template};
///
/// let project: ProjectId = "kids-first/cohort-7".parse()?;
/// let file = FileFacts { project: Some(&project), path: Some("run1/bam"), name: Some("NA12878.bam"), ..FileFacts::default() };
///
/// let layout = Layout { prefix: "archive/".parse()?, template: "{project}/{path}/{name}".parse()? };
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
enum Part {
    Text(String),
    Field(Field),
}

impl Template {
    /// `{name}`: all files in one folder. Files of the same name in different folders collide.
    pub fn flat() -> Self {
        Template(vec![vec![Part::Field(Field::Name)]])
    }

    /// The fields that it names, in their order.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.0.iter().flatten().filter_map(|part| match part {
            Part::Field(field) => Some(field),
            Part::Text(_) => None,
        })
    }

    /// How far its locations keep files apart.
    ///
    /// A field counts where it stands alone between two `/`: only there can it be read back from the location. `{path}`
    /// has any number of folders, so with two of them nothing could be read back.
    pub fn separation(&self) -> Separation {
        let alone = |wanted: &Field| {
            self.0
                .iter()
                .any(|segment| matches!(&segment[..], [Part::Field(field)] if field == wanted))
        };
        let paths = self.fields().filter(|field| **field == Field::Path).count();
        if paths > 1 {
            Separation::NotGuaranteed
        } else if alone(&Field::Id) {
            Separation::Everywhere
        } else if paths == 1 && alone(&Field::Name) {
            if alone(&Field::Project) {
                Separation::Everywhere
            } else {
                Separation::WithinProject
            }
        } else {
            Separation::NotGuaranteed
        }
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

/// What is known about a file when its location is decided.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileFacts<'a> {
    /// The file's id.
    pub id: Option<&'a FileId>,
    /// The file's name, without folders.
    pub name: Option<&'a str>,
    /// The folders that it lies in, from the project's root, with `/` between them; empty for a file that lies in none.
    pub path: Option<&'a str>,
    /// The project that it belongs to.
    pub project: Option<&'a ProjectId>,
    /// The task whose output it is.
    pub task: Option<&'a TaskId>,
    /// Its metadata.
    pub metadata: Option<&'a UnknownKeys>,
}

impl<'a> FileFacts<'a> {
    /// What the platform tells about a file, and the folders that it was found in.
    pub fn of(file: &'a File, path: Option<&'a str>) -> Self {
        FileFacts {
            id: Some(&file.id),
            name: file.name.value().map(String::as_str),
            path,
            project: file.project.value(),
            task: file.origin.value().and_then(|origin| origin.task.value()),
            metadata: file.metadata.value(),
        }
    }

    fn value(&self, field: &Field) -> Result<Cow<'a, str>, DestinationFault> {
        let missing = || DestinationFault::Missing(field.clone());
        let value = match field {
            Field::Id => self.id.map(FileId::as_str).map(Cow::Borrowed),
            Field::Name => self.name.map(Cow::Borrowed),
            Field::Path => self.path.map(Cow::Borrowed),
            Field::Project => self.project.map(ProjectId::as_str).map(Cow::Borrowed),
            Field::ProjectName => self.project.map(ProjectId::name).map(Cow::Borrowed),
            Field::Task => self.task.map(TaskId::as_str).map(Cow::Borrowed),
            Field::Metadata(name) => match self.metadata.and_then(|metadata| metadata.get(name)) {
                None | Some(Value::Null) => None,
                Some(Value::String(text)) => Some(Cow::Borrowed(text.as_str())),
                Some(value @ (Value::Bool(_) | Value::Number(_))) => {
                    Some(Cow::Owned(value.to_string()))
                }
                Some(Value::Array(_) | Value::Object(_)) => {
                    return Err(DestinationFault::NotAText(field.clone()));
                }
            },
        }
        .ok_or_else(missing)?;
        if !field.spans_segments() {
            if value.is_empty() {
                return Err(DestinationFault::EmptyValue(field.clone()));
            }
            if value.contains('/') {
                return Err(DestinationFault::SlashInValue {
                    field: field.clone(),
                    value: value.into_owned(),
                });
            }
        }
        Ok(value)
    }
}

/// One reason why a file gets no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationFault {
    /// The template names something that isn't known about the file.
    #[error("the file has no `{0}`")]
    Missing(Field),
    /// The template names something that is empty.
    #[error("the file's `{0}` is empty")]
    EmptyValue(Field),
    /// The value would make more folders than the template shows.
    #[error("the file's `{field}` is `{value}`, and its `/` would make folders of its own")]
    SlashInValue {
        /// The field.
        field: Field,
        /// Its value.
        value: String,
    },
    /// The value is a list or an object.
    #[error("the file's `{0}` is a list or an object, not a text")]
    NotAText(Field),
    /// What came out can't be a location.
    #[error("the location is bad: {0}")]
    Location(LocationFault),
}

impl DestinationFault {
    /// A name for programs and filters; it doesn't change.
    pub fn name(&self) -> &'static str {
        match self {
            DestinationFault::Missing(_) => "field-missing",
            DestinationFault::EmptyValue(_) => "field-empty",
            DestinationFault::SlashInValue { .. } => "field-with-slash",
            DestinationFault::NotAText(_) => "field-not-text",
            DestinationFault::Location(_) => "location",
        }
    }
}

/// A file that gets no location, with every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestinationError(Vec<DestinationFault>);

impl DestinationError {
    /// Every reason, at least one.
    pub fn faults(&self) -> &[DestinationFault] {
        &self.0
    }
}

impl From<LocationError> for DestinationError {
    fn from(error: LocationError) -> Self {
        let faults = error.faults().iter().copied();
        DestinationError(faults.map(DestinationFault::Location).collect())
    }
}

impl fmt::Display for DestinationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if position > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl std::error::Error for DestinationError {}

/// Where the files of a transfer go: a prefix for all, and a template for what follows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Layout {
    /// What every location begins with.
    pub prefix: Prefix,
    /// What follows, per file.
    pub template: Template,
}

impl Layout {
    /// The location of a file.
    ///
    /// # Errors
    ///
    /// All reasons at once why there is none.
    pub fn location(&self, file: &FileFacts<'_>) -> Result<Location, DestinationError> {
        let mut faults = Vec::new();
        let mut key = String::new();
        for segment in &self.template.0 {
            let begin = key.len();
            for part in segment {
                match part {
                    Part::Text(text) => key.push_str(text),
                    Part::Field(field) => match file.value(field) {
                        Ok(value) => key.push_str(&value),
                        Err(fault) => faults.push(fault),
                    },
                }
            }
            // Only `{path}` can be empty here without a fault: the file lies in no folder, so there is no folder to name.
            if key.len() > begin {
                key.push('/');
            }
        }
        key.pop();
        if !faults.is_empty() {
            return Err(DestinationError(faults));
        }
        key.parse()
            .and_then(|location| self.prefix.join(&location))
            .map_err(DestinationError::from)
    }

    /// The location of a file for which one was named: the prefix goes before it, the template isn't asked.
    ///
    /// # Errors
    ///
    /// If the whole is longer than an S3 key may be.
    pub fn location_as_named(&self, named: &Location) -> Result<Location, DestinationError> {
        Ok(self.prefix.join(named)?)
    }
}
