//! One owner by nature: whatever a transfer is called, and whatever becomes of its file.

use std::path::{Path, PathBuf};

use cavatica_transfer::journal::{
    Approval, Journal, JournalError, Opening, Pick, SqliteJournal, TransferFile,
};

use crate::support::{now, plan};

/// A folder with a planned transfer in it.
fn planned(files: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("t.transfer");
    plan(&path, files);
    (folder, path)
}

fn open(path: &Path) -> Result<SqliteJournal, JournalError> {
    Opening::default().open(path, now())
}

/// Opens it with locks by id in `folder`.
fn open_with(folder: &Path, path: &Path) -> Result<SqliteJournal, JournalError> {
    let opening = Opening::default().locks_in(folder.join("state/locks"));
    opening.open(path, now())
}

#[test]
#[cfg(target_os = "linux")]
fn another_name_of_a_transfer_that_is_run_is_refused_and_free_again_afterwards() {
    let (folder, path) = planned(1);
    let (symlink, hard_link) = (folder.path().join("latest"), folder.path().join("other"));
    std::os::unix::fs::symlink("t.transfer", &symlink).expect("a link");
    std::fs::hard_link(&path, &hard_link).expect("a link");
    let held = open(&path).expect("the first may");
    std::fs::remove_file(folder.path().join("t.transfer.lock")).expect("a lock");
    for name in [&path, &symlink, &hard_link] {
        let error = open(name).expect_err("the second may not");
        let JournalError::Held { owner, .. } = &error else {
            panic!("{}: {error:?}", name.display());
        };
        assert_eq!(owner.process, std::process::id());
        let file = TransferFile::open(name).expect("it can be read meanwhile");
        assert_eq!(file.owner().expect("somebody").process, std::process::id());
    }
    drop(held);
    for name in [&symlink, &hard_link] {
        open(name).expect("a link alone is no fault");
    }
}

#[test]
fn a_copy_of_a_transfer_that_is_run_is_refused_with_the_first_ones_name() {
    let (folder, path) = planned(1);
    let copy = folder.path().join("copy.transfer");
    std::fs::copy(&path, &copy).expect("a copy");
    let held = open_with(folder.path(), &path).expect("the first may");
    let error = open_with(folder.path(), &copy).expect_err("the copy may not");
    assert!(matches!(error, JournalError::Held { .. }), "{error:?}");
    assert!(error.to_string().contains("t.transfer`"), "{error}");
    drop(held);
    open_with(folder.path(), &copy).expect("it is free again");
}

#[test]
fn two_plans_are_no_copies_of_each_other() {
    let (folder, path) = planned(1);
    let other = folder.path().join("other.transfer");
    plan(&other, 1);
    let _held = open_with(folder.path(), &path).expect("the first may");
    open_with(folder.path(), &other).expect("the second may");
}

#[test]
fn copies_of_an_older_transfer_are_known_by_its_plan() {
    let (folder, path) = planned(1);
    let connection = rusqlite::Connection::open(&path).expect("a file");
    connection
        .execute("UPDATE transfer SET id = NULL", [])
        .expect("room");
    drop(connection);
    let copy = folder.path().join("copy.transfer");
    std::fs::copy(&path, &copy).expect("a copy");
    let _held = open_with(folder.path(), &path).expect("the first may");
    let error = open_with(folder.path(), &copy).expect_err("the copy may not");
    assert!(matches!(error, JournalError::Held { .. }), "{error:?}");
}

#[test]
fn a_folder_for_locks_that_cannot_be_had_is_told_and_refuses_nothing() {
    let (folder, path) = planned(1);
    std::fs::write(folder.path().join("state"), "a file in the way").expect("room");
    let journal = open_with(folder.path(), &path).expect("it runs all the same");
    let [unguarded] = journal.unguarded() else {
        panic!("{:?}", journal.unguarded());
    };
    let said = unguarded.to_string();
    assert!(said.contains("a copy of the transfer"), "{said}");
}

