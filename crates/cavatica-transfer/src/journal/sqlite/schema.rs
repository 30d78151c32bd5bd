//! The tables, and how older files are brought up to date.

use std::path::Path;
use std::sync::LazyLock;

use rusqlite::{Connection, TransactionBehavior};

use super::JournalError;
use super::codec::damaged;

/// `CVTR`: tells `file` and us that an SQLite file is a transfer.
const APPLICATION_ID: i64 = 0x4356_5452;

/// Every change of the schema, oldest first. Entries are never changed or removed; `user_version` counts how many a file
/// has had.
const MIGRATIONS: &[&str] = &["
CREATE TABLE transfer (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    terms TEXT NOT NULL,            -- JSON: endpoint, account, mode, volume and so on; never changes
    prefix TEXT NOT NULL,           -- what every location begins with; also within terms
    created INTEGER NOT NULL,       -- times are milliseconds since 1970
    selection TEXT NOT NULL,        -- what was asked for, in words
    label TEXT,
    files INTEGER,                  -- of the plan; NULL until it is finished
    bytes INTEGER,
    skipped INTEGER,
    fingerprint BLOB,               -- SHA-256 over all that would be sent
    copy_proven INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Texts that occur often, once each.
CREATE TABLE word (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;

-- The plan. Never changes.
CREATE TABLE item (
    id INTEGER PRIMARY KEY,
    file ANY NOT NULL,              -- 24 lower-case hex digits as 12 bytes, anything else as text
    location TEXT NOT NULL,         -- without the transfer's prefix
    size INTEGER,
    path TEXT,                      -- on the platform, where it isn't the same as the location
    project INTEGER,                -- word
    task INTEGER,                   -- word
    overwrite INTEGER,              -- 1 or 0 where the manifest says it for this file
    properties INTEGER,             -- word: JSON, where the manifest asks something of S3 for this file
    metadata TEXT                   -- JSON, the chosen fields
) STRICT;

CREATE TABLE skipped (
    id INTEGER PRIMARY KEY,
    file ANY,                       -- as in item; NULL if not known
    path TEXT,
    size INTEGER,
    project INTEGER,                -- word
    kind INTEGER NOT NULL,          -- word
    reason INTEGER NOT NULL         -- word
) STRICT;

-- The newest attempt of every item that was ever intended. An item without one is planned.
CREATE TABLE attempt (
    item INTEGER PRIMARY KEY,
    number INTEGER NOT NULL,        -- 1 for the first
    state INTEGER NOT NULL,         -- 0 planned, 1 intended, 2 accepted, 3 completed, 4 failed, 5 unknown
    intent INTEGER,
    size INTEGER,
    doubt INTEGER,
    export TEXT,
    started INTEGER,
    finished INTEGER,
    code INTEGER,
    status INTEGER,
    message INTEGER,                -- word
    request INTEGER                 -- word: the id of the request that brought the failure
) STRICT;

-- What came of earlier attempts.
CREATE TABLE past_attempt (
    item INTEGER NOT NULL,
    number INTEGER NOT NULL,
    intent INTEGER,
    export TEXT,
    started INTEGER,
    finished INTEGER,
    code INTEGER,
    status INTEGER,
    message INTEGER,
    request INTEGER,
    PRIMARY KEY (item, number)
) STRICT, WITHOUT ROWID;

-- One bulk call each. Written before it is sent.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,
    files INTEGER NOT NULL
) STRICT;

CREATE TABLE run (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL,
    process INTEGER NOT NULL,
    version TEXT NOT NULL,
    started INTEGER NOT NULL,
    seen INTEGER NOT NULL,          -- when it last wrote
    requests INTEGER NOT NULL DEFAULT 0
) STRICT;
", "
-- What tasks ran, where it is known. Both columns are words.
CREATE TABLE app (
    task INTEGER PRIMARY KEY,
    app INTEGER NOT NULL
) STRICT;
", "
-- A finished transfer of a million files answers at once, because nobody has to look for the few that aren't completed.
CREATE INDEX not_completed ON attempt (item) WHERE state <> 3;
", "
-- One look at the destination each.
CREATE TABLE verification (
    id INTEGER PRIMARY KEY,
    against INTEGER NOT NULL,       -- 1 volume, 2 bucket
    started INTEGER NOT NULL,
    finished INTEGER                -- NULL if it never came to its end
) STRICT;

-- What the newest look saw of each file.
CREATE TABLE verified (
    item INTEGER PRIMARY KEY,
    verification INTEGER NOT NULL,
    finding INTEGER NOT NULL,       -- 1 same, 2 missing, 3 extra, 4 differs, 5 unread
    size INTEGER,                   -- what was seen; NULL where it is the planned one
    etag ANY,                       -- when first found right: 32 lower-case hex digits as 16 bytes, else as text
    etag_seen ANY                   -- what was seen; NULL where it is etag
) STRICT;
", "
-- How many requests a run had made by when: for the report. A few for each run, then one every five minutes.
CREATE TABLE pulse (
    run INTEGER NOT NULL,
    at INTEGER NOT NULL,
    requests INTEGER NOT NULL,
    allowed INTEGER NOT NULL        -- requests in five minutes, as the platform told
) STRICT;
", "
-- Every file went in and out of that index; those that end badly are few.
DROP INDEX not_completed;
CREATE INDEX ended_badly ON attempt (item) WHERE state IN (4, 5);
", "
-- 1 where the listing told no size, so that only the key was found right.
ALTER TABLE verified ADD COLUMN size_untold INTEGER;
", "
-- What confirmed a completed file: 1 the file, 2 its job alone. NULL in files of older versions.
ALTER TABLE attempt ADD COLUMN proof INTEGER;
-- 1 where an earlier sending was lost and then looked for in vain: the platform may not overwrite any more.
ALTER TABLE attempt ADD COLUMN lost INTEGER;
-- 1 where the file was not sent in its turn, because somebody else was at work on it.
ALTER TABLE attempt ADD COLUMN aside INTEGER;
-- word: why somebody said what became of the file; NULL where the platform did.
ALTER TABLE attempt ADD COLUMN said INTEGER;
CREATE INDEX said_by_word ON attempt (item) WHERE said IS NOT NULL;
-- Random, and the same in every copy of the file. NULL in files that were planned before.
ALTER TABLE transfer ADD COLUMN id BLOB;
", "
-- Of files that the plan took in with a warning that foretells a refusal: the name of its reason, a word.
CREATE TABLE warned (
    item INTEGER PRIMARY KEY,
    reason INTEGER NOT NULL
) STRICT;
", "
-- Folders that files of the plan lie in.
CREATE TABLE folder (
    id INTEGER PRIMARY KEY,
    file ANY NOT NULL UNIQUE,       -- as in item
    first INTEGER NOT NULL,         -- the first item that lies in it
    planned INTEGER NOT NULL,       -- how many items do
    entries INTEGER,                -- how many entries it had; NULL if it was not listed
    page INTEGER                    -- how many of them came with a request
) STRICT;
-- folder. NULL in files that were planned before.
ALTER TABLE item ADD COLUMN folder INTEGER;
", "
-- The parts of a plan that was split, in the plan itself and in each of them.
CREATE TABLE part (
    number INTEGER PRIMARY KEY,     -- from 1 on
    fingerprint BLOB NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL
) STRICT;
-- Which of them this transfer is. NULL if it is none.
ALTER TABLE transfer ADD COLUMN part INTEGER;
-- The folder that its parts were put into, in words: then it doesn't run any more. NULL if it wasn't split.
ALTER TABLE transfer ADD COLUMN split_into TEXT;
-- The account that took it over before anything was sent. NULL where that is the account it was planned with.
ALTER TABLE transfer ADD COLUMN account TEXT;
", "
-- What runs and looks at the destination saw of the platform that no page tells: one small document, without names.
CREATE TABLE observed (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    document TEXT NOT NULL
) STRICT;
", "
-- The paths by which the file was ever written, without links: beside one of them a rollback journal may be left.
CREATE TABLE name (
    id INTEGER PRIMARY KEY,
    path BLOB NOT NULL
) STRICT;
"];

/// Whether a file that begins with these bytes is a transfer, of whatever version.
/// <https://www.sqlite.org/fileformat2.html#the_database_header> says where the id stands.
pub fn is_transfer_head(head: &[u8]) -> bool {
    let id = u32::try_from(APPLICATION_ID)
        .expect("four letters")
        .to_be_bytes();
    head.starts_with(b"SQLite format 3\0") && head.get(68..72) == Some(&id)
}

/// The newest version that this program knows.
fn newest() -> i64 {
    i64::try_from(MIGRATIONS.len()).expect("there are few migrations")
}

/// Makes the tables in a new, empty file. Nobody takes it for a transfer before it is sealed.
pub(super) fn create(connection: &mut Connection) -> rusqlite::Result<()> {
    migrate(connection)
}

/// Makes a finished plan a transfer.
pub(super) fn seal(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "application_id", APPLICATION_ID)
}

/// A table or an index, as SQLite keeps it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct SchemaObject {
    kind: String,
    name: String,
    table: String,
    sql: Option<String>,
}

