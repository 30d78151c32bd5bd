//! One owner by nature: whatever a transfer is called, and whatever becomes of its file.

use std::path::{Path, PathBuf};

use cavatica_transfer::journal::{
    Journal, JournalError, Opening, Pick, SqliteJournal, TransferFile,
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
