//! Volumes and what lies on them.

use std::ops::Bound;

use cavatica_model::{
    AccessMode, ApiError, ExportState, OpenName, Tri, UnknownKeys, VolumeLink, VolumeListing,
    VolumeObject, VolumePrefix,
};
use serde_json::{Value, json};

use super::{Request, account, boolean, slice};
use crate::answer::{Answer, Fields, to_json};
use crate::clock::timestamp;
use crate::hub::Hub;
use crate::query::encode;
use crate::refusal::Code;
use crate::world::{Event, Object, VolumeState, World};

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

/// One level of a volume: its objects, and its folders as prefixes. No total, no way back.
///
/// Source: <https://docs.cavatica.org/reference/list-the-contents-of-a-volume>.
pub(super) fn contents(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let query = &request.query;
    let limit = query.limit(100)?;
    // Some clients leave the final `/` of a folder out.
    let prefix = match query.get("prefix") {
        Some(prefix) if !prefix.ends_with('/') => format!("{prefix}/"),
        Some(prefix) => prefix.to_owned(),
        None => String::new(),
    };
    let from = match query.get("continuation_token") {
        None => None,
        Some(token) => Some(
            continuation::read(token)
                .ok_or_else(|| Code::BAD_REQUEST.because("continuation_token is unknown."))?,
        ),
    };
    let state = hub.state();
    let (_, volume) = browsable(&state.world, request)?;
    let level = level(volume, &prefix, from, limit);

    let listing = request.listing();
    let fields = Fields::of_list(query, &["href", "location", "volume", "type"]);
    let items = level.objects.iter().map(|(location, object)| {
        let object = view(volume, location, object, request);
        fields.choose(&object)
    });
    let prefixes = level.folders.iter().map(|folder| VolumePrefix {
        href: Tri::Value(format!("{}?prefix={}", listing.url, encode(folder))),
        prefix: folder.clone(),
        volume: Tri::Value(volume.id.clone()),
        unknown: UnknownKeys::new(),
    });
    let limit = ("limit", limit.to_string());
    let links = level.next.iter().map(|next| VolumeLink {
        next: Tri::Value(listing.url(&[
            ("continuation_token", continuation::write(next)),
            limit.clone(),
        ])),
        unknown: UnknownKeys::new(),
    });
    let page = VolumeListing {
        href: Tri::Value(listing.url(std::slice::from_ref(&limit))),
        items: Vec::new(),
        prefixes: Tri::Value(prefixes.collect()),
        links: Tri::Value(links.collect()),
        unknown: UnknownKeys::new(),
    };
    let mut page = to_json(&page);
    page["items"] = items.collect();
    Ok(Answer::json(page))
}

/// One object. Without it: 404 with code 9105.
pub(super) fn object(hub: &Hub, request: &Request) -> Result<Answer, ApiError> {
    let state = hub.state();
    let (_, volume) = browsable(&state.world, request)?;
    let location = request.query.get("location").unwrap_or_default();
    let object = volume
        .objects
        .get(location)
        .ok_or_else(|| Code::NO_LOCATION.error())?;
    let view = view(volume, location, object, request);
    Ok(Answer::json(
        Fields::of_detail(&request.query).choose(&view),
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

fn find<'a>(world: &'a World, request: &Request) -> Result<(u32, &'a VolumeState), ApiError> {
    world
        .volume(&request.owned_id())
        .ok_or_else(|| Code::NO_VOLUME.error())
}

/// A deactivated volume can't be browsed; no page tells the code.
fn browsable<'a>(world: &'a World, request: &Request) -> Result<(u32, &'a VolumeState), ApiError> {
    let (number, volume) = find(world, request)?;
    if volume.active {
        Ok((number, volume))
    } else {
        Err(Code::NO_READ_ACCESS.error())
    }
}

fn view(volume: &VolumeState, location: &str, object: &Object, request: &Request) -> VolumeObject {
    let own = request.links.volume(volume.id.as_str());
    // The keys that S3 itself gives.
    let metadata = json!({
        "Content-Length": object.size,
        "ETag": format!("\"{}\"", object.etag),
        "Last-Modified": timestamp(object.put_at)
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string(),
    });
    let metadata = match metadata {
        serde_json::Value::Object(keys) => keys,
        _ => UnknownKeys::new(),
    };
    VolumeObject {
        href: Tri::Value(format!("{own}/object?location={}", encode(location))),
        location: location.to_owned(),
        volume: Tri::Value(volume.id.clone()),
        kind: Tri::Value(volume.service.clone()),
        metadata: Tri::Value(metadata),
        unknown: UnknownKeys::new(),
    }
}

/// A page of one level.
struct Level<'a> {
    objects: Vec<(&'a str, &'a Object)>,
    folders: Vec<String>,
    /// Where the next page begins, if there is more.
    next: Option<Bound<String>>,
}

/// Goes through the keys in their order, and past each folder in one step: a folder may hold a million.
fn level<'a>(
    volume: &'a VolumeState,
    prefix: &str,
    from: Option<Bound<String>>,
    limit: usize,
) -> Level<'a> {
    let mut level = Level {
        objects: Vec::new(),
        folders: Vec::new(),
        next: None,
    };
    let mut from = from.unwrap_or_else(|| Bound::Included(prefix.to_owned()));
    loop {
        let bounds = (from.as_ref().map(String::as_str), Bound::Unbounded);
        let Some((key, object)) = volume.objects.range::<str, _>(bounds).next() else {
            return level;
        };
        let Some(rest) = key.strip_prefix(prefix) else {
            return level;
        };
        if level.objects.len() + level.folders.len() == limit {
            level.next = Some(from);
            return level;
        }
        match rest.find('/') {
            Some(slash) => {
                let folder = &key[..prefix.len() + slash];
                // The first key after all in the folder: `0` follows `/`.
                from = Bound::Included(format!("{folder}0"));
                level.folders.push(format!("{folder}/"));
            }
            None => {
                level.objects.push((key, object));
                from = Bound::Excluded(key.to_string());
            }
        }
    }
}

/// Where a listing goes on: opaque to clients.
mod continuation {
    use std::ops::Bound;

    pub(super) fn write(from: &Bound<String>) -> String {
        let (mark, key) = match from {
            Bound::Included(key) => ('f', &**key),
            Bound::Excluded(key) => ('a', &**key),
            Bound::Unbounded => ('f', ""),
        };
        let digits = key.bytes().map(|byte| format!("{byte:02x}"));
        std::iter::once(mark.to_string()).chain(digits).collect()
    }

    pub(super) fn read(token: &str) -> Option<Bound<String>> {
        let digits = token.get(1..)?.as_bytes();
        let pairs = digits.chunks(2).map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            (pair.len() == 2)
                .then(|| u8::from_str_radix(text, 16).ok())
                .flatten()
        });
        let key = String::from_utf8(pairs.collect::<Option<_>>()?).ok()?;
        match token.as_bytes()[0] {
            b'f' => Some(Bound::Included(key)),
            b'a' => Some(Bound::Excluded(key)),
            _ => None,
        }
    }
}