#[test]
#[cfg(unix)]
fn no_lock_is_written_through_a_link() {
    let (folder, path) = planned(1);
    let (victim, lock) = (
        folder.path().join("victim"),
        folder.path().join("t.transfer.lock"),
    );
    std::fs::write(&victim, "precious").expect("room");
    let links: [fn(&Path, &Path) -> std::io::Result<()>; 2] = [
        |victim, lock| std::os::unix::fs::symlink(victim, lock),
        |victim, lock| std::fs::hard_link(victim, lock),
    ];
    for link in links {
        link(&victim, &lock).expect("a link");
        let error = open(&path).expect_err("not through a link");
        assert!(
            matches!(error, JournalError::NotRegular { .. }),
            "{error:?}"
        );
        assert_eq!(
            std::fs::read_to_string(&victim).expect("a text"),
            "precious"
        );
        std::fs::remove_file(&lock).expect("a link");
    }
    open(&path).expect("nothing is in the way");
}

#[test]
fn a_run_that_was_taken_over_commits_and_hands_out_nothing_more() {
    let (_folder, path) = planned(3);
    let mut journal = open(&path).expect("a journal");
    journal.intend(Pick::Fresh(1), now()).expect("room");
    assert_eq!(journal.commit().expect("it is its own").len(), 1);
    journal.still_mine().expect("it is its own");

    // As a program does that sees none of the locks.
    let other = rusqlite::Connection::open(&path).expect("a file");
    other
        .execute(
            "INSERT INTO run (host, process, version, started, seen) VALUES ('elsewhere', 77, '', 0, 0)",
            [],
        )
        .expect("room");
    let error = journal.still_mine().expect_err("another run is newer");
    assert!(
        error.to_string().contains("process 77 on `elsewhere`"),
        "{error}"
    );
    journal.intend(Pick::Fresh(1), now()).expect("room");
    let error = journal.commit().expect_err("another run is newer");
    assert!(
        matches!(error, JournalError::Superseded { .. }),
        "{error:?}"
    );
    let tally = TransferFile::open(&path).and_then(|file| file.tally());
    assert_eq!(tally.expect("a tally").intended.files, 1);
}

#[test]
#[cfg(unix)]
fn a_file_that_is_replaced_moved_or_removed_under_a_run_ends_it() {
    let changes: [fn(&Path, &Path) -> std::io::Result<()>; 3] = [
        |path, backup| std::fs::rename(backup, path),
        |path, _| std::fs::rename(path, path.with_extension("old")),
        |path, _| std::fs::remove_file(path),
    ];
    for (number, change) in changes.iter().enumerate() {
        for uncommitted in [false, true] {
            let (folder, path) = planned(2);
            let backup = folder.path().join("backup");
            std::fs::copy(&path, &backup).expect("a copy");
            let mut journal = open(&path).expect("a journal");
            if uncommitted {
                journal.intend(Pick::Fresh(1), now()).expect("room");
            }
            change(&path, &backup).expect("room");
            let error = journal
                .still_mine()
                .and_then(|()| journal.intend(Pick::Fresh(1), now()).map(drop))
                .expect_err("it isn't that file any more");
            assert!(
                matches!(error, JournalError::Replaced { .. }),
                "{number}: {error:?}"
            );
            let intended = journal.intend(Pick::Fresh(1), now());
            let error = intended
                .and_then(|_| journal.commit())
                .expect_err("nor now");
            assert!(
                matches!(error, JournalError::Replaced { .. }),
                "{number}: {error:?}"
            );
        }
    }
}

