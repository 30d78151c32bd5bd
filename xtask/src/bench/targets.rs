//! What must be met, in the words of the demand, and whether it is.

use self::Bound::{AtLeast, AtMost};
use super::clients::Client;
use super::cost::Cost;
use super::desk::{Case, Jobs};
use super::findings::Findings;
use super::scale::Scale;

/// One demand.
struct Demand {
    words: &'static str,
    bound: Bound,
    unit: &'static str,
    /// The worst that was measured; none if this run didn't measure it.
    of: fn(&Findings) -> Option<f64>,
}

#[derive(Clone, Copy)]
enum Bound {
    AtMost(f64),
    AtLeast(f64),
}

impl Demand {
    const fn new(
        words: &'static str,
        bound: Bound,
        unit: &'static str,
        of: fn(&Findings) -> Option<f64>,
    ) -> Self {
        Demand {
            words,
            bound,
            unit,
            of,
        }
    }
}

/// Requests that a transfer may need whatever its size, where nothing fails.
const CONSTANT: u64 = 60;

/// So many more where jobs take an hour: how often one asks whether they have ended.
const AN_HOUR: u64 = 12;

/// The same where jobs fail and are sent again.
const CONSTANT_OF_FAILURES: u64 = 100;

/// What the waits of the program are that sends failed files again: the first, in seconds, and each twice as long as the last.
const FIRST_WAIT_S: f64 = 30.0;

/// So many files, and what is demanded of memory and time holds.
pub(super) const MILLION: u64 = 1_000_000;

const TARGETS: &[Demand] = &[
    Demand::new(
        "requests per file of moves, besides a constant of 60, of 72 with jobs of an hour",
        AtMost(0.0125),
        "",
        |findings| findings.requests(Case::Moves, CONSTANT),
    ),
    Demand::new(
        "the same with verify",
        AtMost(0.0225),
        "",
        Findings::requests_with_verify,
    ),
    Demand::new(
        "requests per file of moves, scrolling refused, besides 60",
        AtMost(0.031),
        "",
        |findings| findings.requests(Case::MovesWithoutScroll, CONSTANT),
    ),
    Demand::new(
        "requests per file of copies, besides 60",
        AtMost(0.021),
        "",
        |findings| findings.requests(Case::Copies, CONSTANT),
    ),
    Demand::new(
        "requests per file of moves of which 5 % fail, besides 100",
        AtMost(0.015),
        "",
        |findings| findings.requests(Case::MovesThatFail, CONSTANT_OF_FAILURES),
    ),
    Demand::new(
        "wall time of moves of which 5 % fail beside their waits",
        AtMost(1.1),
        " times",
        Findings::time_of_failures,
    ),
    Demand::new(
        "wall time beside what the limit dictates for as many requests",
        AtMost(1.04),
        " times",
        Findings::time,
    ),
    Demand::new(
        "time of two accounts beside that of one, at a limit that both meet",
        AtMost(0.55),
        " times",
        |findings| findings.accounts,
    ),
    Demand::new(
        "CPU per file of moves beside the best Python loop",
        AtMost(1.0 / 5.0),
        " times",
        |findings| findings.cpu_beside(&[Client::BestListing, Client::BestBulk]),
    ),
    Demand::new(
        "CPU per file of moves beside Python that looks files up one by one",
        AtMost(1.0 / 100.0),
        " times",
        |findings| findings.cpu_beside(&[Client::OneByOne]),
    ),
    Demand::new(
        "reading a bulk answer beside reading it as untyped JSON",
        AtMost(1.5),
        " times",
        |findings| findings.decode,
    ),
    Demand::new(
        "CPU per file at the most files beside that at the fewest",
        AtMost(1.3),
        " times",
        Findings::growth,
    ),
    Demand::new(
        "memory of plan at 1,000,000 files",
        AtMost(80.0),
        " MB",
        |findings| {
            let beside = findings.memory(|scale| scale.plan);
            worst(findings.plans_mb.iter().copied().chain(beside))
        },
    ),
    Demand::new(
        "memory of run at 1,000,000 files",
        AtMost(80.0),
        " MB",
        |findings| findings.memory(|scale| scale.run),
    ),
    Demand::new(
        "memory of status at 1,000,000 files",
        AtMost(80.0),
        " MB",
        |findings| findings.memory(|scale| scale.status),
    ),
    Demand::new(
        "memory of verify at 1,000,000 files",
        AtMost(80.0),
        " MB",
        |findings| findings.memory(|scale| scale.verify),
    ),
    Demand::new(
        "memory of report at 1,000,000 files",
        AtMost(80.0),
        " MB",
        |findings| findings.memory(|scale| scale.report),
    ),
    Demand::new(
        "memory of check at 1,000,000 rows",
        AtMost(80.0),
        " MB",
        |findings| Some(findings.alone?.check.peak_mb),
    ),
    Demand::new("journal per file", AtMost(300.0), " bytes", |findings| {
        let sizes = findings.scale.iter();
        worst(sizes.map(|scale| scale.journal_bytes as f64 / scale.files as f64))
    }),
    Demand::new(
        "first request of a half-done million",
        AtMost(1.0),
        " s",
        |findings| {
            let resume = findings.resume.filter(|resume| resume.files == MILLION);
            Some(resume?.first_request_s)
        },
    ),
    Demand::new("start-up", AtMost(5.0), " ms", |findings| {
        Some(findings.alone?.start_ms)
    }),
    Demand::new(
        "offline check of 1,000,000 rows",
        AtLeast(1e6),
        " rows per CPU second",
        |findings| Some(findings.alone?.rows_per_second()),
    ),
];

