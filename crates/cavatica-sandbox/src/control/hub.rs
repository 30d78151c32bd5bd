//! What the server and the owner of a sandbox share: the platform, and how it is served.

use std::sync::{Arc, Mutex, MutexGuard};

use tokio::task::AbortHandle;

use crate::bytes::platform::{Platform, lock};
use crate::control::fault::Faults;
use crate::control::ledger::{Counters, Ledger};
use crate::control::rate::{Admission, RateLimit, Standing, Window};
use crate::world::JobTiming;
use crate::world::quirk::{Quirk, Quirks};

#[derive(Debug)]
pub(crate) struct Hub {
    /// The first is the one that there always is. One that has a second token is there twice.
    pub(crate) accounts: Vec<Account>,
    /// `http://127.0.0.1:PORT/v2`.
    pub(crate) endpoint: String,
    pub(crate) exposure: Exposure,
    pub(crate) platform: Arc<Platform>,
    pub(crate) quirks: Quirks,
    faults: Mutex<Faults>,
    counters: Mutex<Counters>,
    timing: Mutex<JobTiming>,
    /// Calls that are still being carried out though their clients don't wait for them.
    accepting: Mutex<Vec<AbortHandle>>,
}

/// One who may ask.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) username: String,
    pub(crate) token: String,
    window: Arc<Mutex<Window>>,
}

impl Account {
    pub(crate) fn new(username: String, token: String, limit: RateLimit) -> Self {
        Account {
            username,
            token,
            window: Arc::new(Mutex::new(Window::new(limit))),
        }
    }

    /// The same account by another token.
    pub(crate) fn by(&self, token: String, quirks: &Quirks) -> Self {
        let limit = self.window().limit();
        let mut other = Account::new(self.username.clone(), token, limit);
        if !quirks.contains(&Quirk::LimitPerToken) {
            other.window = Arc::clone(&self.window);
        }
        other
    }

    /// The limit and what has been used of it.
    pub(crate) fn window(&self) -> MutexGuard<'_, Window> {
        lock(&self.window)
    }
}

/// Who can reach the sandbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// This computer, by these origins.
    Loopback(Vec<String>),
    /// Other computers, which know it by names that the sandbox doesn't.
    Exposed,
}

impl Hub {
    pub(crate) fn new(
        accounts: Vec<Account>,
        endpoint: String,
        exposure: Exposure,
        platform: Arc<Platform>,
        timing: JobTiming,
        faults: Faults,
    ) -> Self {
        let quirks = platform.state().world.quirks().clone();
        Hub {
            accounts,
            endpoint,
            exposure,
            platform,
            quirks,
            faults: Mutex::new(faults),
            counters: Mutex::default(),
            timing: Mutex::new(timing),
            accepting: Mutex::default(),
        }
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn counters(&self) -> MutexGuard<'_, Counters> {
        lock(&self.counters)
    }

    /// How long jobs take that are accepted now, and how many of them fail.
    pub(crate) fn timing(&self) -> MutexGuard<'_, JobTiming> {
        lock(&self.timing)
    }

    /// Remembers a call that goes on by itself until the sandbox stops.
    pub(crate) fn goes_on(&self, call: AbortHandle) {
        let mut accepting = lock(&self.accepting);
        accepting.retain(|call| !call.is_finished());
        accepting.push(call);
    }

    /// Ends the calls that go on by themselves.
    pub(crate) fn abandon(&self) {
        for call in lock(&self.accepting).drain(..) {
            call.abort();
        }
    }

    /// Whose token it is.
    pub(crate) fn holder(&self, token: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.token == token)
    }

    /// Counts a request against the account's limit.
    pub(crate) fn admit(&self, account: &Account) -> Admission {
        account.window().admit(self.platform.clock.now())
    }

    /// Where an account stands, as it is told.
    pub(crate) fn standing(&self, account: &Account) -> Standing {
        let mut standing = account.window().standing(self.platform.clock.now());
        if self.quirks.contains(&Quirk::ResetInMilliseconds) {
            standing.reset *= 1000;
        }
        standing
    }

    /// What was seen and done so far.
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::of_world(&self.platform.state().world);
        ledger.faults = self.faults().hits();
        let counters = self.counters().clone();
        ledger.requests = counters.requests;
        ledger.requests_elsewhere = counters.requests_elsewhere;
        ledger.answers = counters.answers;
        ledger.over_limit = counters.over_limit;
        ledger.stray_tokens = counters.stray_tokens;
        ledger
    }
}
