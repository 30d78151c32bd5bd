//! A plan in parts: together they are the plan, each runs on its own, and the plan itself no more.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cavatica_exports::transport::{Client, Endpoint, Token};
use cavatica_sandbox::FileSeed;
use cavatica_transfer::journal::{Approval, JournalError, Opening, TransferFile};
use cavatica_transfer::plan::Policy;
use cavatica_transfer::{
    Ending, RunError, RunReport, SplitBy, SplitError, SplitOptions, SplitReport, Stop, run, split,
};
use jiff::Timestamp;
use rusqlite::Connection;

use crate::bench::{Bench, VOLUME, many, options, world};
use crate::support::{now, plan};

fn beside(transfer: &Path, name: &str) -> PathBuf {
    transfer.with_file_name(name)
}

fn split_into(transfer: &Path, parts: usize, by: SplitBy) -> Result<SplitReport, SplitError> {
    let mut options = SplitOptions::new(parts, beside(transfer, "parts"));
    options.by = by;
    split(transfer, &Opening::default(), &options, Timestamp::now())
}

fn paths(report: &SplitReport) -> Vec<PathBuf> {
    report
        .parts
        .iter()
        .map(|part| PathBuf::from(&part.transfer))
        .collect()
}

/// What is known of each file, left-out ones included, whatever transfer it is in.
fn rows(transfers: &[PathBuf]) -> Vec<String> {
    let mut rows = Vec::new();
    for path in transfers {
        let file = TransferFile::open(path).expect("a transfer");
        let mut after = None;
        loop {
            let page = file.items(after).expect("readable");
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            rows.extend(page.iter().map(|row| format!("{row:?}")));
        }
        let skipped = file.skipped(0).expect("readable");
        rows.extend(skipped.iter().map(|row| format!("{row:?}")));
    }
    rows.sort_unstable();
    rows
}

/// The rows of a table that plans and parts alike have, ids and all.
fn table(transfers: &[PathBuf], sql: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for path in transfers {
        let file = Connection::open(path).expect("a file");
        let mut statement = file.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| row.get::<_, String>(0));
        found.extend(rows.expect("rows").map(|row| row.expect("a text")));
    }
    found
}

async fn run_one(bench: &Bench, transfer: &Path) -> Result<RunReport, RunError> {
    let mut journal = Opening::default().open(transfer, Timestamp::now())?;
    let client = bench.client();
    run(&mut journal, &client, &options(), &Stop::new(), &mut |_| {}).await
}

#[tokio::test]
async fn the_parts_are_the_plan_and_each_file_arrives_once() {
    let project = (1..=20).fold(many(300), |project, number| {
        project.synthetic(format!("run1/small{number}"), 5, 10)
    });
    let bench = Bench::start(world(project.with(FileSeed::alias(
        "run1/old.bam",
        VOLUME,
        "old.bam",
        10,
    ))))
    .await;
    let mut asked = bench.options();
    asked.policies = [("alias".to_owned(), Policy::Skip)].into();
    let planned = bench.plan(asked).await.expect("a plan");
    assert_eq!((planned.files, planned.skipped["alias"]), (400, 1));

    let whole = [bench.transfer()];
    let report = split_into(&whole[0], 4, SplitBy::Files).expect("parts");
    let parts = paths(&report);
    assert_eq!(rows(&parts), rows(&whole));
    let settings =
        "SELECT format('%s %s %s %s', id, coalesce(overwrite, '-'), coalesce(properties, '-'),
        coalesce(folder, '-')) FROM item";
    assert_eq!(table(&parts, settings), table(&whole, settings));
    let sizes = "SELECT format('%s %s %s', id, hex(file), entries) FROM folder";
    assert_eq!(table(&parts, sizes), table(&whole, sizes));
    for part in &report.parts {
        assert!((95..=105).contains(&part.files), "{part:?}");
    }

    let refused = Opening::default()
        .open(&whole[0], now())
        .expect_err("its parts run");
    assert!(
        matches!(refused, JournalError::Split { parts: 4, .. }),
        "{refused:?}"
    );
    for part in &parts {
        let report = run_one(&bench, part).await.expect("a run");
        assert_eq!(report.ending, Ending::Finished);
    }
    let ledger = bench.sandbox.ledger();
    assert_eq!(ledger.files.len(), 400);
    assert!(ledger.files.values().all(|told| told.starts == 1));
    let again = split_into(&whole[0], 4, SplitBy::Files).expect_err("it is split");
    assert!(
        matches!(again, SplitError::Journal(JournalError::Split { .. })),
        "{again:?}"
    );
    let part = split_into(&parts[0], 2, SplitBy::Files).expect_err("it is a part");
    assert!(
        matches!(part, SplitError::IsPart { number: 1, .. }),
        "{part:?}"
    );
}

