//! Whole transfers against the sandbox, over a socket, with its faults; the sandbox's own ledger is the judge.

use std::time::Duration;

use cavatica_exports::model::{ExportMode, ExportRequest};
use cavatica_exports::transport::Client;
use cavatica_sandbox::{Quirk, Route};
use cavatica_transfer::journal::{JournalError, Opening, SqliteJournal, TransferFile};
use cavatica_transfer::{Ending, Event, Retry, RunError, RunOptions, Stop, UnknownFiles, run};
use jiff::Timestamp;

use crate::bench::{Bench, VOLUME, many, options, world};

#[tokio::test]
async fn a_project_is_moved_with_one_request_for_a_hundred_files_and_a_few_more() {
    let bench = Bench::start(world(many(1_000))).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    assert_eq!((planned.files, planned.bytes), (1_000, 1_000_000));
    assert_eq!(bench.sandbox.ledger().starts, 0, "a plan starts nothing");

    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let ledger = bench.check_exactly_once(1_000);
    let count = |route| ledger.requests_to(route);
    // The last file goes alone.
    assert_eq!(count(Route::BulkStart), 11, "{:?}", ledger.requests);
    // The plan reads the project's top level, `run1`, and `run1/bam`, a thousand files per page; the run the last of them.
    assert!(count(Route::Scroll) <= 5, "{:?}", ledger.requests);
    let all: u64 = ledger.requests.values().sum();
    assert!(all <= 13 + 60, "{:?}", ledger.requests);

    let summary = bench.summary();
    assert_eq!(
        (summary.completed, summary.left, summary.failed),
        (1_000, 0, 0)
    );
    let again = bench.run().await.expect("a second run");
    assert_eq!(again.ending, Ending::NothingToDo);
    bench.check_exactly_once(1_000);
}

