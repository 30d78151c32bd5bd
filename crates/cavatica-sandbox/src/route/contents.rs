//! What lies on a volume: in the data folder as the world knows it, in a real bucket as the bucket says.

use std::ops::Bound;

use cavatica_model::volume::{VolumeLink, VolumeListing, VolumeObject, VolumePrefix};
use cavatica_model::{ApiError, Tri, UnknownKeys, VolumeId};
use cavatica_s3::{Bucket, ErrorKind};

use super::request::Request;
use super::volumes;
use crate::bytes::remote;
use crate::clock::{http_date, timestamp};
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply, to_json};
use crate::wire::query::encode;
use crate::wire::refusal::Code;
use crate::world::quirk::Quirk;
use crate::world::{Object, VolumeState};

use continuation::From;

/// One level of a volume: its objects, and its folders as prefixes. No total, no way back.
///
/// Source: <https://docs.cavatica.org/reference/list-the-contents-of-a-volume>.
pub(super) async fn list(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let query = &request.query;
    let limit = query.limit(100)?;
    // Some clients leave the final `/` of a folder out.
    let prefix = match query.get("prefix") {
        Some(prefix) if !prefix.ends_with('/') => format!("{prefix}/"),
        Some(prefix) => prefix.to_owned(),
        None => String::new(),
    };
    let unknown = || Code::BAD_REQUEST.because("continuation_token is unknown.");
    let from = match query.get("continuation_token") {
        None => None,
        Some(token) => Some(continuation::read(token).ok_or_else(unknown)?),
    };
    let place = Browsed::find(hub, request)?;
    let level = match (hub.platform.buckets.get(place.number), from) {
        (Some(bucket), None) => bucket_level(bucket, &place, &prefix, None, limit).await?,
        (Some(bucket), Some(From::Bucket(token))) => {
            bucket_level(bucket, &place, &prefix, Some(token), limit).await?
        }
        (None, None) => place.level(hub, &prefix, None, limit),
        (None, Some(From::Key(bound))) => place.level(hub, &prefix, Some(bound), limit),
        (Some(_), Some(From::Key(_))) | (None, Some(From::Bucket(_))) => return Err(unknown()),
    };

    let listing = request.listing();
    let fields = Fields::of_list(query, &["href", "location", "volume", "type"]);
    let items = level.objects.iter();
    let bare = hub.quirks.contains(&Quirk::BareListing);
    let items = items.map(|seen| {
        let mut object = place.view(seen, request);
        if bare {
            object.metadata = Tri::Absent;
        }
        fields.choose(&object)
    });
    let itself = hub.quirks.contains(&Quirk::FolderInItself) && !prefix.is_empty();
    let folders = itself.then_some(&prefix).into_iter().chain(&level.folders);
    let prefixes = folders.map(|folder| {
        let mut shown = VolumePrefix::default();
        shown.href = Tri::Value(format!("{}?prefix={}", listing.url, encode(folder)));
        shown.prefix = match folder.strip_suffix('/') {
            // Without its `/`, a folder of an empty name would be called like the one that it lies in.
            Some(name) if !name.ends_with('/') && !hub.quirks.contains(&Quirk::SlashedPrefixes) => {
                name.to_owned()
            }
            _ => folder.clone(),
        };
        shown.volume = Tri::Value(place.id.to_string());
        shown
    });
    let told = [
        ("prefix", prefix.trim_end_matches('/').into()),
        ("limit", limit.into()),
        ("truncated", level.next.is_some().into()),
    ];
    let limit = ("limit", limit.to_string());
    let links = level.next.iter().map(|next| {
        let mut link = VolumeLink::default();
        link.next = Tri::Value(listing.url(&[
            ("continuation_token", continuation::write(next)),
            limit.clone(),
        ]));
        link
    });
    let mut page = VolumeListing::default();
    page.href = Tri::Value(listing.url(std::slice::from_ref(&limit)));
    page.prefixes = Tri::Value(prefixes.collect());
    page.links = Tri::Value(links.collect());
    page.unknown = told
        .map(|(key, value)| (key.to_owned(), value))
        .into_iter()
        .collect();
    let mut page = to_json(&page);
    page["items"] = to_json(&items.collect::<Vec<_>>());
    Ok(Reply::json(page))
}

/// One object. Without it: 404 with code 9105.
pub(super) async fn object(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let location = request.query.get("location").unwrap_or_default();
    let place = Browsed::find(hub, request)?;
    let seen = match hub.platform.buckets.get(place.number) {
        Some(bucket) => bucket_object(hub, bucket, &place, location).await?,
        None => {
            let state = hub.platform.state();
            let objects = &state.world.volumes()[place.number as usize].objects;
            let object = objects.get(location);
            object.map(|object| Seen::known(location, object))
        }
    };
    let seen = seen.ok_or_else(|| Code::NO_LOCATION.error())?;
    let mut view = place.view(&seen, request);
    if hub.quirks.contains(&Quirk::BareObject) {
        view.metadata = Tri::Absent;
    }
    Ok(Reply::json(Fields::of_detail(&request.query).choose(&view)))
}

/// A volume that may be browsed.
struct Browsed {
    number: u32,
    id: VolumeId,
    service: String,
    /// What stands before every location in the bucket.
    base: String,
}

/// An object as it is shown.
struct Seen {
    location: String,
    size: u64,
    etag: Option<String>,
    modified: Option<String>,
}

/// A page of one level.
struct Level {
    objects: Vec<Seen>,
    folders: Vec<String>,
    /// Where the next page begins, if there is more.
    next: Option<From>,
}

