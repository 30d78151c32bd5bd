//! Arbitrary words, JSON values and wire objects, with weight on the edges.

use cavatica_model::wire::OpenName;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Fewer cases than usual, for tests whose cases are whole answers; `PROPTEST_CASES` scales them with the others.
pub(crate) fn few() -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig {
        cases: usual.cases.div_ceil(6),
        ..usual
    }
}

/// Any text, often one that trips something: empty, with slashes, quotes, other scripts, control characters.
pub(crate) fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[a-zA-Z0-9_.-]{1,12}",
        1 => Just(String::new()),
        1 => "[ #%+?'\",;\\\\{}=~]{1,6}",
        1 => "\\PC{0,8}",
        1 => any::<String>(),
    ]
    .boxed()
}

/// A part of a location between two slashes.
pub(crate) fn segment() -> BoxedStrategy<String> {
    prop_oneof![4 => "[a-zA-Z0-9_-]{1,8}(\\.[a-z]{1,3})?", 2 => "\\PC{1,8}", 1 => "[a-c]"]
        .prop_filter("one part of a location", |text| {
            !text.contains('/')
                && !text.chars().any(char::is_control)
                && text != "."
                && text != ".."
        })
        .boxed()
}

/// The text of a location.
pub(crate) fn location() -> BoxedStrategy<String> {
    vec(segment(), 1..5)
        .prop_map(|segments| segments.join("/"))
        .boxed()
}

/// An opaque id.
pub(crate) fn id() -> BoxedStrategy<String> {
    prop_oneof![3 => "[0-9a-f]{24}", 1 => segment()].boxed()
}

/// An id of the form `owner/name`.
pub(crate) fn owned_id() -> BoxedStrategy<String> {
    (segment(), segment())
        .prop_map(|(owner, name)| format!("{owner}/{name}"))
        .boxed()
}

/// Any JSON value whose numbers are within 64 bits.
pub(crate) fn json() -> BoxedStrategy<Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(Value::from),
        text().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            btree_map(text(), inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
    .boxed()
}

