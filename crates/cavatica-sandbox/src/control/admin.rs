//! The sandbox's own calls: for the person or test that runs it, not part of the platform. All but the empty page need the
//! token, because names are in the answers; none counts against a limit.
//!
//! | call | |
//! |---|---|
//! | `GET /` | a page that shows the world |
//! | `GET /_sandbox/ledger` | what was accepted and done |
//! | `GET /_sandbox/state` | what the page shows |
//! | `GET`, `POST`, `DELETE /_sandbox/faults` | the fault rules: with their counts, others, none |
//! | `GET`, `PATCH /_sandbox/settings` | the limit, how long jobs take, how many fail |
//! | `POST /_sandbox/files` | adds `file` of `size` bytes |
//! | `PATCH /_sandbox/files` | makes `file` `archived` or a `public_copy`, or takes that back; renames or moves it to `path` |
//! | `POST /_sandbox/objects` | puts `content` at `location` on `volume`, behind the platform's back |
//! | `DELETE /_sandbox/objects?volume=&location=` | takes an object away |
//! | `DELETE /_sandbox/files?file=` | deletes a file; if it is an alias, its object stays |
//! | `POST /_sandbox/exports` | starts an export that no client asks for |
//! | `PATCH /_sandbox/volumes?volume=` | changes `bucket`, `prefix`, `access_mode`, `active` past the platform's calls |

use bytes::Bytes;
use cavatica_model::ApiError;
use cavatica_model::wire::OpenName;
use http::Method;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fault::FaultPlan;
use super::hub::Hub;
use super::settings;
use crate::wire::answer::{Reply, to_json};
use crate::wire::query::Query;
use crate::wire::refusal::Code;
use crate::world::{Node, NodeKind, Place, World};

const PAGE: &str = include_str!("page.html");
const SCRIPT: &str = include_str!("page.js");
const STYLE: &str = include_str!("page.css");

/// How many jobs the page shows.
const JOBS_SHOWN: usize = 50;

/// Whether a request is for the page as it is before it knows anything of the world.
pub(crate) fn is_part_of_the_page(method: &Method, path: &str) -> bool {
    let parts = ["/", "/_sandbox/page.js", "/_sandbox/page.css"];
    method == Method::GET && parts.contains(&path)
}

