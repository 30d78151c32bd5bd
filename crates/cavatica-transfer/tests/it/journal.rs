//! The SQLite journal against a reference machine, and what it refuses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cavatica_exports::model::ExportMode;
use cavatica_transfer::journal::{
    Change, Draft, Item, Journal, JournalError, Opening, Pick, SqliteJournal, TransferFile,
    Verification,
};
use cavatica_transfer::state::{
    Answer, Doubt, Failure, ItemId, Observation, Proof, SeenJob, State, Step, Verdict, Word,
};
use cavatica_transfer::{Against, ListedObject};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

use crate::support::{now, plan, terms};

const FILES: i64 = 6;

fn failure(code: i64) -> Failure {
    Failure {
        code: Some(code),
        status: Some(503),
        message: format!("error {code}"),
        request_id: Some("r-1".to_owned()),
    }
}

fn seen(item: i64, attempt: u32, verdict: Verdict) -> SeenJob {
    SeenJob {
        export: format!("job{item}x{attempt}")
            .parse()
            .expect("an export id"),
        verdict,
    }
}

/// Every file with its state and how often it was sent. The rules are written a second time here, by what must never
/// happen, not by table.
#[derive(Clone, Debug)]
struct Reference {
    files: BTreeMap<i64, (State, u32)>,
    /// Files that aren't fresh any more, in whatever state they are.
    touched: BTreeSet<i64>,
    /// The last file that was sent in its turn.
    turn: i64,
}

#[derive(Clone, Debug)]
enum Transition {
    IntendFresh(usize),
    IntendAgain(i64),
    SetAside(i64),
    Step(i64, Step),
    /// The program dies and another one takes the transfer over.
    Crash,
}

impl Reference {
    fn next(&self, item: i64, step: &Step) -> Option<State> {
        let (state, attempt) = self.files.get(&item)?.clone();
        let before = state.clone();
        let after = state.step(step.clone()).ok()?;
        // Sent only from rest: a file is never in two sendings at once.
        if *step == Step::Intend {
            assert_eq!(before, State::Planned);
        }
        // Back to rest only on proof.
        if after == State::Planned {
            assert!(matches!(
                step,
                Step::Answer(Answer::NotSent)
                    | Step::Observation(Observation::Absent | Observation::NotTaken)
                    | Step::Retry
                    | Step::Release
                    | Step::Word(Word::NotSent)
            ));
            assert!(attempt > 0 || *step == Step::Retry);
        }
        // What the platform confirmed stays confirmed.
        assert!(!matches!(before, State::Completed { .. }));
        Some(after)
    }
}

impl ReferenceStateMachine for Reference {
    type State = Reference;
    type Transition = Transition;

    fn init_state() -> BoxedStrategy<Reference> {
        let files = (1..=FILES)
            .map(|item| (item, (State::Planned, 0)))
            .collect();
        Just(Reference {
            files,
            touched: BTreeSet::new(),
            turn: 0,
        })
        .boxed()
    }

    fn transitions(state: &Reference) -> BoxedStrategy<Transition> {
        let attempts: BTreeMap<i64, u32> = state
            .files
            .iter()
            .map(|(item, (_, attempt))| (*item, *attempt))
            .collect();
        let step = (1..=FILES, 0..19_u8).prop_map(move |(item, kind)| {
            let attempt = attempts[&item];
            let job = |verdict| seen(item, attempt, verdict);
            let step = match kind {
                0 => Step::Answer(Answer::Accepted(job(Verdict::Unfinished))),
                1 => Step::Answer(Answer::Accepted(job(Verdict::Completed))),
                2 => Step::Answer(Answer::Refused(failure(9006))),
                3 => Step::Answer(Answer::NotSent),
                4 => Step::Observation(Observation::Job(job(Verdict::Unfinished))),
                5 => Step::Observation(Observation::Job(job(Verdict::Completed))),
                6 => Step::Observation(Observation::Job(job(Verdict::Failed(failure(9100))))),
                7 => Step::Observation(Observation::AliasAtDestination),
                8 => Step::Observation(Observation::Absent),
                9 => Step::Observation(Observation::Unclear(Doubt::ListIncomplete)),
                10 => Step::Retry,
                11 => Step::Observation(Observation::Unclear(Doubt::JobUnclear)),
                12 => Step::Observation(Observation::NotTaken),
                13 => Step::Observation(Observation::MovedAway(failure(9006))),
                14 => Step::Observation(Observation::Job(job(Verdict::Failed(failure(9107))))),
                15 => Step::Release,
                16 => Step::Word(Word::NotSent),
                17 => Step::Word(Word::Completed),
                // The job of somebody else, or of an earlier attempt.
                _ => Step::Observation(Observation::Job(seen(item, 99, Verdict::Completed))),
            };
            Transition::Step(item, step)
        });
        prop_oneof![
            2 => (1_usize..4).prop_map(Transition::IntendFresh),
            2 => (1..=FILES).prop_map(Transition::IntendAgain),
            1 => (1..=FILES).prop_map(Transition::SetAside),
            10 => step,
            1 => Just(Transition::Crash),
        ]
        .boxed()
    }

