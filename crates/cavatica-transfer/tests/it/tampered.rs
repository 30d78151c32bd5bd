//! A transfer is data, whoever wrote it: what is wrong with one is an error, and nothing in it is run.

use std::path::{Path, PathBuf};

use cavatica_transfer::journal::{Approval, JournalError, Opening, SqliteJournal, TransferFile};
use rusqlite::Connection;

use crate::support::{now, plan};

fn planned(files: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, files);
    (folder, path)
}

fn open(path: &Path) -> Result<SqliteJournal, JournalError> {
    Opening::default().open(path, now())
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
        opening.open(&path, now())
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
