//! The location of a file: what is known about it, put into a template, below a prefix.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::destination::{Field, LocationError, LocationFault, Prefix, Template};
use crate::finding::Reason;
use crate::template::Part;
use crate::{File, FileId, Location, ProjectId, TaskId, UnknownKeys};

/// What is known about a file when its location is decided.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
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
        self.reason().name
    }

    /// What it means in general, whatever the file.
    pub fn reason(&self) -> &'static Reason {
        match self {
            DestinationFault::Missing(_) => &Reason::FIELD_MISSING,
            DestinationFault::EmptyValue(_) => &Reason::FIELD_EMPTY,
            DestinationFault::SlashInValue { .. } => &Reason::FIELD_WITH_SLASH,
            DestinationFault::NotAText(_) => &Reason::FIELD_NOT_TEXT,
            DestinationFault::Location(_) => &Reason::LOCATION,
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
///
/// ```
/// use cavatica_model::destination::{FileFacts, Template};
/// use cavatica_model::Layout;
///
/// let mut facts = FileFacts::default();
/// facts.path = Some("run1");
/// facts.name = Some("a.bam");
/// let flat = Layout::new("archive/".parse()?, Template::flat());
/// assert_eq!(flat.location(&facts)?.as_str(), "archive/a.bam");
///
/// // What isn't known is an error, not a gap.
/// let by_task = Layout::new(flat.prefix, "{task}/{name}".parse()?);
/// assert_eq!(by_task.location(&facts).unwrap_err().to_string(), "the file has no `{task}`");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Layout {
    /// What every location begins with.
    pub prefix: Prefix,
    /// What follows, per file.
    pub template: Template,
}

impl Layout {
    /// Locations of this template, below this prefix.
    pub fn new(prefix: Prefix, template: Template) -> Self {
        Layout { prefix, template }
    }

    /// The location of a file.
    ///
    /// # Errors
    ///
    /// All reasons at once why there is none.
    pub fn location(&self, file: &FileFacts<'_>) -> Result<Location, DestinationError> {
        let mut faults = Vec::new();
        let mut key = String::new();
        for segment in self.template.segments() {
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
