//! How many requests a whole transfer takes, plan included, by how its files are followed.

use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, Ledger, ProjectSeed, Route, SandboxBuilder};
use cavatica_transfer::journal::{ItemRow, TransferFile};
use cavatica_transfer::state::{Proof, State};
use cavatica_transfer::{Ending, Event, RunOptions, RunReport, Stop, Way};

use crate::bench::{Bench, PROJECT, options, world};

/// A project with its files in folders of a thousand.
fn dense(folders: u32) -> ProjectSeed {
    folders_of(folders, 1_000)
}

fn folders_of(folders: u32, files: u32) -> ProjectSeed {
    (0..folders).fold(ProjectSeed::new(PROJECT), |project, folder| {
        project.synthetic(format!("run{folder}"), files, 1_000)
    })
}

struct Transferred {
    report: RunReport,
    ways: Vec<Way>,
    ledger: Ledger,
    bench: Bench,
}

impl Transferred {
    fn requests(&self) -> u64 {
        self.ledger.requests.values().sum()
    }
}

/// Plans and runs all of it.
async fn transfer(builder: SandboxBuilder, mode: ExportMode, options: &RunOptions) -> Transferred {
    let bench = Bench::start(builder).await;
    let mut plan = bench.options();
    plan.mode = mode;
    bench.plan(plan).await.expect("a plan");
    let mut ways = Vec::new();
    let mut note = |event| {
        if let Event::FolderFollowed(decision) = event {
            ways.push(decision.way);
        }
    };
    let report = bench.run_with(options, &Stop::new(), &mut note).await;
    Transferred {
        report: report.expect("a run"),
        ways,
        ledger: bench.sandbox.ledger(),
        bench,
    }
}

/// Questions seconds apart, as by default, of jobs that take seconds.
fn patient() -> RunOptions {
    let mut options = options();
    options.timing.first_poll = Duration::from_millis(500);
    options.timing.longest_poll = Duration::from_secs(5);
    options
}

fn rows(bench: &Bench) -> Vec<ItemRow> {
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let mut rows: Vec<ItemRow> = Vec::new();
    loop {
        let after = rows.last().map(|row| row.id);
        let page = file.items(after).expect("readable");
        if page.is_empty() {
            return rows;
        }
        rows.extend(page);
    }
}

/// How many files are completed as they show themselves, and how many others there are.
fn proofs(bench: &Bench) -> (usize, usize) {
    let rows = rows(bench);
    let by_file = rows.iter().filter(|row| match &row.state {
        State::Completed { proof, .. } => *proof == Proof::File,
        _ => false,
    });
    let by_file = by_file.count();
    (by_file, rows.len() - by_file)
}

#[tokio::test]
async fn a_move_out_of_dense_folders_is_followed_by_listing_them() {
    let done = transfer(world(dense(2)), ExportMode::Move, &patient()).await;
    assert_eq!(done.report.ending, Ending::Finished);
    done.bench.check_exactly_once(2_000);
    assert_eq!(proofs(&done.bench), (2_000, 0));
    assert_eq!(done.ways, [Way::Listing { pages: 1 }; 2]);
    assert!(done.requests() <= 25 + 60, "{:?}", done.ledger.requests);
}

#[tokio::test]
async fn where_scrolling_is_refused_files_are_read_by_their_ids() {
    let faults: FaultPlan = "refuse=403/9003@scroll".parse().expect("a fault plan");
    let world = world(dense(2)).faults(faults);
    let done = transfer(world, ExportMode::Move, &patient()).await;
    done.bench.check_exactly_once(2_000);
    assert_eq!(proofs(&done.bench), (2_000, 0));
    assert_eq!(done.ways, [Way::Ids; 2]);
    assert!(done.requests() <= 62 + 60, "{:?}", done.ledger.requests);
}

#[tokio::test]
async fn copies_are_followed_by_their_jobs() {
    let done = transfer(world(dense(2)), ExportMode::Copy, &patient()).await;
    done.bench.check_exactly_once(2_000);
    assert!(done.ways.is_empty());
    assert!(done.requests() <= 42 + 60, "{:?}", done.ledger.requests);
}

