//! Comparing a listing with the journal, whatever the listing looks like.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use cavatica_exports::transport::{Client, Token};
use cavatica_transfer::journal::{
    Change, Draft, Journal, JournalError, Opening, Pick, PlannedFile, TransferFile, Verification,
};
use cavatica_transfer::state::{Answer, ItemId, SeenJob, Step, Verdict};
use cavatica_transfer::{
    Against, Destination, Finding, Found, ListedObject, Reason, Untold, VerifyError, verify,
};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::bench::{Bench, VOLUME, many, world};
use crate::support::{file, now, terms};

const PREFIX: &str = "run1/";

/// A plan with these keys under the prefix, and this size each.
fn planned(path: &Path, keys: &BTreeMap<String, bool>, size: Option<u64>) {
    planned_under(PREFIX, path, keys, size);
}

fn planned_under(prefix: &str, path: &Path, keys: &BTreeMap<String, bool>, size: Option<u64>) {
    let mut terms = terms(cavatica_exports::model::ExportMode::Move);
    terms.prefix = prefix.parse().expect("a prefix");
    let mut draft = Draft::create(path, terms, "a test", None, now()).expect("a new transfer");
    for (number, key) in (1..).zip(keys.keys()) {
        draft
            .add(&PlannedFile {
                file: &file(number),
                location: &format!("{prefix}{key}").parse().expect("a location"),
                size,
                path: None,
                project: None,
                task: None,
                overwrite: None,
                properties: None,
                metadata: None,
                folder: None,
            })
            .expect("room for a file");
    }
    draft.finish().expect("a finished plan");
}

/// A transfer with these keys under the prefix, 10 bytes each; those that are true are completed.
fn transfer(path: &Path, keys: &BTreeMap<String, bool>) {
    planned(path, keys, Some(10));
    let completed: Vec<ItemId> = (1..)
        .zip(keys.values())
        .filter_map(|(number, completed)| completed.then_some(ItemId(number)))
        .collect();
    complete(path, &completed);
}

fn complete(path: &Path, items: &[ItemId]) {
    let mut journal = Opening::default().open(path, now()).expect("it opens");
    journal.intend(Pick::These(items), now()).expect("room");
    let done = |item: &ItemId| {
        let job = SeenJob {
            export: format!("{item:032}").parse().expect("an export id"),
            verdict: Verdict::Completed,
        };
        Change::new(*item, Step::Answer(Answer::Accepted(job)))
    };
    let moves: Vec<Change> = items.iter().map(done).collect();
    journal.record(moves).expect("room");
    journal.commit().expect("room");
}

fn object(key: &str, size: u64, etag: &str) -> ListedObject {
    ListedObject::new(format!("{PREFIX}{key}"), Some(size), Some(etag))
}

/// A whole look at pages of a listing.
fn look(path: &Path, pages: &[Vec<ListedObject>], unread: &HashSet<String>) -> Vec<Found> {
    let mut verification = Verification::begin(path, Against::Volume, now()).expect("it opens");
    let mut found = Vec::new();
    for page in pages {
        found.extend(verification.see(page).expect("room"));
    }
    verification
        .settle(unread, &mut |settled| found.push(settled))
        .expect("room");
    verification.finish(now()).expect("room");
    found
}

fn symbols(found: &[Found]) -> Vec<String> {
    let line = |found: &Found| format!("{} {}", found.finding.symbol(), found.location);
    let mut lines: Vec<String> = found.iter().map(line).collect();
    lines.sort();
    lines
}

/// What the journal tells of each file afterwards.
fn recorded(path: &Path) -> BTreeMap<String, Option<Finding>> {
    let rows = TransferFile::open(path).expect("it opens").items(None);
    let told = |row: &cavatica_transfer::journal::ItemRow| {
        let finding = row.verified.as_ref().map(|verified| verified.finding);
        (row.location.clone(), finding)
    };
    rows.expect("rows").iter().map(told).collect()
}

fn key() -> impl Strategy<Value = String> {
    // Few, so that they meet; with letters around `/` in the order of bytes.
    "[a!0é]{1,2}(/[a!0é]{1,2}){0,2}"
}

