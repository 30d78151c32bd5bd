//! A world and what befalls it, as text: what a failing seed is shrunk to, and what one pastes into a test.

use std::fmt;
use std::str::FromStr;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, Quirk};
use cavatica_transfer::OverwriteAgain;

use crate::belief::Belief;
use crate::wire::{Blow, Strike};

pub(crate) const PROJECT: &str = "lab/trio";
pub(crate) const VOLUME: &str = "lab/output";

/// A transfer, the world that it meets, and what befalls both.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Decides everything that isn't said.
    pub seed: u64,
    /// How many files are planned.
    pub files: u32,
    /// What becomes of the platform's copies.
    pub mode: ExportMode,
    /// Whether the plan may overwrite, and every tenth key is taken.
    pub overwrite: bool,
    /// How long jobs take at most, in seconds.
    pub job: u64,
    /// What befalls it.
    pub troubles: Vec<Trouble>,
}

/// One thing that befalls a transfer.
#[derive(Clone, Debug, PartialEq)]
pub enum Trouble {
    /// A rule of the sandbox, in its own language.
    Fault(String),
    /// The platform does something the other way.
    Quirk(Quirk),
    /// Something happens to a request on its way.
    Wire(Strike),
    /// The next run dies at this step, and another begins after so many seconds.
    Kill(u64, u64),
    /// Likewise, and the power fails.
    Power(u64, u64),
    /// Likewise, on a disk that forgets what it synced.
    Forgets(u64, u64),
    /// The next run is asked to stop after so many seconds.
    Stop(u64),
    /// The run of this number, after the first, sends again whatever had failed; files whose sending was lost may overwrite
    /// again or not.
    Retry(u64, OverwriteAgain),
    /// The next run sends at most so many files for the first time.
    Limit(u64),
    /// The next run stops once so many files have failed.
    MaxErrors(u64),
    /// The computer's clock is so many seconds ahead from the next run on.
    Clock(i64),
    /// The disk is full at this write of the next run, for that run.
    Full(u64),
    /// So many seconds after the first run began a second computer runs the same file, and no lock of the first is seen.
    Owner(u64),
    /// Likewise on the same computer, by another name of the file.
    Link(u64),
    /// A copy of the file, taken so many seconds after the first run began, is put in its place when that run has ended.
    Backup(u64),
    /// A copy of the file is run on another computer, so many seconds after the first run began.
    Copy(u64),
    /// The account has so many jobs of other files behind it, too many to list them all while there is other work.
    Past(u32),
    /// Every tenth file was copied to its place before the plan.
    Earlier,
    /// Between the plan and the first run a colleague moved every tenth file: to its place where that may be overwritten,
    /// else to another one.
    Moved,
    /// So many seconds after the first run began, others begin to export every tenth file.
    Others(Others, u64),
}

/// Who exports the same files, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Others {
    /// This account, to the planned places.
    Same,
    /// This account, to other places.
    Elsewhere,
    /// Another account, to other places, or to the planned ones where these may be overwritten.
    Colleague,
}

impl Trouble {
    /// The belief that must not hold for this to happen.
    #[must_use]
    pub fn beyond(&self) -> Option<Belief> {
        match self {
            Trouble::Wire(Strike {
                blow: Blow::SlowUp(seconds),
                ..
            }) if *seconds > 20 => Some(Belief::RequestsDie),
            Trouble::Forgets(..) => Some(Belief::SyncedStays),
            Trouble::Copy(_) => Some(Belief::OneDisk),
            Trouble::Others(Others::Colleague, _) => Some(Belief::OneAccount),
            Trouble::Fault(rule) => beyond(rule),
            _ => None,
        }
    }