/// The tables of each version, from none at all on.
static SHAPES: LazyLock<Vec<Vec<SchemaObject>>> = LazyLock::new(|| {
    let shapes = || {
        let connection = Connection::open_in_memory()?;
        let mut shapes = vec![Vec::new()];
        for migration in MIGRATIONS {
            connection.execute_batch(migration)?;
            shapes.push(shape(&connection)?);
        }
        Ok::<_, rusqlite::Error>(shapes)
    };
    shapes().expect("the migrations fit each other, as every test that opens a transfer shows")
});

fn shape(connection: &Connection) -> rusqlite::Result<Vec<SchemaObject>> {
    let mut statement =
        connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
    let rows = statement.query_map([], |row| {
        Ok(SchemaObject {
            kind: row.get(0)?,
            name: row.get(1)?,
            table: row.get(2)?,
            sql: row.get(3)?,
        })
    })?;
    let mut shape: Vec<SchemaObject> = rows.collect::<rusqlite::Result<_>>()?;
    shape.sort_unstable();
    Ok(shape)
}

/// Checks that a file has exactly the tables of its version, each in pages of its own: a trigger would change what is sent
/// after somebody looked at it, as would a table that isn't the one it seems to be.
fn check_shape(path: &Path, connection: &Connection, version: i64) -> Result<(), JournalError> {
    let sqlite = |source| super::header::sqlite(path, source);
    let mode: String = connection
        .pragma_query_value(None, "journal_mode", |row| row.get(0))
        .map_err(sqlite)?;
    if mode == "wal" {
        return Err(damaged(path, "somebody switched its log to WAL"));
    }
    let found = shape(connection).map_err(sqlite)?;
    let expected = usize::try_from(version)
        .ok()
        .and_then(|version| SHAPES.get(version))
        .ok_or_else(|| damaged(path, "its version is none"))?;
    let strange = found.iter().find(|object| !expected.contains(object));
    let missing = expected.iter().find(|object| !found.contains(object));
    if let Some(object) = strange.or(missing) {
        let what = format!(
            "its {} `{}` isn't as this program makes it",
            object.kind.escape_debug(),
            object.name.escape_debug()
        );
        return Err(damaged(path, what));
    }
    let shared: bool = connection
        .query_row(
            "SELECT count(*) <> count(DISTINCT rootpage) FROM sqlite_schema",
            [],
            |row| row.get(0),
        )
        .map_err(sqlite)?;
    if shared {
        return Err(damaged(path, "two of its tables share their pages"));
    }
    Ok(())
}

