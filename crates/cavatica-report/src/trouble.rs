//! What is said of a file that didn't arrive: in one place, so that every table, page and line says the same.

use std::borrow::Cow;

use cavatica_transfer::state::State;

/// What to do about an outcome that isn't known.
const UNKNOWN_ADVICE: &str = "it was not sent again; run the transfer once more, it asks the platform first, or look into the bucket and at the file";

/// Why a file failed, or why its outcome isn't known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble<'a> {
    /// `transient`, `permanent` and so on: whether it is worth trying again without anybody changing anything. Empty where
    /// the outcome isn't known.
    pub class: &'static str,
    /// The platform's number, if it gave one.
    pub code: Option<i64>,
    /// The HTTP status, embedded or of the call.
    pub status: Option<u16>,
    /// What the platform said, or why the outcome isn't known.
    pub message: Cow<'a, str>,
    /// What to do about it.
    pub advice: &'static str,
    /// The request that brought the news, for the platform's support.
    pub request_id: Option<&'a str>,
}

impl<'a> Trouble<'a> {
    /// What is wrong with a file that stands so; `None` where nothing is.
    pub fn of(state: &'a State) -> Option<Self> {
        match state {
            State::Planned | State::Intended | State::Accepted { .. } | State::Completed { .. } => {
                None
            }
            State::Failed { failure, .. } => Some(Trouble {
                class: failure.class().as_str(),
                code: failure.code,
                status: failure.status,
                message: failure.message.as_str().into(),
                advice: failure.advice(),
                request_id: failure.request_id.as_deref(),
            }),
            State::Unknown { doubt, .. } => Some(Trouble {
                class: "",
                code: None,
                status: None,
                message: doubt.to_string().into(),
                advice: UNKNOWN_ADVICE,
                request_id: None,
            }),
        }
    }
}
