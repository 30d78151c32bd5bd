//! The small language for fault rules.

use std::str::FromStr;
use std::time::Duration;

use serde_json::json;

use super::{Fault, FaultPlan, FaultRule, Target, When};
use crate::wire::route::{Method, Route};

/// A text that is no list of fault rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{rule}` is no fault rule: {why}")]
pub struct FaultSpecError {
    rule: String,
    why: String,
}

impl FromStr for FaultPlan {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, FaultSpecError> {
        let rules = text
            .split(';')
            .map(str::trim)
            .filter(|rule| !rule.is_empty());
        let rules = rules.map(|rule| {
            parse(rule).map_err(|why| FaultSpecError {
                rule: rule.to_owned(),
                why,
            })
        });
        Ok(FaultPlan {
            rules: rules.collect::<Result<_, _>>()?,
        })
    }
}

fn parse(text: &str) -> Result<FaultRule, String> {
    let mut parts = text.split(',').map(str::trim);
    let head = parts.next().unwrap_or_default();
    let (faults, target) = match head.split_once('@') {
        Some((faults, target)) => (faults, Some(target)),
        None => (head, None),
    };
    let (first, others) = match faults.split_once('+') {
        Some((first, others)) => (first, others.split('+').collect()),
        None => (faults, Vec::new()),
    };
    let mut rule = FaultRule::new(parse_fault(first)?);
    for other in others {
        rule.also.push(parse_fault(other)?);
    }
    if let Some(why) = rule.contradiction() {
        return Err(why.to_owned());
    }
    if let Some(target) = target.filter(|target| *target != "*") {
        let known = Route::ALL.iter().copied();
        rule.on.route = known.into_iter().find(|route| route.name() == target);
        rule.on.method = Method::from_name(&target.to_uppercase());
        if rule.on == Target::default() {
            return Err(format!("`{target}` is neither a route nor a method"));
        }
    }
    for part in parts {
        let (key, value) = part
            .split_once('=')
            .ok_or_else(|| format!("`{part}` has no `=`"))?;
        match key.trim() {
            "nth" => rule.when = When::Nth(positive(value)?),
            "every" => rule.when = When::Every(positive(value)?),
            "p" => rule.when = When::Chance(probability(value)?),
            "times" => rule.times = Some(positive(value)?),
            other => return Err(format!("`{other}` is none of nth, every, p, times")),
        }
    }
    Ok(rule)
}

/// What stands behind a fault's `=`: which of its keys, and what is meant if nothing stands there.
enum Argument {
    StatusAndCode,
    Status(&'static str),
    Number(&'static str, &'static str),
    Span(&'static str),
    Word(&'static str, &'static str),
}

/// The faults with an argument; the others have none.
const ARGUMENTS: &[(&str, Argument)] = &[
    ("refuse", Argument::StatusAndCode),
    ("refuse-after", Argument::StatusAndCode),
    ("item-error", Argument::StatusAndCode),
    ("error-after", Argument::Status("502")),
    ("html-before", Argument::Status("502")),
    ("html-after", Argument::Status("200")),
    ("take", Argument::Number("items", "50")),
    ("take-every", Argument::Number("nth", "2")),
    ("spread", Argument::Span("5s")),
    ("omit", Argument::Number("items", "1")),
    ("odd-items", Argument::Number("items", "1")),
    ("odd-state", Argument::Word("state", "ABORTED")),
    ("late-list", Argument::Span("60s")),
    ("cap-list", Argument::Number("items", "100")),
    ("lack-newest", Argument::Number("items", "100")),
    ("cap-scroll", Argument::Number("items", "100")),
    ("late-files", Argument::Span("30s")),
    ("expire-tokens", Argument::Span("60s")),
    ("forget", Argument::Span("60s")),
    ("job-clock", Argument::Number("seconds", "900")),
    ("zoneless", Argument::Number("hours", "0")),
    ("date", Argument::Number("seconds", "900")),
    ("respell", Argument::Word("form", "nfd")),
    ("fail-jobs", Argument::Number("code", "9100")),
    ("late-alias", Argument::Span("2s")),
    ("lose-file", Argument::Span("0s")),
];

/// Reads a fault by way of its JSON form, which has the same names.
fn parse_fault(text: &str) -> Result<Fault, String> {
    let (name, given) = match text.split_once('=') {
        Some((name, given)) => (name.trim(), Some(given.trim())),
        None => (text.trim(), None),
    };
    let Some((_, argument)) = ARGUMENTS.iter().find(|(known, _)| *known == name) else {
        let fault =
            serde_json::from_value(name.into()).map_err(|_| format!("`{name}` is no fault"))?;
        return match given {
            None => Ok(fault),
            Some(_) => Err(format!("`{name}` takes no argument")),
        };
    };
    let argument = match *argument {
        Argument::StatusAndCode => {
            let both = given.and_then(|both| both.split_once('/'));
            let (status, code) = both.ok_or_else(|| format!("{name} needs `=STATUS/CODE`"))?;
            json!({"status": status_code(status)?, "code": number::<i64>(code)?})
        }
        Argument::Status(usual) => json!({"status": status_code(given.unwrap_or(usual))?}),
        Argument::Number(key, usual) => json!({key: number::<i64>(given.unwrap_or(usual))?}),
        Argument::Span(usual) => {
            json!({"seconds": span(given.unwrap_or(usual))?.as_secs_f64()})
        }
        Argument::Word(key, usual) => json!({key: given.unwrap_or(usual)}),
    };
    let fault = serde_json::from_value(json!({name: argument}));
    fault.map_err(|error| format!("`{}` doesn't fit: {error}", given.unwrap_or_default()))
}

/// Seconds, or a number with its unit.
fn span(text: &str) -> Result<Duration, String> {
    let units = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    let (digits, unit) = units
        .iter()
        .find_map(|(unit, seconds)| Some((text.strip_suffix(unit)?, *seconds)))
        .unwrap_or((text, 1.0));
    let amount: f64 = number(digits)?;
    Duration::try_from_secs_f64(amount * unit).map_err(|_| format!("`{text}` is no span of time"))
}

fn number<T: FromStr>(text: &str) -> Result<T, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("`{}` is no number that fits here", text.trim()))
}