fn any_object() -> BoxedStrategy<Value> {
    btree_map(text(), json(), 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
        .boxed()
}

type Key = (&'static str, BoxedStrategy<Value>);

fn key<T: Into<Value> + std::fmt::Debug + 'static>(
    name: &'static str,
    value: impl Strategy<Value = T> + 'static,
) -> Key {
    (name, value.prop_map(Into::into).boxed())
}

/// An object with all the required keys, any of the optional ones (or null in their place), and keys that nobody knows.
fn object(required: Vec<Key>, optional: Vec<Key>) -> BoxedStrategy<Value> {
    let known: Vec<&str> = required
        .iter()
        .chain(&optional)
        .map(|(name, _)| *name)
        .collect();
    let extra = btree_map(text(), json(), 0..3);
    let required: Vec<_> = required
        .into_iter()
        .map(|(name, value)| value.prop_map(move |value| (name, Some(value))).boxed())
        .collect();
    let optional: Vec<_> = optional
        .into_iter()
        .map(|(name, value)| {
            prop_oneof![
                2 => Just(None),
                1 => Just(Some(Value::Null)),
                4 => value.prop_map(Some),
            ]
            .prop_map(move |value| (name, value))
            .boxed()
        })
        .collect();
    (required, optional, extra)
        .prop_map(move |(required, optional, extra)| {
            let mut object: Map<String, Value> = extra
                .into_iter()
                .filter(|(name, _)| !known.contains(&name.as_str()))
                .collect();
            for (name, value) in required.into_iter().chain(optional) {
                if let Some(value) = value {
                    object.insert(name.to_owned(), value);
                }
            }
            Value::Object(object)
        })
        .boxed()
}

/// A name of an open enumeration: known, in any letter case, or unknown.
pub(crate) fn open<K: OpenName>() -> BoxedStrategy<String> {
    let known = prop::sample::select(K::ALL).prop_map(|known| known.name().to_owned());
    prop_oneof![
        3 => known.clone(),
        1 => known.clone().prop_map(|name| name.to_uppercase()),
        1 => known.prop_map(|name| name.to_lowercase()),
        1 => text(),
    ]
    .boxed()
}

fn moment() -> BoxedStrategy<String> {
    prop_oneof![
        "20[0-9]{2}-0[1-9]-[12][0-9]T1[0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?Z?",
        text(),
    ]
    .boxed()
}

pub(crate) fn api_error() -> BoxedStrategy<Value> {
    let code = prop_oneof![
        3 => prop::sample::select(&[0_i64, 1000, 9000, 9006, 9107, 9100, 90005][..]),
        1 => any::<i64>(),
    ];
    object(
        vec![],
        vec![
            key("status", prop_oneof![3 => 400_u16..600, 1 => any::<u16>()]),
            key("code", code),
            key("message", text()),
            key("more_info", text()),
        ],
    )
}

pub(crate) fn properties() -> BoxedStrategy<Value> {
    object(
        vec![],
        vec![
            key(
                "sse_algorithm",
                open::<cavatica_model::export::SseAlgorithm>(),
            ),
            key("sse_aws_kms_key_id", text()),
            key("sse_aws_kms_key_Id", text()),
            key(
                "aws_canned_acl",
                open::<cavatica_model::export::CannedAcl>(),
            ),
            key(
                "aws_storage_class",
                open::<cavatica_model::export::StorageClass>(),
            ),
        ],
    )
}

fn source() -> BoxedStrategy<Value> {
    object(vec![key("file", id())], vec![])
}

pub(crate) fn export_request() -> BoxedStrategy<Value> {
    let destination = object(
        vec![key("volume", owned_id()), key("location", location())],
        vec![],
    );
    object(
        vec![("source", source()), ("destination", destination)],
        vec![
            key("overwrite", any::<bool>()),
            ("properties", properties()),
            key("copy_only", any::<bool>()),
        ],
    )
}

fn storage() -> BoxedStrategy<Value> {
    object(
        vec![],
        vec![
            key("type", open::<cavatica_model::file::StorageType>()),
            key("hosted_on_locations", vec(text(), 0..3)),
            key("volume", owned_id()),
            key("location", text()),
        ],
    )
}

fn plain_file(more: Vec<Key>) -> BoxedStrategy<Value> {
    let mut optional = vec![
        key("href", text()),
        key("name", text()),
        key(
            "project",
            prop_oneof![4 => owned_id(), 1 => Just("admin/sbg-public-data".to_owned())],
        ),
        key(
            "size",
            prop_oneof![any::<u64>(), Just((5 << 40) + 1), Just(0)],
        ),
        key("parent", id()),
        key("type", open::<cavatica_model::file::FileKind>()),
        key("created_on", moment()),
        key("modified_on", moment()),
        ("storage", storage()),
        ("origin", object(vec![], vec![key("task", id())])),
        key("tags", vec(text(), 0..3)),
        ("metadata", any_object()),
    ];
    optional.extend(more);
    object(vec![key("id", id())], optional)
}

pub(crate) fn file() -> BoxedStrategy<Value> {
    plain_file(vec![
        key("secondary_files", vec(plain_file(vec![]), 0..2)),
        key("_secondary_files", vec(plain_file(vec![]), 0..2)),
    ])
}

pub(crate) fn volume() -> BoxedStrategy<Value> {
    let service = object(
        vec![],
        vec![
            key("type", open::<cavatica_model::volume::ServiceType>()),
            key("bucket", text()),
            key("prefix", text()),
            key("endpoint", text()),
            key("root_url", text()),
            ("credentials", any_object()),
            ("properties", properties()),
            key("access_mode", open::<cavatica_model::volume::AccessMode>()),
            key("export_enabled", any::<bool>()),
        ],
    );
    object(
        vec![key("id", owned_id())],
        vec![
            key("href", text()),
            key("name", text()),
            key("description", text()),
            key("access_mode", open::<cavatica_model::volume::AccessMode>()),
            ("service", service),
            key("created_on", moment()),
            key("modified_on", moment()),
            key("active", any::<bool>()),
        ],
    )
}

pub(crate) fn volume_permissions() -> BoxedStrategy<Value> {
    let names = ["read", "copy", "write", "admin"];
    object(vec![], names.map(|name| key(name, any::<bool>())).into())
}

pub(crate) fn export_job() -> BoxedStrategy<Value> {
    // The location as somebody else may have passed it: any text.
    let destination = object(
        vec![key("volume", owned_id()), key("location", text())],
        vec![],
    );
    object(
        vec![
            key("id", id()),
            key("state", open::<cavatica_model::ExportState>()),
        ],
        vec![
            key("href", text()),
            ("source", source()),
            ("destination", destination),
            key("started_on", moment()),
            key("finished_on", moment()),
            ("properties", properties()),
            key("overwrite", any::<bool>()),
            ("result", plain_file(vec![])),
            ("error", api_error()),
        ],
    )
}

pub(crate) fn page(item: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let link = object(
        vec![],
        vec![
            key("href", text()),
            key(
                "rel",
                prop_oneof![Just("next".to_owned()), Just("prev".to_owned()), text()],
            ),
            key("method", text()),
        ],
    );
    object(
        vec![key("items", vec(item, 0..4))],
        vec![key("href", text()), key("links", vec(link, 0..3))],
    )
}

pub(crate) fn volume_listing() -> BoxedStrategy<Value> {
    let prefix = object(
        vec![key("prefix", text())],
        vec![key("href", text()), key("volume", owned_id())],
    );
    let link = object(vec![], vec![key("next", text())]);
    object(
        vec![key("items", vec(volume_object(), 0..4))],
        vec![
            key("href", text()),
            key("prefixes", vec(prefix, 0..3)),
            key("links", vec(link, 0..3)),
        ],
    )
}

pub(crate) fn volume_object() -> BoxedStrategy<Value> {
    object(
        vec![key("location", text())],
        vec![
            key("href", text()),
            key("volume", owned_id()),
            key("type", text()),
            ("metadata", any_object()),
        ],
    )
}

/// An item of a bulk answer as the documentation has it, with nulls and strange keys beside what counts, or something else
/// altogether.
pub(crate) fn bulk_item(resource: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    let resource = prop_oneof![4 => resource, 1 => Just(Value::Null)];
    let error = prop_oneof![4 => api_error(), 1 => Just(Value::Null)];
    prop_oneof![
        6 => (any_object(), proptest::option::of(resource), proptest::option::of(error)).prop_map(
            |(mut item, resource, error)| {
                let keys = [("resource", resource), ("error", error)];
                for (key, part) in keys.into_iter().filter_map(|(key, part)| Some((key, part?))) {
                    item[key] = part;
                }
                item
            }
        ),
        1 => prop_oneof![text().prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)],
    ]
    .boxed()
}

