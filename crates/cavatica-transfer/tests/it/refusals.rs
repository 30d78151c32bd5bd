//! Files that the platform refuses one by one, with 9006 and 9107: certain where the plan saw the reason, else as doubtful as an
//! answer that was lost.

use std::time::Duration;

use cavatica_sandbox::{FaultPlan, FileSeed, Quirk, Route};
use cavatica_transfer::{Ending, RunOptions, Stop};
use tokio::time::timeout;

use crate::bench::{Bench, VOLUME, many, options, world};

/// Nothing that this test waits for takes a settling time.
fn never_settling() -> RunOptions {
    let mut options = options();
    options.timing.settle = Duration::from_secs(3600);
    options
}

/// Somebody puts an object where a file is to go.
fn take(bench: &Bench, number: u32) {
    let taken = format!("run1/bam/file-{number:07}.dat");
    let put = bench.sandbox.put_object(VOLUME, &taken, b"older");
    put.expect("an object");
}

#[tokio::test]
async fn a_refusal_that_the_plan_foretold_is_failed_without_waiting() {
    let archived = FileSeed::bytes("old.tar", "years ago").archived();
    let bench = Bench::start(world(many(5).with(archived))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let (options, stop) = (never_settling(), Stop::new());
    let mut ignore = |_| {};
    let run = bench.run_with(&options, &stop, &mut ignore);
    let report = timeout(Duration::from_secs(60), run).await;
    let report = report.expect("it doesn't wait").expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let summary = bench.summary();
    assert_eq!((summary.completed, summary.failed), (5, 1));
    let failure = summary.failures[0].failure().expect("a failure");
    assert_eq!(failure.code, Some(9006));
}

/// Somebody took its key since the plan, so nothing foretold it; what is sent later is the witness that it was not taken.
#[tokio::test]
async fn a_refusal_that_nothing_foretold_is_failed_once_it_has_settled() {
    let bench = Bench::start(world(many(120)).quirk(Quirk::OccupiedAtStart)).await;
    bench.plan(bench.options()).await.expect("a plan");
    take(&bench, 3);
    let report = bench.run().await.expect("a run");
    assert_eq!((report.ending, report.reconciled), (Ending::Finished, 1));
    let summary = bench.summary();
    assert_eq!((summary.completed, summary.failed), (119, 1));
    bench.check_exactly_once(119);
}

/// Whatever the error says, what was taken is found.
#[tokio::test]
async fn files_that_are_refused_though_they_were_taken_complete() {
    let lie = "item-error=409/9107@bulk-start; late-list=2s@exports";
    let lie: FaultPlan = lie.parse().expect("a fault plan");
    let bench = Bench::start(world(many(150)).faults(lie)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let mut options = options();
    // Files that are refused don't count as failed before it is certain.
    options.max_errors = Some(1);
    let run = bench.run_with(&options, &Stop::new(), &mut |_| {}).await;
    assert_eq!(run.expect("a run").ending, Ending::Finished);
    assert_eq!(bench.summary().completed, 150);
    bench.check_exactly_once(150);
}

/// While it isn't certain that as many have failed as may, no more are sent.
#[tokio::test]
async fn too_many_refusals_stop_the_sending_at_once() {
    let bench = Bench::start(world(many(300)).quirk(Quirk::OccupiedAtStart)).await;
    bench.plan(bench.options()).await.expect("a plan");
    (1..=300).for_each(|number| take(&bench, number));
    let mut options = options();
    options.max_errors = Some(10);
    let run = bench.run_with(&options, &Stop::new(), &mut |_| {}).await;
    assert_eq!(run.expect("a run").ending, Ending::TooManyErrors);
    assert_eq!(bench.summary().failed, 100);
    let ledger = bench.check_exactly_once(0);
    assert_eq!(ledger.requests_to(Route::BulkStart), 1);
}
