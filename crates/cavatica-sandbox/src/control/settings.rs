//! What may be set while the sandbox runs: its limit, and the timing and luck of the jobs accepted from then on. The keys
//! are those of a scenario.

use bytes::Bytes;
use cavatica_model::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};

use super::hub::Hub;
use super::rate::{RateLimit, Window};
use crate::wire::answer::to_json;
use crate::wire::refusal::Code;
use crate::world::JobTiming;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    rate_limit: Option<RateLimit>,
    job_milliseconds: Option<(u64, u64)>,
    fail_share: Option<f64>,
}

pub(super) fn show(hub: &Hub) -> Value {
    let timing = *hub.timing();
    json!({
        "rate_limit": to_json(&hub.accounts[0].window().limit()),
        "job_milliseconds": [timing.shortest, timing.longest],
        "fail_share": timing.fail_share,
    })
}

/// Another limit is every account's, and begins with a fresh window. Everything is set, or nothing.
pub(super) fn change(hub: &Hub, body: &Bytes) -> Result<(), ApiError> {
    let settings: Settings = serde_json::from_slice(body)
        .map_err(|error| Code::BAD_REQUEST.because(error.to_string()))?;
    let share = settings.fail_share;
    if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
        return Err(Code::BAD_REQUEST.because("fail_share must be between 0 and 1."));
    }
    if let Some(limit) = settings.rate_limit {
        for account in &hub.accounts {
            *account.window() = Window::new(limit);
        }
    }
    let mut timing = hub.timing();
    if let Some((shortest, longest)) = settings.job_milliseconds {
        *timing = JobTiming::between(shortest, longest, timing.fail_share);
    }
    timing.fail_share = share.unwrap_or(timing.fail_share);
    Ok(())
}
