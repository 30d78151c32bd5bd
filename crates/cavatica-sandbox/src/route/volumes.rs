//! Volumes and who may use them.

use cavatica_model::{AccessMode, ApiError, ExportState, OpenName};
use serde_json::{Value, json};

use super::{Request, account, boolean, slice};
use crate::answer::{Answer, Fields};
use crate::hub::Hub;
use crate::refusal::Code;
use crate::world::{Event, VolumeState, World};

pub(super) fn list(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "name"]);
    let state = hub.state();
    let count = state.world.volumes().len();
    let all: Vec<u32> = (0..u32::try_from(count).unwrap_or(u32::MAX)).collect();
    let items = slice(&all, window)
        .iter()
        .map(|number| fields.choose(&state.world.volume_view(*number, &request.links)))
        .collect();
    Ok(Answer::page(&request.listing(), items, window, count))
}

/// Source: <https://docs.cavatica.org/reference/get-details-of-a-volume-v2>.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.state();
    let (number, _) = find(&state.world, request)?;
    let volume = state.world.volume_view(number, &request.links);
    Ok(Answer::json(
        Fields::of_detail(&request.query).choose(&volume),
    ))
}

pub(super) fn members(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let everyone = membership(hub, request)?;
    account::members(request, everyone)
}

pub(super) fn member(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let member = membership(hub, request)?;
    account::one_member(request, &member, Code::NO_VOLUME_MEMBER)
}

fn membership(hub: &Hub, request: &Request) -> Result<Value, ApiError> {
    let state = hub.state();
    let (_, volume) = find(&state.world, request)?;
    // There is no `execute` on volumes.
    let permissions = json!({"read": true, "copy": true, "write": true, "admin": true});
    let of = request.links.volume(volume.id.as_str());
    Ok(account::membership(&of, permissions))
}

/// Activates or deactivates a volume, opens it for writing or closes it; the rest of a volume doesn't change here.
/// Deactivating one that jobs are still under way to takes `force=true`.
pub(super) fn change(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let body = request.json()?;
    let mut state = hub.state();
    let (number, volume) = find(&state.world, request)?;
    let active = match body.get("active") {
        None | Some(Value::Null) => volume.active,
        Some(active) => boolean(active)
            .ok_or_else(|| Code::INVALID_SYNTAX.because("active must be a boolean."))?,
    };
    let access_mode = match body.get("access_mode") {
        None | Some(Value::Null) => volume.access_mode.clone(),
        Some(mode) => mode
            .as_str()
            .and_then(AccessMode::from_name)
            .map(|mode| mode.name().to_owned())
            .ok_or_else(|| Code::BAD_ACCESS_MODE.error())?,
    };
    let under_way = [ExportState::Pending, ExportState::Running]
        .iter()
        .any(|stage| state.world.count(Some(number), *stage) > 0);
    if volume.active && !active && under_way && !request.query.is_true("force") {
        return Err(Code::CONFLICT.because("Exports to the volume are under way."));
    }
    let changed = Event::VolumeChanged {
        volume: number,
        active,
        access_mode,
        at: hub.clock.now(),
    };
    let written = state.commit(&changed).and_then(|()| state.flush());
    written.map_err(|_| Code::UNAVAILABLE.error())?;
    let volume = state.world.volume_view(number, &request.links);
    Ok(Answer::json(
        Fields::of_detail(&request.query).choose(&volume),
    ))
}

pub(super) fn find<'a>(
    world: &'a World,
    request: &Request,
) -> Result<(u32, &'a VolumeState), ApiError> {
    world
        .volume(&request.owned_id())
        .ok_or_else(|| Code::NO_VOLUME.error())
}
