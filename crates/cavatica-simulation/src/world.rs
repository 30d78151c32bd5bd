//! One world, played from its beginning to its end.

mod backup;
mod cast;
mod run;

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, Sandbox};
use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use crate::disk::Disk;
use crate::judge::{Verdict, is_harm, judge};
use crate::log::Log;
use crate::log::locked;
use crate::process::Process;
use crate::scenario::{Others, Scenario, Trouble};
use crate::vfs;
use crate::wire::Network;

/// What is asked of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// That nothing is ever sent twice, destroyed, or said falsely, whatever happens and when.
    Safety,
    /// That it comes to its end too, once nothing happens any more.
    Liveness,
    /// That no object is destroyed and no alias points at nothing, though a belief is broken and files are sent twice, on a
    /// platform whose jobs end in the order in which it took them.
    Harm,
}

/// How often a transfer is taken up again after the last death.
const RUNS: usize = 6;

/// What came of playing a scenario.
#[derive(Debug, Default)]
pub struct Played {
    /// What must not be, in words; empty if all is well.
    pub wrongs: Vec<String>,
    /// What really happened, and how often.
    pub met: BTreeMap<String, u64>,
    /// Everything that happened, in order; empty unless it was asked for.
    pub log: String,
}

/// Everything that a world consists of.
pub(crate) struct World {
    pub(crate) scenario: Scenario,
    order: Order,
    pub(crate) sandbox: Arc<Sandbox>,
    pub(crate) network: Network,
    pub(crate) folder: PathBuf,
    /// What time it is at the beginning.
    pub(crate) at: Timestamp,
    pub(crate) began: Instant,
    pub(crate) log: Log,
    met: Mutex<BTreeMap<String, u64>>,
    /// What went wrong on the way.
    wrongs: Mutex<Vec<String>>,
    /// Programs that run beside.
    others: Mutex<Vec<Arc<Process>>>,
}

/// In which order others begin to export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// In that of the files.
    Files,
    /// In that of a hash map, which is another one each time: what the test of determinism has to notice.
    HashMap,
}

/// Plays a scenario on this thread.
///
/// # Panics
///
/// If the machine can't be used: no folder, no runtime.
#[must_use]
pub fn play(scenario: &Scenario, mode: Mode, keep_log: bool) -> Played {
    play_in_order(scenario, mode, keep_log, Order::Files)
}

/// As [`play`], with another order of what others do.
#[doc(hidden)]
#[must_use]
pub fn play_in_order(scenario: &Scenario, mode: Mode, keep_log: bool, order: Order) -> Played {
    // In memory where there is such a folder: the real files are empty, and nothing of them has to last.
    let shared = Path::new("/dev/shm");
    let folder = if shared.is_dir() {
        tempfile::tempdir_in(shared)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.expect("a folder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let playing = || {
        runtime.block_on(async {
            let log = if keep_log {
                Log::kept()
            } else {
                Log::default()
            };
            vfs::insert(Disk::new(scenario.seed, folder.path(), &log));
            let played = Box::pin(World::play(scenario, mode, order, folder.path(), &log)).await;
            Played {
                log: log.text(),
                ..played
            }
        })
    };
    // What the engine asserts of itself is part of what must hold.
    let played = catch_unwind(AssertUnwindSafe(playing)).unwrap_or_else(|panic| Played {
        wrongs: vec![format!("panics: {}", reason(&*panic))],
        ..Played::default()
    });
    drop(runtime);
    vfs::remove();
    played
}

fn reason(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    let text = text.unwrap_or_default();
    text.lines().next().unwrap_or_default().to_owned()
}

impl World {
    async fn play(
        scenario: &Scenario,
        mode: Mode,
        order: Order,
        folder: &Path,
        log: &Log,
    ) -> Played {
        log.line(|| scenario.to_string());
        let mut world = World::make(scenario, mode, folder, log).await;
        world.order = order;
        if let Err(error) = world.plan().await {
            return Played {
                wrongs: vec![format!("there is no plan: {error}")],
                ..Played::default()
            };
        }
        vfs::disk(Disk::sync_all);
        world.sandbox.set_faults(scenario.faults(false));
        for trouble in &scenario.troubles {
            if let Trouble::Quirk(_) | Trouble::Earlier | Trouble::Moved | Trouble::Past(_) =
                trouble
            {
                world.meet(&trouble.kind(), 1);
            }
        }
        world.runs(mode).await;
        world.quiet().await;
        let ledger = world.sandbox.ledger();
        let verdict = judge(&world.transfer(), &ledger, scenario);
        for (state, files) in &verdict.states {
            world.meet(&format!("state {state}"), *files);
        }
        for strike in world.network.struck() {
            world.meet(&Trouble::Wire(strike).kind(), 1);
        }
        let mut wrongs = verdict.wrongs.clone();
        wrongs.append(&mut locked(&world.wrongs));
        match mode {
            Mode::Safety => {}
            Mode::Liveness => wrongs.extend(unended(&verdict, scenario)),
            Mode::Harm => wrongs.retain(|wrong| is_harm(wrong)),
        }
        log.line(|| format!("judged: {:?}, wrong: {wrongs:?}", verdict.states));
        Played {
            wrongs,
            met: std::mem::take(&mut *locked(&world.met)),
            log: String::new(),
        }
    }

    /// Something happened.
    fn meet(&self, what: &str, times: u64) {
        if times > 0 {
            *locked(&self.met).entry(what.to_owned()).or_default() += times;
        }
    }

    /// Waits until no job is under way, and no byte, and no call is being carried out any more.
    async fn quiet(&self) {
        sleep(Duration::from_secs(2 * 3600)).await;
    }

    pub(crate) fn transfer(&self) -> PathBuf {
        self.folder.join("t.transfer")
    }
}

/// What has come to no end. Where a job says what isn't true, or its file is gone, nothing tells for good.
fn unended(verdict: &Verdict, scenario: &Scenario) -> Vec<String> {
    let lies = |trouble: &Trouble| match trouble {
        Trouble::Fault(rule) => {
            let tell_nothing = ["keep-file", "hollow", "lose-file"];
            tell_nothing.iter().any(|fault| rule.contains(fault))
        }
        // A copy leaves no mark on its file: whose it was that lies at the planned place, nobody can tell.
        Trouble::Others(Others::Same, _) => scenario.is_copy(),
        _ => false,
    };
    let may_stay_unknown = scenario.troubles.iter().any(lies);
    let states = ["planned", "intended", "accepted", "unknown"].into_iter();
    let left = states
        .filter(|state| !(may_stay_unknown && *state == "unknown"))
        .filter(|state| verdict.count(state) > 0);
    left.map(|state| format!("no end: {} files are {state}", verdict.count(state)))
        .collect()
}

impl Scenario {
    /// The rules of the sandbox. Once faults have ceased, jobs are dated as before: another clock is beyond `one-clock`.
    fn faults(&self, have_ceased: bool) -> FaultPlan {
        let dates = |rule: &str| rule.starts_with("job-clock") || rule.starts_with("zoneless");
        let rules = self.troubles.iter().filter_map(|trouble| match trouble {
            Trouble::Fault(rule) => Some(rule.as_str()),
            _ => None,
        });
        let rules = rules.filter(|rule| !have_ceased || dates(rule));
        let text = rules.collect::<Vec<_>>().join(";");
        text.parse().expect("each was read as a rule")
    }

    fn is_copy(&self) -> bool {
        self.mode == ExportMode::Copy
    }
}