/// A transfer, and what a program leaves of it that dies within a commit: the file half written, and what was there before.
#[cfg(unix)]
fn half_written() -> (tempfile::TempDir, PathBuf) {
    let (folder, path) = planned(300);
    let journal = journal_of(&path);
    let writer = rusqlite::Connection::open(&path).expect("a file");
    writer
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE item SET location = location || hex(zeroblob(500));",
        )
        .expect("room");
    let left = [&path, &journal].map(|file| std::fs::read(file).expect("a file"));
    writer.execute_batch("ROLLBACK").expect("nothing is kept");
    drop(writer);
    for (file, bytes) in [&path, &journal].into_iter().zip(left) {
        std::fs::write(file, bytes).expect("room");
    }
    (folder, path)
}

#[cfg(unix)]
fn journal_of(path: &Path) -> PathBuf {
    format!("{}-journal", path.display()).into()
}

/// That the plan is as it was written.
#[cfg(unix)]
fn is_whole(path: &Path) -> bool {
    let opening = Opening::default().approved(Approval::AsPlanned);
    opening.open(path, now()).is_ok()
}

#[test]
#[cfg(unix)]
fn what_a_program_left_half_written_is_taken_back_under_any_name_of_the_file() {
    let name: [fn(&Path, &Path) -> std::io::Result<()>; 3] = [
        |path, other| std::fs::hard_link(path, other),
        |path, other| std::os::unix::fs::symlink(path, other),
        |path, other| {
            std::fs::rename(path, other)?;
            std::fs::rename(journal_of(path), journal_of(other))
        },
    ];
    for (number, name) in name.iter().enumerate() {
        let (folder, path) = half_written();
        let other = folder.path().join("other.transfer");
        name(&path, &other).expect("another name");
        let file = TransferFile::open(&other).expect("it can be read");
        drop(file);
        for journal in [&path, &other].map(|name| journal_of(name)) {
            assert!(!journal.exists(), "{number}");
        }
        assert!(is_whole(&other), "{number}");
    }
}

#[test]
#[cfg(unix)]
fn a_transfer_that_was_moved_without_what_belongs_to_it_is_refused_until_that_comes_too() {
    let (folder, path) = half_written();
    let moved = folder.path().join("moved.transfer");
    std::fs::rename(&path, &moved).expect("room");
    for error in [
        TransferFile::open(&moved)
            .map(drop)
            .expect_err("half of it"),
        open(&moved).map(drop).expect_err("half of it"),
    ] {
        let JournalError::LeftJournal {
            journal, belongs, ..
        } = &error
        else {
            panic!("{error:?}");
        };
        assert!(journal.ends_with("t.transfer-journal"), "{error:?}");
        assert!(belongs.ends_with("moved.transfer-journal"), "{error:?}");
    }
    std::fs::rename(journal_of(&path), journal_of(&moved)).expect("room");
    assert!(is_whole(&moved));
}

#[test]
#[cfg(unix)]
fn a_copy_of_a_transfer_that_is_half_written_is_refused_until_the_first_one_is_whole() {
    let (folder, path) = half_written();
    let copy = folder.path().join("copy.transfer");
    std::fs::copy(&path, &copy).expect("room");
    let error = open(&copy).expect_err("half of it");
    assert!(
        matches!(error, JournalError::LeftJournal { .. }),
        "{error:?}"
    );
    assert!(is_whole(&path));
    std::fs::copy(&path, &copy).expect("room");
    assert!(is_whole(&copy));
}

/// Which of the names is the first to be written by couldn't be told from a dead program's journal.
#[test]
#[cfg(unix)]
fn a_transfer_that_knows_none_of_its_names_may_have_one_only() {
    let (folder, path) = planned(1);
    let (renamed, other) = (folder.path().join("renamed"), folder.path().join("other"));
    std::fs::rename(&path, &renamed).expect("room");
    std::fs::hard_link(&renamed, &other).expect("a link");
    let error = open(&renamed).expect_err("two names");
    assert!(matches!(error, JournalError::ManyNames { .. }), "{error:?}");
    std::fs::remove_file(&other).expect("a link");
    open(&renamed).expect("one name");
    std::fs::hard_link(&renamed, &other).expect("a link");
    open(&other).expect("the first is known now");
}
