//! What all clones of a client share.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use hyper_util::client::legacy;
use jiff::SignedDuration;

use crate::Token;
use crate::budget::{Budget, LimitsTold};
use crate::clock::Clock;
use crate::connect::ConnectionSource;
use crate::endpoint::Endpoint;
use crate::gate::GatedBody;
use crate::retry::{RetryBudget, RetryPolicy};
use crate::starts::Starts;
use crate::wait::Wait;

pub(crate) struct Shared {
    pub(crate) endpoint: Endpoint,
    pub(crate) token: Token,
    pub(crate) http: legacy::Client<ConnectionSource, GatedBody>,
    pub(crate) settings: Settings,
    pub(crate) budget: Mutex<Budget>,
    pub(crate) retries: Mutex<RetryBudget>,
    pub(crate) clock_ahead: Mutex<Option<SignedDuration>>,
    pub(crate) limits_told: Mutex<LimitsTold>,
    pub(crate) starts: Starts,
}

/// What can be set, with its defaults.
pub(crate) struct Settings {
    pub(crate) user_agent: HeaderValue,
    pub(crate) attempt_limit: Duration,
    pub(crate) call_limit: Duration,
    pub(crate) patience: Duration,
    pub(crate) max_answer: usize,
    pub(crate) retry: RetryPolicy,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) on_wait: Option<OnWait>,
    pub(crate) on_request: Option<OnRequest>,
    /// How long bytes live at most, where that is known.
    pub(crate) byte_life: Option<Duration>,
    pub(crate) behind_proxy: bool,
}

pub(crate) type OnRequest = Box<dyn Fn(&mut HeaderMap) + Send + Sync>;
pub(crate) type OnWait = Box<dyn Fn(&Wait) + Send + Sync>;
