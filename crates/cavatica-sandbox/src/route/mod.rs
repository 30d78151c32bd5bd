//! The API's calls: which there are, and what each answers. One file per area.

mod account;
mod admin;
mod bulk;
mod contents;
mod exports;
mod files;
mod members;
mod mounting;
mod settings;
mod tasks;
mod volumes;

use std::time::Duration;

use bytes::Bytes;
use cavatica_model::ApiError;
use http::Method;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::answer::{Answer, Listing};
use crate::clock::Millis;
use crate::hub::Hub;
use crate::query::Query;
use crate::refusal::Code;
use crate::world::Links;

pub(crate) use admin::admin;

/// Declares the routes: short name for fault rules, method and path for the ledger.
macro_rules! routes {
    ($($Route:ident $name:literal $method:literal $path:literal,)+) => {
        /// A call of the API.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Route { $($Route,)+ }

        impl Route {
            pub(crate) const ALL: &'static [Route] = &[$(Route::$Route,)+];

            pub(crate) fn name(self) -> &'static str {
                match self { $(Route::$Route => $name,)+ }
            }

            pub(crate) fn method(self) -> &'static str {
                match self { $(Route::$Route => $method,)+ }
            }

            /// The path below `/v2`; parts in braces are parameters.
            pub(crate) fn path(self) -> &'static str {
                match self { $(Route::$Route => $path,)+ }
            }
        }
    };
}

routes! {
    Root "root" "GET" "/",
    User "user" "GET" "/user",
    UserByName "user-by-name" "GET" "/users/{username}",
    RateLimit "rate-limit" "GET" "/rate_limit",
    Projects "projects" "GET" "/projects",
    ProjectsOf "projects-of" "GET" "/projects/{owner}",
    Project "project" "GET" "/projects/{owner}/{name}",
    ProjectFiles "project-files" "GET" "/projects/{owner}/{name}/files",
    ProjectTasks "project-tasks" "GET" "/projects/{owner}/{name}/tasks",
    ProjectMembers "project-members" "GET" "/projects/{owner}/{name}/members",
    ProjectMember "project-member" "GET" "/projects/{owner}/{name}/members/{username}",
    Files "files" "GET" "/files",
    Scroll "scroll" "GET" "/files/scroll",
    File "file" "GET" "/files/{id}",
    Metadata "file-metadata" "GET" "/files/{id}/metadata",
    FolderList "folder-list" "GET" "/files/{id}/list",
    FolderScroll "folder-scroll" "GET" "/files/{id}/scroll",
    Search "search" "POST" "/files/search",
    BulkFiles "bulk-files" "POST" "/bulk/files/get",
    BulkTasks "bulk-tasks" "POST" "/bulk/tasks/get",
    Tasks "tasks" "GET" "/tasks",
    Task "task" "GET" "/tasks/{id}",
    Volumes "volumes" "GET" "/storage/volumes",
    CreateVolume "create-volume" "POST" "/storage/volumes",
    Volume "volume" "GET" "/storage/volumes/{owner}/{name}",
    ChangeVolume "change-volume" "PATCH" "/storage/volumes/{owner}/{name}",
    RemoveVolume "remove-volume" "DELETE" "/storage/volumes/{owner}/{name}",
    VolumeList "volume-list" "GET" "/storage/volumes/{owner}/{name}/list",
    VolumeObject "volume-object" "GET" "/storage/volumes/{owner}/{name}/object",
    VolumeMembers "volume-members" "GET" "/storage/volumes/{owner}/{name}/members",
    VolumeMember "volume-member" "GET" "/storage/volumes/{owner}/{name}/members/{username}",
    AddVolumeMember "add-volume-member" "POST" "/storage/volumes/{owner}/{name}/members",
    RemoveVolumeMember "remove-volume-member" "DELETE" "/storage/volumes/{owner}/{name}/members/{username}",
    VolumePermissions "volume-permissions" "GET" "/storage/volumes/{owner}/{name}/members/{username}/permissions",
    ChangeVolumePermissions "change-volume-permissions" "PATCH" "/storage/volumes/{owner}/{name}/members/{username}/permissions",
    ReplaceVolumePermissions "replace-volume-permissions" "PUT" "/storage/volumes/{owner}/{name}/members/{username}/permissions",
    Start "start" "POST" "/storage/exports",
    Exports "exports" "GET" "/storage/exports",
    Export "export" "GET" "/storage/exports/{id}",
    BulkStart "bulk-start" "POST" "/bulk/storage/exports/create",
    BulkGet "bulk-get" "POST" "/bulk/storage/exports/get",
}

