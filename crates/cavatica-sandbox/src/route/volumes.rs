//! Volumes: mounting, reading, changing and taking them away.

use cavatica_model::{ApiError, ExportState};

use super::mounting;
use super::request::{Request, slice};
use crate::bytes::platform::State;
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply};
use crate::wire::refusal::Code;
use crate::world::{Event, VolumeState, World};

pub(super) fn list(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "name"]);
    let state = hub.platform.state();
    let mounted = state.world.mounted();
    let theirs = mounted.filter(|(_, volume)| volume.members.contains_key(&request.account));
    let all: Vec<u32> = theirs.map(|(number, _)| number).collect();
    let items = slice(&all, window)
        .iter()
        .map(|number| fields.choose(&state.world.volume_view(*number, &request.links)))
        .collect();
    Ok(Reply::page(&request.listing(), items, window, all.len()))
}

/// Source: <https://docs.cavatica.org/reference/get-details-of-a-volume-v2>.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let (number, _) = find(&state.world, request)?;
    let volume = state.world.volume_view(number, &request.links);
    Ok(Reply::json(
        Fields::of_detail(&request.query).choose(&volume),
    ))
}

/// Mounts a bucket that only the sandbox has, whatever its credentials say: they are neither kept nor used.
///
/// Source: <https://docs.cavatica.org/reference/create-a-volume-v2>.
pub(super) fn create(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let seed = mounting::seed(&request.json()?, &request.account)?;
    let mut state = hub.platform.state();
    if state.world.volume(&seed.id).is_some() {
        return Err(Code::VOLUME_EXISTS.error());
    }
    let id = seed.id.clone();
    let mounted = Event::VolumeMounted {
        seed: Box::new(seed),
        at: hub.platform.clock.now(),
    };
    write(&mut state, &mounted)?;
    let (number, _) = state
        .world
        .volume(&id)
        .ok_or_else(|| Code::NO_VOLUME.error())?;
    let volume = state.world.volume_view(number, &request.links);
    Ok(Reply::json(
        Fields::of_detail(&request.query).choose(&volume),
    ))
}

/// Only a deactivated volume without aliases goes; what lies in its bucket stays.
pub(super) fn remove(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let mut state = hub.platform.state();
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
    Ok(Reply::nothing())
}

/// Changes what the body names. Deactivating a volume that jobs are still under way to takes `force=true`.
///
/// Source: <https://docs.cavatica.org/reference/update-a-volume-v2>.
pub(super) fn change(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let body = request.json()?;
    let mut state = hub.platform.state();
    let (number, volume) = find(&state.world, request)?;
    if !volume.permissions(&request.account).admin {
        return Err(Code::NO_VOLUME_RIGHT.error());
    }
    let change = mounting::change(&body, &volume.service)?;
    let under_way = is_under_way(&state.world, number);
    let deactivates = volume.active && change.active == Some(false);
    if deactivates && under_way && !request.query.is_true("force") {
        return Err(Code::CONFLICT.because("Exports to the volume are under way."));
    }
    let changed = Event::VolumeChanged {
        volume: number,
        change: Box::new(change),
        at: hub.platform.clock.now(),
    };
    write(&mut state, &changed)?;
    let volume = state.world.volume_view(number, &request.links);
    Ok(Reply::json(
        Fields::of_detail(&request.query).choose(&volume),
    ))
}

fn is_under_way(world: &World, volume: u32) -> bool {
    [ExportState::Pending, ExportState::Running]
        .iter()
        .any(|stage| world.count(None, Some(volume), *stage) > 0)
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
        .filter(|(_, volume)| volume.members.contains_key(&request.account))
        .ok_or_else(|| Code::NO_VOLUME.error())
}