    fn apply(mut state: Reference, transition: &Transition) -> Reference {
        match transition {
            Transition::IntendFresh(count) => {
                for item in state.fresh(*count) {
                    state.files.insert(item, (State::Intended, 1));
                    state.touched.insert(item);
                    state.turn = item;
                }
            }
            Transition::IntendAgain(item) => {
                if state.touched.contains(item)
                    && let Some(after) = state.next(*item, &Step::Intend)
                {
                    let attempt = state.files[item].1;
                    state.files.insert(*item, (after, attempt + 1));
                }
            }
            Transition::SetAside(item) => {
                state.touched.insert(*item);
            }
            Transition::Step(item, step) => {
                if let Some(after) = state.next(*item, step) {
                    let attempt = state.files[item].1;
                    let unsent = matches!(
                        step,
                        Step::Answer(Answer::NotSent) | Step::Observation(Observation::NotTaken)
                    );
                    let attempt = attempt - u32::from(unsent);
                    state.files.insert(*item, (after, attempt));
                    state.touched.insert(*item);
                }
            }
            Transition::Crash => {}
        }
        state
    }
}

impl Reference {
    /// The next files in their turn.
    fn fresh(&self, count: usize) -> Vec<i64> {
        let behind = (self.turn + 1)..=FILES;
        let fresh = behind.filter(|item| !self.touched.contains(item));
        fresh.take(count).collect()
    }
}

struct System {
    _folder: tempfile::TempDir,
    path: PathBuf,
    journal: Option<SqliteJournal>,
}

impl System {
    fn reopen(&mut self) {
        self.journal = None;
        let journal = Opening::default().open(&self.path, now());
        self.journal = Some(journal.expect("the transfer opens again"));
    }

    fn journal(&mut self) -> &mut SqliteJournal {
        self.journal.as_mut().expect("an open journal")
    }
}

struct JournalTest;

impl StateMachineTest for JournalTest {
    type SystemUnderTest = System;
    type Reference = Reference;

    fn init_test(_: &Reference) -> System {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.transfer");
        plan(&path, FILES.unsigned_abs());
        let mut system = System {
            _folder: folder,
            path,
            journal: None,
        };
        system.reopen();
        system
    }

    fn apply(mut system: System, reference: &Reference, transition: Transition) -> System {
        match transition {
            Transition::IntendFresh(count) => {
                let intended = system.journal().intend(Pick::Fresh(count), now());
                let intents = system.journal().commit().expect("room");
                let items: Vec<Item> = intents
                    .into_iter()
                    .flat_map(|intent| intent.items)
                    .collect();
                assert_eq!(intended.expect("room").files, items.len() as u64);
                for item in items {
                    assert_eq!(reference.files[&item.id.0], (State::Intended, item.attempt));
                }
            }
            Transition::IntendAgain(item) => {
                // Fresh files are picked in order; these calls are for files that came back.
                if reference.touched.contains(&item) {
                    let before = system.states();
                    let outcome = system.journal().intend(Pick::These(&[ItemId(item)]), now());
                    system.journal().commit().expect("room");
                    if outcome.is_err() {
                        assert_eq!(before, system.states());
                    }
                }
            }
            Transition::SetAside(item) => {
                let planned =
                    system.states()[usize::try_from(item - 1).expect("small")].1 == State::Planned;
                let aside = system.journal().set_aside(&[ItemId(item)]).expect("room");
                assert_eq!(aside.len(), usize::from(planned));
                system.journal().commit().expect("room");
            }
            Transition::Step(item, step) => {
                let before = system.states();
                let moved = Change::new(ItemId(item), step);
                let outcome = system.journal().record(vec![moved]);
                system.journal().commit().expect("room");
                match outcome {
                    Ok(_) => {}
                    Err(JournalError::Illegal { .. }) => assert_eq!(before, system.states()),
                    Err(error) => panic!("{error:?}"),
                }
            }
            Transition::Crash => {
                // What wasn't committed is lost, and nothing else.
                system
                    .journal()
                    .intend(Pick::Fresh(1), now())
                    .expect("room");
                system.reopen();
            }
        }
        let expected: Vec<(i64, State, u32)> = reference
            .files
            .iter()
            .map(|(item, (state, attempt))| (*item, state.clone(), *attempt))
            .collect();
        assert_eq!(system.states(), expected);
        system
    }

