//! Whether and when to send again: pure. The client does what is decided here.

use std::time::Duration;

use crate::Effect;
use crate::error::{Fault, Outcome};

/// How often and how long a failed attempt is repeated. Waiting for the request budget or for maintenance to end is no
/// failure and doesn't count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// How often a call is tried at most, the first time included.
    pub attempts: u32,
    /// The longest wait after the first failure; it doubles with each.
    pub first_wait: Duration,
    /// What the wait grows to at most.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    /// Five attempts, with waits of up to 0.5, 1, 2 and 4 seconds between them.
    fn default() -> Self {
        RetryPolicy {
            attempts: 5,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
        }
    }
}

impl RetryPolicy {
    /// Every failure is the caller's.
    pub const NEVER: RetryPolicy = RetryPolicy {
        attempts: 1,
        first_wait: Duration::ZERO,
        longest_wait: Duration::ZERO,
    };

    /// The wait after `failures` of them, somewhere between none and all of it: full jitter spreads those who failed
    /// together. `chance` is in `0.0..1.0`.
    pub(crate) fn wait(&self, failures: u32, chance: f64) -> Duration {
        doubled(self.first_wait, failures, self.longest_wait).mul_f64(chance)
    }
}

/// `first`, doubled for every one after the first, up to `longest`.
pub(crate) fn doubled(first: Duration, nth: u32, longest: Duration) -> Duration {
    let factor = 1_u32.checked_shl(nth.saturating_sub(1)).unwrap_or(u32::MAX);
    first.saturating_mul(factor).min(longest)
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// The failure is the caller's.
    GiveUp,
    /// Back off, then send again; takes from the retry budget.
    BackOff,
    /// Send again as soon as the request budget allows.
    AwaitBudget,
    /// Send again when the maintenance may be over.
    AwaitMaintenance,
}

/// Decides. This was the `failures`-th failure that counts, and `most` attempts are allowed.
pub(crate) fn decide(
    effect: Effect,
    outcome: Outcome,
    fault: &Fault,
    failures: u32,
    most: u32,
) -> Decision {
    match (outcome, effect) {
        (Outcome::Throttled, Effect::Read) => Decision::AwaitBudget,
        (Outcome::Maintenance, Effect::Read) => Decision::AwaitMaintenance,
        _ if may_repeat(effect, outcome, fault) && failures < most => Decision::BackOff,
        _ => Decision::GiveUp,
    }
}

/// Whether sending again does no harm and may help.
pub(crate) fn may_repeat(effect: Effect, outcome: Outcome, fault: &Fault) -> bool {
    let harmless = match (outcome, effect) {
        (Outcome::NotSent, _) => true,
        (Outcome::Throttled | Outcome::Maintenance | Outcome::Unknown, Effect::Read) => true,
        // An answer that says no is the word of whoever stands in front, and may come after the start was taken.
        (Outcome::Throttled | Outcome::Maintenance | Outcome::Unknown, Effect::Start) => false,
        (Outcome::Refused, _) => false,
    };
    harmless && !is_hopeless(fault)
}

/// Faults that the same call would meet again.
fn is_hopeless(fault: &Fault) -> bool {
    match fault {
        Fault::Call
        | Fault::OtherOrigin
        | Fault::Certificate
        | Fault::ProxyLogin
        | Fault::Redirect { .. }
        | Fault::NoSuchCall
        | Fault::TooLarge { .. }
        | Fault::Withdrawn => true,
        Fault::Connect
        | Fault::TimedOut { .. }
        | Fault::Broken
        | Fault::Status(_)
        | Fault::Unreadable
        | Fault::Budget => false,
    }
}

/// A bucket of tokens shared by all calls of a client. It keeps a thousand failing calls from becoming five thousand:
/// each retry takes from it, each success puts a little back, and an empty one means that failures are final.
#[derive(Debug)]
pub(crate) struct RetryBudget {
    tokens: u32,
}

impl RetryBudget {
    const FULL: u32 = 500;
    const RETRY: u32 = 5;
    /// A time-out has held a connection for long, and a service that times out is not helped by more.
    const RETRY_AFTER_TIME_OUT: u32 = 10;

    pub(crate) fn new() -> Self {
        RetryBudget { tokens: Self::FULL }
    }

    /// Takes what a retry after this fault costs; `false` if there isn't enough.
    pub(crate) fn take(&mut self, fault: &Fault) -> bool {
        let price = match fault {
            Fault::TimedOut { .. } => Self::RETRY_AFTER_TIME_OUT,
            _ => Self::RETRY,
        };
        match self.tokens.checked_sub(price) {
            Some(left) => {
                self.tokens = left;
                true
            }
            None => false,
        }
    }

    pub(crate) fn give_back(&mut self) {
        self.tokens = (self.tokens + 1).min(Self::FULL);
    }
}

#[cfg(test)]
mod tests;
