//! The account: its user, its projects, its standing against the limit on requests.

use cavatica_model::ApiError;
use serde_json::{Value, json};

use super::{Request, Route, slice};
use crate::answer::{Answer, Fields};
use crate::hub::Hub;
use crate::query::encode;
use crate::refusal::Code;
use crate::world::{Links, Project, USER, World};

/// The paths there are; needs no token and counts against no limit.
pub(super) fn root(request: &Request) -> Answer {
    let paths = Route::ALL.iter().map(|route| {
        let key = route.name().replace('-', "_") + "_url";
        (key, format!("{}{}", request.links.0, route.path()).into())
    });
    Answer::json(Value::Object(paths.collect()))
}

pub(super) fn user(request: &Request) -> Answer {
    let user = json!({
        "href": format!("{}/users/{USER}", request.links.0),
        "username": USER,
        "email": "sandbox@example.org",
        "first_name": "Sandbox",
        "last_name": "User",
        "affiliation": "",
        "phone": "",
        "address": "",
        "city": "",
        "state": "",
        "country": "",
        "zip_code": "",
        "role": "USER",
        "tags": [],
    });
    Answer::json(Fields::of_detail(&request.query).choose(&user))
}

pub(super) fn rate_limit(hub: &Hub) -> Answer {
    let standing = hub.standing();
    Answer::json(json!({
        "rate": {
            "limit": standing.limit,
            "remaining": standing.remaining,
            "reset": standing.reset,
        },
        "instance_limit": {"limit": -1, "remaining": i64::MAX},
    }))
}

pub(super) fn projects(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "name"]);
    let state = hub.state();
    let world = &state.world;
    let matching: Vec<&Project> = world
        .projects()
        .iter()
        .filter(|project| !project.id.is_public())
        .filter(|project| {
            let mut names = request.query.all("name").peekable();
            names.peek().is_none() || names.any(|name| project.id.name().contains(name))
        })
        .collect();
    let items = slice(&matching, window)
        .iter()
        .map(|project| fields.choose(&view(world, project, &request.links)))
        .collect();
    Ok(Answer::page(
        &request.listing(),
        items,
        window,
        matching.len(),
    ))
}

pub(super) fn project(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.state();
    let (_, project) = state
        .world
        .project(&request.owned_id())
        .ok_or_else(|| Code::NO_PROJECT.error())?;
    let view = view(&state.world, project, &request.links);
    Ok(Answer::json(
        Fields::of_detail(&request.query).choose(&view),
    ))
}

/// The other way to list a project's files leads to the usual one.
pub(super) fn project_files(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let id = request.owned_id();
    if hub.state().world.project(&id).is_none() {
        return Err(Code::NO_PROJECT.error());
    }
    let mut parameters = vec![format!("project={}", encode(&id))];
    let others = request.query.pairs().filter(|(name, _)| *name != "project");
    parameters.extend(others.map(|(name, value)| format!("{}={}", encode(name), encode(value))));
    Ok(Answer {
        status: 302,
        location: Some(format!(
            "{}/files?{}",
            request.links.0,
            parameters.join("&")
        )),
        ..Answer::json(json!({}))
    })
}

pub(super) fn project_members(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let everyone = project_membership(hub, request)?;
    members(request, everyone)
}

pub(super) fn project_member(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let member = project_membership(hub, request)?;
    one_member(request, &member, Code::NO_PROJECT_MEMBER)
}

fn project_membership(hub: &Hub, request: &Request) -> Result<Value, ApiError> {
    let id = request.owned_id();
    if hub.state().world.project(&id).is_none() {
        return Err(Code::NO_PROJECT.error());
    }
    let permissions = json!({
        "read": true, "copy": true, "write": true, "execute": true, "admin": true,
    });
    Ok(membership(&request.links.project(&id), permissions))
}

/// The one member of everything: the user.
pub(super) fn membership(of: &str, permissions: Value) -> Value {
    json!({
        "href": format!("{of}/members/{USER}"),
        "id": USER,
        "username": USER,
        "email": "sandbox@example.org",
        "type": "USER",
        "permissions": permissions,
    })
}

/// The list of members, with the one there is.
pub(super) fn members(request: &Request, member: Value) -> Result<Answer, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(
        &request.query,
        &["href", "id", "username", "email", "type", "permissions"],
    );
    let items = slice(&[member], window)
        .iter()
        .map(|member| fields.choose(member))
        .collect();
    Ok(Answer::page(&request.listing(), items, window, 1))
}

/// The member that the path names, if it is the one there is.
pub(super) fn one_member(
    request: &Request,
    member: &Value,
    nobody: Code,
) -> Result<Answer, ApiError> {
    if request.parameters.last().is_some_and(|name| name == USER) {
        Ok(Answer::json(
            Fields::of_detail(&request.query).choose(member),
        ))
    } else {
        Err(nobody.error())
    }
}

fn view(world: &World, project: &Project, links: &Links) -> Value {
    let born = cavatica_model::DateTime::from(world.born());
    json!({
        "href": links.project(project.id.as_str()),
        "id": project.id,
        "name": project.id.name(),
        "description": "",
        "type": "v2",
        "tags": [],
        "settings": {"locked": false, "controlled": false, "location": "aws:us-east-1"},
        "root_folder": world.file_id(project.root),
        "created_by": USER,
        "created_on": born,
        "modified_on": born,
        "billing_group": "00000000-0000-0000-0000-000000000000",
        "category": "PRIVATE",
        "permissions": {
            "read": true, "copy": true, "write": true, "execute": true, "admin": true,
        },
    })
}