    fn check_invariants(system: &System, _: &Reference) {
        let tally = TransferFile::open(&system.path).and_then(|file| file.tally());
        assert_eq!(tally.expect("a tally").total().files, FILES.unsigned_abs());
    }
}

impl System {
    /// What is on disk, read by another connection.
    fn states(&self) -> Vec<(i64, State, u32)> {
        let file = TransferFile::open(&self.path).expect("the transfer can be read");
        let rows = file.items(None).expect("the transfer can be read");
        rows.into_iter()
            .map(|row| (row.id.0, row.state, row.attempts))
            .collect()
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, and however often the program dies in between, the file on disk stands where
    /// the rules say; a step that is not allowed leaves no trace.
    #[test]
    fn the_journal_stands_where_the_reference_stands(sequential 1..25 => JournalTest);
}

fn open(path: &std::path::Path) -> Result<SqliteJournal, JournalError> {
    Opening::default().open(path, now())
}

#[test]
fn a_second_run_is_told_who_holds_the_transfer() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, 1);
    let held = open(&path).expect("the first may");
    let error = open(&path).expect_err("the second may not");
    let JournalError::Held { owner, .. } = &error else {
        panic!("{error:?}");
    };
    assert_eq!(owner, held.owner());
    assert_eq!(owner.process, std::process::id());
    drop(held);
    open(&path).expect("it is free again");
}

#[test]
fn other_files_and_newer_versions_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(
        &text,
        "not a database at all, but long enough to be looked at",
    )
    .expect("room");
    assert!(matches!(
        open(&text),
        Err(JournalError::NotATransfer { .. })
    ));

    let newer = folder.path().join("newer.transfer");
    plan(&newer, 1);
    let connection = rusqlite::Connection::open(&newer).expect("a database");
    connection
        .pragma_update(None, "user_version", 1000)
        .expect("room");
    drop(connection);
    assert!(matches!(
        open(&newer),
        Err(JournalError::TooNew { found: 1000, .. })
    ));
}

#[test]
fn a_plan_that_was_not_finished_leaves_no_file_and_never_replaces_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let draft = Draft::create(&path, terms(ExportMode::Move), "a test", None, now());
    drop(draft.expect("a new transfer"));
    assert!(!path.exists());

    plan(&path, 1);
    let again = Draft::create(&path, terms(ExportMode::Move), "a test", None, now());
    assert!(matches!(again, Err(JournalError::Exists { .. })));
    open(&path).expect("the first plan is unharmed");
}

#[test]
fn failed_files_come_page_by_page_with_their_jobs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, 250);
    let mut journal = open(&path).expect("the transfer opens");
    journal.intend(Pick::Fresh(250), now()).expect("room");
    journal.commit().expect("room");
    let fail = |item| {
        let job = seen(item, 1, Verdict::Failed(failure(9103)));
        Change::new(ItemId(item), Step::Answer(Answer::Accepted(job)))
    };
    journal.record((1..=249).map(fail).collect()).expect("room");
    let (mut after, mut pages) = (None, Vec::new());
    loop {
        let page = journal.failed(after).expect("readable");
        let Some(last) = page.last() else { break };
        after = Some(last.item.id);
        assert!(page.iter().all(|failed| failed.export.is_some()));
        assert!(page.iter().all(|failed| failed.failure == failure(9103)));
        pages.push(page.len());
    }
    assert_eq!(pages, [100, 100, 49]);
}