/// Answers a request to a path outside of the API.
pub(crate) fn admin(
    hub: &Hub,
    method: &Method,
    path: &str,
    query: &Query,
    body: &Bytes,
) -> Result<Reply, ApiError> {
    match (method.as_str(), path) {
        ("GET", "/") => Ok(Reply::html(200, PAGE)),
        ("GET", "/_sandbox/page.js") => Ok(Reply::page_part("text/javascript", SCRIPT)),
        ("GET", "/_sandbox/page.css") => Ok(Reply::page_part("text/css", STYLE)),
        ("GET", "/_sandbox/ledger") => Ok(Reply::json(to_json(&hub.ledger()))),
        ("GET", "/_sandbox/state") => Ok(Reply::json(state(hub))),
        ("GET", "/_sandbox/faults") => Ok(Reply::json(to_json(&hub.faults().hits()))),
        ("POST", "/_sandbox/faults") => {
            hub.faults().replace(plan(body)?);
            Ok(Reply::json(to_json(&hub.faults().hits())))
        }
        ("DELETE", "/_sandbox/faults") => {
            hub.faults().replace(FaultPlan::default());
            Ok(Reply::json(json!([])))
        }
        ("GET", "/_sandbox/settings") => Ok(Reply::json(settings::show(hub))),
        ("PATCH", "/_sandbox/settings") => {
            settings::change(hub, body)?;
            Ok(Reply::json(settings::show(hub)))
        }
        ("POST", "/_sandbox/files") => {
            let NewFile { file, size } = strict(body)?;
            let id = hub.platform.add_file(&file, size).map_err(refused)?;
            Ok(Reply::json(json!({"id": id})))
        }
        ("PATCH", "/_sandbox/files") => {
            let change: FileChange = strict(body)?;
            done(
                hub.platform
                    .mark_file(&change.file, change.archived, change.public_copy),
            )?;
            match &change.path {
                None => Ok(Reply::json(json!({}))),
                Some(path) => done(hub.platform.move_file(&change.file, path)),
            }
        }
        ("POST", "/_sandbox/objects") => {
            let NewObject {
                volume,
                location,
                content,
            } = strict(body)?;
            done(
                hub.platform
                    .put_object(&volume, &location, content.as_bytes()),
            )
        }
        ("DELETE", "/_sandbox/objects") => {
            let text = |key: &str| query.get(key).unwrap_or_default();
            done(hub.platform.remove_object(text("volume"), text("location")))
        }
        ("DELETE", "/_sandbox/files") => done(
            hub.platform
                .remove_file(query.get("file").unwrap_or_default()),
        ),
        ("POST", "/_sandbox/exports") => {
            let id = hub
                .platform
                .export_elsewhere(&strict(body)?)
                .map_err(refused)?;
            Ok(Reply::json(json!({"id": id})))
        }
        ("PATCH", "/_sandbox/volumes") => {
            let volume = query.get("volume").unwrap_or_default();
            done(hub.platform.change_volume(volume, &strict(body)?))
        }
        _ => Ok(Reply::no_such_call()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFile {
    file: String,
    #[serde(default)]
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileChange {
    file: String,
    path: Option<String>,
    archived: Option<bool>,
    public_copy: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewObject {
    volume: String,
    location: String,
    content: String,
}

fn refused(error: std::io::Error) -> ApiError {
    Code::BAD_REQUEST.because(error.to_string())
}

/// A body with known keys only.
fn strict<T: DeserializeOwned>(body: &Bytes) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(|error| Code::BAD_REQUEST.because(error.to_string()))
}

fn done(outcome: std::io::Result<Option<()>>) -> Result<Reply, ApiError> {
    match outcome {
        Ok(Some(())) => Ok(Reply::json(json!({}))),
        Ok(None) => Err(Code::NOT_FOUND.error()),
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => Err(refused(error)),
        Err(error) => Err(Code::UNAVAILABLE.because(error.to_string())),
    }
}

/// Rules as JSON, or in the small language as a JSON string or as plain text.
fn plan(body: &Bytes) -> Result<FaultPlan, ApiError> {
    match serde_json::from_slice::<Value>(body) {
        Ok(_) => strict(body),
        Err(_) => {
            let plan = String::from_utf8_lossy(body).parse::<FaultPlan>();
            plan.map_err(|error| Code::BAD_REQUEST.because(error.to_string()))
        }
    }
}

/// What the page shows: little enough to be asked for every second, however large the world is.
fn state(hub: &Hub) -> Value {
    let mut shown = {
        let state = hub.platform.state();
        world(&state.world)
    };
    let accounts = hub.accounts.iter().map(|account| {
        let standing = hub.standing(account);
        let resets_at = cavatica_model::account::reset_moment(standing.reset);
        let left = resets_at.map_or(0, |at| at.as_millisecond() - hub.platform.clock.now());
        json!({
            "username": account.username,
            "limit": standing.limit,
            "remaining": standing.remaining,
            "resets_in_seconds": left.max(0).div_euclid(1000),
        })
    });
    shown["accounts"] = accounts.collect();
    shown["faults"] = to_json(&hub.faults().hits());
    let counters = hub.counters();
    shown["requests"] = to_json(&counters.requests);
    shown["requests_elsewhere"] = counters.requests_elsewhere.into();
    shown["answers"] = to_json(&counters.answers);
    shown["over_limit"] = counters.over_limit.into();
    shown["stray_tokens"] = to_json(&counters.stray_tokens);
    shown
}

fn world(world: &World) -> Value {
    let volumes = world.mounted().map(|(_, volume)| {
        json!({
            "id": volume.id,
            "service": volume.service,
            "access_mode": volume.access_mode,
            "active": volume.active,
            "prefix": volume.prefix,
            "objects": volume.objects.len(),
        })
    });
    let mut projects: Vec<(u64, u64, u64)> = vec![(0, 0, 0); world.projects().len()];
    for node in world.nodes() {
        let (files, aliases, bytes) = &mut projects[node.project as usize];
        if let NodeKind::File(file) = &node.kind {
            *files += 1;
            *aliases += u64::from(matches!(file.place, Place::Alias { .. }));
            *bytes = bytes.saturating_add(file.size);
        }
    }
    let projects = world.projects().iter().zip(projects);
    let projects = projects.map(|(project, (files, aliases, bytes))| {
        json!({"id": project.id, "files": files, "aliases": aliases, "bytes": bytes})
    });
    let newest = (0..world.jobs().len()).rev().take(JOBS_SHOWN);
    let jobs = newest.map(|number| {
        let job = &world.jobs()[number];
        let file: &Node = world.node(job.file);
        json!({
            "id": world.export_id(u32::try_from(number).unwrap_or(u32::MAX)),
            "file": file.name,
            "volume": world.volumes()[job.volume as usize].id,
            "location": job.location,
            "mode": job.mode,
            "state": job.state.name(),
            "code": job.failure.as_ref().map(|failure| failure.code),
        })
    });
    let counts = cavatica_model::ExportState::ALL.iter().map(|state| {
        let count = world.count(None, None, *state);
        (state.name().to_owned(), Value::from(count))
    });
    json!({
        "projects": projects.collect::<Vec<_>>(),
        "volumes": volumes.collect::<Vec<_>>(),
        "jobs": jobs.collect::<Vec<_>>(),
        "states": counts.collect::<serde_json::Map<_, _>>(),
        "objects_overwritten": world.overwritten(),
    })
}