#[test]
fn one_approval_is_for_all_parts_and_for_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, 10);
    let report = split_into(&path, 3, SplitBy::Files).expect("parts");
    let whole = report.fingerprint.parse().expect("a fingerprint");
    let open = |path: &Path, approval| Opening::default().approved(approval).open(path, now());
    for (number, part) in (1..).zip(&paths(&report)) {
        let file = TransferFile::open(part).expect("a transfer");
        let told = file.part().expect("a part");
        assert_eq!((told.number, told.of, told.whole), (number, 3, whole));
        assert_eq!(
            file.fingerprint(),
            file.compute_fingerprint().expect("readable")
        );
        open(part, Approval::OfWhole(whole)).expect("approved with the others");
        open(part, Approval::Of(file.fingerprint())).expect("approved alone");
        let other = open(part, Approval::OfWhole(file.fingerprint())).expect_err("another");
        assert!(
            matches!(other, JournalError::NotApproved { .. }),
            "{other:?}"
        );
    }
    // A file of one part in another one.
    let part = paths(&report).remove(1);
    let tamper = Connection::open(&part).expect("a file");
    tamper
        .execute_batch("UPDATE item SET location = 'elsewhere' WHERE id = 5")
        .expect("done");
    let changed = open(&part, Approval::OfWhole(whole)).expect_err("it was changed");
    assert!(
        matches!(changed, JournalError::Changed { .. }),
        "{changed:?}"
    );
    // A part that says it is one of another plan.
    tamper
        .execute_batch("UPDATE part SET fingerprint = randomblob(32)")
        .expect("done");
    let strange = open(&part, Approval::OfWhole(whole)).expect_err("it is no part of it");
    assert!(
        matches!(strange, JournalError::Damaged { .. }),
        "{strange:?}"
    );
}

#[tokio::test]
async fn a_plan_is_split_whole_or_not_at_all() {
    let bench = Bench::start(world(many(3))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let transfer = bench.transfer();
    for (parts, by) in [
        (4, SplitBy::Files),
        (4, SplitBy::Bytes),
        (2, SplitBy::Folder),
    ] {
        let few = split_into(&transfer, parts, by).expect_err("too few");
        assert!(matches!(few, SplitError::TooFew { .. }), "{few:?}");
    }
    std::fs::create_dir(beside(&transfer, "parts")).expect("a folder");
    std::fs::write(beside(&transfer, "parts").join("mine"), "").expect("a file");
    let taken = split_into(&transfer, 2, SplitBy::Files).expect_err("it isn't empty");
    assert!(
        matches!(taken, SplitError::Journal(JournalError::Exists { .. })),
        "{taken:?}"
    );
    std::fs::remove_file(beside(&transfer, "parts").join("mine")).expect("removed");

    let mut some = options();
    some.limit = Some(1);
    bench
        .run_with(&some, &Stop::new(), &mut |_| {})
        .await
        .expect("a run");
    let begun = split_into(&transfer, 2, SplitBy::Files).expect_err("something was sent");
    assert!(
        matches!(begun, SplitError::Journal(JournalError::Begun { .. })),
        "{begun:?}"
    );
    let left: Vec<_> = transfer
        .parent()
        .expect("a folder")
        .read_dir()
        .expect("readable")
        .map(|entry| entry.expect("an entry").file_name())
        .filter(|name| name.to_string_lossy().contains("unfinished"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    bench.run().await.expect("it runs as before");
    bench.check_exactly_once(3);
}

#[test]
fn nobody_splits_what_somebody_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, 4);
    let mut run = Opening::default().open(&path, now()).expect("a run");
    let held = split_into(&path, 2, SplitBy::Files).expect_err("it is run");
    assert!(
        matches!(held, SplitError::Journal(JournalError::Held { .. })),
        "{held:?}"
    );
    // The locks fail: whoever ran it sends nothing more.
    let copy = beside(&path, "copy.transfer");
    std::fs::copy(&path, &copy).expect("a copy");
    let report = split_into(&copy, 2, SplitBy::Files).expect("the copy isn't run");
    std::fs::copy(&copy, &path).expect("put back");
    let error = cavatica_transfer::journal::Journal::still_mine(&mut run).expect_err("split");
    assert!(
        matches!(error, JournalError::Superseded { .. }),
        "{error:?}"
    );
    assert_eq!(report.parts.len(), 2);
}

#[tokio::test]
async fn another_account_takes_a_part_and_keeps_it() {
    let bench = Bench::start(world(many(20)).account("colleague")).await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = split_into(&bench.transfer(), 2, SplitBy::Files).expect("parts");
    let parts = paths(&report);
    let mut journal = Opening::default()
        .open(&parts[1], Timestamp::now())
        .expect("a journal");
    journal.take_over("colleague").expect("nothing was sent");
    drop(journal);
    let file = TransferFile::open(&parts[1]).expect("a transfer");
    assert_eq!(file.terms().account, "colleague");
    let whole = report.fingerprint.parse().expect("a fingerprint");
    let approved = Opening::default().approved(Approval::OfWhole(whole));
    let mut journal = approved
        .open(&parts[1], Timestamp::now())
        .expect("still approved");
    let again = journal.take_over("somebody").expect_err("it is taken");
    assert!(matches!(again, JournalError::Taken { .. }), "{again:?}");

    let stop = Stop::new();
    let planner = bench.client();
    let error = run(&mut journal, &planner, &options(), &stop, &mut |_| {}).await;
    assert!(
        matches!(error, Err(RunError::OtherTerms { .. })),
        "{error:?}"
    );
    let (_, token) = bench.sandbox.accounts().nth(1).expect("a colleague");
    let endpoint: Endpoint = bench.sandbox.endpoint().parse().expect("an endpoint");
    let colleague = Client::builder(endpoint, Token::new(token.to_owned()).expect("a token"));
    let colleague = colleague.build().expect("a client");
    let ran = run(&mut journal, &colleague, &options(), &stop, &mut |_| {}).await;
    assert_eq!(ran.expect("a run").ending, Ending::Finished);
    let begun = journal.take_over("sandbox").expect_err("it has begun");
    assert!(matches!(begun, JournalError::Begun { .. }), "{begun:?}");
    drop(journal);
    run_one(&bench, &parts[0]).await.expect("a run");
    let ledger = bench.sandbox.ledger();
    assert_eq!(ledger.files.len(), 20);
    assert!(ledger.files.values().all(|told| told.starts == 1));
}