fn positive(text: &str) -> Result<u64, String> {
    match number(text)? {
        0 => Err("requests are counted from 1".to_owned()),
        positive => Ok(positive),
    }
}

fn probability(text: &str) -> Result<f64, String> {
    let probability: f64 = number(text)?;
    if (0.0..=1.0).contains(&probability) {
        Ok(probability)
    } else {
        Err(format!("`{text}` is no probability between 0 and 1"))
    }
}

fn status_code(text: &str) -> Result<u16, String> {
    let status = number(text)?;
    if (200..=599).contains(&status) {
        Ok(status)
    } else {
        Err(format!("`{text}` is no HTTP status of a final answer"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_has_a_name() {
        let plan: FaultPlan = "refuse=403/9006; drop-before; drop-after; error-after=504; hang-before; \
             hang-after; html-before; html-after; truncate; throttle; maintenance; shuffle; omit=2; \
             odd-items; odd-state; late-list=5; fail-jobs; refuse-after=429/1000+take=5+spread=1500ms; \
             take-every; item-error=500/90004; nameless; cap-list; disorder; forget=2h; job-clock=-900; \
             zoneless=2; no-times; date=3; respell=percent; keep-file; hollow; late-alias=0.5; lose-file; \
             cap-scroll; lack-newest; late-files; snapshot; expire-tokens=5; restless"
            .parse()
            .expect("all of them are faults");
        assert_eq!(plan.rules().len(), 39);
        let Fault::Forget { after } = plan.rules()[23].fault else {
            panic!("{:?}", plan.rules()[23]);
        };
        assert_eq!(after, Duration::from_secs(7200));
        let json = serde_json::to_string(&plan).expect("rules can be written");
        let again: FaultPlan = serde_json::from_str(&json).expect("and read again");
        assert_eq!(again, plan);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let why = |text: &str| {
            let error = text.parse::<FaultPlan>().expect_err("a bad rule");
            error.to_string()
        };
        assert_eq!(why("sulk"), "`sulk` is no fault rule: `sulk` is no fault");
        assert_eq!(
            why("throttle; hang-after@kitchen"),
            "`hang-after@kitchen` is no fault rule: `kitchen` is neither a route nor a method"
        );
        assert_eq!(
            why("drop-after,p=2"),
            "`drop-after,p=2` is no fault rule: `2` is no probability between 0 and 1"
        );
        assert_eq!(
            why("drop-after,nth=0"),
            "`drop-after,nth=0` is no fault rule: requests are counted from 1"
        );
        assert_eq!(
            why("respell=nfx"),
            "`respell=nfx` is no fault rule: `nfx` doesn't fit: unknown variant `nfx`, expected one of `nfc`, `nfd`, `percent`"
        );
        assert_eq!(
            why("hollow=1"),
            "`hollow=1` is no fault rule: `hollow` takes no argument"
        );
        assert_eq!(
            why("spread=5d"),
            "`spread=5d` is no fault rule: `5d` is no number that fits here"
        );
        assert_eq!(
            why("spread=-1s"),
            "`spread=-1s` is no fault rule: `-1s` is no span of time"
        );
        assert_eq!(
            why("drop-after+hollow"),
            "`drop-after+hollow` is no fault rule: a fault that is counted per job stands in a rule of its own"
        );
    }
}
