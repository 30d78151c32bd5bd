//! Whatever stands in a transfer, reading, reporting and running it ends in words, never in a panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use cavatica_report::{Overview, ReportFormat, Summary, Whole, write_report};
use cavatica_transfer::journal::{
    Approval, Change, Journal, JournalError, Opening, Pick, SqliteJournal, TransferFile,
    Verification,
};
use cavatica_transfer::state::{
    Answer, Doubt, Failure, ItemId, Observation, SeenJob, Step, Verdict,
};
use cavatica_transfer::{Against, Fingerprint, ListedObject};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::support::{now, plan};

/// How many transfers are tampered with; `PROPTEST_CASES` asks for more, as everywhere.
fn seeds() -> u64 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|cases| cases.parse().ok()).unwrap_or(1_000)
}

fn open(path: &Path) -> Result<SqliteJournal, JournalError> {
    Opening::default().open(path, now())
}

fn tamper(path: &Path, sql: &str) {
    let connection = Connection::open(path).expect("a file");
    connection.execute_batch(sql).expect("it can be done");
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
    let seen = ListedObject::new("run1/2.bam", Some(10), Some("e"));
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
    opening.open(path, now()).ok();
    let mut journal = open(path)?;
    journal.tally()?;
    journal.open_items(None)?;
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
    let object = ListedObject::new("run1/3.bam", None, None);
    look.see(&[object])?;
    look.settle(&Default::default(), &mut |_| {})?;
    look.finish(now())?;
    looked
}

fn look_at_all(path: &Path, format: ReportFormat) -> Result<(), Box<dyn std::error::Error>> {
    Summary::read(path).ok();
    Overview::read(path).ok();
    let file = TransferFile::open(path)?;
    let whole = Whole::of(TransferFile::open(path)?);
    write_report(&whole, format, &mut std::io::sink()).ok();
    file.owner();
    file.tally()?.total();
    file.compute_fingerprint().map(drop::<Fingerprint>)?;
    file.skipped_by_kind()?;
    file.runs()?;
    file.failures(None, 10)?;
    Ok(())
}

/// Changes a transfer in one way for each seed, and uses what came of it.
fn fuzz(change: fn(&Path, &mut fastrand::Rng) -> Vec<String>) {
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
    for (seed, format) in (0..seeds()).zip(FORMATS.into_iter().cycle()) {
        std::fs::write(&path, &whole).expect("room");
        let done = change(&path, &mut fastrand::Rng::with_seed(seed));
        let used = catch_unwind(AssertUnwindSafe(|| use_all(&path, format)));
        let used = used.unwrap_or_else(|_| panic!("seed {seed}: {done:#?}"));
        refused += u64::from(used.is_err());
    }
    assert!(refused > seeds() / 10, "only {refused} were noticed");
}

#[test]
fn fuzz_transfers_by_sql() {
    fuzz(mutate);
}

#[test]
fn fuzz_transfers_by_bytes() {
    fuzz(damage);
}

/// Writes other bytes over some, or cuts the file short.
fn damage(path: &Path, random: &mut fastrand::Rng) -> Vec<String> {
    let mut bytes = std::fs::read(path).expect("a file");
    let mut done = Vec::new();
    for _ in 0..random.usize(1..5) {
        // Headers and the first pages decide most.
        let most = if random.bool() {
            bytes.len()
        } else {
            bytes.len().min(4096)
        };
        let at = random.usize(0..most);
        let value = match random.u8(0..4) {
            0 => 0,
            1 => 0xff,
            2 => bytes[at] ^ (1 << random.u8(0..8)),
            _ => random.u8(..),
        };
        done.push(format!("byte {at} is {value}"));
        bytes[at] = value;
    }
    if random.u8(0..8) == 0 {
        bytes.truncate(random.usize(1..bytes.len()));
        done.push(format!("{} bytes are left", bytes.len()));
    }
    std::fs::write(path, bytes).expect("room");
    done
}
