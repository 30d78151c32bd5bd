//! Volumes: mounting, reading, changing and taking them away.

use std::collections::BTreeMap;

use cavatica_model::{AccessMode, ApiError, ExportProperties, ExportState, OpenName};
use serde_json::Value;

use super::{Request, boolean, slice};
use crate::answer::{Answer, Fields};
use crate::hub::{Hub, State};
use crate::refusal::Code;
use crate::world::{Event, Permissions, StoreKind, USER, VolumeSpec, VolumeState, World};

pub(super) fn list(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "name"]);
    let state = hub.state();
    let all: Vec<u32> = state.world.mounted().map(|(number, _)| number).collect();
    let items = slice(&all, window)
        .iter()
        .map(|number| fields.choose(&state.world.volume_view(*number, &request.links)))
        .collect();
    Ok(Answer::page(&request.listing(), items, window, all.len()))
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

/// Mounts a bucket that only the sandbox has, whatever its credentials say: they are neither kept nor used.
///
/// Source: <https://docs.cavatica.org/reference/create-a-volume-v2>.
pub(super) fn create(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let spec = spec(&request.json()?)?;
    let mut state = hub.state();
    if state.world.volume(&spec.id).is_some() {
        return Err(Code::VOLUME_EXISTS.error());
    }
    let id = spec.id.clone();
    let mounted = Event::VolumeMounted {
        spec: Box::new(spec),
        at: hub.clock.now(),
    };
    write(&mut state, &mounted)?;
    let (number, _) = state
        .world
        .volume(&id)
        .ok_or_else(|| Code::NO_VOLUME.error())?;
    let volume = state.world.volume_view(number, &request.links);
    Ok(Answer {
        status: 201,
        ..Answer::json(Fields::of_detail(&request.query).choose(&volume))
    })
}

/// What a body asks for. Without an access mode the volume can be written to, as the page of this call says.
fn spec(body: &Value) -> Result<VolumeSpec, ApiError> {
    let text = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).map(str::to_owned);
    let name = text(body, "name").unwrap_or_default();
    if name.is_empty() {
        return Err(Code::VOLUME_NAME_EMPTY.error());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !(3..=32).contains(&name.len()) || !name.chars().all(plain) {
        return Err(Code::BAD_VOLUME_NAME.error());
    }
    let access_mode = match body.get("access_mode") {
        None | Some(Value::Null) => AccessMode::ReadWrite,
        Some(mode) => mode
            .as_str()
            .and_then(AccessMode::from_name)
            .ok_or_else(|| Code::BAD_ACCESS_MODE.error())?,
    };
    let service = body
        .get("service")
        .filter(|service| service.is_object())
        .ok_or_else(|| Code::NO_SERVICE.error())?;
    let kind = text(service, "type").map(|kind| kind.to_lowercase());
    let kind = kind.ok_or_else(|| Code::BAD_SERVICE.error())?;
    match (kind.as_str(), access_mode) {
        ("s3", _) | ("gcs" | "oss" | "azure", AccessMode::ReadOnly) => {}
        ("gcs", _) => return Err(Code::GCS_IS_READ_ONLY.error()),
        ("oss" | "azure", _) => {
            return Err(Code::BAD_SERVICE.because("Volumes of this service are read-only."));
        }
        _ => return Err(Code::BAD_SERVICE.error()),
    }
    let bucket = text(service, "bucket").or_else(|| text(service, "container"));
    let bucket = bucket.filter(|bucket| !bucket.is_empty());
    let bucket = bucket.ok_or_else(|| Code::BAD_SERVICE.because("service.bucket is missing."))?;
    let properties = match service.get("properties") {
        None | Some(Value::Null) => ExportProperties::default(),
        Some(properties) => serde_json::from_value(properties.clone())
            .map_err(|_| Code::BAD_SERVICE.because("service.properties can't be understood."))?,
    };
    Ok(VolumeSpec {
        id: format!("{USER}/{name}"),
        service: kind,
        access_mode: access_mode.name().to_owned(),
        active: true,
        bucket,
        prefix: text(service, "prefix").unwrap_or_default(),
        properties,
        store: StoreKind::Folder,
        objects: BTreeMap::new(),
        permissions: Permissions::all(),
    })
}

/// Only a deactivated volume without aliases goes; what lies in its bucket stays.
pub(super) fn remove(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let mut state = hub.state();
    let (number, volume) = find(&state.world, request)?;
    if volume.active {
        return Err(Code::CONFLICT.because("The volume is active."));
    }
    if state.world.has_aliases(&volume.id) {
        return Err(Code::CONFLICT.because("Files of projects lie on the volume."));
    }
    if is_under_way(&state.world, number) {
        return Err(Code::CONFLICT.because("Exports to the volume are under way."));
    }
    write(&mut state, &Event::VolumeRemoved { volume: number })?;
    Ok(Answer::nothing())
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
    let under_way = is_under_way(&state.world, number);
    if volume.active && !active && under_way && !request.query.is_true("force") {
        return Err(Code::CONFLICT.because("Exports to the volume are under way."));
    }
    let changed = Event::VolumeChanged {
        volume: number,
        active,
        access_mode,
        bucket: None,
        prefix: None,
        at: hub.clock.now(),
    };
    write(&mut state, &changed)?;
    let volume = state.world.volume_view(number, &request.links);
    Ok(Answer::json(
        Fields::of_detail(&request.query).choose(&volume),
    ))
}

fn is_under_way(world: &World, volume: u32) -> bool {
    [ExportState::Pending, ExportState::Running]
        .iter()
        .any(|stage| world.count(Some(volume), *stage) > 0)
}

/// Lets an event happen for good before anybody hears of it.
pub(super) fn write(state: &mut State, event: &Event) -> Result<(), ApiError> {
    let written = state.commit(event).and_then(|()| state.flush());
    written.map_err(|_| Code::UNAVAILABLE.error())
}

pub(super) fn find<'a>(
    world: &'a World,
    request: &Request,
) -> Result<(u32, &'a VolumeState), ApiError> {
    world
        .volume(&request.owned_id())
        .ok_or_else(|| Code::NO_VOLUME.error())
}
