//! Who may do what on a volume. Members that the sandbox doesn't serve are only kept and shown.
//!
//! Source: <https://docs.sevenbridges.com/reference/list-members-of-a-volume>.

use cavatica_model::ApiError;
use serde_json::Value;

use super::request::{Request, boolean};
use super::{account, volumes};
use crate::bytes::platform::State;
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply, to_json};
use crate::wire::refusal::Code;
use crate::world::{Event, Permissions, VolumeState};

pub(super) fn list(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let (_, volume) = volumes::find(&state.world, request)?;
    let members = volume.members.iter();
    let members: Vec<Value> = members
        .map(|(username, permissions)| view(request, volume, username, *permissions))
        .collect();
    account::members(request, &members)
}

pub(super) fn get(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let (_, volume) = volumes::find(&state.world, request)?;
    let (username, permissions) = named(volume, request)?;
    let member = view(request, volume, username, permissions);
    Ok(Reply::json(
        Fields::of_detail(&request.query).choose(&member),
    ))
}

pub(super) fn permissions(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let (_, volume) = volumes::find(&state.world, request)?;
    let (_, permissions) = named(volume, request)?;
    Ok(Reply::json(
        Fields::of_detail(&request.query).choose(&permissions),
    ))
}

/// Permissions that the body doesn't name are not given.
pub(super) fn add(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let body = request.json()?;
    let username = body.get("username").and_then(Value::as_str);
    let username = username
        .filter(|name| !name.is_empty())
        .ok_or_else(|| Code::INVALID_SYNTAX.because("username is missing."))?;
    let nothing = Permissions::default();
    let given = body.get("permissions");
    let given = given.map_or(Ok(nothing), |asked| changed(nothing, asked))?;
    let mut state = hub.platform.state();
    let number = administered(&state, request)?;
    let members = &state.world.volumes()[number as usize].members;
    if members.contains_key(username) {
        return Err(Code::CONFLICT.because("The user is a member of the volume already."));
    }
    settle(&mut state, number, username, Some(given))?;
    let volume = &state.world.volumes()[number as usize];
    Ok(Reply::json(view(request, volume, username, given)))
}

/// What the body doesn't name stays.
pub(super) fn change(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    settle_as(hub, request, changed)
}

/// All of the four are to be named.
pub(super) fn replace(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    settle_as(hub, request, |_, asked| {
        let named = |name: &&str| asked.get(*name).is_some_and(|asked| !asked.is_null());
        if !["read", "copy", "write", "admin"].iter().all(named) {
            return Err(Code::INVALID_SYNTAX.because("All permissions must be given."));
        }
        changed(Permissions::default(), asked)
    })
}

/// The account may take permissions from itself, to see what a client does without them.
fn settle_as(
    hub: &Hub,
    request: &Request,
    make: impl FnOnce(Permissions, &Value) -> Result<Permissions, ApiError>,
) -> Result<Reply, ApiError> {
    let body = request.json()?;
    let mut state = hub.platform.state();
    let (number, volume) = volumes::find(&state.world, request)?;
    let (username, before) = named(volume, request)?;
    if username != request.account {
        administered(&state, request)?;
    }
    let after = make(before, &body)?;
    let username = username.to_owned();
    settle(&mut state, number, &username, Some(after))?;
    Ok(Reply::json(to_json(&after)))
}

pub(super) fn remove(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let mut state = hub.platform.state();
    let number = administered(&state, request)?;
    let volume = &state.world.volumes()[number as usize];
    let (username, _) = named(volume, request)?;
    if username == request.account {
        return Err(Code::CONFLICT.because("The owner of a volume stays its member."));
    }
    let username = username.to_owned();
    settle(&mut state, number, &username, None)?;
    Ok(Reply::nothing())
}

fn settle(
    state: &mut State,
    volume: u32,
    username: &str,
    permissions: Option<Permissions>,
) -> Result<(), ApiError> {
    let event = Event::VolumeMember {
        volume,
        username: username.to_owned(),
        permissions,
    };
    volumes::write(state, &event)
}

/// The volume, if its members may be changed.
fn administered(state: &State, request: &Request) -> Result<u32, ApiError> {
    let (number, volume) = volumes::find(&state.world, request)?;
    if volume.permissions(&request.account).admin {
        Ok(number)
    } else {
        Err(Code::NO_VOLUME_RIGHT.error())
    }
}

/// The member that the path names.
fn named<'a>(
    volume: &'a VolumeState,
    request: &Request,
) -> Result<(&'a str, Permissions), ApiError> {
    let username = request.parameters.get(2).map_or("", String::as_str);
    let member = volume.members.get_key_value(username);
    let (username, permissions) = member.ok_or_else(|| Code::NO_VOLUME_MEMBER.error())?;
    Ok((username, *permissions))
}

/// There is no `execute` on volumes; some clients send it, and it means nothing.
fn changed(mut permissions: Permissions, asked: &Value) -> Result<Permissions, ApiError> {
    for (name, one) in [
        ("read", &mut permissions.read),
        ("copy", &mut permissions.copy),
        ("write", &mut permissions.write),
        ("admin", &mut permissions.admin),
    ] {
        match asked.get(name) {
            None | Some(Value::Null) => {}
            Some(asked) => {
                *one = boolean(asked).ok_or_else(|| {
                    Code::INVALID_SYNTAX.because(format!("{name} must be a boolean."))
                })?;
            }
        }
    }
    Ok(permissions)
}

fn view(
    request: &Request,
    volume: &VolumeState,
    username: &str,
    permissions: Permissions,
) -> Value {
    let of = request.links.volume(volume.id.as_str());
    account::membership(&of, username, to_json(&permissions))
}
