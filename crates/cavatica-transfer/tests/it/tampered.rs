//! A transfer is data, whoever wrote it: what is wrong with one is an error, and nothing in it is run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cavatica_transfer::journal::{
    Approval, Change, Journal, JournalError, Opening, Pick, SqliteJournal, TransferFile,
    Verification,
};
use cavatica_transfer::state::{
    Answer, Doubt, Failure, ItemId, Observation, SeenJob, Step, Verdict,
};
use cavatica_transfer::{
    Against, Fingerprint, Object, ReportFormat, Summary, TransferLine, write_report,
};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::{ACCOUNT, ENDPOINT, now, plan};

/// How many transfers are tampered with.
const SEEDS: u64 = 2_000;

fn planned(files: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, files);
    (folder, path)
}

fn open(path: &Path) -> Result<SqliteJournal, JournalError> {
    SqliteJournal::open(path, ENDPOINT, ACCOUNT, now())
}

fn tamper(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("a file");
    connection.execute_batch(sql).expect("it can be done");
}

#[test]
fn a_transfer_with_anything_else_in_it_is_opened_by_nobody() {
    for sql in [
        "CREATE TRIGGER t AFTER INSERT ON run BEGIN UPDATE item SET overwrite = 1; END",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TABLE other (x)",
        "CREATE INDEX i ON item (location)",
        "DROP INDEX ended_badly",
        "DROP TABLE pulse",
        "ALTER TABLE item ADD COLUMN more TEXT",
        "ALTER TABLE item RENAME TO old; CREATE VIEW item AS SELECT * FROM old",
        "ALTER TABLE item DROP COLUMN metadata;
         ALTER TABLE item ADD COLUMN metadata TEXT GENERATED ALWAYS AS (location || 'x')",
        "PRAGMA user_version = 3",
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'item')
         WHERE name = 'skipped'",
        "PRAGMA journal_mode = WAL",
    ] {
        let (_folder, path) = planned(1);
        tamper(&path, sql);
        let read = TransferFile::open(&path).expect_err(sql);
        assert!(matches!(read, JournalError::Damaged { .. }), "{sql}: {read:?}");
        let run = open(&path).expect_err(sql);
        assert!(matches!(run, JournalError::Damaged { .. }), "{sql}: {run:?}");
    }
}

#[test]
fn counts_that_cannot_be_are_an_error_and_take_no_memory() {
    for (column, count) in [("files", 1_i64 << 62), ("bytes", i64::MAX), ("skipped", -1)] {
        let (_folder, path) = planned(1);
        tamper(&path, &format!("UPDATE transfer SET {column} = {count}"));
        let error = TransferFile::open(&path).expect_err(column);
        assert!(matches!(error, JournalError::Damaged { .. }), "{error:?}");
    }
    let (_folder, path) = planned(1);
    tamper(&path, "UPDATE transfer SET files = 1 << 59");
    let file = TransferFile::open(&path).expect("it may be");
    file.compute_fingerprint()
        .expect("of the rows that are there");
}

#[test]
fn what_was_approved_is_looked_at_when_the_transfer_is_held() {
    let (_folder, path) = planned(2);
    let file = TransferFile::open(&path).expect("a transfer");
    let fingerprint = file.fingerprint();
    let open = |approval| {
        let opening = Opening::default().approved(approval);
        opening.open(&path, ENDPOINT, ACCOUNT, now())
    };
    open(Approval::Of(fingerprint)).expect("it is that plan");
    open(Approval::AsPlanned).expect("it is that plan");
    let runs = file.runs().expect("readable").len();

    tamper(&path, "UPDATE item SET overwrite = 1 WHERE id = 2");
    let refused = open(Approval::Of(fingerprint)).expect_err("it is another plan");
    assert!(
        matches!(refused, JournalError::NotApproved { .. }),
        "{refused:?}"
    );
    let refused = open(Approval::AsPlanned).expect_err("it is another plan");
    let JournalError::Changed { found, .. } = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(
        file.runs().expect("readable").len(),
        runs,
        "no run has begun"
    );
    open(Approval::Of(found)).expect("approved as it is now");
}

#[test]
#[cfg(unix)]
fn nothing_but_a_regular_file_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let pipe = folder.path().join("pipe.transfer");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.expect("mkfifo").success());
    for path in [&pipe, folder.path(), Path::new("/dev/null")] {
        let error = TransferFile::open(path).expect_err("no file");
        assert!(
            matches!(error, JournalError::NotATransfer { .. }),
            "{error:?}"
        );
        let error = open(path).expect_err("no file");
        assert!(
            matches!(error, JournalError::NotATransfer { .. }),
            "{error:?}"
        );
    }
}