impl Findings {
    fn requests(&self, case: Case, constant: u64) -> Option<f64> {
        let contest = self.contest.iter();
        let contest = contest.filter(|row| row.client == Client::Ours && row.case == case);
        let contest = contest.map(|row| (row.requests, row.files, row.jobs));
        let scale = self.scale.iter().filter(|_| case == Case::Moves);
        let scale = scale.map(|scale| (scale.requests, scale.files, scale.jobs));
        let all = contest.chain(scale);
        worst(all.map(|(requests, files, jobs)| per_file(requests, files, jobs, constant)))
    }

    fn requests_with_verify(&self) -> Option<f64> {
        let all = self.scale.iter().map(|scale| {
            let requests = scale.requests + scale.verify_requests;
            per_file(requests, scale.files, scale.jobs, CONSTANT)
        });
        worst(all)
    }

    fn time_of_failures(&self) -> Option<f64> {
        let mut rows = self.contest.iter();
        let row = rows.find(|row| row.case == Case::MovesThatFail)?;
        let waits = i32::try_from(row.attempts).ok()? - 1;
        let waited_s = FIRST_WAIT_S * (2_f64.powi(waits) - 1.0);
        (waits > 0).then_some(row.cost.wall_s / waited_s)
    }

    fn time(&self) -> Option<f64> {
        let ours = self.limit.iter().filter(|row| row.client == Client::Ours);
        worst(ours.map(super::limit::Limited::ratio))
    }

    /// Beside whichever of these needs least.
    fn cpu_beside(&self, clients: &[Client]) -> Option<f64> {
        let cpu = |client: Client, jobs: Jobs| {
            let mut rows = self.contest.iter();
            let row = rows
                .find(|row| row.client == client && row.jobs == jobs && row.case == Case::Moves)?;
            Some(row.cpu_ms_per_file())
        };
        let both = Jobs::BOTH.into_iter();
        worst(both.filter_map(|jobs| {
            let others = clients.iter().filter_map(|client| cpu(*client, jobs));
            Some(cpu(Client::Ours, jobs)? / others.min_by(f64::total_cmp)?)
        }))
    }

    /// Of plan and run with short jobs.
    fn growth(&self) -> Option<f64> {
        let cost = |scale: &Scale| scale.us_per_file(scale.plan + scale.run);
        let mut short = self.scale.iter().filter(|scale| scale.jobs == Jobs::Short);
        let first = short.next()?;
        Some(cost(short.next_back()?) / cost(first))
    }

    fn memory(&self, of: fn(&Scale) -> Cost) -> Option<f64> {
        let million = self.scale.iter().filter(|scale| scale.files == MILLION);
        worst(million.map(|scale| of(scale).peak_mb))
    }
}

/// What a file needs besides a constant.
fn per_file(requests: u64, files: u64, jobs: Jobs, constant: u64) -> f64 {
    let constant = match jobs {
        Jobs::Short => constant,
        Jobs::Hour => constant + AN_HOUR,
    };
    requests.saturating_sub(constant) as f64 / files as f64
}

/// The largest, if there is any.
fn worst(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.max_by(f64::total_cmp)
}

/// What became of a demand.
pub(super) struct Judged {
    pub(super) words: &'static str,
    pub(super) wanted: String,
    pub(super) found: String,
    /// None if it was not measured.
    pub(super) is_met: Option<bool>,
}

/// Holds what was found against what is demanded.
pub(super) fn judge(findings: &Findings) -> Vec<Judged> {
    let verdict = |target: &Demand| {
        let found = (target.of)(findings);
        let (word, bound, is_met) = match target.bound {
            AtMost(most) => ("at most", most, found.map(|found| found <= most)),
            AtLeast(least) => ("at least", least, found.map(|found| found >= least)),
        };
        let with_unit = |value| number(value) + target.unit;
        Judged {
            words: target.words,
            wanted: format!("{word} {}", with_unit(bound)),
            found: found.map_or_else(|| "not measured".to_owned(), with_unit),
            is_met,
        }
    };
    TARGETS.iter().map(verdict).collect()
}

/// As many digits as count.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        tiny if tiny < 0.1 => format!("{value:.4}"),
        small if small < 1.0 => format!("{value:.3}"),
        middle if middle < 10.0 => format!("{value:.2}"),
        large if large < 1000.0 => format!("{value:.1}"),
        _ => super::plot::with_commas(value as u64),
    }
}