#[test]
fn what_somebody_says_of_a_file_is_kept_apart_and_only_of_an_unknown_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, 2);
    let mut journal = open(&path).expect("the transfer opens");
    journal.intend(Pick::Fresh(2), now()).expect("room");
    journal.commit().expect("room");
    let refused = journal.resolve(&[ItemId(1)], &Word::Completed, "I looked");
    assert!(
        matches!(refused, Err(JournalError::Illegal { .. })),
        "{refused:?}"
    );
    let unclear = Step::Observation(Observation::Unclear(Doubt::ListIncomplete));
    journal
        .record(vec![Change::new(ItemId(1), unclear)])
        .expect("room");
    journal.commit().expect("room");
    journal
        .resolve(&[ItemId(1)], &Word::Completed, "I looked")
        .expect("unknown");
    let file = TransferFile::open(&path).expect("a transfer");
    let rows = file.items(None).expect("rows");
    assert!(
        matches!(
            rows[0].state,
            State::Completed {
                proof: Proof::Word,
                ..
            }
        ),
        "{:?}",
        rows[0].state
    );
    assert_eq!(rows[0].said.as_deref(), Some("I looked"));
    assert_eq!(
        (
            rows[1].said.as_deref(),
            file.said_by_word().expect("a count")
        ),
        (None, 1)
    );
}

#[test]
fn a_million_files_take_less_than_300_bytes_each() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    let files = 5_000;
    plan(&path, files);
    let mut journal = open(&path).expect("the transfer opens");
    while journal.intend(Pick::Fresh(100), now()).expect("room").files > 0 {
        let intents = journal.commit().expect("room");
        let intent = &intents[0];
        let moves = |verdict: Verdict, answer: fn(SeenJob) -> Step| -> Vec<Change> {
            let job = |item: i64| SeenJob {
                export: format!("{item:032}").parse().expect("an export id"),
                verdict: verdict.clone(),
            };
            let moved = |item: &Item| Change {
                started: Some(now()),
                finished: Some(now()),
                ..Change::new(item.id, answer(job(item.id.0)))
            };
            intent.items.iter().map(moved).collect()
        };
        let accepted = moves(Verdict::Unfinished, |job| {
            Step::Answer(Answer::Accepted(job))
        });
        journal.record(accepted).expect("room");
        let completed = moves(Verdict::Completed, |job| {
            Step::Observation(Observation::Job(job))
        });
        journal.record(completed).expect("room");
        journal.commit().expect("room");
    }
    drop(journal);
    let mut look = Verification::begin(&path, Against::Volume, now()).expect("the transfer opens");
    let objects: Vec<ListedObject> = (1..=files)
        .map(|number| {
            let etag = format!("{number:032x}");
            ListedObject::new(format!("run1/{number}.bam"), Some(10), Some(&etag))
        })
        .collect();
    look.see(&objects).expect("room");
    drop(look);
    let bytes = std::fs::metadata(&path).expect("a file").len();
    // Locations of 60 bytes, where these have 10.
    let per_file = bytes / files + 50;
    assert!(per_file <= 300, "{per_file} bytes a file");
}

#[test]
fn where_no_lock_can_be_written_nothing_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, 1);
    std::fs::create_dir(folder.path().join("t.transfer.lock")).expect("room");
    let error = open(&path).expect_err("there is a folder in the way");
    assert!(
        matches!(error, JournalError::NotRegular { .. }),
        "{error:?}"
    );
}

#[test]
fn a_transfer_of_an_older_version_is_read_and_run_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, 3);
    let connection = rusqlite::Connection::open(&path).expect("a file");
    connection
        .execute_batch(
            "DROP TABLE app; DROP INDEX ended_badly; DROP TABLE verification; DROP TABLE verified; DROP TABLE pulse; DROP TABLE observed; DROP TABLE name;
             DROP TABLE part; ALTER TABLE transfer DROP COLUMN part; ALTER TABLE transfer DROP COLUMN split_into;
             ALTER TABLE transfer DROP COLUMN account; ALTER TABLE transfer DROP COLUMN id; DROP TABLE folder; DROP TABLE warned; ALTER TABLE item DROP COLUMN folder;
             ALTER TABLE attempt DROP COLUMN proof; ALTER TABLE attempt DROP COLUMN lost;
             ALTER TABLE attempt DROP COLUMN aside; DROP INDEX said_by_word; ALTER TABLE attempt DROP COLUMN said;
             PRAGMA user_version = 1",
        )
        .expect("the first version");
    drop(connection);
    let file = TransferFile::open(&path).expect("a transfer");
    assert_eq!(file.items(None).expect("rows").len(), 3);
    open(&path).expect("a journal");
}