#[test]
#[cfg(unix)]
fn nothing_is_written_through_a_link_that_has_the_name_of_a_rollback_journal() {
    let (folder, path) = planned(1);
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").expect("room");
    for ending in ["-journal", "-wal", "-shm"] {
        let link = folder.path().join(format!("t.transfer{ending}"));
        std::os::unix::fs::symlink(&victim, &link).expect("a link");
        let error = open(&path).expect_err("not through a link");
        assert!(
            matches!(error, JournalError::NotRegular { .. }),
            "{error:?}"
        );
        TransferFile::open(&path).expect_err("nor to read");
        std::fs::remove_file(&link).expect("a link");
    }
    assert_eq!(
        std::fs::read_to_string(&victim).expect("a text"),
        "precious"
    );
}

/// A transfer with a row of every kind.
fn rich(path: &Path) {
    plan(path, 8);
    let mut journal = open(path).expect("a journal");
    journal.intend(Pick::Fresh(7), now()).expect("room");
    journal.commit().expect("room");
    let job = |item: i64, verdict| SeenJob {
        export: format!("{item:032}").parse().expect("an export id"),
        verdict,
    };
    let failure = Failure {
        code: Some(9020),
        status: Some(403),
        message: "a message".to_owned(),
        request_id: Some("r1".to_owned()),
    };
    let accepted = |item| Step::Answer(Answer::Accepted(job(item, Verdict::Unfinished)));
    let steps = [
        (1, accepted(1)),
        (2, accepted(2)),
        (
            2,
            Step::Observation(Observation::Job(job(2, Verdict::Completed))),
        ),
        (3, Step::Answer(Answer::Refused(failure.clone()))),
        (4, Step::Answer(Answer::Refused(failure))),
        (4, Step::Retry),
        (
            5,
            Step::Observation(Observation::Unclear(Doubt::JobUnclear)),
        ),
    ];
    for (item, step) in steps {
        journal
            .record(vec![Change::new(ItemId(item), step)])
            .expect("a step");
    }
    journal.note_requests(7, 1000, now()).expect("room");
    journal.commit().expect("room");
    drop(journal);
    let mut look = Verification::begin(path, Against::Volume, now()).expect("a look");
    let seen = Object {
        location: "run1/2.bam".to_owned(),
        size: Some(10),
        etag: Some("e".to_owned()),
        ..Object::default()
    };
    look.see(&[seen]).expect("room");
    look.settle(&Default::default(), &mut |_| {}).expect("room");
    look.finish(now()).expect("room");
    drop(look);
    tamper(
        path,
        "INSERT INTO word (text) VALUES ('alias'), ('an alias of something');
         INSERT INTO skipped (file, path, size, kind, reason) SELECT x'00112233445566778899aabb', 'a/b', 5, min(id), max(id) FROM word;
         INSERT INTO app (task, app) SELECT min(id), max(id) FROM word;
         UPDATE item SET task = (SELECT min(id) FROM word), project = (SELECT max(id) FROM word), metadata = '{}' WHERE id < 4",
    );
}

/// Changes some of a transfer as nobody should; what SQLite refuses isn't done.
fn mutate(path: &Path, random: &mut fastrand::Rng) -> Vec<String> {
    let connection = Connection::open(path).expect("a file");
    let mut done = Vec::new();
    for _ in 0..random.u32(1..4) {
        let tables = names(
            &connection,
            "SELECT name FROM sqlite_schema WHERE type = 'table'",
        );
        let Some(table) = random.choice(&tables).cloned() else {
            break;
        };
        let columns = names(
            &connection,
            &format!("SELECT name FROM pragma_table_info('{table}')"),
        );
        let column = random.choice(&columns).cloned().unwrap_or_default();
        let sql = match random.u8(0..20) {
            0 => format!("DROP TABLE {table}"),
            1 => format!("DELETE FROM {table}"),
            2 => format!("ALTER TABLE {table} DROP COLUMN {column}"),
            3 => format!(
                "CREATE TRIGGER x{} AFTER UPDATE ON {table} BEGIN DELETE FROM run; END",
                random.u16(..)
            ),
            4 => format!("PRAGMA user_version = {}", random.i32(-2..12)),
            5 => format!(
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = {} WHERE name = '{table}'",
                random.u8(0..40)
            ),
            6 | 7 => format!("UPDATE {table} SET {column} = ?1"),
            _ => format!(
                "UPDATE {table} SET {column} = ?1 WHERE rowid = (SELECT rowid FROM {table} ORDER BY random() LIMIT 1)"
            ),
        };
        let value = odd(random);
        if sql.contains("?1") {
            connection.execute(&sql, [&value]).ok();
        } else {
            connection.execute_batch(&sql).ok();
        }
        done.push(format!("{sql}: {value:?}"));
    }
    done
}

