//! Files and folders: one, or one level.

use cavatica_model::{ApiError, TaskId};
use serde_json::Value;

use super::request::Request;
use crate::clock::Millis;
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply};
use crate::wire::query::Query;
use crate::wire::refusal::Code;
use crate::world::{Node, NodeKind, World};

pub(super) const SHOWN_IN_LISTS: &[&str] = &["href", "id", "name", "project", "parent", "type"];

/// Source: <https://docs.cavatica.org/reference/get-file-details>.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let file = state
        .world
        .file_by_id(request.id())
        .ok_or_else(|| Code::NO_FILE.error())?;
    let file = state.world.file_view(file, &request.links);
    Ok(Reply::json(Fields::of_detail(&request.query).choose(&file)))
}

/// The fields and values of a file alone.
pub(super) fn metadata(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let file = state
        .world
        .file_by_id(request.id())
        .ok_or_else(|| Code::NO_FILE.error())?;
    let file = state.world.file_view(file, &request.links);
    Ok(Reply::json(file.metadata.into_value().unwrap_or_default()))
}

/// One level of a project or folder, not what lies deeper.
///
/// Source: <https://docs.cavatica.org/reference/list-files-primary-method>.
pub(super) fn list(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    page(hub, named_folder(hub, &request.query)?, request)
}

pub(super) fn list_folder(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    page(hub, folder_by_id(hub, request.id())?, request)
}

fn page(hub: &Hub, folder: u32, request: &Request) -> Result<Reply, ApiError> {
    let window = request.query.window()?;
    disturb(hub, request, folder, window.offset)?;
    let fields = Fields::of_list(&request.query, SHOWN_IN_LISTS);
    let filter = FileFilter::new(&request.query);
    let as_of = as_of(request, hub.platform.clock.now());
    let state = hub.platform.state();
    let world = &state.world;
    let children = world.children(folder).unwrap_or_default();
    let view = |number: &u32| fields.choose(&world.file_view_as_of(*number, &request.links, as_of));
    let (items, total) = if filter.is_open() && !world.any_gone() && as_of == Millis::MAX {
        let items = super::request::slice(children, window).iter().map(view);
        (items.collect::<Vec<_>>(), children.len())
    } else {
        let matching: Vec<u32> = children
            .iter()
            .copied()
            .filter(|number| filter.shows(world, *number, as_of))
            .collect();
        let items = super::request::slice(&matching, window).iter().map(view);
        (items.collect(), matching.len())
    };
    Ok(Reply::page(&request.listing(), items, window, total))
}

/// As of when lists of files are; the end of time if they are of now.
pub(super) fn as_of(request: &Request, now: Millis) -> Millis {
    match request.files_shown.late_by {
        0 => Millis::MAX,
        late_by => now.saturating_sub(late_by),
    }
}

/// Lets somebody change a folder of which so many entries have been read, if that is to happen.
pub(super) fn disturb(
    hub: &Hub,
    request: &Request,
    folder: u32,
    read: usize,
) -> Result<(), ApiError> {
    if !request.files_shown.restless || read == 0 {
        return Ok(());
    }
    let disturbed = hub.platform.disturb(folder, read);
    disturbed.map_err(|_| Code::UNAVAILABLE.error())
}

/// The folder that a list's parameters name, by project or by parent.
pub(super) fn named_folder(hub: &Hub, query: &Query) -> Result<u32, ApiError> {
    match (query.get("project"), query.get("parent")) {
        (Some(_), Some(_)) => Err(Code::PARENT_AND_PROJECT.error()),
        (None, None) => Err(Code::PARENT_OR_PROJECT_MISSING.error()),
        (Some(project), None) => {
            let state = hub.platform.state();
            let project = state.world.project(project);
            let (_, project) = project.ok_or_else(|| Code::NO_PROJECT.error())?;
            Ok(project.root)
        }
        (None, Some(parent)) => folder_by_id(hub, parent),
    }
}

pub(super) fn folder_by_id(hub: &Hub, id: &str) -> Result<u32, ApiError> {
    let world = &hub.platform.state().world;
    let number = world.file_by_id(id).ok_or_else(|| Code::NO_FILE.error())?;
    let folder = world.children(number).map(|_| number);
    folder.ok_or_else(|| Code::NOT_A_FOLDER.error())
}

/// Values of one parameter are alternatives; different parameters must all agree.
pub(super) struct FileFilter<'a> {
    names: Vec<&'a str>,
    tags: Vec<&'a str>,
    tasks: Vec<&'a str>,
    metadata: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> FileFilter<'a> {
    pub(super) fn new(query: &'a Query) -> Self {
        let mut metadata: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in query.pairs() {
            let Some(field) = name.strip_prefix("metadata.") else {
                continue;
            };
            match metadata.iter_mut().find(|(known, _)| *known == field) {
                Some((_, values)) => values.push(value),
                None => metadata.push((field, vec![value])),
            }
        }
        FileFilter {
            // An empty name is a name that no file has; an official client sends it for an empty list of names.
            names: query
                .pairs()
                .filter(|(name, _)| *name == "name")
                .map(|(_, value)| value)
                .collect(),
            tags: query.all("tag").collect(),
            tasks: query.all("origin.task").collect(),
            metadata,
        }
    }

    fn is_open(&self) -> bool {
        self.names.is_empty()
            && self.tags.is_empty()
            && self.tasks.is_empty()
            && self.metadata.is_empty()
    }

    /// Whether a list shows a file or folder that is, or was, as of a moment.
    pub(super) fn shows(&self, world: &World, number: u32, as_of: Millis) -> bool {
        !world.is_gone(number) && world.was_there(number, as_of) && self.admits(world.node(number))
    }

    fn admits(&self, node: &Node) -> bool {
        let extras = match &node.kind {
            NodeKind::Folder { .. } => None,
            NodeKind::File(file) => file.extras.as_deref(),
        };
        let one_of = |wanted: &[&str], value: &str| wanted.contains(&value);
        (self.names.is_empty() || one_of(&self.names, &node.name))
            && (self.tags.is_empty()
                || extras
                    .is_some_and(|extras| extras.tags.iter().any(|tag| one_of(&self.tags, tag))))
            && (self.tasks.is_empty()
                || extras
                    .and_then(|extras| extras.task.as_ref())
                    .is_some_and(|task: &TaskId| one_of(&self.tasks, task.as_str())))
            && self.metadata.iter().all(|(field, wanted)| {
                extras
                    .and_then(|extras| extras.metadata.get(*field))
                    .is_some_and(|value| match value {
                        Value::String(text) => one_of(wanted, text),
                        other => one_of(wanted, &other.to_string()),
                    })
            })
    }
}
