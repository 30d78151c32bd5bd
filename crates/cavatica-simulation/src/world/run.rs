//! The runs of a transfer: one after another, and beside each other.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cavatica_exports::transport::Client;
use cavatica_sandbox::OtherExport;
use cavatica_transfer::journal::{Journal, JournalError, SqliteJournal, TransferFile};
use cavatica_transfer::{Ending, OverwriteAgain, Retry, RunOptions, RunReport, Stop, run};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::cast::{named, path};
use super::{Mode, Order, RUNS, World};
use crate::disk::Snapshot;
use crate::log::Log;
use crate::log::locked;
use crate::process::{Mortal, Process};
use crate::scenario::{Others, Trouble, VOLUME};
use crate::vfs;

/// How long one run may take; a day is more than any that makes progress does.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// How a run ends that isn't let go on.
#[derive(Clone, Copy, Debug)]
enum Death {
    Kill,
    Power,
    Forgets,
}

/// What is planned for one run.
#[derive(Debug, Default)]
struct RunFate {
    death: Option<(Death, u64, u64)>,
    stop: Option<u64>,
    full: Option<u64>,
    retry: Option<OverwriteAgain>,
    limit: Option<u64>,
    max_errors: Option<u64>,
}

impl World {
    /// Runs the transfer again and again until it has ended, or for as often as it is worth.
    pub(super) async fn runs(&mut self, mode: Mode) {
        let mut fates = self.fates();
        let mut clock = self.clocks();
        let (mut ahead, mut left, mut was_put_back) = (0, RUNS, false);
        if self.scenario.troubles.contains(&Trouble::Moved) {
            self.export_elsewhere(Others::Colleague, 0);
            sleep(Duration::from_secs(self.scenario.job + 5)).await;
        }
        let mut aside = self.set_aside();
        let mut retries = self.retries();
        for number in 1.. {
            let mut fate = fates.pop_front().unwrap_or_default();
            fate.retry = retries.remove(&number);
            if let Some(set) = clock.pop_front() {
                ahead = set;
                self.meet("clock", 1);
            }
            let backup = (number == 1).then(|| self.take_backup()).flatten();
            was_put_back &= !self.run_once(number, &fate, ahead).await;
            if let Some(backup) = backup {
                self.end_of(&mut aside).await;
                was_put_back = self.restore(backup).await;
            }
            // A person needs a moment too; a disk that another computer writes to is free again by then.
            sleep(Duration::from_secs(2)).await;
            let is_last = fates.is_empty() && retries.is_empty();
            if is_last {
                left -= 1;
                if mode == Mode::Liveness && left == RUNS / 2 {
                    self.log
                        .line(|| "from here on nothing goes wrong".to_owned());
                    self.count_faults();
                    self.sandbox.set_faults(self.scenario.faults(true));
                    self.network.heal();
                }
            }
            let transfer = TransferFile::open(&self.transfer());
            let tally = transfer.and_then(|transfer| transfer.tally()).ok();
            let ended = tally.is_some_and(|tally| tally.left() == 0 && tally.unknown.files == 0);
            // What is put back is put back to be run.
            if left == 0 || (is_last && ended && !was_put_back) {
                break;
            }
        }
        self.end_of(&mut aside).await;
        self.count_faults();
    }

    /// Waits for those who run the transfer beside.
    async fn end_of(&self, aside: &mut Vec<JoinHandle<()>>) {
        for other in aside.drain(..) {
            if timeout(LONGEST, other).await.is_err() {
                self.log.line(|| "somebody else doesn't end".to_owned());
            }
        }
    }

    /// What the sandbox did wrong on purpose, by the names of its faults.
    fn count_faults(&self) {
        for hits in self.sandbox.ledger().faults {
            for fault in std::iter::once(&hits.rule.fault).chain(&hits.rule.also) {
                let text = format!("{fault:?}");
                let name = text.split([' ', '{']).next().unwrap_or_default();
                self.meet(&format!("fault {name}"), hits.hits);
            }
        }
    }

