//! Faults by rule: what goes wrong, where, and how often. The same seed and the same order of requests give the same
//! faults.

mod kind;
mod spec;

use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

pub use kind::{Fault, Form};
pub use spec::FaultSpecError;

use crate::clock::millis;
use crate::wire::refusal::Code;
use crate::wire::route::{Method, Route};
use crate::world::number::scatter;
use crate::world::{Fate, Twist};

/// Which requests a rule is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Target {
    /// The route; every route if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub route: Option<Route>,
    /// The method; every method if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<Method>,
}

impl Target {
    fn matches(&self, route: Route) -> bool {
        self.route.is_none_or(|wanted| wanted == route)
            && self.method.is_none_or(|wanted| wanted == route.method())
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
/// FAULT[=ARGUMENT][+FAULT[=ARGUMENT]...][@TARGET][,nth=N|,every=N|,p=PROBABILITY][,times=N]
/// ```
///
/// Faults joined by `+` strike together: `refuse-after=503/0+take=50+spread=2s@bulk-start` accepts the first fifty items over
/// two seconds and says no at once. Spans are seconds, or have a unit: `1500ms`, `90s`, `5m`, `2h`.
///
/// A fault has the name of its variant: `drop-after` is [`Fault::DropAfter`]. Its argument is the variant's value, `STATUS/CODE`
/// where there are two; where none is given, a usual one is meant, which `docs/sandbox.md` tells.
///
/// A target is a method, or the short name of a [`Route`]; without one a rule is about every request. A rule without a
/// condition strikes always, and `times` bounds how often.
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
#[serde(try_from = "Unchecked")]
pub struct FaultRule {
    /// What goes wrong.
    pub fault: Fault,
    /// What goes wrong with the same requests besides.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<Fault>,
    /// With which requests.
    pub on: Target,
    /// With which of them.
    pub when: When,
    /// How often at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

/// A rule as JSON has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unchecked {
    fault: Fault,
    #[serde(default)]
    also: Vec<Fault>,
    #[serde(default)]
    on: Target,
    #[serde(default)]
    when: When,
    #[serde(default)]
    times: Option<u64>,
}

impl TryFrom<Unchecked> for FaultRule {
    type Error = String;

    fn try_from(rule: Unchecked) -> Result<Self, String> {
        let rule = FaultRule {
            fault: rule.fault,
            also: rule.also,
            on: rule.on,
            when: rule.when,
            times: rule.times,
        };
        match rule.contradiction() {
            None => Ok(rule),
            Some(why) => Err(why.to_owned()),
        }
    }
}

impl FaultRule {
    /// Why nobody could tell what the rule means.
    fn contradiction(&self) -> Option<&'static str> {
        let alone = self.also.is_empty();
        let per_job = |fault: &Fault| fault.is_per_job();
        (!alone && self.faults().any(per_job))
            .then_some("a fault that is counted per job stands in a rule of its own")
    }

    fn faults(&self) -> impl Iterator<Item = &Fault> {
        std::iter::once(&self.fault).chain(&self.also)
    }

    /// A rule that strikes every request.
    pub fn new(fault: Fault) -> Self {
        FaultRule {
            fault,
            also: Vec::new(),
            on: Target::default(),
            when: When::default(),
            times: None,
        }
    }

    /// Lets another fault strike the same requests. Faults that are counted per job have rules of their own.
    #[must_use]
    pub fn and(mut self, fault: Fault) -> Self {
        self.also.push(fault);
        self
    }

    /// Only requests to this route.
    #[must_use]
    pub fn on(mut self, route: Route) -> Self {
        self.on.route = Some(route);
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

/// Rules in their order; a request is struck by all that match. In JSON they are a list of rules, or a text in their small
/// language.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
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

impl<'de> Deserialize<'de> for FaultPlan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(TextOrRules)
    }
}

struct TextOrRules;

impl<'de> Visitor<'de> for TextOrRules {
    type Value = FaultPlan;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faults as a text or a list of rules")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<FaultPlan, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, rules: A) -> Result<FaultPlan, A::Error> {
        let rules = Vec::deserialize(SeqAccessDeserializer::new(rules))?;
        Ok(FaultPlan { rules })
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
    pub(crate) fn strike(&mut self, route: Route) -> Vec<Fault> {
        self.rules
            .iter_mut()
            .filter(|rule| !rule.count.rule.fault.is_per_job())
            .filter(|rule| rule.count.rule.on.matches(route))
            .filter_map(|rule| rule.ask().then_some(&rule.count.rule))
            .flat_map(|rule| rule.faults().cloned())
            .collect()
    }

