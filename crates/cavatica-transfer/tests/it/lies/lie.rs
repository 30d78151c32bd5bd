//! A lie: how the platform differs from what it shows, and what has to be true all the same.

use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, Quirk, Sandbox, SandboxBuilder};
use cavatica_transfer::plan::Existing;

use super::judge::Found;

/// More than any lie should cost: some twenty requests without one, a few for each second of doubt, and one for each job
/// without names.
const MOST_REQUESTS: u64 = 450;

/// The head of the table. The columns of the last [`VARYING`] are as they were measured once: they depend on who came first.
pub(super) const HEAD: &str = "| what happens | believed | mode | the transfer | doubled | destroyed | falsely shown | left unknown | requests |\n|---|---|---|---|--:|--:|--:|--:|--:|";

/// How many columns differ from run to run.
pub(super) const VARYING: usize = 2;

/// One row of the table. Without anything else said, every file ends as completed, and truly.
pub(super) struct Lie {
    belief: &'static str,
    name: &'static str,
    pub(super) mode: ExportMode,
    pub(super) existing: Existing,
    pub(super) faults: FaultPlan,
    pub(super) quirks: Vec<Quirk>,
    pub(super) folder: &'static str,
    /// How long a job takes at most; at least half of it.
    pub(super) lasting: Duration,
    /// What happened to a file before the plan.
    pub(super) already: Option<fn(SandboxBuilder, u32) -> SandboxBuilder>,
    /// What happens between the plan and the run.
    pub(super) before: Option<fn(&Sandbox)>,
    /// What happens once the first file was sent.
    pub(super) during: Option<fn(&Sandbox)>,
    ends: Ends,
}

/// How a transfer has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// Every file is completed: lists and files tell the truth within four settling times.
    Completed,
    /// Files may fail, but none stays unknown.
    Settled,
    /// Files may stay unknown: nothing tells the truth.
    Unknown,
    /// The run refuses to begin, or to go on after so many files.
    Refused(u64),
}

impl Lie {
    pub(super) fn new(belief: &'static str, name: &'static str) -> Self {
        Lie {
            belief,
            name,
            mode: ExportMode::Move,
            existing: Existing::Fail,
            faults: FaultPlan::default(),
            quirks: Vec::new(),
            folder: super::scene::FOLDER,
            lasting: Duration::from_millis(60),
            already: None,
            before: None,
            during: None,
            ends: Ends::Completed,
        }
    }

    pub(super) fn copies(mut self) -> Self {
        self.mode = ExportMode::Copy;
        self
    }

    pub(super) fn overwriting(mut self) -> Self {
        self.existing = Existing::Overwrite;
        self
    }

    pub(super) fn faults(mut self, plan: &str) -> Self {
        self.faults = plan.parse().expect("a fault plan");
        self
    }

    pub(super) fn quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.push(quirk);
        self
    }

    /// Gives the files names with accents, a space and a percent sign.
    pub(super) fn accented(mut self) -> Self {
        self.folder = "r\u{e9}sultats/50% \u{e9}t\u{e9}";
        self
    }

    /// Lets jobs take some settling times: a file whose job is under way shows nothing of it.
    pub(super) fn slow(mut self) -> Self {
        self.lasting = Duration::from_secs(6);
        self
    }

    pub(super) fn already(mut self, act: fn(SandboxBuilder, u32) -> SandboxBuilder) -> Self {
        self.already = Some(act);
        self
    }

    pub(super) fn before(mut self, act: fn(&Sandbox)) -> Self {
        self.before = Some(act);
        self
    }

    pub(super) fn during(mut self, act: fn(&Sandbox)) -> Self {
        self.during = Some(act);
        self
    }

    pub(super) fn may_fail(mut self) -> Self {
        self.ends = Ends::Settled;
        self
    }

    pub(super) fn may_stay_unknown(mut self) -> Self {
        self.ends = Ends::Unknown;
        self
    }

    pub(super) fn refuses(mut self, after: u64) -> Self {
        self.ends = Ends::Refused(after);
        self
    }

    pub(super) fn title(&self) -> String {
        let mode = match (self.mode, self.existing) {
            (ExportMode::Move, Existing::Overwrite) => "move, overwrite",
            (ExportMode::Move, _) => "move",
            (ExportMode::Copy, Existing::Overwrite) => "copy, overwrite",
            (ExportMode::Copy, _) => "copy",
        };
        format!("{} | {} | {mode}", self.name, self.belief)
    }

    pub(super) fn row(&self, found: &Found) -> String {
        let wrongs = self.wrongs(found);
        let words = if !wrongs.is_empty() {
            format!("**{}**", wrongs.join(", "))
        } else if let Ends::Refused(_) = self.ends {
            "stops and says why".to_owned()
        } else {
            found.outcome().to_owned()
        };
        let counts = [
            found.doubled,
            found.destroyed,
            found.falsely_completed + found.falsely_failed,
            found.unknown,
            found.requests,
        ];
        let counts = counts.map(|count| count.to_string()).join(" | ");
        format!("| {} | {words} | {counts} |", self.title())
    }

    /// What isn't as it has to be.
    fn wrongs(&self, found: &Found) -> Vec<&'static str> {
        let (ended, settled, held_back) = match self.ends {
            Ends::Completed => {
                let completed = found.unknown == 0 && found.failed == 0;
                (found.left == 0, completed, true)
            }
            Ends::Settled => (found.left == 0, found.unknown == 0, true),
            Ends::Unknown => (found.left == 0, true, true),
            Ends::Refused(after) => {
                let held_back = found.stopped.is_some() && found.starts <= after;
                (true, true, held_back)
            }
        };
        let checks = [
            (found.doubled == 0, "sent twice"),
            (found.collided == 0, "sent beside another job"),
            (found.destroyed == 0, "destroyed"),
            (found.falsely_completed == 0, "falsely completed"),
            (found.falsely_failed == 0, "falsely failed"),
            (held_back, "goes on all the same"),
            (found.requests <= MOST_REQUESTS, "asks too often"),
            (ended, "doesn't end"),
            (!ended || settled, "not settled"),
        ];
        let wrong = checks.into_iter().filter(|(holds, _)| !holds);
        wrong.map(|(_, word)| word).collect()
    }

    /// Whether all is as it has to be, and the lie was really told.
    pub(super) fn check(&self, found: &Found) -> Result<(), String> {
        let wrongs = self.wrongs(found);
        if !wrongs.is_empty() {
            return Err(format!("{}: {}: {found}", self.title(), wrongs.join(", ")));
        }
        match &found.idle_faults[..] {
            [] => Ok(()),
            idle => Err(format!("{}: {idle:?} never struck", self.title())),
        }
    }
}