    fn fates(&self) -> VecDeque<RunFate> {
        let mut fates = VecDeque::new();
        let mut next = RunFate::default();
        for trouble in &self.scenario.troubles {
            let death = match trouble {
                Trouble::Kill(step, pause) => (Death::Kill, *step, *pause),
                Trouble::Power(step, pause) => (Death::Power, *step, *pause),
                Trouble::Forgets(step, pause) => (Death::Forgets, *step, *pause),
                Trouble::Stop(after) => {
                    fates.push_back(RunFate {
                        stop: Some(*after),
                        ..std::mem::take(&mut next)
                    });
                    continue;
                }
                Trouble::Full(write) => {
                    next.full = Some(*write);
                    continue;
                }
                Trouble::Limit(files) => {
                    next.limit = Some(*files);
                    continue;
                }
                Trouble::MaxErrors(files) => {
                    next.max_errors = Some(*files);
                    continue;
                }
                _ => continue,
            };
            fates.push_back(RunFate {
                death: Some(death),
                ..std::mem::take(&mut next)
            });
        }
        fates.push_back(next);
        fates
    }

    fn retries(&self) -> BTreeMap<u64, OverwriteAgain> {
        let troubles = self.scenario.troubles.iter();
        troubles
            .filter_map(|trouble| match trouble {
                Trouble::Retry(run, overwrite) => Some((*run, *overwrite)),
                _ => None,
            })
            .collect()
    }

    fn clocks(&self) -> VecDeque<i64> {
        let clocks = self.scenario.troubles.iter();
        clocks
            .filter_map(|trouble| match trouble {
                Trouble::Clock(ahead) => Some(*ahead),
                _ => None,
            })
            .collect()
    }

    /// Whether it came to its end.
    async fn run_once(&self, number: u64, fate: &RunFate, ahead: i64) -> bool {
        let last = fate.death.map(|(_, step, _)| step);
        let process = Process::new(format!("run {number}"), last, &self.log);
        let client = self.client(&process, ahead);
        vfs::disk(|disk| disk.fill_at(fate.full));
        let snapshot = matches!(fate.death, Some((Death::Forgets, ..)))
            .then(|| vfs::disk(|disk| disk.snapshot()));
        let mut options = RunOptions::default();
        options.limit = fate.limit;
        options.max_errors = fate.max_errors;
        let program = Program {
            transfer: self.transfer(),
            client,
            stop_after: fate.stop.map(Duration::from_secs),
            retry: fate.retry,
            options,
            log: self.log.clone(),
            name: process.name.clone(),
        };
        let ended = timeout(LONGEST, Mortal::new(Arc::clone(&process), program.run())).await;
        process.end();
        let was_full = vfs::disk(|disk| {
            disk.release(&process);
            disk.was_full(fate.full)
        });
        self.meet("full", u64::from(was_full));
        if process.is_endless() || ended.is_err() {
            let wrong = format!("no end: {} after {} steps", process.name, process.steps());
            locked(&self.wrongs).push(wrong);
        }
        let told = match &ended {
            Ok(Some(Ok(report))) => format!("{:?}", report.ending),
            Ok(Some(Err(error))) => error.clone(),
            Ok(None) => "died".to_owned(),
            Err(_) => "doesn't end".to_owned(),
        };
        self.log.line(|| {
            format!(
                "{} ended after {} steps: {told}",
                process.name,
                process.steps()
            )
        });
        if fate.stop.is_some() {
            self.meet("stop", 1);
        }
        if let Ok(Some(Ok(report))) = &ended
            && report.ending != Ending::NothingToDo
        {
            self.meet("retry", u64::from(fate.retry.is_some()));
            self.meet("limit", u64::from(fate.limit.is_some()));
            self.meet("max-errors", u64::from(fate.max_errors.is_some()));
        }
        if let Ok(None) = ended {
            let by_wire = match self.network.took_power() {
                true => (Death::Power, 0, 1),
                false => (Death::Kill, 0, 1),
            };
            let (death, _, pause) = fate.death.unwrap_or(by_wire);
            let kind = match death {
                Death::Kill => "kill",
                Death::Power => "power",
                Death::Forgets => "forgets",
            };
            self.meet(kind, 1);
            match death {
                Death::Kill => {}
                Death::Power | Death::Forgets => self.lose_power(snapshot.as_ref()),
            }
            sleep(Duration::from_secs(pause)).await;
        }
        matches!(&ended, Ok(Some(Ok(report))) if matches!(report.ending, Ending::Finished | Ending::NothingToDo))
    }