proptest! {
    // Each case writes and syncs a file.
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_key_is_told_once_and_rightly(
        keys in proptest::collection::btree_map(key(), any::<bool>(), 1..12),
        strangers in proptest::collection::vec((key(), 9..=10_u64), 0..12),
        chosen in proptest::collection::vec((any::<prop::sample::Index>(), 9..=10_u64), 0..24),
        pages in 1..4_usize,
        unread in proptest::collection::hash_set(key(), 0..3),
    ) {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("t.transfer");
        transfer(&path, &keys);
        // In no order, some more than once, some not at all; the first of a key counts.
        let names: Vec<&String> = keys.keys().collect();
        let planned = chosen.iter().map(|(index, size)| (names[index.index(names.len())].clone(), *size));
        let listed: Vec<(String, u64)> = planned.chain(strangers).collect();
        let objects: Vec<ListedObject> = listed.iter().map(|(key, size)| object(key, *size, "e")).collect();
        let listing: Vec<Vec<ListedObject>> = objects
            .chunks(objects.len().div_ceil(pages).max(1))
            .map(<[ListedObject]>::to_vec)
            .collect();
        let unread: HashSet<String> = unread.iter().map(|key| format!("{PREFIX}{key}/")).collect();

        let mut first = BTreeMap::new();
        for (key, size) in &listed {
            first.entry(key).or_insert(*size);
        }
        let mut expected = Vec::new();
        for key in keys.keys().chain(listed.iter().map(|(key, _)| key)).collect::<BTreeSet<_>>() {
            let location = format!("{PREFIX}{key}");
            let below_unread = unread.iter().any(|folder| location.starts_with(folder));
            let symbol = match (keys.get(key), first.get(key)) {
                (Some(true), Some(10)) => '=',
                (Some(true), Some(_)) => '*',
                (Some(true), None) if below_unread => '!',
                (Some(true), None) => '-',
                (Some(false) | None, Some(_)) => '+',
                (Some(false) | None, None) => continue,
            };
            expected.push(format!("{symbol} {location}"));
        }
        expected.sort();
        let found = look(&path, &listing, &unread);
        prop_assert_eq!(symbols(&found), expected);

        let recorded = recorded(&path);
        for found in &found {
            let told = recorded.get(&found.location).copied().flatten();
            let planned = keys.contains_key(&found.location[PREFIX.len()..]);
            prop_assert_eq!(told, planned.then_some(found.finding), "{}", found.location);
        }
        prop_assert_eq!(
            recorded.values().flatten().count(),
            found.iter().filter(|found| recorded.contains_key(&found.location)).count()
        );
    }
}

fn three() -> BTreeMap<String, bool> {
    [("a", true), ("b", true), ("c", false)]
        .map(|(key, completed)| (key.to_owned(), completed))
        .into()
}

#[test]
fn an_object_that_was_written_again_differs_from_then_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    transfer(&path, &three());
    let none = HashSet::new();
    let md5 = "0123456789abcdef0123456789abcdef";
    let before = vec![object("a", 10, md5), object("b", 10, "other-3")];
    assert_eq!(
        symbols(&look(&path, &[before], &none)),
        ["= run1/a", "= run1/b"]
    );
    let after = vec![object("a", 10, "again"), object("b", 10, "other-3")];
    for _ in 0..2 {
        let found = look(&path, std::slice::from_ref(&after), &none);
        assert_eq!(symbols(&found), ["* run1/a", "= run1/b"]);
        let reason = Reason::Rewritten {
            before: md5.to_owned(),
            now: "again".to_owned(),
        };
        assert_eq!(found[0].reasons, [reason]);
    }
    let rows = TransferFile::open(&path)
        .expect("it opens")
        .items(None)
        .expect("rows");
    let etag = |row: usize| {
        rows[row]
            .verified
            .as_ref()
            .and_then(|seen| seen.etag.as_deref())
    };
    assert_eq!(
        (etag(0), etag(1), etag(2)),
        (Some("again"), Some("other-3"), None)
    );
    // Gone, and back as it was.
    let gone = look(&path, &[], &none);
    assert_eq!(symbols(&gone), ["- run1/a", "- run1/b"]);
    let back = vec![object("b", 10, "other-3"), object("a", 10, md5)];
    assert_eq!(
        symbols(&look(&path, &[back], &none)),
        ["= run1/a", "= run1/b"]
    );
}

#[test]
fn what_a_listing_does_not_tell_is_not_compared() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    transfer(&path, &three());
    let object = |key: &str, size| ListedObject::new(format!("{PREFIX}{key}"), size, None);
    let listed = vec![object("a", None), object("b", Some(10))];
    let found = look(&path, &[listed], &HashSet::new());
    assert_eq!(symbols(&found), ["= run1/a", "= run1/b"]);
    let untold = Reason::SizeUntold(Untold::Object);
    assert_eq!(found[0].reasons, [untold], "and it is said");
    assert_eq!(found[1].reasons, []);
}

#[test]
fn a_size_that_was_unknown_when_the_file_was_planned_is_not_compared_either() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    planned(&path, &three(), None);
    complete(&path, &[ItemId(1)]);
    let found = look(&path, &[vec![object("a", 7, "e")]], &HashSet::new());
    assert_eq!(symbols(&found), ["= run1/a"]);
    assert_eq!(found[0].reasons, [Reason::SizeUntold(Untold::File)]);
}

