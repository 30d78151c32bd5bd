//! A request that found its route, and what is wrong with it on purpose.

use std::time::Duration;

use bytes::Bytes;
use cavatica_model::ApiError;
use serde_json::Value;

use crate::clock::Millis;
use crate::control::rate::Standing;
use crate::wire::answer::Listing;
use crate::wire::query::{Query, Window};
use crate::wire::refusal::Code;
use crate::wire::route::Route;
use crate::world::Links;

/// A request that found its route.
pub(crate) struct Request {
    /// Who asks, by username.
    pub(crate) account: String,
    /// Where the one who asks stands against the limit.
    pub(crate) standing: Standing,
    pub(crate) route: Route,
    /// The path's parameters in their order.
    pub(crate) parameters: Vec<String>,
    pub(crate) query: Query,
    pub(crate) body: Bytes,
    pub(crate) links: Links,
    /// Whether the client asked for features in advance access.
    pub(crate) advance_access: bool,
    pub(crate) acceptance: Acceptance,
    pub(crate) jobs_shown: JobsShown,
    pub(crate) files_shown: FilesShown,
}

/// How the items of a start are accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acceptance {
    /// Only so many of a bulk call's items.
    pub(crate) first: usize,
    /// Only every n-th of them.
    pub(crate) every: usize,
    /// Over this time, one by one.
    pub(crate) over: Duration,
}

impl Default for Acceptance {
    fn default() -> Self {
        Acceptance {
            first: usize::MAX,
            every: 1,
            over: Duration::ZERO,
        }
    }
}

impl Acceptance {
    /// Whether the item at this position of a bulk call is carried out.
    pub(super) fn takes(&self, position: usize) -> bool {
        position < self.first && position.is_multiple_of(self.every.max(1))
    }

    /// How many of a call's items are accepted at once.
    pub(super) fn at_once(&self, items: usize) -> usize {
        if self.over.is_zero() { items.max(1) } else { 1 }
    }

    /// Waits before items are accepted.
    pub(super) async fn pause(&self, items: usize) {
        if !self.over.is_zero() {
            let share = self.over / u32::try_from(items.max(1)).unwrap_or(u32::MAX);
            tokio::time::sleep(share).await;
        }
    }
}

/// Which jobs show. Ages are counted from acceptance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JobsShown {
    /// Younger ones aren't listed.
    pub(crate) listed_after: Millis,
    /// Older ones aren't known any more.
    pub(crate) kept_for: Millis,
    /// The list ends after so many.
    pub(crate) most: usize,
    /// So many of the newest aren't listed.
    pub(crate) lacking: usize,
    /// The list stands in another order each time.
    pub(crate) disorder: bool,
}

impl Default for JobsShown {
    fn default() -> Self {
        JobsShown {
            listed_after: 0,
            kept_for: Millis::MAX,
            most: usize::MAX,
            lacking: 0,
            disorder: false,
        }
    }
}

impl JobsShown {
    /// Whether a job of this age is known by its id.
    pub(super) fn knows(&self, age: Millis) -> bool {
        age < self.kept_for
    }

    pub(super) fn lists(&self, age: Millis) -> bool {
        self.knows(age) && (self.listed_after == 0 || age >= self.listed_after)
    }

    /// Whether the list is what the world's own counts say.
    pub(super) fn is_whole(&self) -> bool {
        self.listed_after == 0
            && self.kept_for == Millis::MAX
            && self.most == usize::MAX
            && self.lacking == 0
            && !self.disorder
    }
}

/// How lists of files show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FilesShown {
    /// A page of a scroll ends after so many.
    pub(crate) most: usize,
    /// What became of files shows so much later.
    pub(crate) late_by: Millis,
    /// The further pages of a scroll are as old as the first.
    pub(crate) snapshot: bool,
    /// How long a scroll's tokens are taken.
    pub(crate) tokens_last: Millis,
    /// Somebody changes a folder between its pages.
    pub(crate) restless: bool,
}

impl Default for FilesShown {
    fn default() -> Self {
        FilesShown {
            most: usize::MAX,
            late_by: 0,
            snapshot: false,
            tokens_last: Millis::MAX,
            restless: false,
        }
    }
}

impl Request {
    /// The id that the path names.
    pub(super) fn id(&self) -> &str {
        self.parameters.first().map_or("", String::as_str)
    }

    /// The `owner/name` that the path begins with.
    pub(super) fn owned_id(&self) -> String {
        self.parameters[..self.parameters.len().min(2)].join("/")
    }

    pub(super) fn listing(&self) -> Listing<'_> {
        let mut parameters = self.parameters.iter();
        let path = self.route.path().split('/').map(|part| {
            if part.starts_with('{') {
                let parameter = parameters.next().map_or("", String::as_str);
                crate::wire::query::encode(parameter)
            } else {
                part.to_owned()
            }
        });
        Listing {
            url: self.links.0.clone() + &path.collect::<Vec<_>>().join("/"),
            query: &self.query,
        }
    }

    /// The body as JSON; some clients send none where there is nothing to say.
    pub(super) fn json(&self) -> Result<Value, ApiError> {
        if self.body.is_empty() {
            return Ok(Value::Object(serde_json::Map::new()));
        }
        serde_json::from_slice(&self.body).map_err(|_| Code::UNDECODABLE.error())
    }
}

/// The items of a window on something that is already a list.
pub(super) fn slice<T>(all: &[T], window: Window) -> &[T] {
    let from = window.offset.min(all.len());
    &all[from..all.len().min(from.saturating_add(window.limit))]
}

/// A boolean of a body; some clients send it as a text.
pub(super) fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(boolean) => Some(*boolean),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
