//! The limit on requests: a fixed window, as documented (1000 requests per 5 minutes).
//!
//! Source: <https://docs.cavatica.org/docs/api-rate-limit>.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::{Millis, millis};

/// How many requests a window takes, and how long it is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RateLimit {
    pub(crate) requests: u64,
    #[serde(with = "crate::clock::seconds")]
    pub(crate) seconds: Duration,
}

impl Default for RateLimit {
    fn default() -> Self {
        RateLimit {
            requests: 1000,
            seconds: Duration::from_secs(300),
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    limit: RateLimit,
    /// When it ends; before the first request of a window that is in the past.
    ends_at: Millis,
    used: u64,
}

/// Where a client stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Standing {
    pub(crate) limit: u64,
    pub(crate) remaining: u64,
    /// Seconds since 1970, rounded up so that nobody comes back too early.
    pub(crate) reset: i64,
}

/// Whether a request may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted,
    OverLimit,
}

impl Window {
    pub(crate) fn new(limit: RateLimit) -> Self {
        Window {
            limit,
            ends_at: Millis::MIN,
            used: 0,
        }
    }

    pub(crate) fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Counts a request; the first one after a window's end opens the next.
    pub(crate) fn admit(&mut self, now: Millis) -> Admission {
        self.turn(now);
        if self.used < self.limit.requests {
            self.used += 1;
            Admission::Admitted
        } else {
            Admission::OverLimit
        }
    }

    pub(crate) fn standing(&mut self, now: Millis) -> Standing {
        self.turn(now);
        Standing {
            limit: self.limit.requests,
            remaining: self.limit.requests - self.used,
            reset: self.ends_at.saturating_add(999).div_euclid(1000),
        }
    }

    fn turn(&mut self, now: Millis) {
        if now >= self.ends_at {
            self.ends_at = now.saturating_add(millis(self.limit.seconds).max(1));
            self.used = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_admits_its_limit_and_then_nothing_until_it_ends() {
        let mut window = Window::new(RateLimit {
            requests: 2,
            seconds: Duration::from_millis(1500),
        });
        assert_eq!(window.admit(10_000), Admission::Admitted);
        assert_eq!(window.admit(11_499), Admission::Admitted);
        assert_eq!(window.admit(11_499), Admission::OverLimit);
        assert_eq!(window.standing(11_499).remaining, 0);
        assert_eq!(window.standing(11_499).reset, 12, "11.5 s rounded up");
        assert_eq!(window.admit(11_500), Admission::Admitted);
        assert_eq!(window.standing(11_500).remaining, 1);
    }
}