    /// What strikes the next job that this route starts. The first rule that says something of a job's end or of an item's
    /// answer counts.
    pub(crate) fn strike_job(&mut self, route: Route) -> JobFaults {
        let mut faults = JobFaults::default();
        for rule in &mut self.rules {
            let per_job = rule.count.rule.fault.is_per_job();
            if !per_job || !rule.count.rule.on.matches(route) || !rule.ask() {
                continue;
            }
            match &rule.count.rule.fault {
                Fault::FailJobs { code } => {
                    faults.fate.doom = faults.fate.doom.or(Some(Code(*code)))
                }
                Fault::ItemError { status, code } => {
                    faults.error = faults.error.or(Some((*status, Code(*code))));
                }
                other => faults.fate.twist = faults.fate.twist.or(twist(other)),
            }
        }
        faults
    }
}

/// What goes wrong with one job.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct JobFaults {
    pub(crate) fate: Fate,
    /// The status and code that its item in the answer has instead of the job.
    pub(crate) error: Option<(u16, Code)>,
}

fn twist(fault: &Fault) -> Option<Twist> {
    match fault {
        Fault::KeepFile => Some(Twist::KeepFile),
        Fault::Hollow => Some(Twist::Hollow),
        Fault::LateAlias { by } => Some(Twist::LateAlias(millis(*by))),
        Fault::LoseFile { after } => Some(Twist::LoseFile(millis(*after))),
        _ => None,
    }
}

impl Active {
    /// Counts a request; tells whether it is struck.
    fn ask(&mut self) -> bool {
        let count = &mut self.count;
        count.seen += 1;
        let due = match count.rule.when {
            When::Always => true,
            When::Nth(nth) => count.seen == nth,
            When::Every(every) => every > 0 && count.seen.is_multiple_of(every),
            When::Chance(chance) => self.chance.f64() < chance,
        };
        let left = count.rule.times.is_none_or(|times| count.hits < times);
        count.hits += u64::from(due && left);
        due && left
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strikes(plan: &str, requests: u64) -> Vec<u64> {
        let mut faults = Faults::new(7, plan.parse().expect("a plan"));
        (1..=requests)
            .filter(|_| !faults.strike(Route::Start).is_empty())
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
    fn a_jobs_faults_are_counted_per_job() {
        let plan = "fail-jobs=9103,every=2; item-error=503/0@bulk-start,nth=3; hollow,nth=4";
        let mut faults = Faults::new(7, plan.parse().expect("a plan"));
        let jobs: Vec<_> = (0..4)
            .map(|_| faults.strike_job(Route::BulkStart))
            .collect();
        let doom = Some(Code(9103));
        assert_eq!(jobs[0], JobFaults::default());
        assert_eq!((jobs[1].fate.doom, jobs[1].fate.twist), (doom, None));
        assert_eq!(jobs[2].error, Some((503, Code(0))));
        assert_eq!(
            (jobs[3].fate.doom, jobs[3].fate.twist),
            (doom, Some(Twist::Hollow))
        );
        assert!(faults.strike(Route::BulkStart).is_empty());
    }

    #[test]
    fn joined_faults_strike_together() {
        let plan = "refuse-after=503/0+take=2@bulk-start,nth=2";
        let mut faults = Faults::new(7, plan.parse().expect("a plan"));
        let mut strike = || faults.strike(Route::BulkStart).len();
        assert_eq!([strike(), strike(), strike()], [0, 2, 0]);
    }

    #[test]
    fn json_rules_are_as_strict_as_the_language() {
        let rules = |text: &str| serde_json::from_str::<FaultPlan>(text);
        assert!(rules(r#"[{"fault": "drop-after", "also": [{"take": {"items": 5}}]}]"#).is_ok());
        for bad in [
            r#"[{"fault": "drop-after", "also": [{"fail-jobs": {"code": 9100}}]}]"#,
            r#"[{"fault": {"spread": {"seconds": -1}}}]"#,
            r#"[{"fault": {"spread": {"seconds": 1, "minutes": 2}}}]"#,
            r#"[{"fault": "drop-after", "often": true}]"#,
        ] {
            assert!(rules(bad).is_err(), "{bad}");
        }
    }
}
