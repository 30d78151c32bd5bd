//! Files and folders: one, one level, or everything of one level by scrolling.

use cavatica_model::{ApiError, TaskId};
use serde_json::{Value, json};

use super::Request;
use crate::control::hub::Hub;
use crate::wire::answer::{Answer, Fields, Listing, link, to_json};
use crate::wire::query::Query;
use crate::wire::refusal::Code;
use crate::world::{Node, NodeKind, World};

const SHOWN_IN_LISTS: &[&str] = &["href", "id", "name", "project", "parent", "type"];

/// The largest page that scrolling gives.
const LARGEST_SCROLL: usize = 1000;

/// Source: <https://docs.cavatica.org/reference/get-file-details>.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.platform.state();
    let file = state
        .world
        .file_by_id(request.id())
        .ok_or_else(|| Code::NO_FILE.error())?;
    let file = state.world.file_view(file, &request.links);
    Ok(Answer::json(
        Fields::of_detail(&request.query).choose(&file),
    ))
}

/// The fields and values of a file alone.
pub(super) fn metadata(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.platform.state();
    let file = state
        .world
        .file_by_id(request.id())
        .ok_or_else(|| Code::NO_FILE.error())?;
    let file = state.world.file_view(file, &request.links);
    Ok(Answer::json(to_json(
        &file.metadata.into_value().unwrap_or_default(),
    )))
}

/// One level of a project or folder, not what lies deeper.
///
/// Source: <https://docs.cavatica.org/reference/list-files-primary-method>.
pub(super) fn list(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.platform.state();
    let folder = named_folder(&state.world, &request.query)?;
    page(&state.world, folder, request)
}

pub(super) fn list_folder(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.platform.state();
    let folder = folder_by_id(&state.world, request.id())?;
    page(&state.world, folder, request)
}

/// A page that begins after the last one's last file, whatever happened to the files before it.
pub(super) fn scroll(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.platform.state();
    let folder = named_folder(&state.world, &request.query)?;
    scroll_page(&state.world, folder, request)
}

pub(super) fn scroll_folder(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.platform.state();
    let folder = folder_by_id(&state.world, request.id())?;
    scroll_page(&state.world, folder, request)
}

fn page(world: &World, children: &[u32], request: &Request) -> Result<Answer, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, SHOWN_IN_LISTS);
    let filter = Filter::new(&request.query);
    let view = |number: &u32| fields.choose(&world.file_view(*number, &request.links));
    let (items, total) = if filter.is_open() && !world.any_gone() {
        let items = super::slice(children, window).iter().map(view);
        (items.collect::<Vec<Value>>(), children.len())
    } else {
        let matching: Vec<u32> = children
            .iter()
            .copied()
            .filter(|number| !world.is_gone(*number) && filter.admits(world.node(*number)))
            .collect();
        let items = super::slice(&matching, window).iter().map(view);
        (items.collect(), matching.len())
    };
    Ok(Answer::page(&request.listing(), items, window, total))
}

fn scroll_page(world: &World, children: &[u32], request: &Request) -> Result<Answer, ApiError> {
    if !request.advance_access {
        return Err(Code::FORBIDDEN.because("Scrolling is an advance access feature."));
    }
    let query = &request.query;
    if query.get("offset").is_some() || query.pairs().any(|(name, _)| name.starts_with("metadata."))
    {
        return Err(Code::BAD_REQUEST.because("Scrolling takes no offset and no metadata filter."));
    }
    let limit = query.limit(LARGEST_SCROLL)?;
    let from = match query.get("token") {
        None | Some("init") => 0,
        Some(token) => token::read(token)
            .filter(|from| *from <= children.len())
            .ok_or_else(|| Code::BAD_REQUEST.because("token is unknown."))?,
    };
    let fields = Fields::of_list(query, SHOWN_IN_LISTS);
    let filter = Filter::new(query);
    let mut items = Vec::new();
    let mut next = from;
    for number in &children[from..] {
        if items.len() == limit {
            break;
        }
        next += 1;
        if !world.is_gone(*number) && filter.admits(world.node(*number)) {
            items.push(fields.choose(&world.file_view(*number, &request.links)));
        }
    }
    let listing: Listing<'_> = request.listing();
    let url = |token: String| listing.url(&[("token", token), ("limit", limit.to_string())]);
    let links: Vec<Value> = if next < children.len() {
        vec![link("next", url(token::write(next)))]
    } else {
        Vec::new()
    };
    let href = url(query.get("token").unwrap_or("init").to_owned());
    let there = children.iter().filter(|number| !world.is_gone(**number));
    let total = if world.any_gone() {
        there.count()
    } else {
        children.len()
    };
    Ok(Answer {
        total: u64::try_from(total).ok(),
        ..Answer::json(json!({"href": href, "items": items, "links": links}))
    })
}

/// The contents of the folder that a list's parameters name, by project or by parent.
fn named_folder<'a>(world: &'a World, query: &Query) -> Result<&'a [u32], ApiError> {
    match (query.get("project"), query.get("parent")) {
        (Some(_), Some(_)) => Err(Code::PARENT_AND_PROJECT.error()),
        (None, None) => Err(Code::PARENT_OR_PROJECT_MISSING.error()),
        (Some(project), None) => {
            let (_, project) = world
                .project(project)
                .ok_or_else(|| Code::NO_PROJECT.error())?;
            folder(world, project.root)
        }
        (None, Some(parent)) => folder_by_id(world, parent),
    }
}

fn folder_by_id<'a>(world: &'a World, id: &str) -> Result<&'a [u32], ApiError> {
    let number = world.file_by_id(id).ok_or_else(|| Code::NO_FILE.error())?;
    folder(world, number)
}

fn folder(world: &World, number: u32) -> Result<&[u32], ApiError> {
    match &world.node(number).kind {
        NodeKind::Folder { children } => Ok(children),
        NodeKind::File(_) => Err(Code::NOT_A_FOLDER.error()),
    }
}

/// Values of one parameter are alternatives; different parameters must all agree.
struct Filter<'a> {
    names: Vec<&'a str>,
    tags: Vec<&'a str>,
    tasks: Vec<&'a str>,
    metadata: Vec<(&'a str, Vec<&'a str>)>,
}

impl<'a> Filter<'a> {
    fn new(query: &'a Query) -> Self {
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
        Filter {
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

/// Where a scroll goes on: opaque to clients, and in base64, as the platform's are, so that it has to be encoded in a query.
mod token {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    pub(super) fn write(from: usize) -> String {
        BASE64_STANDARD.encode(format!("{from:016x}"))
    }

    pub(super) fn read(token: &str) -> Option<usize> {
        let bytes = BASE64_STANDARD.decode(token).ok()?;
        usize::from_str_radix(std::str::from_utf8(&bytes).ok()?, 16).ok()
    }
}
