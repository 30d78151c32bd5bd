//! What is told to `tracing`.
//!
//! A span per call with the route's template, and within it a span per attempt. At info level there are no ids, at debug
//! the path is told. Bodies and header values are told nowhere.

use tracing::field::Empty;
use tracing::{Span, debug, debug_span, info_span, warn};

use crate::answer::Success;
use crate::budget::BudgetView;
use crate::call::Prepared;
use crate::error::Failure;
use crate::wait::{Wait, WaitReason};

pub(crate) fn call(call: &Prepared) -> Span {
    info_span!(
        "call",
        method = %call.method,
        route = %call.route,
        effect = %call.effect,
        attempts = Empty,
        status = Empty,
        request_id = Empty,
        outcome = Empty,
        budget_left = Empty,
    )
}

pub(crate) fn ended(
    span: &Span,
    told: &Result<Success, Failure>,
    attempts: u32,
    budget: &BudgetView,
) {
    span.record("attempts", attempts);
    span.record("budget_left", budget.remaining);
    let (status, request_id) = facts(told);
    if let Some(status) = status {
        span.record("status", status);
    }
    if let Some(request_id) = request_id {
        span.record("request_id", request_id);
    }
    match told {
        Ok(_) => {
            span.record("outcome", "answered");
            debug!(parent: span, "answered");
        }
        Err(failure) => {
            span.record("outcome", tracing::field::debug(failure.outcome));
            // No warning: whoever made the call has the error, and may have expected it.
            debug!(parent: span, fault = %failure.fault, "failed");
        }
    }
}

pub(crate) fn attempt(call: &Prepared, number: u32) -> Span {
    debug_span!(
        "attempt",
        number,
        path = call.uri.path(),
        status = Empty,
        request_id = Empty,
        outcome = Empty,
    )
}

/// Within the attempt's span.
pub(crate) fn attempted(told: &Result<Success, Failure>) {
    let span = Span::current();
    let (status, request_id) = facts(told);
    if let Some(status) = status {
        span.record("status", status);
    }
    if let Some(request_id) = request_id {
        span.record("request_id", request_id);
    }
    match told {
        Ok(Success { answer, .. }) => debug!(bytes = answer.body().len(), "attempt answered"),
        Err(failure) => {
            span.record("outcome", tracing::field::debug(failure.outcome));
            debug!(fault = %failure.fault, "attempt failed");
        }
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

fn facts(told: &Result<Success, Failure>) -> (Option<u16>, Option<&str>) {
    match told {
        Ok(Success { answer, .. }) => (Some(answer.status()), answer.request_id()),
        Err(failure) => (failure.status, failure.request_id.as_deref()),
    }
}