    /// The kind of trouble, to be counted.
    #[must_use]
    pub fn kind(&self) -> String {
        match self {
            Trouble::Fault(rule) => {
                let head = rule.split([',', '@']).next().unwrap_or_default();
                let parts = head
                    .split('+')
                    .map(|part| part.split('=').next().unwrap_or_default());
                let target = rule
                    .split_once('@')
                    .map_or("*", |(_, rest)| rest.split(',').next().unwrap_or_default());
                format!("{} of {target}", parts.collect::<Vec<_>>().join("+"))
            }
            Trouble::Quirk(quirk) => format!("quirk {quirk}"),
            Trouble::Wire(strike) => {
                let text = Trouble::Wire(*strike).to_string();
                text.split(' ').take(2).collect::<Vec<_>>().join(" ")
            }
            other => {
                let text = other.to_string();
                text.split(' ').next().unwrap_or_default().to_owned()
            }
        }
    }
}

/// The belief that a rule of the sandbox breaks.
fn beyond(rule: &str) -> Option<Belief> {
    let head = rule.split([',', '@']).next().unwrap_or_default();
    head.split('+').find_map(|fault| {
        let (name, amount) = fault.split_once('=').unwrap_or((fault, ""));
        let seconds: f64 = amount.trim_end_matches('s').parse().unwrap_or(0.0);
        match name {
            "late-list" if seconds > 240.0 => Some(Belief::ListInOrder),
            "date" | "job-clock" | "zoneless" if rule.contains('@') => Some(Belief::OneClock),
            "cap-list" | "forget" => Some(Belief::JobsKept),
            "late-alias" if seconds > 200.0 => Some(Belief::AliasIsTrue),
            _ => None,
        }
    })
}

impl fmt::Display for Scenario {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            ExportMode::Move => "move",
            ExportMode::Copy => "copy",
        };
        let overwrite = if self.overwrite { " overwrite" } else { "" };
        write!(
            f,
            "seed {}, {} files, {mode}{overwrite}, jobs of {} s",
            self.seed, self.files, self.job
        )?;
        self.troubles
            .iter()
            .try_for_each(|trouble| write!(f, "; {trouble}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Fault(rule) => write!(f, "fault {rule}"),
            Trouble::Quirk(quirk) => write!(f, "quirk {quirk}"),
            Trouble::Wire(Strike {
                starts_only,
                nth,
                blow,
            }) => {
                let (name, amount) = match blow {
                    Blow::Refuse => ("refuse", 0),
                    Blow::CutUp(bytes) => ("cut-up", *bytes),
                    Blow::CutDown(bytes) => ("cut-down", *bytes),
                    Blow::SlowUp(seconds) => ("slow-up", *seconds),
                    Blow::SlowDown(seconds) => ("slow-down", *seconds),
                    Blow::Break(seconds) => ("break", *seconds),
                    Blow::Die(steps) => ("die", *steps),
                    Blow::DiePower(steps) => ("die-power", *steps),
                };
                let which = if *starts_only { "start" } else { "request" };
                write!(f, "wire {name} {which} {nth} {amount}")
            }
            Trouble::Kill(step, pause) => write!(f, "kill {step} {pause}"),
            Trouble::Power(step, pause) => write!(f, "power {step} {pause}"),
            Trouble::Forgets(step, pause) => write!(f, "forgets {step} {pause}"),
            Trouble::Stop(after) => write!(f, "stop {after}"),
            Trouble::Retry(run, OverwriteAgain::No) => write!(f, "retry {run}"),
            Trouble::Retry(run, OverwriteAgain::Yes) => write!(f, "retry {run} overwrite"),
            Trouble::Limit(files) => write!(f, "limit {files}"),
            Trouble::MaxErrors(files) => write!(f, "max-errors {files}"),
            Trouble::Past(jobs) => write!(f, "past {jobs}"),
            Trouble::Clock(ahead) => write!(f, "clock {ahead}"),
            Trouble::Full(write) => write!(f, "full {write}"),
            Trouble::Owner(after) => write!(f, "owner {after}"),
            Trouble::Link(after) => write!(f, "link {after}"),
            Trouble::Backup(after) => write!(f, "backup {after}"),
            Trouble::Copy(after) => write!(f, "copy {after}"),
            Trouble::Earlier => f.write_str("earlier copies"),
            Trouble::Moved => f.write_str("moved before"),
            Trouble::Others(who, after) => {
                let who = match who {
                    Others::Same => "same",
                    Others::Elsewhere => "elsewhere",
                    Others::Colleague => "colleague",
                };
                write!(f, "others {who} {after}")
            }
        }
    }
}

