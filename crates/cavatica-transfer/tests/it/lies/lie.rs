//! A lie: how the platform differs from what it shows, and what has to be true all the same.

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, Quirk, Sandbox, SandboxBuilder};
use cavatica_transfer::plan::Existing;

use super::judge::Found;
use super::scene::FILES;

/// One row of the table. Without anything else said, every file ends as completed, and truly.
pub(super) struct Lie {
    hole: &'static str,
    name: &'static str,
    pub(super) mode: ExportMode,
    pub(super) existing: Existing,
    pub(super) faults: FaultPlan,
    pub(super) quirks: Vec<Quirk>,
    pub(super) folder: &'static str,
    /// How long a job takes at most, in milliseconds.
    pub(super) lasting: u64,
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
    pub(super) fn new(hole: &'static str, name: &'static str) -> Self {
        Lie {
            hole,
            name,
            mode: ExportMode::Move,
            existing: Existing::Fail,
            faults: FaultPlan::default(),
            quirks: Vec::new(),
            folder: super::scene::FOLDER,
            lasting: 60,
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

    pub(super) fn lasting(mut self, milliseconds: u64) -> Self {
        self.lasting = milliseconds;
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
            (ExportMode::Copy, _) => "copy",
        };
        format!("{} | {} | {mode}", self.name, self.hole)
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
        format!("| {} | {words} |", self.title())
    }

    /// What isn't as it has to be.
    fn wrongs(&self, found: &Found) -> Vec<&'static str> {
        let ended = match self.ends {
            Ends::Completed | Ends::Settled | Ends::Unknown => found.left == 0,
            Ends::Refused(_) => found.stopped.is_some(),
        };
        let settled = match self.ends {
            Ends::Completed => found.unknown == 0 && found.failed == 0,
            Ends::Settled => found.unknown == 0,
            Ends::Unknown | Ends::Refused(_) => true,
        };
        let held_back = match self.ends {
            Ends::Refused(after) => found.starts <= after,
            Ends::Completed | Ends::Settled | Ends::Unknown => found.starts <= u64::from(2 * FILES),
        };
        let checks = [
            (found.doubled == 0, "sent twice"),
            (found.collided == 0, "sent beside another job"),
            (found.destroyed == 0, "destroyed"),
            (found.falsely_completed == 0, "falsely completed"),
            (found.falsely_failed == 0, "falsely failed"),
            (held_back, "sent all the same"),
            (ended, "doesn't end"),
            (!ended || settled, "not settled"),
        ];
        let wrong = checks.into_iter().filter(|(holds, _)| !holds);
        wrong.map(|(_, word)| word).collect()
    }

    pub(super) fn check(&self, found: &Found) {
        let wrongs = self.wrongs(found);
        assert!(
            wrongs.is_empty(),
            "{}: {}\n{found}",
            self.title(),
            wrongs.join(", ")
        );
        let idle = &found.idle_faults;
        assert!(idle.is_empty(), "{}: {idle:?} never struck", self.title());
    }
}
