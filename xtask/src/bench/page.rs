//! What people read: the tables on the terminal, and the page and the plot in `docs/`.

use super::desk::Jobs;
use super::findings::Findings;
use super::plot::{Line, draw, with_commas};
use super::table::table;
use super::targets::{Judged, number};
use crate::root;

/// Its numbers stand in braces.
const TEMPLATE: &str = include_str!("../../bench/performance.md");

/// The competitors side by side.
pub(super) fn contest(findings: &Findings) -> String {
    let rows = findings.contest.iter().map(|row| {
        vec![
            row.client.words().to_owned(),
            row.case.words().to_owned(),
            row.jobs.words().to_owned(),
            with_commas(row.files),
            with_commas(row.requests),
            number(row.requests_per_file()),
            number(row.cost.wall_s),
            number(row.cpu_ms_per_file()),
            number(row.cost.peak_mb),
        ]
    });
    table(
        &[
            "",
            "what",
            "jobs take",
            "files",
            "requests",
            "per file",
            "wall time s",
            "CPU s per 1,000 files",
            "peak memory MB",
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// Time against the limit's bound.
pub(super) fn limit(findings: &Findings) -> String {
    let rows = findings.limit.iter().map(|row| {
        let until = match row.jobs {
            Jobs::Short => "completed",
            Jobs::Hour => "accepted",
        };
        vec![
            format!("{}, until all are {until}", row.client.words()),
            row.jobs.words().to_owned(),
            with_commas(row.files),
            with_commas(row.requests),
            format!("{} per {} s", row.limit, row.window_s),
            number(row.wall_s),
            number(row.bound_s()),
            number(row.ratio()),
            row.refused.to_string(),
        ]
    });
    table(
        &[
            "",
            "jobs take",
            "files",
            "requests",
            "limit",
            "wall time s",
            "bound s",
            "ratio",
            "refused by the limit",
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// The program alone at all sizes.
pub(super) fn scale(findings: &Findings) -> String {
    let rows = findings.scale.iter().map(|scale| {
        vec![
            with_commas(scale.files),
            scale.jobs.words().to_owned(),
            with_commas(scale.requests),
            with_commas(scale.verify_requests),
            number(scale.us_per_file(scale.plan)),
            number(scale.us_per_file(scale.run)),
            number(scale.us_per_file(scale.verify)),
            number(scale.plan.peak_mb),
            number(scale.run.peak_mb),
            number(scale.status.peak_mb),
            number(scale.verify.peak_mb),
            number(scale.report.peak_mb),
            (scale.journal_bytes / scale.files).to_string(),
        ]
    });
    table(
        &[
            "files",
            "jobs take",
            "requests",
            "and to verify",
            "plan CPU us per file",
            "run CPU us per file",
            "verify CPU us per file",
            "plan MB",
            "run MB",
            "status MB",
            "verify MB",
            "report MB",
            "journal bytes per file",
        ],
        &rows.collect::<Vec<_>>(),
    )
}

/// What was demanded, and what became of it.
pub(super) fn verdicts(verdicts: &[Judged]) -> String {
    let rows = verdicts.iter().map(|verdict| {
        let mark = match verdict.is_met {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        vec![
            verdict.words.to_owned(),
            verdict.wanted.clone(),
            verdict.found.clone(),
            mark.to_owned(),
        ]
    });
    table(
        &["demand", "wanted", "found", "met"],
        &rows.collect::<Vec<_>>(),
    )
}

/// Writes `docs/performance.md` and its plot.
pub(super) fn write(findings: &Findings, judged: &[Judged], command: &str) -> Result<(), String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let page = TEMPLATE
        .replace("{command}", command)
        .replace("{cores}", &cores.to_string())
        .replace("{verdicts}", verdicts(judged).trim_end())
        .replace("{contest}", contest(findings).trim_end())
        .replace("{limit}", limit(findings).trim_end())
        .replace("{scale}", scale(findings).trim_end());
    let line = |name, jobs: Jobs, cost: fn(&super::scale::Scale) -> super::cost::Cost| Line {
        name,
        points: findings
            .scale
            .iter()
            .filter(|scale| scale.jobs == jobs)
            .map(|scale| (scale.files as f64, scale.us_per_file(cost(scale))))
            .collect(),
    };
    let plot = draw(
        "CPU per file, in microseconds",
        &[
            line("run", Jobs::Short, |scale| scale.run),
            line("run, jobs of an hour", Jobs::Hour, |scale| scale.run),
            line("plan", Jobs::Short, |scale| scale.plan),
        ],
    );
    for (name, text) in [("performance.md", page), ("performance.svg", plot)] {
        let path = root().join("docs").join(name);
        std::fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}