impl FromStr for Scenario {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split(';').map(str::trim);
        let head = parts.next().unwrap_or_default();
        let words: Vec<&str> = head
            .split([' ', ','])
            .filter(|word| !word.is_empty())
            .collect();
        let after = |name: &str| {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at + 1)?.parse::<u64>().ok()
        };
        let before = |name: &str| {
            let at = words.iter().position(|word| *word == name)?;
            words.get(at.checked_sub(1)?)?.parse::<u64>().ok()
        };
        let wrong = || format!("`{head}` is no beginning of a scenario");
        Ok(Scenario {
            seed: after("seed").ok_or_else(wrong)?,
            files: before("files")
                .and_then(|files| files.try_into().ok())
                .ok_or_else(wrong)?,
            mode: if words.contains(&"copy") {
                ExportMode::Copy
            } else {
                ExportMode::Move
            },
            overwrite: words.contains(&"overwrite"),
            job: after("of").ok_or_else(wrong)?,
            troubles: parts
                .filter(|part| !part.is_empty())
                .map(str::parse)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl FromStr for Trouble {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no trouble");
        let (name, rest) = text.split_once(' ').ok_or_else(wrong)?;
        if name == "fault" {
            rest.parse::<FaultPlan>()
                .map_err(|error| error.to_string())?;
            return Ok(Trouble::Fault(rest.to_owned()));
        }
        let words: Vec<&str> = rest.split(' ').collect();
        let number = |at: usize| {
            words
                .get(at)
                .and_then(|word| word.parse().ok())
                .ok_or_else(wrong)
        };
        Ok(match name {
            "quirk" => Trouble::Quirk(rest.parse().map_err(|_| wrong())?),
            "wire" => {
                let amount = number(3)?;
                Trouble::Wire(Strike {
                    starts_only: words.get(1) == Some(&"start"),
                    nth: number(2)?,
                    blow: match words[0] {
                        "refuse" => Blow::Refuse,
                        "cut-up" => Blow::CutUp(amount),
                        "cut-down" => Blow::CutDown(amount),
                        "slow-up" => Blow::SlowUp(amount),
                        "slow-down" => Blow::SlowDown(amount),
                        "break" => Blow::Break(amount),
                        "die" => Blow::Die(amount),
                        "die-power" => Blow::DiePower(amount),
                        _ => return Err(wrong()),
                    },
                })
            }
            "kill" => Trouble::Kill(number(0)?, number(1)?),
            "power" => Trouble::Power(number(0)?, number(1)?),
            "forgets" => Trouble::Forgets(number(0)?, number(1)?),
            "stop" => Trouble::Stop(number(0)?),
            "retry" => {
                let overwrite = match words.get(1) {
                    None => OverwriteAgain::No,
                    Some(&"overwrite") => OverwriteAgain::Yes,
                    Some(_) => return Err(wrong()),
                };
                Trouble::Retry(number(0)?, overwrite)
            }
            "limit" => Trouble::Limit(number(0)?),
            "max-errors" => Trouble::MaxErrors(number(0)?),
            "past" => Trouble::Past(rest.parse().map_err(|_| wrong())?),
            "clock" => Trouble::Clock(rest.parse().map_err(|_| wrong())?),
            "full" => Trouble::Full(number(0)?),
            "owner" => Trouble::Owner(number(0)?),
            "link" => Trouble::Link(number(0)?),
            "backup" => Trouble::Backup(number(0)?),
            "copy" => Trouble::Copy(number(0)?),
            "earlier" => Trouble::Earlier,
            "moved" => Trouble::Moved,
            "others" => {
                let who = match words[0] {
                    "same" => Others::Same,
                    "elsewhere" => Others::Elsewhere,
                    "colleague" => Others::Colleague,
                    _ => return Err(wrong()),
                };
                Trouble::Others(who, number(1)?)
            }
            _ => return Err(wrong()),
        })
    }
}
