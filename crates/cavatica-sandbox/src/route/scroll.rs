//! Everything of one level, a thousand a page.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use cavatica_model::ApiError;
use serde_json::Value;

use super::files::{FileFilter, SHOWN_IN_LISTS, as_of, disturb, folder_by_id, named_folder};
use super::request::Request;
use crate::clock::Millis;
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, ListPart, Listing, Reply, link};
use crate::wire::refusal::Code;

/// The largest page that scrolling gives.
const LARGEST: usize = 1000;

pub(super) fn scroll(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    page(hub, named_folder(hub, &request.query)?, request)
}

pub(super) fn scroll_folder(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    page(hub, folder_by_id(hub, request.id())?, request)
}

/// A page that begins after the last one's last file, whatever happened to the files before it.
fn page(hub: &Hub, folder: u32, request: &Request) -> Result<Reply, ApiError> {
    if !request.advance_access {
        return Err(Code::FORBIDDEN.because("Scrolling is an advance access feature."));
    }
    let (query, shown) = (&request.query, &request.files_shown);
    if query.get("offset").is_some() || query.pairs().any(|(name, _)| name.starts_with("metadata."))
    {
        return Err(Code::BAD_REQUEST.because("Scrolling takes no offset and no metadata filter."));
    }
    let limit = query.limit(LARGEST)?.min(shown.most);
    let now = hub.platform.clock.now();
    let first = Position {
        from: 0,
        named_at: now,
        as_of: match as_of(request, now) {
            Millis::MAX if shown.snapshot => now,
            as_of => as_of,
        },
    };
    let position = match query.get("token") {
        None | Some("init") => first,
        Some(token) => Position::read(token, &first, request)?,
    };
    disturb(hub, request, folder, position.from)?;

    let state = hub.platform.state();
    let world = &state.world;
    let children = world.children(folder).unwrap_or_default();
    let fields = Fields::of_list(query, SHOWN_IN_LISTS);
    let filter = FileFilter::new(query);
    let mut items = Vec::new();
    let mut next = position.from.min(children.len());
    for number in &children[next..] {
        if items.len() == limit {
            break;
        }
        next += 1;
        if filter.shows(world, *number, position.as_of) {
            let view = world.file_view_as_of(*number, &request.links, position.as_of);
            items.push(fields.choose(&view));
        }
    }
    let listing: Listing<'_> = request.listing();
    let url = |token: String| listing.url(&[("token", token), ("limit", limit.to_string())]);
    let further = Position {
        from: next,
        named_at: now,
        ..position
    };
    let links: Vec<Value> = (next < children.len())
        .then(|| link("next", url(further.write())))
        .into_iter()
        .collect();
    let href = url(query.get("token").unwrap_or("init").to_owned());
    let there = children.iter().filter(|number| !world.is_gone(**number));
    let total = if world.any_gone() {
        there.count()
    } else {
        children.len()
    };
    Ok(Reply {
        total: u64::try_from(total).ok(),
        ..Reply::json(ListPart { href, items, links })
    })
}

/// Where a scroll goes on.
struct Position {
    from: usize,
    /// When an answer named it.
    named_at: Millis,
    /// As of when its files are shown.
    as_of: Millis,
}

impl Position {
    /// Opaque to clients, and in base64, as the platform's are, so that it has to be encoded in a query.
    fn write(&self) -> String {
        let Position {
            from,
            named_at,
            as_of,
        } = self;
        BASE64_STANDARD.encode(format!("{from} {named_at} {as_of}"))
    }

    fn read(token: &str, now: &Position, request: &Request) -> Result<Position, ApiError> {
        let numbers = || {
            let text = String::from_utf8(BASE64_STANDARD.decode(token).ok()?).ok()?;
            let (from, moments) = text.split_once(' ')?;
            let (named_at, as_of) = moments.split_once(' ')?;
            Some(Position {
                from: from.parse().ok()?,
                named_at: named_at.parse().ok()?,
                as_of: as_of.parse().ok()?,
            })
        };
        let known = numbers().ok_or_else(|| Code::BAD_REQUEST.because("token is unknown."))?;
        let age = now.named_at.saturating_sub(known.named_at);
        if age >= request.files_shown.tokens_last {
            return Err(Code::BAD_REQUEST.because("token has expired."));
        }
        let as_of = match request.files_shown.snapshot {
            true => known.as_of,
            false => now.as_of,
        };
        Ok(Position { as_of, ..known })
    }
}