/// A request that found its route.
pub(crate) struct Request {
    pub(crate) route: Route,
    /// The path's parameters in their order.
    pub(crate) parameters: Vec<String>,
    pub(crate) query: Query,
    pub(crate) body: Bytes,
    pub(crate) links: Links,
    /// Whether the client asked for features in advance access.
    pub(crate) advance_access: bool,
    pub(crate) acceptance: Acceptance,
    pub(crate) jobs_shown: JobsShown,
}

/// How the items of a start are accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acceptance {
    /// Only so many of a bulk call's items.
    pub(crate) first: usize,
    /// Only every n-th of them.
    pub(crate) every: usize,
    /// Over this time, one by one.
    pub(crate) over: Duration,
}

impl Default for Acceptance {
    fn default() -> Self {
        Acceptance {
            first: usize::MAX,
            every: 1,
            over: Duration::ZERO,
        }
    }
}

impl Acceptance {
    /// Whether the item at this position of a bulk call is carried out.
    fn takes(&self, position: usize) -> bool {
        position < self.first && position.is_multiple_of(self.every.max(1))
    }

    /// How many of a call's items are accepted at once.
    fn at_once(&self, items: usize) -> usize {
        if self.over.is_zero() { items.max(1) } else { 1 }
    }

    /// Waits before items are accepted.
    async fn pause(&self, items: usize) {
        if !self.over.is_zero() {
            let share = self.over / u32::try_from(items.max(1)).unwrap_or(u32::MAX);
            tokio::time::sleep(share).await;
        }
    }
}

/// Which jobs show. Ages are counted from acceptance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobsShown {
    /// Younger ones aren't listed.
    pub(crate) listed_after: Millis,
    /// Older ones aren't known any more.
    pub(crate) kept_for: Millis,
    /// The list ends after so many.
    pub(crate) most: usize,
    /// The list stands in another order each time.
    pub(crate) disorder: bool,
}

impl Default for JobsShown {
    fn default() -> Self {
        JobsShown {
            listed_after: 0,
            kept_for: Millis::MAX,
            most: usize::MAX,
            disorder: false,
        }
    }
}

impl JobsShown {
    /// Whether a job of this age is known by its id.
    fn knows(&self, age: Millis) -> bool {
        age < self.kept_for
    }

    fn lists(&self, age: Millis) -> bool {
        self.knows(age) && (self.listed_after == 0 || age >= self.listed_after)
    }

    /// Whether the list is what the world's own counts say.
    fn is_whole(&self) -> bool {
        self.listed_after == 0
            && self.kept_for == Millis::MAX
            && self.most == usize::MAX
            && !self.disorder
    }
}

impl Request {
    /// The id that the path names.
    fn id(&self) -> &str {
        self.parameters.first().map_or("", String::as_str)
    }

    /// The `owner/name` that the path begins with.
    fn owned_id(&self) -> String {
        self.parameters[..self.parameters.len().min(2)].join("/")
    }

    fn listing(&self) -> Listing<'_> {
        let mut parameters = self.parameters.iter();
        let path = self.route.path().split('/').map(|part| {
            if part.starts_with('{') {
                let parameter = parameters.next().map_or("", String::as_str);
                crate::query::encode(parameter)
            } else {
                part.to_owned()
            }
        });
        Listing {
            url: self.links.0.clone() + &path.collect::<Vec<_>>().join("/"),
            query: &self.query,
        }
    }

    /// The body as JSON; some clients send none where there is nothing to say.
    fn json(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body).map_err(|_| Code::UNDECODABLE.error())
    }
}

/// What a path and method lead to.
pub(crate) enum Found {
    Route(Route, Vec<String>),
    /// The path exists, but not for this method.
    OtherMethod(Route),
    /// The platform has it, the sandbox doesn't.
    Unserved,
    Nothing,
}

/// Finds the route of a path below `/v2`.
pub(crate) fn find(method: &Method, path: &str) -> Found {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    // The prose of the documentation prints the singular; its examples and all clients the plural.
    let decoded = match &*decoded {
        "/bulk/storage/export/get" => "/bulk/storage/exports/get",
        other => other,
    };
    let parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
    let mut other = None;
    for route in Route::ALL.iter().copied() {
        let Some(parameters) = parameters(route.path(), &parts) else {
            continue;
        };
        // Any method may follow a list's path with one part more (`/files/scroll`); the first that fits is meant.
        if route.method() == method.as_str() {
            return Found::Route(route, parameters);
        }
        other.get_or_insert(route);
    }
    let is_unserved = UNSERVED.iter().any(|(known, template)| {
        (known.is_empty() || *known == method.as_str()) && begins_as(template, &parts)
    });
    match other {
        _ if is_unserved => Found::Unserved,
        Some(route) => Found::OtherMethod(route),
        None => Found::Nothing,
    }
}

