//! Some of a plan's files, with everything that is known of them, in the tables of another transfer.

use std::ops::Range;
use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql};

use super::codec::read_back;
use crate::state::ItemId;

/// The rows of a plan that belong to some of its files. The numbers stay: so nothing else changes.
fn rows_of_some(items: &Range<ItemId>, has_skipped: bool) -> String {
    let (first, behind) = (items.start, items.end);
    format!(
        "BEGIN;
         INSERT INTO main.item SELECT * FROM whole.item WHERE id >= {first} AND id < {behind};
         INSERT INTO main.word SELECT * FROM whole.word;
         INSERT INTO main.app SELECT * FROM whole.app;
         INSERT INTO main.warned SELECT * FROM whole.warned WHERE item >= {first} AND item < {behind};
         INSERT INTO main.folder (id, file, first, planned, entries, page)
             SELECT f.id, f.file, min(i.id), count(*), f.entries, f.page
             FROM main.item i JOIN whole.folder f ON f.id = i.folder GROUP BY f.id;
         INSERT INTO main.skipped SELECT * FROM whole.skipped WHERE {has_skipped};
         UPDATE main.transfer SET account = (SELECT account FROM whole.transfer);
         COMMIT;
         DETACH whole;"
    )
}

/// Takes files of a plan into an empty transfer. Answers how many files, bytes and left-out files there are.
pub(super) fn take_from(
    connection: &Connection,
    whole: &Path,
    items: &Range<ItemId>,
    has_skipped: bool,
) -> rusqlite::Result<(u64, u64, u64)> {
    connection.execute("ATTACH ? AS whole", [SqlPath(whole)])?;
    connection.execute_batch(&rows_of_some(items, has_skipped))?;
    connection.query_row(
        "SELECT count(*), coalesce(sum(size), 0), (SELECT count(*) FROM skipped) FROM item",
        [],
        |row| {
            let number = |column| row.get(column).map(read_back);
            Ok((number(0)?, number(1)?, number(2)?))
        },
    )
}

/// A path as SQLite takes it, whatever bytes it has.
struct SqlPath<'a>(&'a Path);

impl ToSql for SqlPath<'_> {
    #[cfg(unix)]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        use std::os::unix::ffi::OsStrExt;
        let bytes = self.0.as_os_str().as_bytes();
        Ok(ToSqlOutput::Borrowed(ValueRef::Text(bytes)))
    }

    #[cfg(not(unix))]
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.to_string_lossy().into_owned().into())
    }
}
