//! The request budget: pure. Time and the service's headers come in as arguments.
//!
//! The platform grants 1000 requests in 5 minutes to an account and tells the standing with every answer. One budget is
//! shared by all clones of a client: it counts what is under way, stops before the limit is met, and leaves a share to
//! the user's other programs.
//!
//! Clients of one account on several hosts see the same standing, but not what the others have under way. So each keeps to a
//! share of its own, and together they spend the window and no more.
//!
//! `X-RateLimit-Reset` is a moment in seconds since 1970, on CAVATICA's page in milliseconds; it has been missing, too.
//! A moment that is past, or further away than a window is long, tells nothing and is replaced by a whole window. Where
//! the answer carries a `Date`, that is the clock to read it by, so that a wrong clock on this side does no harm.
//!
//! Sources: <https://docs.cavatica.org/docs/api-rate-limit>,
//! <https://docs.cavatica.org/reference/get-your-current-rate-limit-status>.

use std::num::NonZeroU16;
use std::time::Duration;

use http::{HeaderMap, header};
use jiff::fmt::rfc2822;
use jiff::{SignedDuration, Timestamp};

use crate::answer::text;
use crate::retry::doubled;

/// The documented limit on requests in one window.
const LIMIT: u64 = 1000;

/// The documented length of a window.
pub(crate) const WINDOW: Duration = Duration::from_secs(300);

/// The first pause after a 429 that doesn't say until when; it doubles with each, up to a window. Such an answer stems
/// from a gateway rather than from the platform's own account, which always says.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

/// Reading the standing costs nothing.
///
/// Source: <https://docs.cavatica.org/reference/get-your-current-rate-limit-status>.
pub(crate) const FREE_ROUTE: &str = "/rate_limit";

/// Where the client stands against the limit on requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetView {
    /// How many requests a window allows.
    pub limit: u64,
    /// How many are left, those under way taken off.
    pub remaining: u64,
    /// When the window ends. `None` before the first request.
    pub resets_at: Option<Timestamp>,
    /// How many requests of a window are this client's.
    pub allowance: u64,
    /// How many requests this client has sent so far, the free ones included.
    pub sent: u64,
}

/// What answers told of the limit, and how. Counts alone: for those who want to know how a service keeps its word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LimitsTold {
    /// Successes that told the end of the window in seconds.
    pub reset_in_seconds: u64,
    /// Successes that told it in milliseconds.
    pub reset_in_milliseconds: u64,
    /// Successes that didn't tell it, or told no moment.
    pub reset_untold: u64,
    /// Refusals for the limit that told the end of the window.
    pub refused_with_reset: u64,
    /// Those that told `Retry-After` instead.
    pub refused_with_retry_after: u64,
    /// Those that told neither.
    pub refused_without_word: u64,
    /// By how many requests the standing fell at least that were not this client's.
    pub by_others: u64,
}

impl LimitsTold {
    pub(crate) fn note(&mut self, told: &RateHeaders, throttled: bool) {
        *match (throttled, told.reset_unit) {
            (false, Some(Unit::Seconds)) => &mut self.reset_in_seconds,
            (false, Some(Unit::Milliseconds)) => &mut self.reset_in_milliseconds,
            (false, None) => &mut self.reset_untold,
            (true, Some(_)) => &mut self.refused_with_reset,
            (true, None) if told.retry_after.is_some() => &mut self.refused_with_retry_after,
            (true, None) => &mut self.refused_without_word,
        } += 1;
    }
}

/// In which a moment is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Seconds,
    Milliseconds,
}

impl Unit {
    fn of(reset: i64) -> Option<Self> {
        let moment = cavatica_model::account::reset_moment(reset)?;
        Some(if moment.as_second() == reset {
            Unit::Seconds
        } else {
            Unit::Milliseconds
        })
    }
}

/// May a request go?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Yes, and it is counted.
    Go,
    /// Not before this moment.
    WaitUntil(Timestamp),
}

/// What an answer says about the limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct RateHeaders {
    limit: Option<u64>,
    remaining: Option<u64>,
    /// How long the window lasts; more than nothing and at most a window.
    resets_in: Option<Duration>,
    /// How far the platform's clock is ahead of ours.
    clock_ahead: Option<SignedDuration>,
    reset_unit: Option<Unit>,
    /// How long to wait after a refusal; at most a window.
    retry_after: Option<Duration>,
}

