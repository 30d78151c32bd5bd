//! The sandbox's own calls, `/_sandbox/...`: for the person or test that runs it, not part of the platform.

use bytes::Bytes;
use cavatica_model::ApiError;
use http::Method;
use serde_json::{Value, json};

use crate::answer::{Answer, to_json};
use crate::fault::FaultPlan;
use crate::hub::Hub;
use crate::query::Query;
use crate::refusal::Code;

/// Answers a request to a path outside of the API.
pub(crate) fn admin(
    hub: &Hub,
    method: &Method,
    path: &str,
    _query: &Query,
    body: &Bytes,
) -> Result<Answer, ApiError> {
    match (method.as_str(), path) {
        ("GET", "/_sandbox/ledger") => Ok(Answer::json(to_json(&hub.ledger()))),
        ("GET", "/_sandbox/faults") => Ok(Answer::json(to_json(&hub.faults().hits()))),
        ("POST", "/_sandbox/faults") => {
            hub.faults().replace(plan(body)?);
            Ok(Answer::json(to_json(&hub.faults().hits())))
        }
        ("DELETE", "/_sandbox/faults") => {
            hub.faults().replace(FaultPlan::default());
            Ok(Answer::json(json!([])))
        }
        _ => Err(Code::NOT_FOUND.error()),
    }
}

/// Rules as JSON, or in the small language as a JSON string or as plain text.
fn plan(body: &Bytes) -> Result<FaultPlan, ApiError> {
    let refuse = |error: &dyn std::fmt::Display| Code::BAD_REQUEST.because(error.to_string());
    let text = String::from_utf8_lossy(body);
    match serde_json::from_slice(body) {
        Ok(Value::String(text)) => text.parse().map_err(|error| refuse(&error)),
        Ok(rules) => serde_json::from_value(rules).map_err(|error| refuse(&error)),
        Err(_) => text.parse().map_err(|error| refuse(&error)),
    }
}
