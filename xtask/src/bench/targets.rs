//! What must be met, in the words of the demand, and whether it is.

use super::Findings;
use super::clients::Client;
use super::desk::Jobs;

/// One demand.
pub(super) struct Target {
    pub(super) words: &'static str,
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

/// What became of a demand.
pub(super) struct Verdict {
    pub(super) words: &'static str,
    pub(super) wanted: String,
    pub(super) found: String,
    /// None if it was not measured.
    pub(super) is_met: Option<bool>,
}

/// Requests that a transfer may need whatever its size.
const CONSTANT: u64 = 60;

pub(super) const TARGETS: &[Target] =
    &[
        Target {
            words: "requests per file of plan and run, besides a constant of 60",
            bound: Bound::AtMost(0.031),
            unit: "",
            of: |findings| {
                let rows = findings.ours().map(|row| (row.requests, row.files));
                worst(rows.map(|(requests, files)| {
                    requests.saturating_sub(CONSTANT) as f64 / files as f64
                }))
            },
        },
        Target {
            words: "CPU per file beside the best Python loop",
            bound: Bound::AtMost(0.1),
            unit: " times",
            of: |findings| findings.cpu_beside(Client::BestBulk),
        },
        Target {
            words: "CPU per file beside Python that looks files up one by one",
            bound: Bound::AtMost(1.0 / 500.0),
            unit: " times",
            of: |findings| findings.cpu_beside(Client::OneByOne),
        },
        Target {
            words: "start-up",
            bound: Bound::AtMost(20.0),
            unit: " ms",
            of: |findings| Some(findings.alone?.start_ms),
        },
        Target {
            words: "offline check of 1,000,000 rows",
            bound: Bound::AtLeast(1_000_000.0),
            unit: " rows/s",
            of: |findings| Some(findings.alone?.rows_per_second()),
        },
    ];

impl Findings {
    fn cpu_beside(&self, client: Client) -> Option<f64> {
        let cpu = |client: Client, jobs: Jobs| {
            let row = self
                .contest
                .iter()
                .find(|row| row.client == client && row.jobs == jobs)?;
            Some(row.cpu_ms_per_file())
        };
        worst(
            Jobs::BOTH
                .into_iter()
                .filter_map(|jobs| Some(cpu(Client::Ours, jobs)? / cpu(client, jobs)?)),
        )
    }
}

/// The largest, if there is any.
pub(super) fn worst(values: impl Iterator<Item = f64>) -> Option<f64> {
    values.max_by(f64::total_cmp)
}

/// Holds what was found against what is demanded.
pub(super) fn judge(findings: &Findings) -> Vec<Verdict> {
    TARGETS
        .iter()
        .map(|target| {
            let found = (target.of)(findings);
            let (wanted, is_met) = match target.bound {
                Bound::AtMost(most) => (
                    format!("at most {}{}", number(most), target.unit),
                    found.map(|found| found <= most),
                ),
                Bound::AtLeast(least) => (
                    format!("at least {}{}", number(least), target.unit),
                    found.map(|found| found >= least),
                ),
            };
            Verdict {
                words: target.words,
                wanted,
                found: found.map_or_else(
                    || "not measured".to_owned(),
                    |found| number(found) + target.unit,
                ),
                is_met,
            }
        })
        .collect()
}

/// Three digits that count.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        0.0 => "0".to_owned(),
        small if small < 0.01 => format!("{value:.4}"),
        small if small < 1.0 => format!("{value:.3}"),
        middle if middle < 10.0 => format!("{value:.2}"),
        large if large < 1000.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
