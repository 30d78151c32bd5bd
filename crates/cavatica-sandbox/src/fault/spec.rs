//! The small language for fault rules.

use std::str::FromStr;

use super::{Fault, FaultPlan, FaultRule, When};
use crate::route::Route;

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
    let (fault, target) = match head.split_once('@') {
        Some((fault, target)) => (fault, Some(target)),
        None => (head, None),
    };
    let mut rule = FaultRule::new(parse_fault(fault)?);
    match target {
        None | Some("*") => {}
        Some(target) if Route::ALL.iter().any(|route| route.name() == target) => {
            rule.on.route = Some(target.to_owned());
        }
        Some(method) if ["GET", "POST", "PATCH", "DELETE"].contains(&&*method.to_uppercase()) => {
            rule.on.method = Some(method.to_uppercase());
        }
        Some(other) => return Err(format!("`{other}` is neither a route nor a method")),
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
    let fault = match name {
        "refuse" => {
            let both = argument.and_then(|both| both.split_once('/'));
            let (status, code) = both.ok_or("refuse needs `=STATUS/CODE`")?;
            Fault::Refuse {
                status: status_code(status)?,
                code: number(code)?,
            }
        }
        "error-after" => Fault::ErrorAfter {
            status: status_code(argument.unwrap_or("502"))?,
        },
        "html-before" => Fault::HtmlBefore {
            status: status_code(argument.unwrap_or("502"))?,
        },
        "html-after" => Fault::HtmlAfter {
            status: status_code(argument.unwrap_or("200"))?,
        },
        "omit" => Fault::Omit {
            items: number(argument.unwrap_or("1"))?,
        },
        "odd-items" => Fault::OddItems {
            items: number(argument.unwrap_or("1"))?,
        },
        "odd-state" => Fault::OddState {
            state: argument.unwrap_or("ABORTED").to_owned(),
        },
        "late-list" => Fault::LateList {
            seconds: number(argument.unwrap_or("60"))?,
        },
        "fail-jobs" => Fault::FailJob {
            code: number(argument.unwrap_or("9100"))?,
        },
        plain => {
            let fault = match plain {
                "drop-before" => Fault::DropBefore,
                "drop-after" => Fault::DropAfter,
                "hang-before" => Fault::HangBefore,
                "hang-after" => Fault::HangAfter,
                "truncate" => Fault::Truncate,
                "throttle" => Fault::Throttle,
                "maintenance" => Fault::Maintenance,
                "shuffle" => Fault::Shuffle,
                _ => return Err(format!("`{plain}` is no fault")),
            };
            if argument.is_some() {
                return Err(format!("`{plain}` takes no argument"));
            }
            fault
        }
    };
    Ok(fault)
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
             odd-items; odd-state; late-list=5; fail-jobs"
            .parse()
            .expect("all of them are faults");
        assert_eq!(plan.rules().len(), 17);
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
    }
}
