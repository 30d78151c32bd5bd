//! Faults by rule: what goes wrong, where, and how often. The same seed and the same order of requests give the same
//! faults.

mod spec;
pub(crate) mod tamper;

use serde::{Deserialize, Serialize};

pub use spec::FaultSpecError;

use crate::number::scatter;
use crate::route::Route;

/// What goes wrong with a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// The request is refused with this status and code, and not carried out.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The platform's status code.
        code: i64,
    },
    /// The connection is closed; the request is not carried out.
    DropBefore,
    /// The request is carried out; the connection is closed instead of an answer.
    DropAfter,
    /// The request is carried out; the answer is a gateway's error.
    ErrorAfter {
        /// The HTTP status, 500 or above.
        status: u16,
    },
    /// The request is not carried out and never answered.
    HangBefore,
    /// The request is carried out and never answered.
    HangAfter,
    /// The request is not carried out; the answer is a page for people.
    HtmlBefore {
        /// The HTTP status.
        status: u16,
    },
    /// The request is carried out; the answer is a page for people.
    HtmlAfter {
        /// The HTTP status.
        status: u16,
    },
    /// The request is carried out; the answer breaks off in the middle.
    Truncate,
    /// 429 without any header that says how long to wait; not carried out.
    Throttle,
    /// 503 with code 0; not carried out.
    Maintenance,
    /// The items of a bulk answer come in another order.
    Shuffle,
    /// Items are missing from the end of a bulk answer.
    Omit {
        /// How many.
        items: usize,
    },
    /// The first items of a list have a field of a wrong type.
    OddItems {
        /// How many.
        items: usize,
    },
    /// The jobs in the answer show a state that no page documents.
    OddState {
        /// The state.
        state: String,
    },
    /// Jobs younger than this don't show in the list of exports.
    LateList {
        /// Seconds.
        seconds: u32,
    },
    /// The job that is started will fail.
    FailJob {
        /// The platform's status code of the failure.
        code: i64,
    },
}

/// Which requests a rule is about.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// The route's short name, for instance `bulk-start`; every route if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<String>,
    /// The method; every method if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

impl Target {
    fn matches(&self, route: Route, method: &str) -> bool {
        self.route
            .as_deref()
            .is_none_or(|name| name == route.name())
            && self
                .method
                .as_deref()
                .is_none_or(|name| name.eq_ignore_ascii_case(method))
    }
}

/// Which of the requests that a rule is about it strikes. They are counted from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// Every one.
    #[default]
    Always,
    /// This one alone.
    Nth(u64),
    /// Every n-th.
    Every(u64),
    /// Each with this probability, from the seed.
    Chance(f64),
}

/// One rule.
///
/// Rules are also written in a small language, several of them with `;` between:
///
/// ```text
/// FAULT[=ARGUMENT][@TARGET][,nth=N|,every=N|,p=PROBABILITY][,times=N]
/// ```
///
/// | fault | argument | |
/// |---|---|---|
/// | `refuse` | `STATUS/CODE` | refused, not carried out |
/// | `drop-before`, `drop-after` | | the connection is closed before or after the request is carried out |
/// | `error-after` | status, 502 | carried out, but a gateway's error comes back |
/// | `hang-before`, `hang-after` | | never answered |
/// | `html-before`, `html-after` | status, 502 or 200 | a page for people comes back |
/// | `truncate` | | carried out, the answer breaks off |
/// | `throttle` | | 429 without headers |
/// | `maintenance` | | 503 with code 0 |
/// | `shuffle`, `omit` | items, 1 | bulk answers in another order, or without their last items |
/// | `odd-items` | items, 1 | the first items of a list have a field of a wrong type |
/// | `odd-state` | state, `ABORTED` | jobs show an undocumented state |
/// | `late-list` | seconds, 60 | young jobs don't show in the list of exports |
/// | `fail-jobs` | code, 9100 | jobs fail; counted per job |
///
/// A target is a method, or the short name of a route: `user`, `user-by-name`, `rate-limit`, `projects`, `project`, `project-files`,
/// `project-members`, `files`, `file`, `folder-list`, `scroll`, `folder-scroll`, `bulk-files`, `tasks`, `task`, `volumes`, `volume`,
/// `volume-list`, `volume-object`, `volume-members`, `create-volume`, `change-volume`, `remove-volume`, `start`, `exports`, `export`, `bulk-start`, `bulk-get`; without one
/// a rule is about every request. A rule without a condition strikes always, and `times` bounds how often.
///
/// ```
/// use cavatica_sandbox::{Fault, FaultPlan, When};
///
/// let plan: FaultPlan = "drop-after@bulk-start,nth=2; throttle,every=50,times=3; fail-jobs=9103,p=0.1".parse()?;
/// assert_eq!(plan.rules()[0].fault, Fault::DropAfter);
/// assert_eq!(plan.rules()[1].when, When::Every(50));
/// # Ok::<(), cavatica_sandbox::FaultSpecError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// With which requests.
    #[serde(default)]
    pub on: Target,
    /// With which of them.
    #[serde(default)]
    pub when: When,
    /// How often at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