pub(crate) fn bulk_answer(resource: BoxedStrategy<Value>) -> BoxedStrategy<Value> {
    object(vec![key("items", vec(bulk_item(resource), 0..4))], vec![])
}

pub(crate) fn task() -> BoxedStrategy<Value> {
    object(
        vec![key("id", id())],
        vec![
            key("href", text()),
            key("name", text()),
            key("project", owned_id()),
            key("app", text()),
            key("status", open::<cavatica_model::task::TaskStatus>()),
            key("batch", any::<bool>()),
            ("outputs", any_object()),
        ],
    )
}

pub(crate) fn user() -> BoxedStrategy<Value> {
    object(
        vec![],
        vec![
            key("href", text()),
            key("username", text()),
            key("email", text()),
        ],
    )
}

pub(crate) fn rate_limit() -> BoxedStrategy<Value> {
    let rate = || {
        let number = || prop_oneof![any::<i64>(), Just(i64::MAX), Just(-1)];
        object(
            vec![],
            vec![
                key("limit", number()),
                key("remaining", number()),
                key("reset", number()),
            ],
        )
    };
    object(vec![], vec![("rate", rate()), ("instance_limit", rate())])
}

/// The value of a wire type: whatever an arbitrary object of it reads as.
pub(crate) fn value<T: serde::de::DeserializeOwned + std::fmt::Debug>(
    object: BoxedStrategy<Value>,
) -> impl Strategy<Value = T> {
    object.prop_map(|object| {
        serde_json::from_value(object.clone())
            .unwrap_or_else(|error| panic!("{object} doesn't read: {error}"))
    })
}

/// Whether anybody would see something in a text.
pub(crate) fn is_seen(text: &str) -> bool {
    let is_seen = |letter: char| {
        let alone = letter.to_string();
        !letter.is_whitespace() && cavatica_model::text::visible(&alone).to_string() == alone
    };
    text.chars().any(is_seen)
}
