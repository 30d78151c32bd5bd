//! The small language for fault rules.

use std::str::FromStr;
use std::time::Duration;

use super::{Fault, FaultPlan, FaultRule, Form, Target, When};
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

fn parse_fault(text: &str) -> Result<Fault, String> {
    let (name, argument) = match text.split_once('=') {
        Some((name, argument)) => (name.trim(), Some(argument.trim())),
        None => (text.trim(), None),
    };
    let or = |default| argument.unwrap_or(default);
    let both = || {
        let both = argument.and_then(|both| both.split_once('/'));
        let (status, code) = both.ok_or_else(|| format!("{name} needs `=STATUS/CODE`"))?;
        Ok::<_, String>((status_code(status)?, number(code)?))
    };
    let fault = match name {
        "refuse" => {
            let (status, code) = both()?;
            Fault::Refuse { status, code }
        }
        "refuse-after" => {
            let (status, code) = both()?;
            Fault::RefuseAfter { status, code }
        }
        "item-error" => {
            let (status, code) = both()?;
            Fault::ItemError { status, code }
        }
        "error-after" => Fault::ErrorAfter {
            status: status_code(or("502"))?,
        },
        "html-before" => Fault::HtmlBefore {
            status: status_code(or("502"))?,
        },
        "html-after" => Fault::HtmlAfter {
            status: status_code(or("200"))?,
        },
        _ => match answered(name, or)? {
            Some(fault) => fault,
            None => return plain(name, argument),
        },
    };
    Ok(fault)
}

/// The faults whose argument is a number, a span or a word.
fn answered<'a>(name: &str, or: impl Fn(&'static str) -> &'a str) -> Result<Option<Fault>, String> {
    let fault = match name {
        "take" => Fault::Take {
            items: number(or("50"))?,
        },
        "take-every" => Fault::TakeEvery {
            nth: positive(or("2"))?,
        },
        "spread" => Fault::Spread {
            over: span(or("5s"))?,
        },
        "omit" => Fault::Omit {
            items: number(or("1"))?,
        },
        "odd-items" => Fault::OddItems {
            items: number(or("1"))?,
        },
        "odd-state" => Fault::OddState {
            state: or("ABORTED").to_owned(),
        },
        "late-list" => Fault::LateList {
            by: span(or("60s"))?,
        },
        "cap-list" => Fault::CapList {
            items: number(or("100"))?,
        },
        "cap-scroll" => Fault::CapScroll {
            items: positive(or("100"))?,
        },
        "late-files" => Fault::LateFiles {
            by: span(or("30s"))?,
        },
        "expire-tokens" => Fault::ExpireTokens {
            after: span(or("60s"))?,
        },
        "forget" => Fault::Forget {
            after: span(or("60s"))?,
        },
        "job-clock" => Fault::JobClock {
            seconds: number(or("900"))?,
        },
        "zoneless" => Fault::Zoneless {
            hours: number(or("0"))?,
        },
        "date" => Fault::Date {
            seconds: number(or("900"))?,
        },
        "respell" => Fault::Respell {
            form: form(or("nfd"))?,
        },
        "fail-jobs" => Fault::FailJob {
            code: number(or("9100"))?,
        },
        "late-alias" => Fault::LateAlias {
            by: span(or("2s"))?,
        },
        "lose-file" => Fault::LoseFile {
            after: span(or("0s"))?,
        },
        _ => return Ok(None),
    };
    Ok(Some(fault))
}

/// The faults without an argument.
fn plain(name: &str, argument: Option<&str>) -> Result<Fault, String> {
    let fault = match name {
        "drop-before" => Fault::DropBefore,
        "drop-after" => Fault::DropAfter,
        "hang-before" => Fault::HangBefore,
        "hang-after" => Fault::HangAfter,
        "truncate" => Fault::Truncate,
        "throttle" => Fault::Throttle,
        "maintenance" => Fault::Maintenance,
        "shuffle" => Fault::Shuffle,
        "nameless" => Fault::Nameless,
        "disorder" => Fault::Disorder,
        "snapshot" => Fault::Snapshot,
        "restless" => Fault::Restless,
        "no-times" => Fault::NoTimes,
        "keep-file" => Fault::KeepFile,
        "hollow" => Fault::Hollow,
        _ => return Err(format!("`{name}` is no fault")),
    };
    match argument {
        None => Ok(fault),
        Some(_) => Err(format!("`{name}` takes no argument")),
    }
}

fn form(text: &str) -> Result<Form, String> {
    match text {
        "nfc" => Ok(Form::Nfc),
        "nfd" => Ok(Form::Nfd),
        "percent" => Ok(Form::Percent),
        other => Err(format!("`{other}` is none of nfc, nfd, percent")),
    }
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

fn positive<T: FromStr + From<u8> + PartialEq>(text: &str) -> Result<T, String> {
    let number: T = number(text)?;
    if number == T::from(0) {
        return Err("requests are counted from 1".to_owned());
    }
    Ok(number)
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
             cap-scroll; late-files; snapshot; expire-tokens=5; restless"
            .parse()
            .expect("all of them are faults");
        assert_eq!(plan.rules().len(), 38);
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
