//! Answers: bodies, pages and the choice of fields.

use bytes::Bytes;
use cavatica_model::ApiError;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use crate::wire::query::{Query, Window, encode};

/// An answer before anything goes wrong with it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Body,
    /// For `X-Total-Matching-Query`.
    pub(crate) total: Option<u64>,
    /// For `Location`.
    pub(crate) location: Option<String>,
}

#[derive(Debug)]
pub(crate) enum Body {
    /// Written out already; what changes it reads it back.
    Json(Vec<u8>),
    /// Something for browsers, with its type.
    Page(&'static str, Bytes),
    Empty,
}

impl Reply {
    pub(crate) fn json(object: impl Serialize) -> Reply {
        Reply {
            status: 200,
            body: Body::Json(serde_json::to_vec(&object).expect(WRITABLE)),
            total: None,
            location: None,
        }
    }

    /// Done, and nothing to say.
    pub(crate) fn nothing() -> Reply {
        Reply {
            status: 204,
            body: Body::Empty,
            total: None,
            location: None,
        }
    }

    pub(crate) fn html(status: u16, page: impl Into<Bytes>) -> Reply {
        Reply {
            status,
            ..Reply::page_part("text/html; charset=utf-8", page)
        }
    }

    /// A page or a part of one.
    pub(crate) fn page_part(kind: &'static str, text: impl Into<Bytes>) -> Reply {
        Reply {
            status: 200,
            body: Body::Page(kind, text.into()),
            ..Reply::nothing()
        }
    }

    /// Nothing, to somebody who asks another.
    pub(crate) fn misdirected() -> Reply {
        Reply {
            status: 421,
            ..Reply::nothing()
        }
    }

    pub(crate) fn error(error: &ApiError) -> Reply {
        let status = error.http_status().unwrap_or(500);
        Reply {
            status,
            ..Reply::json(error)
        }
    }

    /// What the platform's web server says to a path that no call has: a text for the status, and no code.
    pub(crate) fn no_such_call() -> Reply {
        let body = json!({"status": "NOT_FOUND", "message": "HTTP 404 Not Found"});
        Reply {
            status: 404,
            ..Reply::json(body)
        }
    }

    /// An ordinary list: the items of one window, links to its neighbours, and the total.
    pub(crate) fn page(
        list: &Listing<'_>,
        items: Vec<Box<RawValue>>,
        window: Window,
        total: usize,
    ) -> Reply {
        let Window { offset, limit } = window;
        let mut links = Vec::new();
        if offset.saturating_add(limit) < total {
            links.push(link("next", list.url(&page_query(offset + limit, limit))));
        }
        if offset > 0 {
            let before = offset.saturating_sub(limit);
            links.push(link("prev", list.url(&page_query(before, limit))));
        }
        let href = list.url(&page_query(offset, limit));
        Reply {
            total: u64::try_from(total).ok(),
            ..Reply::json(ListPart { href, items, links })
        }
    }

    /// Changes a body after it was written.
    pub(crate) fn alter(&mut self, change: impl FnOnce(&mut Value)) {
        if let Body::Json(text) = &mut self.body {
            let mut value = serde_json::from_slice(text).expect("it was written here");
            change(&mut value);
            *text = serde_json::to_vec(&value).expect(WRITABLE);
        }
    }
}

/// A part of a list.
#[derive(Serialize)]
pub(crate) struct ListPart {
    pub(crate) href: String,
    pub(crate) items: Vec<Box<RawValue>>,
    pub(crate) links: Vec<Value>,
}

fn page_query(offset: usize, limit: usize) -> [(&'static str, String); 2] {
    [("offset", offset.to_string()), ("limit", limit.to_string())]
}

pub(crate) fn link(rel: &str, href: String) -> Value {
    json!({"href": href, "rel": rel, "method": "GET"})
}

/// The address of a list, with the parameters that its further pages have to keep.
pub(crate) struct Listing<'a> {
    pub(crate) url: String,
    pub(crate) query: &'a Query,
}

impl Listing<'_> {
    /// The address of the list with other paging parameters.
    pub(crate) fn url(&self, paging: &[(&str, String)]) -> String {
        let paged = ["offset", "limit", "token", "continuation_token"];
        let kept = self.query.pairs().filter(|(name, _)| !paged.contains(name));
        let paging = paging.iter().map(|(name, value)| (*name, &**value));
        let parameters: Vec<String> = kept
            .chain(paging)
            .map(|(name, value)| format!("{}={}", encode_name(name), encode(value)))
            .collect();
        format!("{}?{}", self.url, parameters.join("&"))
    }
}

