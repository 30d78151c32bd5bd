//! What is told to `tracing`.
//!
//! A span per call, under the caller's, and within it a span per attempt; both have the fields of OpenTelemetry's conventions
//! for HTTP clients, and what is the platform's own is called `cavatica.`. At info level there are no ids, at debug the path
//! is told. Bodies and header values are told nowhere.
//!
//! Source: <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>.

use tracing::field::{Empty, display};
use tracing::{Span, debug, debug_span, info_span, warn};

use cavatica_model::ApiError;

use crate::answer::Success;
use crate::budget::BudgetView;
use crate::call::Prepared;
use crate::error::FailedAttempt;
use crate::wait::{Wait, WaitReason};

pub(crate) fn call(call: &Prepared) -> Span {
    info_span!(
        "call",
        otel.name = %format_args!("{} {}", call.method, call.route),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %call.method,
        url.template = %call.route,
        server.address = call.uri.host(),
        server.port = call.uri.port_u16(),
        http.response.status_code = Empty,
        http.request.resend_count = Empty,
        error.type = Empty,
        cavatica.effect = %call.effect,
        cavatica.outcome = Empty,
        cavatica.error_code = Empty,
        cavatica.request_id = Empty,
        cavatica.budget_left = Empty,
    )
}

pub(crate) fn ended(
    span: &Span,
    told: &Result<Success, FailedAttempt>,
    attempts: u32,
    budget: &BudgetView,
) {
    if attempts > 1 {
        span.record("http.request.resend_count", attempts - 1);
    }
    span.record("cavatica.budget_left", budget.remaining);
    note(span, told);
    match told {
        Ok(_) => debug!(parent: span, "answered"),
        // No warning: whoever made the call has the error, and may have expected it.
        Err(failure) => debug!(parent: span, fault = %failure.fault, "failed"),
    }
}

pub(crate) fn attempt(call: &Prepared, number: u32) -> Span {
    debug_span!(
        "attempt",
        otel.status_code = Empty,
        http.request.resend_count = number - 1,
        url.path = call.uri.path(),
        http.response.status_code = Empty,
        error.type = Empty,
        cavatica.outcome = Empty,
        cavatica.error_code = Empty,
        cavatica.request_id = Empty,
    )
}

/// What came of a call or of an attempt.
fn note(span: &Span, told: &Result<Success, FailedAttempt>) {
    let (status, request_id) = match told {
        Ok(Success { answer, .. }) => (Some(answer.status()), answer.request_id()),
        Err(failure) => (failure.status, failure.request_id.as_deref()),
    };
    if let Some(status) = status {
        span.record("http.response.status_code", status);
    }
    if let Some(request_id) = request_id {
        span.record("cavatica.request_id", request_id);
    }
    let Err(failure) = told else { return };
    span.record("otel.status_code", "ERROR");
    match status {
        Some(status) => span.record("error.type", display(status)),
        None => span.record("error.type", failure.fault.name()),
    };
    span.record("cavatica.outcome", failure.outcome.name());
    if let Some(code) = failure.api_error.as_deref().and_then(ApiError::code) {
        span.record("cavatica.error_code", code);
    }
}

/// Within the attempt's span.
pub(crate) fn attempted(told: &Result<Success, FailedAttempt>) {
    note(&Span::current(), told);
    match told {
        Ok(Success { answer, .. }) => debug!(bytes = answer.body().len(), "attempt answered"),
        Err(failure) => debug!(fault = %failure.fault, "attempt failed"),
    }
}

pub(crate) fn waiting(wait: &Wait) {
    let seconds = wait.how_long.as_secs_f64();
    match wait.reason {
        WaitReason::Retry => debug!(seconds, "waiting for {}", wait.reason),
        WaitReason::Budget | WaitReason::Maintenance => {
            warn!(seconds, until = %wait.until, "waiting for {}", wait.reason);
        }
    }
}
