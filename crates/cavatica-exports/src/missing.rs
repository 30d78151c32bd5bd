//! What the platform doesn't have, or doesn't show to the caller.

use std::fmt;

use crate::transport::{Error, Fault, Outcome};

/// Something that a call named and that isn't there: the platform doesn't tell that from what the caller may not see.
///
/// ```
/// # async fn demo(volumes: cavatica_exports::Volumes) -> Result<(), Box<dyn std::error::Error>> {
/// use cavatica_exports::{Missing, Resource};
///
/// let error = volumes.get(&"rfranklin/outptu".parse()?).await.unwrap_err();
/// if let Some(Missing { resource: Resource::Volume, id, .. }) = Missing::of(&error) {
///     println!("there is no volume {id}");
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Missing {
    /// What it is.
    pub resource: Resource,
    /// Its id.
    pub id: String,
}

/// The kinds of things that calls name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Resource {
    /// A project, as `owner/short-name`.
    Project,
    /// A folder of a project, by its id.
    Folder,
    /// A file of a project, by its id.
    File,
    /// A task.
    Task,
    /// A volume, as `owner/name`.
    Volume,
    /// A member of a volume, by the user's name.
    Member,
    /// An object on a volume, by its location.
    Object,
    /// An export job.
    ExportJob,
}

impl Resource {
    /// What this crate's calls name so.
    fn of_kind(kind: &str) -> Option<Self> {
        Some(match kind {
            "project" => Resource::Project,
            "folder" => Resource::Folder,
            "file" => Resource::File,
            "task" => Resource::Task,
            "volume" => Resource::Volume,
            "member" => Resource::Member,
            "object" => Resource::Object,
            "export" => Resource::ExportJob,
            _ => return None,
        })
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Resource::Project => "project",
            Resource::Folder => "folder",
            Resource::File => "file",
            Resource::Task => "task",
            Resource::Volume => "volume",
            Resource::Member => "member",
            Resource::Object => "object",
            Resource::ExportJob => "export job",
        }
    }

    /// What a code of the platform says isn't there.
    ///
    /// Source: <https://docs.cavatica.org/docs/api-status-codes>.
    fn of_code(code: i64) -> Option<Self> {
        Some(match code {
            3002 => Resource::Project,
            5002 | 9009 | 9106 => Resource::File,
            7002 => Resource::Task,
            9007 | 9104 => Resource::Volume,
            9008 => Resource::ExportJob,
            _ => return None,
        })
    }
}

impl Missing {
    /// What an error says isn't there: what its code means, if the call named such a thing, else what the call named last.
    /// `None` for every other error, and for a call that named nothing.
    pub fn of(error: &Error) -> Option<Self> {
        let is_missing = *error.outcome() == Outcome::Refused
            && error.status() == Some(404)
            && *error.fault() != Fault::NoSuchCall;
        if !is_missing {
            return None;
        }
        let meant = error.code().and_then(Resource::of_code);
        let mut named = error.named().iter().filter_map(|named| {
            let resource = Resource::of_kind(&named.kind)?;
            Some((resource, &named.id))
        });
        let of_code = |(resource, _): &(Resource, _)| Some(*resource) == meant;
        let (resource, id) = named.clone().find(of_code).or(named.next_back())?;
        Some(Missing {
            resource,
            id: id.clone(),
        })
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.resource.name(), self.id)
    }
}