    /// Nobody who has the disk outlives its loss of power.
    fn lose_power(&self, forgets: Option<&Snapshot>) {
        let others = std::mem::take(&mut *locked(&self.others));
        for process in &others {
            process.kill();
        }
        vfs::disk(|disk| {
            for process in &others {
                disk.release(process);
            }
            disk.lose_power(forgets);
        });
    }

    /// Others who begin at some moment of the first run.
    fn set_aside(&self) -> Vec<JoinHandle<()>> {
        let mut others = Vec::new();
        for (number, trouble) in self.scenario.troubles.iter().enumerate() {
            let (after, folder) = match trouble {
                Trouble::Owner(after) | Trouble::Link(after) | Trouble::Copy(after) => {
                    (*after, self.folder.join(format!("other{number}")))
                }
                Trouble::Others(who, after) => {
                    self.export_elsewhere(*who, *after);
                    continue;
                }
                _ => continue,
            };
            let process = Process::new(format!("other {number}"), None, &self.log);
            locked(&self.others).push(Arc::clone(&process));
            self.meet(&trouble.kind(), 1);
            let client = self.client(&process, 0);
            let (transfer, trouble, log) = (self.transfer(), trouble.clone(), self.log.clone());
            let program = Program {
                transfer: folder.join("t.transfer"),
                client,
                stop_after: None,
                retry: None,
                options: RunOptions::default(),
                log: self.log.clone(),
                name: process.name.clone(),
            };
            others.push(tokio::spawn(async move {
                sleep(Duration::from_secs(after)).await;
                appear(&trouble, &transfer, &folder);
                // A disk that somebody writes to is asked again, as SQLite does by itself where time passes. Once begun, a run
                // that has to wait was mostly taken over meanwhile; two that take each other over again and again are none.
                for _ in 0..20 {
                    let ended = Mortal::new(Arc::clone(&process), program.clone().run()).await;
                    log.line(|| match &ended {
                        Some(Ok(report)) => format!("{} ended: {:?}", process.name, report.ending),
                        Some(Err(error)) => format!("{} ended: {error}", process.name),
                        None => format!("{} died", process.name),
                    });
                    match ended {
                        Some(Err(error))
                            if error.starts_with(UNOPENED) && error.contains("locked") =>
                        {
                            sleep(Duration::from_millis(700)).await;
                        }
                        _ => break,
                    }
                }
                process.end();
                vfs::disk(|disk| disk.release(&process));
            }));
        }
        others
    }