/// Checks that a file is a transfer, and brings one of an older version up to date. Changes only add, so a run of an older
/// version that goes on meanwhile isn't disturbed.
pub(super) fn bring_up_to_date(
    path: &Path,
    connection: &mut Connection,
) -> Result<(), JournalError> {
    let version = version(path, connection)?;
    check_shape(path, connection, version)?;
    if version == newest() {
        return Ok(());
    }
    migrate(connection).map_err(|source| JournalError::sqlite(path, "brought up to date", source))
}

/// The version of a transfer that this program knows.
pub(super) fn version(path: &Path, connection: &Connection) -> Result<i64, JournalError> {
    let not_a_transfer = || JournalError::NotATransfer {
        path: path.to_owned(),
    };
    let read = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let sqlite = |source: rusqlite::Error| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => not_a_transfer(),
        _ => JournalError::sqlite(path, "read", source),
    };
    if read("application_id").map_err(sqlite)? != APPLICATION_ID {
        return Err(not_a_transfer());
    }
    let found = read("user_version").map_err(sqlite)?;
    if found > newest() {
        return Err(JournalError::TooNew {
            path: path.to_owned(),
            found,
            known: newest(),
        });
    }
    Ok(found)
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    // Only now: somebody else may have done it a moment ago.
    let had: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let had = usize::try_from(had).unwrap_or(0).min(MIGRATIONS.len());
    for migration in &MIGRATIONS[had..] {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", newest())?;
    transaction.commit()
}
