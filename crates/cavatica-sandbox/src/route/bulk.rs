//! Calls about many things at once. One bad item harms no other.

use cavatica_model::ApiError;
use cavatica_model::bulk::Batch;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::exports::{accept, known, mode, started, wish};
use super::request::Request;
use crate::bytes::platform::State;
use crate::control::fault::JobFaults;
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply};
use crate::wire::refusal::Code;
use crate::wire::route::Route;
use crate::world::{JobTiming, Wish};

/// Source: <https://docs.cavatica.org/docs/start-a-bulk-export-job>.
pub(super) async fn start(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let body = request.json()?;
    let items = items(&body, "items")?;
    let mode = mode(hub, request)?;
    let timing = *hub.timing();
    let wishes: Vec<StartItem> = {
        let mut faults = hub.faults();
        let each = items.iter().enumerate().map(|(position, item)| StartItem {
            wish: wish(item, mode, &request.account),
            faults: faults.strike_job(Route::BulkStart),
            is_taken: request.acceptance.takes(position),
        });
        each.collect()
    };
    let mut outcomes = Vec::with_capacity(wishes.len());
    let count = wishes.len();
    let mut wishes = wishes.into_iter();
    while outcomes.len() < count {
        request.acceptance.pause(count).await;
        let mut state = hub.platform.state();
        for asked in wishes.by_ref().take(request.acceptance.at_once(count)) {
            outcomes.push(asked.accept(hub, &mut state, timing));
        }
        state.flush().map_err(|_| Code::UNAVAILABLE.error())?;
        hub.platform.started.notify_one();
    }
    let state = hub.platform.state();
    let fields = Fields::of_detail(&request.query);
    let items = outcomes.into_iter().map(|outcome| {
        envelope(outcome.map(|job| fields.choose(&state.world.job_view(job, &request.links))))
    });
    let items = items.collect();
    Ok(started(hub, Items { items }))
}

/// One item of a bulk start.
struct StartItem {
    wish: Result<Wish, ApiError>,
    faults: JobFaults,
    is_taken: bool,
}

impl StartItem {
    /// What is told of the item; that may be an error although its job was made.
    fn accept(self, hub: &Hub, state: &mut State, timing: JobTiming) -> Result<u32, ApiError> {
        let wish = self.wish?;
        if !self.is_taken {
            return Err(Code::UNAVAILABLE.error().with_status(503));
        }
        let job = accept(hub, state, wish, &self.faults, timing)?;
        match self.faults.error {
            None => Ok(job),
            Some((status, code)) => Err(code.error().with_status(status)),
        }
    }
}

/// The same objects as reading each job alone.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let world = &state.world;
    each(request, "export_ids", |id, fields| {
        let job = known(hub, world, request, id)?;
        Ok(fields.choose(&world.job_view(job, &request.links)))
    })
}

/// Source: <https://docs.cavatica.org/reference/get-details-of-multiple-files>.
pub(super) fn files(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let world = &state.world;
    each(request, "file_ids", |id, fields| {
        let file = world.file_by_id(id).ok_or_else(|| Code::NO_FILE.error())?;
        Ok(fields.choose(&world.file_view(file, &request.links)))
    })
}

/// The same objects as reading each task alone.
pub(super) fn tasks(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let world = &state.world;
    each(request, "task_ids", |id, fields| {
        let task = world.task_view(id, &request.links);
        Ok(fields.choose(&task.ok_or_else(|| Code::NO_TASK.error())?))
    })
}

fn each(
    request: &Request,
    key: &str,
    look_up: impl Fn(&str, &Fields) -> Result<Box<RawValue>, ApiError>,
) -> Result<Reply, ApiError> {
    let body = request.json()?;
    let fields = Fields::of_detail(&request.query);
    let items = items(&body, key)?.iter().map(|id| {
        let id = id.as_str().ok_or_else(|| Code::INVALID_SYNTAX.error());
        envelope(id.and_then(|id| look_up(id, &fields)))
    });
    let items = items.collect();
    Ok(Reply::json(Items { items }))
}

fn items<'a>(body: &'a Value, key: &str) -> Result<&'a [Value], ApiError> {
    let items = body
        .get(key)
        .and_then(Value::as_array)
        .ok_or_else(|| Code::INVALID_SYNTAX.because(format!("{key} is missing.")))?;
    let most = Batch::<Value>::MAX;
    if items.is_empty() || items.len() > most {
        return Err(Code::INVALID_SYNTAX.because(format!("{key} must have 1 to {most} elements.")));
    }
    Ok(items)
}

#[derive(Serialize)]
struct Items {
    items: Vec<Envelope>,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Envelope {
    Resource(Box<RawValue>),
    Error(ApiError),
}

fn envelope(outcome: Result<Box<RawValue>, ApiError>) -> Envelope {
    match outcome {
        Ok(resource) => Envelope::Resource(resource),
        Err(error) => Envelope::Error(error),
    }
}
