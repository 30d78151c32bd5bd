//! The account: its user, its projects, its standing against the limit on requests.

use cavatica_model::ApiError;
use serde_json::{Value, json};

use super::request::{Request, slice};
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply};
use crate::wire::query::encode;
use crate::wire::refusal::Code;
use crate::wire::route::Route;
use crate::world::{Links, Project, USER, World};

/// The paths there are; needs no token and counts against no limit.
pub(super) fn root(request: &Request) -> Reply {
    let paths = Route::ALL.iter().map(|route| {
        let key = route.name().replace('-', "_") + "_url";
        (key, format!("{}{}", request.links.0, route.path()).into())
    });
    Reply::json(Value::Object(paths.collect()))
}

pub(super) fn user(request: &Request) -> Reply {
    let user = json!({
        "href": format!("{}/users/{}", request.links.0, request.account),
        "username": request.account,
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
    Reply::json(Fields::of_detail(&request.query).choose(&user))
}

/// The account itself, where its own address says; nobody is shown another's.
pub(super) fn user_by_name(request: &Request) -> Result<Reply, ApiError> {
    if request.id() == request.account {
        Ok(user(request))
    } else {
        Err(Code::NO_USER.error())
    }
}

pub(super) fn rate_limit(request: &Request) -> Reply {
    let standing = request.standing;
    let limits = json!({
        "rate": {
            "limit": standing.limit,
            "remaining": standing.remaining,
            "reset": standing.reset,
        },
        "instance_limit": {"limit": -1, "remaining": i64::MAX},
    });
    Reply::json(Fields::of_detail(&request.query).choose(&limits))
}

pub(super) fn projects(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "name"]);
    let state = hub.platform.state();
    let world = &state.world;
    let matching: Vec<&Project> = world
        .projects()
        .iter()
        .filter(|project| !project.id.is_public())
        .filter(|project| fits(project, request))
        .collect();
    let items = slice(&matching, window)
        .iter()
        .map(|project| fields.choose(&view(world, project, &request.links)))
        .collect();
    Ok(Reply::page(
        &request.listing(),
        items,
        window,
        matching.len(),
    ))
}

pub(super) fn project(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let (_, project) = state
        .world
        .project(&request.owned_id())
        .ok_or_else(|| Code::NO_PROJECT.error())?;
    let view = view(&state.world, project, &request.links);
    Ok(Reply::json(Fields::of_detail(&request.query).choose(&view)))
}

/// Names are parts of names in any letter case; projects have no tags here, and are all private.
fn fits(project: &Project, request: &Request) -> bool {
    let query = &request.query;
    let name = project.id.name().to_lowercase();
    let mut names = query.all("name").peekable();
    let owner = request.parameters.first();
    owner.is_none_or(|owner| project.id.owner() == owner)
        && (names.peek().is_none() || names.any(|part| name.contains(&part.to_lowercase())))
        && query.get("tags").is_none()
        && query
            .get("category")
            .is_none_or(|category| category.eq_ignore_ascii_case("PRIVATE"))
}

/// The other way to list what belongs to a project leads to the usual one.
pub(super) fn elsewhere(hub: &Hub, request: &Request, what: &str) -> Result<Reply, ApiError> {
    let id = request.owned_id();
    if hub.platform.state().world.project(&id).is_none() {
        return Err(Code::NO_PROJECT.error());
    }
    let mut parameters = vec![format!("project={}", encode(&id))];
    let others = request.query.pairs().filter(|(name, _)| *name != "project");
    parameters.extend(others.map(|(name, value)| format!("{}={}", encode(name), encode(value))));
    Ok(Reply {
        status: 302,
        location: Some(format!(
            "{}/{what}?{}",
            request.links.0,
            parameters.join("&")
        )),
        ..Reply::json(json!({}))
    })
}

pub(super) fn project_members(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    members(request, &everyone(hub, request)?)
}

pub(super) fn project_member(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let named = request.parameters.last();
    let mut everyone = everyone(hub, request)?.into_iter();
    let member = everyone.find(|member| member["id"].as_str() == named.map(String::as_str));
    let member = member.ok_or_else(|| Code::NO_PROJECT_MEMBER.error())?;
    Ok(Reply::json(
        Fields::of_detail(&request.query).choose(&member),
    ))
}

/// Every account is a member of every project.
fn everyone(hub: &Hub, request: &Request) -> Result<Vec<Value>, ApiError> {
    let id = request.owned_id();
    let state = hub.platform.state();
    let project = state.world.project(&id);
    let (_, project) = project.ok_or_else(|| Code::NO_PROJECT.error())?;
    let of = request.links.project(&id);
    let accounts = state.world.accounts().iter();
    Ok(accounts
        .map(|username| membership(&of, username, permissions(project)))
        .collect())
}

/// Somebody as a member of something.
pub(super) fn membership(of: &str, username: &str, permissions: Value) -> Value {
    json!({
        "href": format!("{of}/members/{}", encode(username)),
        "id": username,
        "username": username,
        "email": format!("{username}@example.org"),
        "type": "USER",
        "permissions": permissions,
    })
}

/// A list of members.
pub(super) fn members(request: &Request, members: &[Value]) -> Result<Reply, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(
        &request.query,
        &["href", "id", "username", "email", "type", "permissions"],
    );
    let items = slice(members, window)
        .iter()
        .map(|member| fields.choose(member))
        .collect();
    Ok(Reply::page(
        &request.listing(),
        items,
        window,
        members.len(),
    ))
}

/// Everybody may read public files and copy them, nobody change them.
fn permissions(project: &Project) -> Value {
    let own = !project.id.is_public();
    json!({"read": true, "copy": true, "write": own, "execute": own, "admin": own})
}

fn view(world: &World, project: &Project, links: &Links) -> Value {
    let born = cavatica_model::wire::DateTime::from(world.born());
    json!({
        "href": links.project(project.id.as_str()),
        "id": project.id,
        "name": project.id.name(),
        "description": "",
        "type": "v2",
        "tags": [],
        "settings": {"locked": false, "controlled": false, "location": project.location},
        "root_folder": world.file_id(project.root),
        "created_by": if project.id.is_public() { project.id.owner() } else { USER },
        "created_on": born,
        "modified_on": born,
        "billing_group": "00000000-0000-0000-0000-000000000000",
        "category": if project.id.is_public() { "PUBLIC" } else { "PRIVATE" },
        "permissions": permissions(project),
    })
}