/// See the head of this module.
#[derive(Debug)]
pub(crate) struct Budget {
    /// In percent of the limit, at most 99.
    reserve: u8,
    /// How many clients share what isn't reserved.
    sharers: NonZeroU16,
    /// How many requests of this window were ours.
    spent: u64,
    limit: u64,
    remaining: u64,
    resets_at: Option<Timestamp>,
    /// Whether `resets_at` is the platform's word or a guess.
    told: bool,
    /// The fewest that an answer of this window told to be left. Answers overtake each other; the platform only counts down.
    lowest: u64,
    in_flight: u64,
    /// Requests that landed in this window and told nothing of it.
    silent: u64,
    /// Requests that count, in all windows.
    paid: u64,
    /// What is told to be left and what we paid can't be less together in this window, unless others ask too.
    least: u64,
    /// How many requests of others showed, at least, that were not asked for yet.
    by_others: u64,
    /// No request before this moment, after a 429 that didn't say until when.
    pause: Option<Timestamp>,
    pauses: u32,
    sent: u64,
}

impl RateHeaders {
    /// Reads the headers of an answer that came at `now`.
    pub(crate) fn read(headers: &HeaderMap, now: Timestamp) -> RateHeaders {
        let number = |name| text(headers, name)?.parse::<i64>().ok();
        let date = text(headers, header::DATE.as_str())
            .and_then(|date| rfc2822::DateTimeParser::new().parse_timestamp(date).ok());
        let clock = date.unwrap_or(now);
        // Below nothing is nothing; -1 as a limit means that there is none.
        let count = |name| number(name).map(|n| u64::try_from(n).unwrap_or(0));
        let reset = number("x-ratelimit-reset");
        let left = reset
            .and_then(cavatica_model::account::reset_moment)
            .map(|moment| moment.duration_since(clock));
        // What is left of a window that is over says nothing about the next.
        let is_over = left.is_some_and(|left| !left.is_positive());
        RateHeaders {
            limit: count("x-ratelimit-limit").filter(|limit| *limit > 0),
            remaining: count("x-ratelimit-remaining").filter(|_| !is_over),
            resets_in: left
                .and_then(|left| Duration::try_from(left).ok())
                .filter(|left| !left.is_zero() && *left <= WINDOW),
            clock_ahead: date.map(|date| date.duration_since(now)),
            // What is no moment of now is told in no unit.
            reset_unit: left
                .filter(|left| left.unsigned_abs() <= 2 * WINDOW)
                .and_then(|_| Unit::of(reset?)),
            retry_after: number(header::RETRY_AFTER.as_str())
                .and_then(|seconds| u64::try_from(seconds).ok())
                .map(Duration::from_secs)
                .filter(|left| !left.is_zero() && *left <= WINDOW),
        }
    }

    pub(crate) fn clock_ahead(&self) -> Option<SignedDuration> {
        self.clock_ahead
    }
}

impl Budget {
    /// A budget that leaves `reserve` percent of every window to others.
    pub(crate) fn new(reserve: u8) -> Self {
        Budget {
            reserve,
            sharers: NonZeroU16::MIN,
            spent: 0,
            limit: LIMIT,
            remaining: LIMIT,
            resets_at: None,
            told: false,
            lowest: LIMIT,
            in_flight: 0,
            silent: 0,
            paid: 0,
            least: 0,
            by_others: 0,
            pause: None,
            pauses: 0,
            sent: 0,
        }
    }

    /// The same for one of several clients, of which each keeps to its share.
    pub(crate) fn among(mut self, sharers: NonZeroU16) -> Self {
        self.sharers = sharers;
        self
    }

    /// Asks for one request. After `Go`, [`land`](Self::land) must follow.
    pub(crate) fn take(&mut self, now: Timestamp) -> Pace {
        let pace = self.outlook(now);
        if pace == Pace::Go {
            self.resets_at.get_or_insert_with(|| later(now, WINDOW));
            self.remaining -= 1;
            self.spent += 1;
            self.in_flight += 1;
            self.paid += 1;
            self.sent += 1;
        }
        pace
    }

    /// What [`take`](Self::take) would say, without taking.
    pub(crate) fn outlook(&mut self, now: Timestamp) -> Pace {
        self.roll_over(now);
        if let Some(pause) = self.pause {
            return Pace::WaitUntil(pause);
        }
        if self.remaining > self.kept_back() && self.spent < self.allowance() {
            return Pace::Go;
        }
        Pace::WaitUntil(self.resets_at.unwrap_or_else(|| later(now, WINDOW)))
    }

    /// Counts a request of the free route.
    pub(crate) fn count_free(&mut self) {
        self.sent += 1;
    }

    /// Notes that a request is no longer under way, however it ended.
    pub(crate) fn land(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.silent += 1;
    }

