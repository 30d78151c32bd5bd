//! What may be set while the sandbox runs: its limit, and the pace and luck of the jobs accepted from then on. The keys are
//! those of a scenario.

use std::time::Duration;

use bytes::Bytes;
use cavatica_model::ApiError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::millis;
use crate::hub::Hub;
use crate::rate::Window;
use crate::refusal::Code;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    rate_limit: Option<RateLimit>,
    job_milliseconds: Option<(u64, u64)>,
    fail_share: Option<f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RateLimit {
    requests: u64,
    seconds: f64,
}

pub(super) fn show(hub: &Hub) -> Value {
    let window = *hub.window();
    let pace = *hub.pace();
    json!({
        "rate_limit": {"requests": window.limit(), "seconds": window.length() as f64 / 1e3},
        "job_milliseconds": [pace.shortest, pace.longest],
        "fail_share": pace.fail_share,
    })
}

/// Another limit begins with a fresh window. Everything is set, or nothing.
pub(super) fn change(hub: &Hub, body: &Bytes) -> Result<(), ApiError> {
    let settings: Settings = serde_json::from_slice(body)
        .map_err(|error| Code::BAD_REQUEST.because(error.to_string()))?;
    let window = match settings.rate_limit {
        None => None,
        Some(limit) => {
            let length = Duration::try_from_secs_f64(limit.seconds)
                .map_err(|error| Code::BAD_REQUEST.because(error.to_string()))?;
            Some(Window::new(limit.requests, length))
        }
    };
    if settings
        .fail_share
        .is_some_and(|share| !(0.0..=1.0).contains(&share))
    {
        return Err(Code::BAD_REQUEST.because("fail_share must be between 0 and 1."));
    }
    if let Some(window) = window {
        *hub.window() = window;
    }
    let mut pace = hub.pace();
    if let Some((shortest, longest)) = settings.job_milliseconds {
        let span = |time| millis(Duration::from_millis(time));
        (pace.shortest, pace.longest) = (span(shortest), span(longest));
    }
    if let Some(share) = settings.fail_share {
        pace.fail_share = share;
    }
    Ok(())
}