/// What the platform serves and programs call, but not the sandbox, which is about exports: by method, any if it is empty,
/// and by how the path begins.
const UNSERVED: &[(&str, &str)] = &[
    ("", "/storage/imports"),
    ("", "/bulk/storage/imports"),
    ("", "/apps"),
    ("", "/billing"),
    ("", "/upload"),
    ("", "/action"),
    ("", "/async"),
    ("", "/automation"),
    ("", "/drs"),
    ("", "/teams"),
    ("", "/divisions"),
    ("POST", "/projects"),
    ("PATCH", "/projects"),
    ("PUT", "/projects"),
    ("DELETE", "/projects"),
    ("POST", "/tasks"),
    ("PATCH", "/tasks"),
    ("DELETE", "/tasks"),
    ("", "/tasks/{id}/execution_details"),
    ("POST", "/files"),
    ("PATCH", "/files"),
    ("PUT", "/files"),
    ("DELETE", "/files"),
    ("", "/files/{id}/download_info"),
    ("", "/files/{id}/copy"),
    ("", "/files/{id}/tags"),
];

fn begins_as(template: &str, parts: &[&str]) -> bool {
    let wanted: Vec<&str> = template
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    parts.len() >= wanted.len()
        && wanted
            .iter()
            .zip(parts)
            .all(|(wanted, part)| wanted.starts_with('{') || wanted == part)
}

fn parameters(template: &str, parts: &[&str]) -> Option<Vec<String>> {
    let wanted: Vec<&str> = template
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    if wanted.len() != parts.len() {
        return None;
    }
    let mut parameters = Vec::new();
    for (wanted, part) in wanted.iter().zip(parts) {
        if wanted.starts_with('{') {
            parameters.push((*part).to_owned());
        } else if wanted != part {
            return None;
        }
    }
    Some(parameters)
}

/// Carries a request out.
pub(crate) async fn dispatch(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    match request.route {
        Route::Root => Ok(account::root(request)),
        Route::User => Ok(account::user(request)),
        Route::UserByName => account::user_by_name(request),
        Route::RateLimit => Ok(account::rate_limit(hub, request)),
        Route::Projects => account::projects(hub, request),
        Route::ProjectsOf => account::projects(hub, request),
        Route::Project => account::project(hub, request),
        Route::ProjectFiles => account::elsewhere(hub, request, "files"),
        Route::ProjectTasks => account::elsewhere(hub, request, "tasks"),
        Route::ProjectMembers => account::project_members(hub, request),
        Route::ProjectMember => account::project_member(hub, request),
        Route::Files => files::list(hub, request),
        Route::Scroll => files::scroll(hub, request),
        Route::File => files::get(hub, request),
        Route::Metadata => files::metadata(hub, request),
        Route::FolderList => files::list_folder(hub, request),
        Route::FolderScroll => files::scroll_folder(hub, request),
        // A query language that no page describes.
        Route::Search => Err(Code::NOT_IMPLEMENTED.error()),
        Route::BulkFiles => bulk::files(hub, request),
        Route::BulkTasks => bulk::tasks(hub, request),
        Route::Tasks => tasks::list(hub, request),
        Route::Task => tasks::get(hub, request),
        Route::Volumes => volumes::list(hub, request),
        Route::CreateVolume => volumes::create(hub, request),
        Route::Volume => volumes::get(hub, request),
        Route::ChangeVolume => volumes::change(hub, request),
        Route::RemoveVolume => volumes::remove(hub, request),
        Route::VolumeList => contents::list(hub, request).await,
        Route::VolumeObject => contents::object(hub, request).await,
        Route::VolumeMembers => members::list(hub, request),
        Route::VolumeMember => members::get(hub, request),
        Route::AddVolumeMember => members::add(hub, request),
        Route::RemoveVolumeMember => members::remove(hub, request),
        Route::VolumePermissions => members::permissions(hub, request),
        Route::ChangeVolumePermissions => members::change(hub, request),
        Route::ReplaceVolumePermissions => members::replace(hub, request),
        Route::Start => exports::start(hub, request).await,
        Route::Exports => exports::list(hub, request),
        Route::Export => exports::get(hub, request),
        Route::BulkStart => bulk::start(hub, request).await,
        Route::BulkGet => bulk::get(hub, request),
    }
}

/// The items of a window on something that is already a list.
fn slice<T>(all: &[T], window: crate::query::Window) -> &[T] {
    let from = window.offset.min(all.len());
    &all[from..all.len().min(from.saturating_add(window.limit))]
}

/// A boolean of a body; some clients send it as a text.
fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(boolean) => Some(*boolean),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