    /// Notes what an answer says, after its request has [landed](Self::land).
    pub(crate) fn observe(&mut self, told: RateHeaders, now: Timestamp) {
        self.roll_over(now);
        self.learn_limit(told);
        let Some(left) = told.remaining else {
            return;
        };
        // What is under way may not be in the platform's count yet.
        let remaining = left.saturating_sub(self.in_flight);
        let moment = told.resets_in.map(|time| later(now, time));
        match (moment, self.resets_at.filter(|_| self.told)) {
            (Some(moment), Some(known)) if is_same(moment, known) => {
                self.silent = self.silent.saturating_sub(1);
                self.note_others(left);
                self.lowest = self.lowest.min(left);
                // Whatever was counted after the lowest was told is under way, or told nothing.
                let unseen = self.in_flight + self.silent;
                self.remaining = self.lowest.saturating_sub(unseen);
            }
            // A late answer of the window before this one.
            (Some(moment), Some(known)) if moment < known => {}
            (Some(moment), known) => {
                // Answers overtake each other: within a window that was opened here, the own count is a bound, too.
                self.remaining = match known {
                    Some(_) => remaining,
                    None => self.remaining.min(remaining),
                };
                if known.is_some() {
                    // Of the new window, this answer's and what is under way.
                    self.spent = self.in_flight + 1;
                }
                self.resets_at = Some(moment);
                self.told = true;
                self.lowest = left;
                self.silent = self.silent.saturating_sub(1);
                let uncounted = self.in_flight + self.silent;
                self.least = left.saturating_add(self.paid).saturating_sub(uncounted);
            }
            (None, _) => self.remaining = self.remaining.min(remaining),
        }
    }

    /// Notes a 429. With a moment, or a time to wait, nothing is left until then; without, all pause for a while that grows.
    pub(crate) fn refused(&mut self, told: RateHeaders, now: Timestamp) {
        self.roll_over(now);
        self.learn_limit(told);
        match told.resets_in.or(told.retry_after) {
            Some(left) => {
                self.remaining = 0;
                self.lowest = 0;
                self.least = 0;
                self.resets_at = Some(later(now, left));
                self.told = true;
            }
            // Those that were under way together are refused together, and count once.
            None if self.pause.is_none() => {
                self.pauses += 1;
                self.pause = Some(later(now, doubled(FIRST_PAUSE, self.pauses, WINDOW)));
            }
            None => {}
        }
    }

    /// Notes that the platform accepts requests, which ends the growth of the pauses.
    pub(crate) fn accepted(&mut self) {
        self.pauses = 0;
    }

    /// Returns a request that was proven not to have been sent.
    pub(crate) fn put_back(&mut self) {
        self.remaining = self.remaining.saturating_add(1).min(self.limit);
        self.silent = self.silent.saturating_sub(1);
        self.spent = self.spent.saturating_sub(1);
    }

    /// Notes what others have sent, where the standing fell by more than what this client may have.
    fn note_others(&mut self, left: u64) {
        let now = left.saturating_add(self.paid);
        self.by_others += self.least.saturating_sub(now);
        self.least = self.least.min(now);
    }

    /// How many requests of others showed, at least, since this was last asked.
    pub(crate) fn take_by_others(&mut self) -> u64 {
        std::mem::take(&mut self.by_others)
    }

    pub(crate) fn view(&self) -> BudgetView {
        BudgetView {
            limit: self.limit,
            remaining: self.remaining,
            resets_at: self.resets_at,
            allowance: self.allowance(),
            sent: self.sent,
        }
    }

    fn learn_limit(&mut self, told: RateHeaders) {
        let limit = told.limit.unwrap_or(self.limit);
        self.remaining = (self.remaining.saturating_add(limit)).saturating_sub(self.limit);
        self.limit = limit;
    }

    /// Opens a new window if the old one is over, and forgets a pause that is.
    fn roll_over(&mut self, now: Timestamp) {
        // This side's clock may have been set back; no wait is longer than a window all the same.
        let latest = later(now, WINDOW);
        self.resets_at = self.resets_at.map(|moment| moment.min(latest));
        self.pause = self
            .pause
            .map(|moment| moment.min(latest))
            .filter(|moment| *moment > now);
        if self.resets_at.is_some_and(|moment| moment <= now) {
            // What is under way may be counted in the new window. The next answer tells.
            self.remaining = self.limit.saturating_sub(self.in_flight);
            self.spent = self.in_flight;
            self.silent = 0;
            self.resets_at = Some(latest);
            self.told = false;
        }
    }

    /// At least one request of a window is ours.
    fn allowance(&self) -> u64 {
        let shared = self.limit - self.kept_back();
        (shared / u64::from(self.sharers.get())).max(1)
    }

    /// Less than the limit, as the reserve is less than all of it.
    fn kept_back(&self) -> u64 {
        let share = u128::from(self.limit) * u128::from(self.reserve) / 100;
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

/// Resets are whole seconds, and the way of an answer takes a moment.
fn is_same(a: Timestamp, b: Timestamp) -> bool {
    a.duration_since(b).abs() < SignedDuration::from_secs(2)
}

/// `how_long` after `moment`, or the last moment there is.
pub(crate) fn later(moment: Timestamp, how_long: Duration) -> Timestamp {
    moment.checked_add(how_long).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