/// A folder larger than a page is listed once, page by page, as its files arrive.
#[tokio::test]
async fn a_large_folder_is_listed_once() {
    let done = transfer(world(folders_of(1, 3_000)), ExportMode::Move, &patient()).await;
    done.bench.check_exactly_once(3_000);
    assert_eq!(proofs(&done.bench), (3_000, 0));
    let scrolled = done.ledger.requests_to(Route::Scroll);
    assert!(scrolled <= 9, "{:?}", done.ledger.requests);
    assert!(done.requests() <= 37 + 60, "{:?}", done.ledger.requests);
}

/// A list of ids says nothing of the folders: the plan asks for the size of each. Nor of the order in which a folder shows
/// them.
#[tokio::test]
async fn a_manifest_is_followed_by_listing_where_its_files_lie_densely() {
    for (every, reversed, pages) in [
        (1, false, 4..=5),
        (1, true, 4..=8),
        (10, false, 0..=0),
        (10, true, 0..=0),
    ] {
        let bench = Bench::start(world(folders_of(1, 4_000))).await;
        bench.plan(bench.options()).await.expect("a plan");
        let some = rows(&bench).into_iter().step_by(every);
        let mut lines: Vec<String> = some.map(|row| format!("{}\n", row.file)).collect();
        if reversed {
            lines.reverse();
        }
        std::fs::remove_file(bench.transfer()).expect("it is there");
        let mut plan = bench.options();
        plan.selection = crate::plan::listed("file_id\n".to_owned() + &lines.concat());
        bench.plan(plan).await.expect("a plan");
        let before = bench.sandbox.ledger();
        let report = bench.run_with(&patient(), &Stop::new(), &mut |_| {}).await;
        assert_eq!(report.expect("a run").ending, Ending::Finished);
        let ledger = bench.check_exactly_once(4_000 / every);
        assert_eq!(proofs(&bench), (4_000 / every, 0));
        let sent = |route| ledger.requests_to(route) - before.requests_to(route);
        let scrolled = sent(Route::Scroll);
        let case = format!("{every} {reversed}: {:?}", ledger.requests);
        assert!(pages.contains(&scrolled), "{case}");
        let by_ids = if scrolled > 0 { 3 } else { 6 };
        assert!(sent(Route::BulkFiles) <= by_ids, "{case}");
    }
}

/// Files that fail in a way that passes are sent again together.
#[tokio::test]
async fn failures_that_pass_cost_little() {
    let world = world(dense(2)).fail_share(0.05);
    let mut options = patient();
    options.timing.retry = Duration::from_millis(500);
    options.max_attempts = 50;
    let done = transfer(world, ExportMode::Move, &options).await;
    assert_eq!(done.report.ending, Ending::Finished);
    assert_eq!(done.bench.summary().completed, 2_000);
    assert!(done.requests() <= 30 + 100, "{:?}", done.ledger.requests);
}

/// Where everything fails, few are sent before it shows.
#[tokio::test]
async fn failures_are_not_seen_late() {
    let faults: FaultPlan = "fail-jobs=9103@bulk-start".parse().expect("a fault plan");
    let world = world(dense(100)).faults(faults);
    let mut options = options();
    options.max_errors = Some(10);
    let done = transfer(world, ExportMode::Move, &options).await;
    assert_eq!(done.report.ending, Ending::TooManyErrors);
    let summary = done.bench.summary();
    assert!(summary.failed >= 10);
    assert!(done.ledger.starts <= 5_000, "{} starts", done.ledger.starts);
}

#[tokio::test]
async fn small_transfers_are_read_by_their_ids() {
    for files in [1, 10, 100] {
        let done = transfer(world(folders_of(1, files)), ExportMode::Move, &options()).await;
        done.bench.check_exactly_once(files as usize);
        assert!(done.ways.is_empty(), "there is nothing to decide");
        let scrolled = done.ledger.requests_to(Route::Scroll);
        assert_eq!(scrolled, 2, "by the plan alone: {:?}", done.ledger.requests);
    }
}

