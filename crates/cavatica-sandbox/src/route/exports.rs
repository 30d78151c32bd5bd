//! Exports: start, read, list.

use cavatica_model::wire::OpenName;
use cavatica_model::{ApiError, ExportMode, ExportState, Tri};
use serde::Serialize;
use serde_json::Value;

use super::request::{Request, boolean};
use crate::bytes::platform::State;
use crate::control::fault::JobFaults;
use crate::control::hub::Hub;
use crate::wire::answer::{Fields, Reply};
use crate::wire::refusal::Code;
use crate::wire::route::Route;
use crate::world::number::scatter;
use crate::world::quirk::Quirk;
use crate::world::{By, Event, JobTiming, Wish, World};

/// How much an export may say of itself.
const LARGEST_WISH: usize = 16 << 10;

/// Source: <https://docs.cavatica.org/reference/start-an-export-job-v2>.
pub(super) async fn start(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let mut wish = wish(&request.json()?, mode(hub, request)?, &request.account)?;
    // One page has it in the query, and one client sends it only there.
    wish.overwrite |= request.query.is_true("overwrite");
    let faults = hub.faults().strike_job(Route::Start);
    let timing = *hub.timing();
    request.acceptance.pause(1).await;
    let mut state = hub.platform.state();
    let job = accept(hub, &mut state, wish, &faults, timing);
    state.flush().map_err(|_| Code::UNAVAILABLE.error())?;
    hub.platform.started.notify_one();
    let job = state.world.job_view(job?, &request.links);
    let job = Fields::of_detail(&request.query).choose(&job);
    Ok(started(hub, job))
}

/// The answer to a start. No page tells its status.
pub(super) fn started(hub: &Hub, body: impl Serialize) -> Reply {
    let status = if hub.quirks.contains(&Quirk::Created) {
        201
    } else {
        200
    };
    Reply {
        status,
        ..Reply::json(body)
    }
}

/// Starts one job; the caller flushes.
pub(super) fn accept(
    hub: &Hub,
    state: &mut State,
    wish: Wish,
    faults: &JobFaults,
    timing: JobTiming,
) -> Result<u32, ApiError> {
    let unavailable = |_| Code::UNAVAILABLE.error();
    if let Some((volume, location)) = state.world.deleted_by_start(&wish) {
        let key = state.world.key(volume, &location);
        hub.platform
            .store
            .remove(&wish.volume, &key)
            .map_err(unavailable)?;
        let location = location.into();
        state
            .commit(&Event::ObjectDeletedByStart { volume, location })
            .map_err(unavailable)?;
    }
    let start = state
        .world
        .start(wish, timing, faults.fate, hub.platform.clock.now())?;
    let job = state.world.jobs().len();
    state.commit(&Event::Started(start)).map_err(unavailable)?;
    u32::try_from(job).map_err(|_| Code::UNAVAILABLE.error())
}

/// Only the query tells whether the platform keeps its copy; in the body `copy_only` means nothing.
pub(super) fn mode(hub: &Hub, request: &Request) -> Result<ExportMode, ApiError> {
    if !request.query.is_true("copy_only") || hub.quirks.contains(&Quirk::IgnoreCopyOnly) {
        return Ok(ExportMode::Move);
    }
    if hub.quirks.contains(&Quirk::CopyNeedsHeader) && !request.advance_access {
        return Err(Code::BAD_REQUEST.because(
            "This is in advance access, which the header X-SBG-Advance-Access: advance asks for.",
        ));
    }
    Ok(ExportMode::Copy)
}

/// Reads what is asked for, booleans as texts and null properties included.
pub(super) fn wish(item: &Value, mode: ExportMode, account: &str) -> Result<Wish, ApiError> {
    let text = |object: &str, key: &str| {
        let value = item.get(object).and_then(|object| object.get(key));
        let text = value.and_then(Value::as_str).map(str::to_owned);
        text.ok_or_else(|| Code::INVALID_SYNTAX.because(format!("{object}.{key} is missing.")))
    };
    let overwrite = match item.get("overwrite") {
        None | Some(Value::Null) => false,
        Some(overwrite) => boolean(overwrite)
            .ok_or_else(|| Code::INVALID_SYNTAX.because("overwrite must be a boolean."))?,
    };
    let properties = match item.get("properties") {
        None | Some(Value::Null) => Tri::Absent,
        Some(properties) => Tri::Value(
            serde_json::from_value(properties.clone())
                .map_err(|_| Code::INVALID_SYNTAX.because("properties can't be understood."))?,
        ),
    };
    let location = text("destination", "location")?;
    // The ledger keeps both for as long as there is the job. Longer locations than S3 takes fail in the job.
    let size = location.len()
        + item
            .get("properties")
            .map_or(0, |given| given.to_string().len());
    if size > LARGEST_WISH {
        return Err(Code::INVALID_SYNTAX.because("The request is too large."));
    }
    Ok(Wish {
        by: By::client(account),
        file: text("source", "file")?,
        volume: text("destination", "volume")?,
        location,
        mode,
        overwrite,
        properties,
    })
}