    /// Exports of others, which the platform starts by itself at their time.
    fn export_elsewhere(&self, who: Others, after: u64) {
        let exports: Vec<OtherExport> = (1..=self.scenario.files)
            .step_by(10)
            .map(|number| {
                let location = match who {
                    Others::Same => path(number),
                    Others::Colleague if self.scenario.overwrite => path(number),
                    Others::Elsewhere | Others::Colleague => format!("theirs/{number}"),
                };
                let export = OtherExport::new(named(number), VOLUME, location)
                    .lasting(Duration::from_secs(self.scenario.job));
                let export = if self.scenario.overwrite {
                    export.overwrite()
                } else {
                    export
                };
                let export = if self.scenario.is_copy() {
                    export.copy()
                } else {
                    export
                };
                match who {
                    Others::Same | Others::Elsewhere => export,
                    Others::Colleague => export.account("colleague"),
                }
            })
            .collect();
        self.meet("others", 1);
        let exports = match self.order {
            Order::Files => exports,
            Order::HashMap => {
                let by_number: HashMap<usize, OtherExport> =
                    exports.into_iter().enumerate().collect();
                by_number.into_values().collect()
            }
        };
        let (sandbox, log) = (Arc::clone(&self.sandbox), self.log.clone());
        let begin = move || {
            let started = exports
                .iter()
                .filter(|export| sandbox.export_elsewhere(export).is_ok());
            let started = started.count();
            log.line(|| format!("others export {started} files"));
        };
        if after == 0 {
            return begin();
        }
        tokio::spawn(async move {
            sleep(Duration::from_secs(after)).await;
            begin();
        });
    }
}

/// How the words of a run begin that couldn't open its transfer.
const UNOPENED: &str = "can't be opened";

/// Makes the file that another program runs.
fn appear(trouble: &Trouble, transfer: &Path, folder: &Path) {
    fs::create_dir_all(folder).expect("a folder");
    let other = folder.join("t.transfer");
    match trouble {
        Trouble::Link(_) => fs::hard_link(transfer, &other).expect("a link"),
        Trouble::Copy(_) => {
            fs::write(&other, "").expect("a file");
            vfs::disk(|disk| disk.share(transfer, &other, true));
        }
        _ => {
            fs::write(&other, "").expect("a file");
            let home = transfer.parent().expect("it lies in a folder");
            vfs::disk(|disk| {
                disk.share(transfer, &other, false);
                disk.mount(home, folder);
            });
        }
    }
}

/// One run of the program.
#[derive(Clone)]
struct Program {
    transfer: PathBuf,
    client: Client,
    stop_after: Option<Duration>,
    retry: Option<OverwriteAgain>,
    options: RunOptions,
    log: Log,
    name: String,
}

impl Program {
    async fn run(self) -> Result<RunReport, String> {
        let mut journal = SqliteJournal::open(&self.transfer, &self.client)
            .map_err(|error| format!("{UNOPENED}: {}", words(&error)))?;
        let stop = Stop::new();
        if let Some(after) = self.stop_after {
            let stop = stop.clone();
            tokio::spawn(async move {
                sleep(after).await;
                stop.ask();
            });
        }
        let (log, name) = (self.log.clone(), self.name.clone());
        let mut tell = |event| log.line(|| format!("{name}: {event:?}"));
        let mut options = self.options;
        if let Some(overwrite) = self.retry {
            let mut retry =
                Retry::of_codes(failed_with(&mut journal).map_err(|error| words(&error))?);
            retry.overwrite = overwrite;
            options.retry = Some(retry);
        }
        run(&mut journal, &self.client, &options, &stop, &mut tell)
            .await
            .map_err(|error| words(&error))
    }
}

/// The codes of all that failed.
fn failed_with(journal: &mut SqliteJournal) -> Result<Vec<i64>, JournalError> {
    let (mut codes, mut after) = (Vec::new(), None);
    loop {
        let page = journal.failed(after)?;
        let Some(last) = page.last() else {
            return Ok(codes);
        };
        after = Some(last.item.id);
        codes.extend(page.iter().filter_map(|failed| failed.failure.code));
        codes.sort_unstable();
        codes.dedup();
    }
}

/// What went wrong, without what differs from one machine to another.
fn words(error: &dyn std::error::Error) -> String {
    let text = error.to_string();
    let text = text.split('`').step_by(2).collect::<Vec<_>>().join("…");
    match error.source() {
        Some(source) => format!("{text}: {}", words(source)),
        None => text,
    }
}