fn names(connection: &Connection, sql: &str) -> Vec<String> {
    let Ok(mut statement) = connection.prepare(sql) else {
        return Vec::new();
    };
    let rows = statement.query_map([], |row| row.get(0));
    rows.map(|rows| rows.filter_map(Result::ok).collect())
        .unwrap_or_default()
}

fn odd(random: &mut fastrand::Rng) -> Value {
    match random.u8(0..16) {
        0 => Value::Null,
        1 => Value::Integer(0),
        2 => Value::Integer(-1),
        3 => Value::Integer(i64::MAX),
        4 => Value::Integer(i64::MIN),
        5 => Value::Integer(1 << random.u8(30..63)),
        6 => Value::Integer(random.i64(0..20)),
        7 => Value::Real(f64::INFINITY),
        8 => Value::Real(1.5),
        9 => Value::Text(String::new()),
        10 => Value::Text("../\u{1b}[2J\u{0}/".to_owned()),
        11 => Value::Text("x".repeat(100_000)),
        12 => Value::Text("{\"a\":1e400}".to_owned()),
        13 => Value::Blob(Vec::new()),
        14 => Value::Blob(vec![0xff; random.usize(0..40)]),
        _ => Value::Text("00112233445566778899aabb".to_owned()),
    }
}

/// Each transfer is reported in one of them.
const FORMATS: [ReportFormat; 6] = [
    ReportFormat::Tsv,
    ReportFormat::Csv,
    ReportFormat::JsonLines,
    ReportFormat::Html,
    ReportFormat::Drs,
    ReportFormat::Tags,
];

/// Everything that can be done with a transfer, as far as it goes.
fn use_all(path: &Path, format: ReportFormat) -> Result<(), Box<dyn std::error::Error>> {
    let looked = look_at_all(path, format);
    let opening = Opening::default().approved(Approval::AsPlanned);
    opening.open(path, ENDPOINT, ACCOUNT, now()).ok();
    let mut journal = open(path)?;
    journal.tally()?;
    journal.open_items()?;
    for item in 0..10 {
        journal.known_exports(ItemId(item))?;
        journal.items(&[ItemId(item)]).ok();
    }
    journal.intend(Pick::Fresh(100), now())?;
    journal.commit()?;
    journal.failed(None)?;
    drop(journal);
    let mut look = Verification::begin(path, Against::Bucket, now())?;
    look.folder();
    let object = Object {
        location: "run1/3.bam".to_owned(),
        ..Object::default()
    };
    look.see(&[object])?;
    look.settle(&Default::default(), &mut |_| {})?;
    look.finish(now())?;
    looked
}

fn look_at_all(path: &Path, format: ReportFormat) -> Result<(), Box<dyn std::error::Error>> {
    Summary::read(path).ok();
    TransferLine::read(path).ok();
    let file = TransferFile::open(path)?;
    write_report(&file, format, &mut std::io::sink()).ok();
    file.owner();
    file.tally()?.total();
    file.compute_fingerprint().map(drop::<Fingerprint>)?;
    file.skipped_by_kind()?;
    file.runs()?;
    file.failures(10)?;
    Ok(())
}

#[test]
fn no_change_to_a_transfer_makes_a_panic() {
    // Each is synced often, which is nothing to be waited for here.
    let memory = Path::new("/dev/shm");
    let folder = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    let folder = folder.expect("a folder");
    let path = folder.path().join("t.transfer");
    rich(&path);
    let whole = std::fs::read(&path).expect("a file");
    for format in FORMATS {
        use_all(&path, format).expect("nothing is wrong with it yet");
    }
    let mut refused = 0;
    for (seed, format) in (0..SEEDS).zip(FORMATS.into_iter().cycle()) {
        std::fs::write(&path, &whole).expect("room");
        let done = mutate(&path, &mut fastrand::Rng::with_seed(seed));
        let used = catch_unwind(AssertUnwindSafe(|| use_all(&path, format)));
        let used = used.unwrap_or_else(|_| panic!("seed {seed}: {done:#?}"));
        refused += u64::from(used.is_err());
    }
    assert!(refused > SEEDS / 10, "only {refused} were noticed");
}