/// A transfer under faults ends with every file accepted once and completed, and every fault really struck.
async fn check_faults(faults: &str) {
    let plan: cavatica_sandbox::FaultPlan = faults.parse().expect("a fault plan");
    let bench = Bench::start(world(many(400)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let ledger = bench.check_exactly_once(400);
    for fault in &ledger.faults {
        assert!(fault.hits > 0, "{fault:?}");
    }
    assert_eq!(bench.summary().completed, 400);
    assert_eq!(
        report.requests,
        ledger.requests.values().sum::<u64>() - PLANNING
    );
}

/// The requests of planning four hundred files in a folder of a folder: the user, the volume, what the user may do there,
/// what is under way there, three folders, the volume's list.
const PLANNING: u64 = 8;

#[tokio::test]
async fn an_answer_lost_after_acceptance_is_found_again() {
    check_faults("drop-after@bulk-start,every=2").await;
}

#[tokio::test]
async fn a_request_that_was_lost_is_sent_again_once_its_absence_is_proven() {
    check_faults("drop-before@bulk-start,every=2,times=3").await;
}

#[tokio::test]
async fn a_gateways_error_may_hide_acceptance() {
    check_faults("error-after=502@bulk-start,every=2").await;
}

#[tokio::test]
async fn a_page_for_people_may_hide_either() {
    check_faults("html-before=502@bulk-start,nth=1; html-after=200@bulk-start,nth=3").await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_looked_up() {
    check_faults("truncate@bulk-start,every=2").await;
}

#[tokio::test]
async fn shuffled_answers_find_their_files() {
    check_faults("shuffle@bulk-start; shuffle@bulk-get").await;
}

#[tokio::test]
async fn omitted_items_are_looked_up() {
    check_faults("omit=3@bulk-start").await;
}

#[tokio::test]
async fn a_list_that_lags_proves_nothing_before_it_has_settled() {
    check_faults("drop-after@bulk-start,every=2; late-list=1@exports; shuffle@bulk-get").await;
}

#[tokio::test]
async fn failures_end_with_their_codes_and_transient_ones_are_tried_again() {
    let plan: cavatica_sandbox::FaultPlan =
        "fail-jobs=9100@bulk-start,nth=3; fail-jobs=9103@bulk-start,nth=5"
            .parse()
            .expect("a plan");
    let bench = Bench::start(world(many(20)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let summary = bench.summary();
    assert_eq!((summary.completed, summary.failed), (19, 1));
    let failure = summary.failures[0].failure().expect("a failure");
    assert_eq!(failure.code, Some(9103));
    assert!(!failure.advice().is_empty());
    let starts: Vec<u64> = bench
        .sandbox
        .ledger()
        .files
        .values()
        .map(|file| file.starts)
        .collect();
    assert_eq!(
        starts.iter().filter(|starts| **starts == 2).count(),
        1,
        "{starts:?}"
    );
    assert_eq!(starts.iter().sum::<u64>(), 21);

    // A permanent failure is sent again only if its code is named.
    let retry = |codes: &[i64]| {
        let mut options = options();
        options.retry = Some(Retry::of_codes(codes.to_vec()));
        options
    };
    for (codes, completed) in [(&[][..], 19), (&[9103], 20)] {
        let options = retry(codes);
        let run = bench.run_with(&options, &Stop::new(), &mut |_| {}).await;
        run.expect("a run");
        assert_eq!(bench.summary().completed, completed);
    }
}

/// A few first, what of them failed once more, and then the rest: a retry sends nothing that was never sent.
#[tokio::test]
async fn after_a_canary_a_retry_sends_what_failed_and_the_next_run_the_rest() {
    let plan: cavatica_sandbox::FaultPlan =
        "fail-jobs=9103@bulk-start,every=5".parse().expect("a plan");
    let bench = Bench::start(world(many(50)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let mut canary = options();
    canary.limit = Some(10);
    bench
        .run_with(&canary, &Stop::new(), &mut |_| {})
        .await
        .expect("a run");
    let (failed, left) = (bench.summary().failed, bench.summary().left);
    assert_eq!((failed, left), (2, 40));

    bench.sandbox.set_faults(Vec::new());
    let mut retry = options();
    retry.retry = Some(Retry::of_codes(vec![9103]));
    let mut retried = 0;
    let mut count = |event| {
        if let Event::FilesRetried { files } = event {
            retried += files;
        }
    };
    bench
        .run_with(&retry, &Stop::new(), &mut count)
        .await
        .expect("a run");
    let summary = bench.summary();
    assert_eq!(
        (retried, summary.completed, summary.failed, summary.left),
        (2, 10, 0, 40)
    );
    assert_eq!(bench.sandbox.ledger().starts, 12);

    bench.run().await.expect("a run");
    assert_eq!(bench.summary().completed, 50);
    assert_eq!(bench.sandbox.ledger().starts, 52);
}

/// A list that never shows what it must leaves files unknown. The user may have them sent all the same.
#[tokio::test]
async fn unknown_files_are_sent_only_if_the_user_takes_the_risk() {
    let plan: cavatica_sandbox::FaultPlan = "cap-list=5@exports; drop-before@bulk-start,nth=3"
        .parse()
        .expect("a plan");
    let bench = Bench::start(world(many(120)).faults(plan)).await;
    let mut planning = bench.options();
    planning.mode = ExportMode::Copy;
    bench.plan(planning).await.expect("a plan");
    bench.run().await.expect("a run");
    let unknown = bench.summary().unknown;
    assert!(unknown > 0);
    let starts = bench.sandbox.ledger().starts;

    let retry = |unknown| {
        let mut retry = Retry::default();
        retry.unknown = unknown;
        let mut options = options();
        options.retry = Some(retry);
        options
    };
    let leave = retry(UnknownFiles::Leave);
    bench
        .run_with(&leave, &Stop::new(), &mut |_| {})
        .await
        .expect("a run");
    assert_eq!(
        (bench.summary().unknown, bench.sandbox.ledger().starts),
        (unknown, starts)
    );

    let risk = retry(UnknownFiles::MaySendTwice);
    bench
        .run_with(&risk, &Stop::new(), &mut |_| {})
        .await
        .expect("a run");
    let summary = bench.summary();
    assert_eq!((summary.unknown, summary.completed), (0, 120));
    assert_eq!(bench.sandbox.ledger().starts, starts + unknown);
}

#[tokio::test]
async fn a_limit_sends_a_few_and_the_next_run_the_rest() {
    let bench = Bench::start(world(many(250))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let mut few = options();
    few.limit = Some(110);
    for started in [110, 220, 250] {
        let report = bench
            .run_with(&few, &Stop::new(), &mut |_| {})
            .await
            .expect("a run");
        assert_eq!(report.ending, Ending::Finished);
        assert_eq!(bench.summary().completed, started as u64);
        bench.check_exactly_once(started);
    }
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::NothingToDo);
}

#[tokio::test]
async fn too_many_errors_stop_the_sending() {
    let plan: cavatica_sandbox::FaultPlan = "fail-jobs=9103".parse().expect("a plan");
    let bench = Bench::start(world(many(500)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let mut options = options();
    options.max_errors = Some(3);
    options.max_in_flight = 100;
    let report = bench
        .run_with(&options, &Stop::new(), &mut |_| {})
        .await
        .expect("a run");
    assert_eq!(report.ending, Ending::TooManyErrors);
    let ledger = bench.check_exactly_once(100);
    assert_eq!(ledger.starts, 100);
}

#[tokio::test]
async fn a_job_in_a_state_that_nobody_knows_ends_as_unknown() {
    let plan: cavatica_sandbox::FaultPlan = "odd-state=ABORTED@bulk-get".parse().expect("a plan");
    let bench = Bench::start(world(many(5)).faults(plan)).await;
    let mut planning = bench.options();
    // The file of a move tells what its job doesn't.
    planning.mode = ExportMode::Copy;
    bench.plan(planning).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    assert_eq!(bench.summary().unknown, 5);

    // A later run asks once more, and sends nothing.
    bench.sandbox.set_faults(Vec::new());
    bench.run().await.expect("a run");
    assert_eq!((bench.summary().unknown, bench.summary().completed), (0, 5));
    bench.check_exactly_once(5);
}

#[tokio::test]
async fn copies_are_proven_on_the_first_file_and_leave_their_sources() {
    let bench = Bench::start(world(many(150))).await;
    let mut options = bench.options();
    options.mode = ExportMode::Copy;
    bench.plan(options).await.expect("a plan");
    let mut proven_after = None;
    let mut sent = 0;
    let report = bench
        .run_with(&self::options(), &Stop::new(), &mut |event| match event {
            Event::BatchAnswered { files, .. } => sent += files,
            Event::CopyProven => proven_after = Some(sent),
            _ => {}
        })
        .await
        .expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    assert_eq!(proven_after, Some(1));
    let ledger = bench.check_exactly_once(150);
    assert!(ledger.jobs.iter().all(|job| job.mode == ExportMode::Copy));
}

#[tokio::test]
async fn it_is_told_when_the_platform_is_asked_about_lost_answers() {
    let plan: cavatica_sandbox::FaultPlan = "drop-after@bulk-start,nth=2".parse().expect("a plan");
    let bench = Bench::start(world(many(250)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let (mut lost, mut looks) = (0, Vec::new());
    let mut report = |event| match event {
        Event::AnswersLost { files, .. } => lost += files,
        Event::LookDue { files, wait } => looks.push((files, wait)),
        _ => {}
    };
    bench
        .run_with(&options(), &Stop::new(), &mut report)
        .await
        .expect("a run");
    assert!(lost > 0);
    assert_eq!(looks.first().map(|(files, _)| *files), Some(lost));
    assert!(looks.len() < 10, "{looks:?}");
}

/// Stops a run after every so many answers, and takes it up again until it is done.
#[tokio::test]
async fn a_run_that_is_stopped_goes_on_where_it_stood() {
    let plan: cavatica_sandbox::FaultPlan = "drop-after@bulk-start,every=3; shuffle@bulk-start"
        .parse()
        .expect("a plan");
    let bench = Bench::start(world(many(2_000)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let mut stops = 0;
    loop {
        let stop = Stop::new();
        let asked = stop.clone();
        let mut answers = 0;
        let report = bench
            .run_with(&options(), &stop, &mut |event| {
                if let Event::BatchAnswered { .. } | Event::AnswersLost { .. } = event {
                    answers += 1;
                    if answers == 2 {
                        asked.ask();
                    }
                }
            })
            .await
            .expect("a run");
        match report.ending {
            Ending::Stopped => stops += 1,
            Ending::Finished | Ending::NothingToDo => break,
            Ending::TooManyErrors => panic!("there were none"),
        }
    }
    assert!(stops > 1, "{stops}");
    bench.check_exactly_once(2_000);
    assert_eq!(bench.summary().completed, 2_000);
}

/// Jobs that last, a limit that is tight: no request is refused for it, and the jobs' duration costs only a few questions.
#[tokio::test]
async fn the_limit_on_requests_is_never_met_and_waiting_costs_little() {
    let lasting = Duration::from_millis(1_500)..=Duration::from_secs(3);
    let bench = Bench::start(
        world(many(3_000))
            .rate_limit(40, Duration::from_secs(1))
            .job_duration(lasting),
    )
    .await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let ledger = bench.check_exactly_once(3_000);
    assert_eq!(ledger.over_limit, 0);
    let count = |route| ledger.requests_to(route);
    assert_eq!(count(Route::BulkStart), 31);
    let following = count(Route::Exports) + count(Route::BulkGet);
    assert!(following <= 30 + 3 + 30, "{:?}", ledger.requests);
}

#[tokio::test]
async fn a_platform_that_moves_what_was_to_be_copied_moves_one_file_at_most() {
    let bench = Bench::start(world(many(150)).quirk(Quirk::IgnoreCopyOnly)).await;
    let mut options = bench.options();
    options.mode = ExportMode::Copy;
    bench.plan(options).await.expect("a plan");
    let error = bench.run().await.expect_err("it was moved");
    assert!(matches!(error, RunError::CopyMoved { .. }), "{error:?}");
    assert_eq!(bench.sandbox.ledger().starts, 1);
}

/// The platform may tell at once or in the job that a file can't be exported, or that its location is taken. If our own
/// object is the reason, the file has arrived.
#[tokio::test]
async fn a_refusal_that_echoes_our_own_success_is_success() {
    // Where the platform tells in the job, the file has told before.
    for (quirk, reconciled) in [(None, 1), (Some(Quirk::RefuseInJob), 0)] {
        let mut builder = world(many(150));
        if let Some(quirk) = quirk {
            builder = builder.quirk(quirk);
        }
        let bench = Bench::start(builder).await;
        bench.plan(bench.options()).await.expect("a plan");
        let rows = TransferFile::open(&bench.transfer())
            .and_then(|file| file.items(None))
            .expect("rows");
        // Somebody of the same account does one of the exports by hand, after the plan was made. It isn't of the first call,
        // whose files are looked at before they are sent.
        let request = ExportRequest::new(
            rows[120].file.clone(),
            VOLUME.parse().expect("a volume"),
            rows[120].location.parse().expect("a location"),
        );
        let exports = cavatica_exports::Exports::new(bench.client());
        let job = exports
            .start(&request.skip_checks(), ExportMode::Move)
            .await
            .expect("a job")
            .value;
        exports
            .wait(&job.id, Duration::from_secs(20))
            .await
            .expect("it ends");

        let report = bench.run().await.expect("a run");
        assert_eq!(
            (report.ending, report.reconciled),
            (Ending::Finished, reconciled),
            "{quirk:?}"
        );
        let summary = bench.summary();
        assert_eq!((summary.completed, summary.failed), (150, 0), "{quirk:?}");
        assert_eq!(bench.sandbox.ledger().objects_overwritten, 0);
    }
}

#[tokio::test]
async fn a_transfer_runs_only_at_the_endpoint_and_with_the_account_that_it_was_planned_for() {
    let bench = Bench::start(world(many(3))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let elsewhere = Bench::start(world(many(3))).await;
    let refused = SqliteJournal::open(&bench.transfer(), &elsewhere.client());
    assert!(matches!(
        refused,
        Err(JournalError::OtherTerms {
            what: "endpoint",
            ..
        })
    ));
    let run_with = async |client: &Client| {
        let now = Timestamp::now();
        let mut journal = Opening::default()
            .open(&bench.transfer(), now)
            .expect("it opens");
        let (options, stop) = (RunOptions::default(), Stop::new());
        run(&mut journal, client, &options, &stop, &mut |_| {}).await
    };
    let refused = run_with(&elsewhere.client()).await;
    assert!(
        matches!(&refused, Err(RunError::OtherTerms { what, .. }) if *what == "endpoint"),
        "{refused:?}"
    );
    assert!(elsewhere.sandbox.ledger().requests.is_empty());

    let rewrite = |from: &str, to: &str| {
        let file = rusqlite::Connection::open(bench.transfer()).expect("a database");
        let sql = "UPDATE transfer SET terms = replace(terms, ?1, ?2)";
        assert_eq!(file.execute(sql, [from, to]).expect("an update"), 1);
    };
    // The same endpoint, written otherwise.
    rewrite("/v2\"", "/v2/\"");
    rewrite("\"account\":\"sandbox\"", "\"account\":\"somebody\"");
    let refused = run_with(&bench.client()).await;
    assert!(
        matches!(&refused, Err(RunError::OtherTerms { what, .. }) if *what == "account"),
        "{refused:?}"
    );
    assert_eq!(bench.sandbox.ledger().starts, 0);
    rewrite("\"account\":\"somebody\"", "\"account\":\"sandbox\"");
    run_with(&bench.client()).await.expect("a run");
    bench.check_exactly_once(3);
}