#[test]
fn an_object_of_a_file_that_is_not_completed_is_extra_and_its_state_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    transfer(&path, &three());
    let found = look(
        &path,
        &[vec![object("c", 10, "e"), object("marks/", 0, "e")]],
        &HashSet::new(),
    );
    assert_eq!(symbols(&found), ["+ run1/c", "- run1/a", "- run1/b"]);
    let told = found.iter().find(|found| found.finding == Finding::Extra);
    let reason = told.map(|found| found.reasons[0].to_string());
    assert_eq!(
        reason.as_deref(),
        Some("is there although the file is planned; the size is the file's")
    );
    let tally = TransferFile::open(&path)
        .expect("it opens")
        .tally()
        .expect("a tally");
    assert_eq!((tally.completed.files, tally.planned.files), (2, 1));
    // Completed later, it counts like any other, and no ETag from before speaks against it.
    complete(&path, &[ItemId(3)]);
    let found = look(&path, &[vec![object("c", 10, "new")]], &HashSet::new());
    assert_eq!(symbols(&found), ["- run1/a", "- run1/b", "= run1/c"]);
}

#[test]
fn the_folder_of_a_transfer_is_the_smallest_that_holds_all_its_keys() {
    for (prefix, keys, folder) in [
        ("run1/", &["x/é/1", "x/ê/2"][..], "run1/x/"),
        ("run1/", &["x/y/1", "x/y/z/2"], "run1/x/y/"),
        ("run1/", &["ab", "abc"], "run1/"),
        ("", &["x/y/1", "x/y/2"], "x/y/"),
        ("", &["x/y/1", "xy/2"], ""),
        ("", &["1"], ""),
    ] {
        let look = look_at(prefix, keys);
        assert_eq!(look.folder(), folder, "{prefix} {keys:?}");
    }
}

#[test]
fn of_the_folders_on_the_top_level_those_are_read_that_the_transfer_writes_to() {
    let look = look_at("", &["a/x/1", "b", "a/2", "c/3", "a/4"]);
    for (folder, writes) in [("a/", true), ("c/", true), ("b/", false), ("x/", false)] {
        assert_eq!(look.writes_to(folder), writes, "{folder}");
    }
    let look = look_at("run1/x/", &["a/1"]);
    for (folder, writes) in [("run1/", true), ("a/", false), ("run/", false)] {
        assert_eq!(look.writes_to(folder), writes, "{folder}");
    }
}

/// A look at a plan of these keys. Its file is gone from its folder already, and stays open.
fn look_at(prefix: &str, keys: &[&str]) -> Verification {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let keys = keys.iter().map(|key| ((*key).to_owned(), true)).collect();
    planned_under(prefix, &path, &keys, Some(10));
    Verification::begin(&path, Against::Volume, now()).expect("it opens")
}

#[test]
fn a_look_and_a_run_keep_out_of_each_others_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    transfer(&path, &three());
    let look = Verification::begin(&path, Against::Volume, now()).expect("it opens");
    let run = Opening::default().open(&path, now());
    assert!(matches!(run, Err(JournalError::Held { .. })), "{run:?}");
    drop(look);
    let run = Opening::default().open(&path, now()).expect("it opens");
    let look = Verification::begin(&path, Against::Volume, now());
    assert!(matches!(look, Err(JournalError::Held { .. })), "{look:?}");
    drop(run);
}

#[tokio::test]
async fn a_look_costs_one_request_for_a_hundred_files_and_finds_each_that_is_gone() {
    let bench = Bench::start(world(many(1_000))).await;
    bench.plan(bench.options()).await.expect("a plan");
    bench.run().await.expect("a run");
    let destination = Destination::Volume(bench.client());
    let before = bench.sandbox.ledger().answers.values().sum::<u64>();
    let same = verify(
        &[bench.transfer()],
        &destination,
        Timestamp::now,
        &mut |_| {},
    )
    .await
    .expect("a look");
    assert!(same.is_all_the_same(), "{same:?}");
    assert_eq!(same.same, 1_000);
    let cost = bench.sandbox.ledger().answers.values().sum::<u64>() - before;
    assert_eq!(cost, 1 + 10, "the volume, and its one folder in pages");

    let jobs = bench.sandbox.ledger().jobs;
    let gone: BTreeSet<String> = jobs.into_iter().map(|job| job.location).collect();
    for location in &gone {
        bench
            .sandbox
            .remove_object(VOLUME, location)
            .expect("it was there");
    }
    let mut told = BTreeSet::new();
    let mut tell = |found: Found| {
        assert_eq!(found.finding, Finding::Missing);
        assert!(told.insert(found.location));
    };
    let empty = verify(&[bench.transfer()], &destination, Timestamp::now, &mut tell)
        .await
        .expect("a look");
    assert_eq!((empty.missing, empty.same), (1_000, 0));
    assert_eq!(told, gone);

    // Another platform knows nothing of it, and must not be believed.
    let elsewhere = Client::builder(
        "https://example.org/v2".parse().expect("an endpoint"),
        Token::new("0123456789abcdef".to_owned()).expect("a token"),
    );
    let elsewhere = Destination::Volume(elsewhere.build().expect("a client"));
    let refused = verify(&[bench.transfer()], &elsewhere, Timestamp::now, &mut |_| {}).await;
    assert!(
        matches!(
            refused,
            Err(VerifyError::Journal(JournalError::OtherTerms { .. }))
        ),
        "{refused:?}"
    );
}