/// Source: <https://docs.cavatica.org/reference/get-details-of-an-export-job-v2>.
pub(super) fn get(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let state = hub.platform.state();
    let job = known(hub, &state.world, request, request.id())?;
    let job = state.world.job_view(job, &request.links);
    let failed_with = job.error.value().and_then(ApiError::http_status);
    let status = match failed_with {
        Some(status) if hub.quirks.contains(&Quirk::FailedAsError) => status,
        _ => 200,
    };
    Ok(Reply {
        status,
        ..Reply::json(Fields::of_detail(&request.query).choose(&job))
    })
}

/// A job that is still known.
pub(super) fn known(
    hub: &Hub,
    world: &World,
    request: &Request,
    id: &str,
) -> Result<u32, ApiError> {
    world
        .job_by_id(&request.account, id)
        .filter(|job| {
            let started_at = world.jobs()[*job as usize].started_at;
            request
                .jobs_shown
                .knows(hub.platform.clock.now() - started_at)
        })
        .ok_or_else(|| Code::NO_JOB.error())
}

/// The jobs of the user, newest first. Which order the platform keeps isn't documented.
///
/// Source: <https://docs.cancergenomicscloud.org/reference/list-export-jobs-v2>.
pub(super) fn list(hub: &Hub, request: &Request) -> Result<Reply, ApiError> {
    let window = request.query.window()?;
    let fields = Fields::of_list(&request.query, &["href", "id", "state"]);
    let mut states = Vec::new();
    for text in request.query.all("state") {
        let known = ExportState::from_name(text);
        states.push(known.ok_or_else(|| Code::BAD_REQUEST.because("state is unknown."))?);
    }
    if states.is_empty() {
        states = ExportState::ALL.to_vec();
    }
    states.sort_unstable();
    states.dedup();

    let turn = hub.counters().served;
    let state = hub.platform.state();
    let world = &state.world;
    let volume = match request.query.get("volume") {
        None => None,
        Some(id) => match world.volume(id) {
            Some((number, _)) => Some(number),
            None => return Err(Code::NO_VOLUME.error()),
        },
    };
    let shown = request.jobs_shown;
    let now = hub.platform.clock.now();
    let listed = world.jobs().len().saturating_sub(shown.lacking);
    let matches = |number: &u32| {
        let job = &world.jobs()[*number as usize];
        (*number as usize) < listed
            && volume.is_none_or(|volume| volume == job.volume)
            && states.contains(&job.state)
            && job.by.account() == request.account
            && shown.lists(now - job.started_at)
    };
    let all = u32::try_from(world.jobs().len()).unwrap_or(u32::MAX);
    let any_final = states.iter().any(|state| state.is_final());
    let oldest_first = hub.quirks.contains(&Quirk::OldestFirst);
    let numbers: Box<dyn Iterator<Item = u32>> = match (any_final, oldest_first) {
        (true, false) => Box::new((0..all).rev()),
        (true, true) => Box::new(0..all),
        (false, false) => Box::new(world.unfinished().rev()),
        (false, true) => Box::new(world.unfinished()),
    };
    let (total, items) = if shown.is_whole() {
        // Counts are kept, so a page needs no look at the rest of a million jobs.
        let total: u64 = states
            .iter()
            .map(|state| world.count(Some(&request.account), volume, *state))
            .sum();
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let wanted = total.saturating_sub(window.offset).min(window.limit);
        let items = numbers.filter(matches).skip(window.offset).take(wanted);
        (total, items.collect::<Vec<_>>())
    } else {
        let mut matching: Vec<u32> = numbers.filter(matches).collect();
        if shown.disorder {
            fastrand::Rng::with_seed(scatter(world.seed(), turn)).shuffle(&mut matching);
        }
        matching.truncate(shown.most);
        let items = super::request::slice(&matching, window).to_vec();
        (matching.len(), items)
    };
    let items = items
        .into_iter()
        .map(|number| fields.choose(&world.job_view(number, &request.links)))
        .collect();
    Ok(Reply::page(&request.listing(), items, window, total))
}