/// Names of parameters as people write them, for instance `metadata.sample_id`.
fn encode_name(name: &str) -> String {
    const NAME: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'.')
        .remove(b'_')
        .remove(b'-');
    percent_encoding::utf8_percent_encode(name, NAME).to_string()
}

/// Which keys of an object the client asked for, with `fields=`.
#[derive(Debug)]
pub(crate) enum Fields {
    All,
    Only(Vec<String>),
    Without(Vec<String>),
}

impl Fields {
    /// What a call shows of one object: everything, unless asked otherwise.
    pub(crate) fn of_detail(query: &Query) -> Fields {
        Fields::parse(query).unwrap_or(Fields::All)
    }

    /// What a call shows of each object of a list: a few keys, unless asked otherwise.
    pub(crate) fn of_list(query: &Query, default: &[&str]) -> Fields {
        let default = || default.iter().map(|name| (*name).to_owned()).collect();
        Fields::parse(query).unwrap_or_else(|| Fields::Only(default()))
    }

    fn parse(query: &Query) -> Option<Fields> {
        let text = query.get("fields")?;
        let names = || {
            text.split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
        };
        if names().any(|name| name == "_all") {
            return Some(Fields::All);
        }
        let without: Vec<String> = names()
            .filter_map(|name| name.strip_prefix('!'))
            .map(str::to_owned)
            .collect();
        Some(if without.is_empty() {
            Fields::Only(names().map(str::to_owned).collect())
        } else {
            Fields::Without(without)
        })
    }

    /// Whether a key is asked for; some are costly to find out.
    pub(crate) fn has(&self, key: &str) -> bool {
        match self {
            Fields::All => true,
            Fields::Only(names) => names.iter().any(|name| name == key),
            Fields::Without(names) => !names.iter().any(|name| name == key),
        }
    }

    /// The object with the chosen keys.
    pub(crate) fn choose(&self, object: &impl Serialize) -> Box<RawValue> {
        if matches!(self, Fields::All) {
            return to_raw_value(object).expect(WRITABLE);
        }
        let chosen = match to_json(object) {
            Value::Object(keys) => {
                let chosen = keys.into_iter().filter(|(key, _)| self.has(key));
                Value::Object(chosen.collect::<Map<_, _>>())
            }
            whole => whole,
        };
        to_raw_value(&chosen).expect(WRITABLE)
    }
}

const WRITABLE: &str = "the model's objects have text keys and finite numbers";

/// One of ours as JSON.
pub(crate) fn to_json(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect(WRITABLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(query: &str) -> String {
        let fields = Fields::of_list(&Query::parse(query), &["id"]);
        let object = json!({"id": 1, "name": 2, "metadata": 3});
        fields.choose(&object).to_string()
    }

    #[test]
    fn fields_come_in_four_forms() {
        assert_eq!(chosen(""), r#"{"id":1}"#);
        assert_eq!(chosen("fields=_all"), r#"{"id":1,"metadata":3,"name":2}"#);
        assert_eq!(chosen("fields=name,id"), r#"{"id":1,"name":2}"#);
        assert_eq!(chosen("fields=!metadata"), r#"{"id":1,"name":2}"#);
    }

    #[test]
    fn further_pages_keep_what_was_asked() {
        let query = Query::parse("offset=5&limit=2&metadata.sample_id=a+b&name=x%2Fy");
        let list = Listing {
            url: "http://h/v2/files".to_owned(),
            query: &query,
        };
        assert_eq!(
            list.url(&page_query(7, 2)),
            "http://h/v2/files?metadata.sample_id=a%20b&name=x%2Fy&offset=7&limit=2"
        );
    }
}