impl Browsed {
    /// A deactivated volume can't be browsed.
    fn find(hub: &Hub, request: &Request) -> Result<Browsed, ApiError> {
        let state = hub.platform.state();
        let (number, volume) = volumes::find(&state.world, request)?;
        if !volume.permissions(&request.account).read {
            return Err(Code::NO_VOLUME_RIGHT.error());
        }
        if !volume.active {
            return Err(Code::VOLUME_INACTIVE.error());
        }
        Ok(Browsed {
            number,
            id: volume.id.clone(),
            service: volume.service.clone(),
            base: state.world.key(number, ""),
        })
    }

    fn level(&self, hub: &Hub, prefix: &str, from: Option<Bound<String>>, limit: usize) -> Level {
        let state = hub.platform.state();
        let volume = &state.world.volumes()[self.number as usize];
        level(volume, prefix, from, limit)
    }

    fn view(&self, seen: &Seen, request: &Request) -> VolumeObject {
        let own = request.links.volume(self.id.as_str());
        // The keys that S3 itself gives.
        let mut metadata = UnknownKeys::new();
        metadata.insert("Content-Length".to_owned(), seen.size.into());
        if let Some(etag) = &seen.etag {
            metadata.insert("ETag".to_owned(), format!("\"{etag}\"").into());
        }
        if let Some(modified) = &seen.modified {
            metadata.insert("Last-Modified".to_owned(), modified.as_str().into());
        }
        let mut object = VolumeObject::default();
        object.href = Tri::Value(format!("{own}/object?location={}", encode(&seen.location)));
        object.location = seen.location.clone();
        object.volume = Tri::Value(self.id.to_string());
        object.kind = Tri::Value(self.service.clone());
        object.metadata = Tri::Value(metadata);
        object
    }
}

impl Seen {
    fn known(location: &str, object: &Object) -> Seen {
        Seen {
            location: location.to_owned(),
            size: object.size,
            etag: Some(object.etag.to_string()),
            modified: Some(http_date(timestamp(object.put_at))),
        }
    }
}

/// Asks a real bucket for one page of one level.
async fn bucket_level(
    bucket: &Bucket,
    place: &Browsed,
    prefix: &str,
    token: Option<String>,
    limit: usize,
) -> Result<Level, ApiError> {
    let whole = format!("{}{prefix}", place.base);
    let limit = u16::try_from(limit).unwrap_or(u16::MAX);
    let mut listing = bucket.list(&whole).one_level().page_size(limit);
    if let Some(token) = token {
        listing = listing.resume(token);
    }
    let page = listing.next().await;
    let page = page.map_err(|error| remote::of_call(&error))?;
    let page = page.unwrap_or_default();
    let relative = |key: String| key.strip_prefix(&place.base).map(str::to_owned);
    let objects = page.objects.into_iter().filter_map(|object| {
        Some(Seen {
            location: relative(object.key)?,
            size: object.size,
            etag: object.etag,
            modified: object.modified.map(http_date),
        })
    });
    Ok(Level {
        objects: objects.collect(),
        folders: page.folders.into_iter().filter_map(relative).collect(),
        next: page.next.map(From::Bucket),
    })
}

/// Asks a real bucket for one object.
async fn bucket_object(
    hub: &Hub,
    bucket: &Bucket,
    place: &Browsed,
    location: &str,
) -> Result<Option<Seen>, ApiError> {
    let key = hub.platform.state().world.key(place.number, location);
    let head = match bucket.head(&key).await {
        // What can't be asked for can't be there.
        Err(error) if *error.kind() == ErrorKind::Key => None,
        outcome => outcome.map_err(|error| remote::of_call(&error))?,
    };
    Ok(head.map(|head| Seen {
        location: location.to_owned(),
        size: head.size,
        etag: head.etag,
        modified: head.modified,
    }))
}

/// Goes through the keys in their order, and past each folder in one step: a folder may hold a million.
fn level(volume: &VolumeState, prefix: &str, from: Option<Bound<String>>, limit: usize) -> Level {
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
            level.next = Some(From::Key(from));
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
                level.objects.push(Seen::known(key, object));
                from = Bound::Excluded(key.to_string());
            }
        }
    }
}

/// Where a listing goes on: opaque to clients.
mod continuation {
    use std::ops::Bound;

    pub(super) enum From {
        Key(Bound<String>),
        /// In a real bucket's own words.
        Bucket(String),
    }

    pub(super) fn write(from: &From) -> String {
        let (mark, text) = match from {
            From::Key(Bound::Included(key)) => ('f', &**key),
            From::Key(Bound::Excluded(key)) => ('a', &**key),
            From::Key(Bound::Unbounded) => ('f', ""),
            From::Bucket(token) => ('b', &**token),
        };
        let digits = text.bytes().map(|byte| format!("{byte:02x}"));
        std::iter::once(mark.to_string()).chain(digits).collect()
    }

    pub(super) fn read(token: &str) -> Option<From> {
        let digits = token.get(1..)?.as_bytes();
        let pairs = digits.chunks(2).map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            (pair.len() == 2)
                .then(|| u8::from_str_radix(text, 16).ok())
                .flatten()
        });
        let text = String::from_utf8(pairs.collect::<Option<_>>()?).ok()?;
        match token.as_bytes()[0] {
            b'f' => Some(From::Key(Bound::Included(text))),
            b'a' => Some(From::Key(Bound::Excluded(text))),
            b'b' => Some(From::Bucket(text)),
            _ => None,
        }
    }
}