impl FaultRule {
    /// A rule that strikes every request.
    pub fn new(fault: Fault) -> Self {
        FaultRule {
            fault,
            on: Target::default(),
            when: When::default(),
            times: None,
        }
    }

    /// Only requests to this route, by its short name.
    #[must_use]
    pub fn on(mut self, route: impl Into<String>) -> Self {
        self.on.route = Some(route.into());
        self
    }

    /// Only some of the requests.
    #[must_use]
    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// At most so often.
    #[must_use]
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }
}

/// Rules in their order; a request is struck by all that match.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultPlan {
    rules: Vec<FaultRule>,
}

impl FaultPlan {
    /// The rules.
    pub fn rules(&self) -> &[FaultRule] {
        &self.rules
    }
}

impl From<Vec<FaultRule>> for FaultPlan {
    fn from(rules: Vec<FaultRule>) -> Self {
        FaultPlan { rules }
    }
}

impl From<FaultRule> for FaultPlan {
    fn from(rule: FaultRule) -> Self {
        vec![rule].into()
    }
}

/// How often a rule was asked and how often it struck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultHits {
    /// The rule.
    pub rule: FaultRule,
    /// How many requests (or jobs) it was about.
    pub seen: u64,
    /// How many of them it struck.
    pub hits: u64,
}

/// The rules at work.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    rules: Vec<Active>,
}

#[derive(Debug)]
struct Active {
    chance: fastrand::Rng,
    count: FaultHits,
}

impl Faults {
    pub(crate) fn new(seed: u64, plan: FaultPlan) -> Self {
        let mut faults = Faults {
            seed,
            rules: Vec::new(),
        };
        faults.replace(plan);
        faults
    }

    /// Forgets all rules and their counts and begins with these.
    pub(crate) fn replace(&mut self, plan: FaultPlan) {
        self.rules = (0..)
            .zip(plan.rules)
            .map(|(position, rule)| Active {
                chance: fastrand::Rng::with_seed(scatter(self.seed, position)),
                count: FaultHits {
                    rule,
                    seen: 0,
                    hits: 0,
                },
            })
            .collect();
    }

    pub(crate) fn hits(&self) -> Vec<FaultHits> {
        self.rules.iter().map(|rule| rule.count.clone()).collect()
    }

    /// What strikes this request.
    pub(crate) fn strike(&mut self, route: Route, method: &str) -> Vec<Fault> {
        self.rules
            .iter_mut()
            .filter(|rule| !matches!(rule.count.rule.fault, Fault::FailJob { .. }))
            .filter(|rule| rule.count.rule.on.matches(route, method))
            .filter_map(Active::ask)
            .collect()
    }

    /// The code with which the next job on this route is doomed to fail, if any.
    pub(crate) fn strike_job(&mut self, route: Route) -> Option<i64> {
        let mut doom = None;
        for rule in &mut self.rules {
            if matches!(rule.count.rule.fault, Fault::FailJob { .. })
                && rule.count.rule.on.matches(route, "POST")
                && let Some(Fault::FailJob { code }) = rule.ask()
            {
                doom = doom.or(Some(code));
            }
        }
        doom
    }
}

impl Active {
    /// Counts a request; gives the fault if it is struck.
    fn ask(&mut self) -> Option<Fault> {
        let count = &mut self.count;
        count.seen += 1;
        let due = match count.rule.when {
            When::Always => true,
            When::Nth(nth) => count.seen == nth,
            When::Every(every) => every > 0 && count.seen.is_multiple_of(every),
            When::Chance(chance) => self.chance.f64() < chance,
        };
        let left = count.rule.times.is_none_or(|times| count.hits < times);
        (due && left).then(|| {
            count.hits += 1;
            count.rule.fault.clone()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(plan: &str, requests: u64) -> Vec<u64> {
        let mut faults = Faults::new(7, plan.parse().expect("a plan"));
        (1..=requests)
            .filter(|_| !faults.strike(Route::Start, "POST").is_empty())
            .collect()
    }

    #[test]
    fn rules_strike_as_often_as_they_say() {
        assert_eq!(strikes("drop-before,nth=3", 6), [3]);
        assert_eq!(strikes("drop-before,every=2", 6), [2, 4, 6]);
        assert_eq!(strikes("drop-before,every=2,times=2", 6), [2, 4]);
        assert!(strikes("drop-before@files", 6).is_empty());
        assert!(strikes("drop-before@get", 6).is_empty());
        assert_eq!(strikes("drop-before@start,times=1", 6), [1]);
    }

    #[test]
    fn the_same_seed_gives_the_same_faults() {
        let once = strikes("drop-before,p=0.3", 200);
        assert_eq!(once, strikes("drop-before,p=0.3", 200));
        assert!((30..90).contains(&once.len()), "{} of 200", once.len());
    }

    #[test]
    fn doom_is_counted_per_job() {
        let mut faults = Faults::new(7, "fail-jobs=9103,every=2".parse().expect("a plan"));
        let dooms: Vec<_> = (0..4)
            .map(|_| faults.strike_job(Route::BulkStart))
            .collect();
        assert_eq!(dooms, [None, Some(9103), None, Some(9103)]);
        assert!(faults.strike(Route::BulkStart, "POST").is_empty());
    }
}
