//! The calls that the sandbox serves, and those that only the platform does.

use std::fmt;

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};

/// An HTTP method that the platform's calls have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "they say it themselves")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    const ALL: [Method; 5] = [
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ];

    /// As it stands in a request.
    pub fn name(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    /// The method with this name, in capitals.
    pub fn from_name(name: &str) -> Option<Method> {
        Method::ALL.into_iter().find(|method| method.name() == name)
    }
}

/// Declares the routes: short name for fault rules and the ledger, method and path.
macro_rules! routes {
    ($($Route:ident $name:literal $Method:ident $path:literal,)+) => {
        /// A call of the API.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[non_exhaustive]
        pub enum Route {
            $(
                #[doc = concat!("`", $name, "`: ", stringify!($Method), " `", $path, "`.")]
                #[serde(rename = $name)]
                $Route,
            )+
        }

        impl Route {
            /// Every call.
            pub const ALL: &'static [Route] = &[$(Route::$Route,)+];

            /// The short name, for instance `bulk-start`.
            pub fn name(self) -> &'static str {
                match self { $(Route::$Route => $name,)+ }
            }

            /// The method.
            pub fn method(self) -> Method {
                match self { $(Route::$Route => Method::$Method,)+ }
            }

            /// The path below `/v2`; parts in braces are parameters.
            pub fn path(self) -> &'static str {
                match self { $(Route::$Route => $path,)+ }
            }
        }
    };
}

routes! {
    Root "root" Get "/",
    User "user" Get "/user",
    UserByName "user-by-name" Get "/users/{username}",
    RateLimit "rate-limit" Get "/rate_limit",
    Projects "projects" Get "/projects",
    ProjectsOf "projects-of" Get "/projects/{owner}",
    Project "project" Get "/projects/{owner}/{name}",
    ProjectFiles "project-files" Get "/projects/{owner}/{name}/files",
    ProjectTasks "project-tasks" Get "/projects/{owner}/{name}/tasks",
    ProjectMembers "project-members" Get "/projects/{owner}/{name}/members",
    ProjectMember "project-member" Get "/projects/{owner}/{name}/members/{username}",
    Files "files" Get "/files",
    Scroll "scroll" Get "/files/scroll",
    File "file" Get "/files/{id}",
    FileMetadata "file-metadata" Get "/files/{id}/metadata",
    FolderList "folder-list" Get "/files/{id}/list",
    FolderScroll "folder-scroll" Get "/files/{id}/scroll",
    Search "search" Post "/files/search",
    BulkFiles "bulk-files" Post "/bulk/files/get",
    BulkTasks "bulk-tasks" Post "/bulk/tasks/get",
    Tasks "tasks" Get "/tasks",
    Task "task" Get "/tasks/{id}",
    Volumes "volumes" Get "/storage/volumes",
    CreateVolume "create-volume" Post "/storage/volumes",
    Volume "volume" Get "/storage/volumes/{owner}/{name}",
    ChangeVolume "change-volume" Patch "/storage/volumes/{owner}/{name}",
    RemoveVolume "remove-volume" Delete "/storage/volumes/{owner}/{name}",
    VolumeList "volume-list" Get "/storage/volumes/{owner}/{name}/list",
    VolumeObject "volume-object" Get "/storage/volumes/{owner}/{name}/object",
    VolumeMembers "volume-members" Get "/storage/volumes/{owner}/{name}/members",
    VolumeMember "volume-member" Get "/storage/volumes/{owner}/{name}/members/{username}",
    AddVolumeMember "add-volume-member" Post "/storage/volumes/{owner}/{name}/members",
    RemoveVolumeMember "remove-volume-member" Delete "/storage/volumes/{owner}/{name}/members/{username}",
    VolumePermissions "volume-permissions" Get "/storage/volumes/{owner}/{name}/members/{username}/permissions",
    ChangeVolumePermissions "change-volume-permissions" Patch "/storage/volumes/{owner}/{name}/members/{username}/permissions",
    ReplaceVolumePermissions "replace-volume-permissions" Put "/storage/volumes/{owner}/{name}/members/{username}/permissions",
    Start "start" Post "/storage/exports",
    Exports "exports" Get "/storage/exports",
    Export "export" Get "/storage/exports/{id}",
    BulkStart "bulk-start" Post "/bulk/storage/exports/create",
    BulkGet "bulk-get" Post "/bulk/storage/exports/get",
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a path and method lead to.
pub(crate) enum Found {
    Route(Route, Vec<String>),
    /// The path exists, but not for this method.
    OtherMethod,
    /// The platform has it, the sandbox doesn't.
    Unserved,
    Nothing,
}

/// Finds the route of a path below `/v2`.
pub(crate) fn find(method: Option<Method>, path: &str) -> Found {
    let decoded = percent_decode_str(path).decode_utf8_lossy();
    // The prose of the documentation prints the singular; its examples and all clients the plural.
    let decoded = match &*decoded {
        "/bulk/storage/export/get" => "/bulk/storage/exports/get",
        other => other,
    };
    let parts: Vec<&str> = decoded.split('/').filter(|part| !part.is_empty()).collect();
    let mut other_method = false;
    for route in Route::ALL.iter().copied() {
        let Some(parameters) = parameters(route.path(), &parts) else {
            continue;
        };
        // Any method may follow a list's path with one part more (`/files/scroll`); the first that fits is meant.
        if Some(route.method()) == method {
            return Found::Route(route, parameters);
        }
        other_method = true;
    }
    let is_unserved = UNSERVED.iter().any(|(known, template)| {
        (known.is_none() || *known == method) && begins_as(template, &parts)
    });
    match other_method {
        _ if is_unserved => Found::Unserved,
        true => Found::OtherMethod,
        false => Found::Nothing,
    }
}

/// What the platform serves and programs call, but not the sandbox, which is about exports: by method, if not any,
/// and by how the path begins.
const UNSERVED: &[(Option<Method>, &str)] = &[
    (None, "/storage/imports"),
    (None, "/bulk/storage/imports"),
    (None, "/apps"),
    (None, "/billing"),
    (None, "/upload"),
    (None, "/action"),
    (None, "/async"),
    (None, "/automation"),
    (None, "/drs"),
    (None, "/teams"),
    (None, "/divisions"),
    (Some(Method::Post), "/projects"),
    (Some(Method::Patch), "/projects"),
    (Some(Method::Put), "/projects"),
    (Some(Method::Delete), "/projects"),
    (Some(Method::Post), "/tasks"),
    (Some(Method::Patch), "/tasks"),
    (Some(Method::Delete), "/tasks"),
    (None, "/tasks/{id}/execution_details"),
    (Some(Method::Post), "/files"),
    (Some(Method::Patch), "/files"),
    (Some(Method::Put), "/files"),
    (Some(Method::Delete), "/files"),
    (None, "/files/{id}/download_info"),
    (None, "/files/{id}/copy"),
    (None, "/files/{id}/tags"),
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