/// Whatever a list shows of a folder, every file ends by its own word, and nothing is missed for ever.
async fn check_lists(faults: &str, folders: u32, files: u32) -> Transferred {
    let faults: FaultPlan = faults.parse().expect("a fault plan");
    let world = world(folders_of(folders, files)).faults(faults);
    let done = transfer(world, ExportMode::Move, &patient()).await;
    assert_eq!(done.report.ending, Ending::Finished);
    let all = (folders * files) as usize;
    assert_eq!(done.bench.summary().completed as usize, all);
    assert_eq!(proofs(&done.bench), (all, 0));
    for fault in &done.ledger.faults {
        assert!(fault.hits > 0, "{fault:?}");
    }
    done
}

#[tokio::test]
async fn pages_of_a_hundred_are_no_better_than_reading_by_ids() {
    let done = check_lists("cap-scroll=100@scroll", 1, 2_000).await;
    assert!(done.requests() <= 62 + 60, "{:?}", done.ledger.requests);
}

#[tokio::test]
async fn lists_that_lag_are_given_up() {
    let done = check_lists("late-files=30@scroll", 3, 1_000).await;
    assert!(done.requests() <= 100 + 100, "{:?}", done.ledger.requests);
}

#[tokio::test]
async fn a_list_that_is_a_snapshot_proves_nothing_of_later_pages() {
    check_lists("snapshot@scroll", 1, 3_000).await;
}

/// Somebody renames, moves and adds files of a folder while its pages are read.
#[tokio::test]
async fn a_folder_that_changes_while_it_is_listed_loses_nothing() {
    let bench = Bench::start(world(folders_of(1, 5_000))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let restless: FaultPlan = "restless@scroll".parse().expect("a fault plan");
    bench.sandbox.set_faults(restless);
    let report = bench.run_with(&patient(), &Stop::new(), &mut |_| {}).await;
    assert_eq!(report.expect("a run").ending, Ending::Finished);
    let ledger = bench.check_exactly_once(5_000);
    assert_eq!(proofs(&bench), (5_000, 0));
    assert!(ledger.faults[0].hits >= 4, "{:?}", ledger.faults);
}

#[tokio::test]
async fn a_list_whose_tokens_expire_is_begun_anew() {
    check_lists("expire-tokens=0.2@scroll", 1, 3_000).await;
}

/// What `docs/performance.md` says of whole transfers: 20,000 files in 20 folders. Best run with `--release --nocapture`.
#[tokio::test]
#[ignore = "minutes without optimisation"]
#[expect(clippy::print_stdout, reason = "the numbers are what it is for")]
async fn twenty_thousand_files_in_twenty_folders() {
    let refused: FaultPlan = "refuse=403/9003@scroll".parse().expect("a fault plan");
    let mut retrying = patient();
    retrying.timing.retry = Duration::from_secs(1);
    retrying.max_attempts = 50;
    for (what, world, mode, options, most) in [
        (
            "moves, by scroll",
            world(dense(20)),
            ExportMode::Move,
            patient(),
            310,
        ),
        (
            "moves, without scroll",
            world(dense(20)).faults(refused),
            ExportMode::Move,
            patient(),
            680,
        ),
        ("copies", world(dense(20)), ExportMode::Copy, patient(), 480),
        (
            "moves of which 5 % fail",
            world(dense(20)).fail_share(0.05),
            ExportMode::Move,
            retrying,
            400,
        ),
    ] {
        let done = transfer(world, mode, &options).await;
        assert_eq!(done.bench.summary().completed, 20_000);
        if mode == ExportMode::Move {
            assert_eq!(proofs(&done.bench), (20_000, 0), "{what}");
        }
        println!("{what}: {} requests", done.requests());
        assert!(
            done.requests() <= most,
            "{what}: {:?}",
            done.ledger.requests
        );
    }
}
