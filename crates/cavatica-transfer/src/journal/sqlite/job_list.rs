//! The account's list of jobs as far as an audit read it, in a file of its own beside the transfer, so that an audit that
//! was interrupted goes on. It is removed when the audit has ended.
//!
//! Of jobs of other files a hash is kept; of jobs of planned files what is compared. A job that came again is added again,
//! and what came last counts.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cavatica_exports::model::{ExportId, FileId, Location};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::by_file::ByFile;
use super::codec::{damaged, file_text, milliseconds, moment};
use super::{JournalError, TransferFile, fence, header};
use crate::audit::{AuditReading, AuditedJob, JobPlace, Stage};
use crate::journal::error::OPENED;
use crate::state::ItemId;

/// `CVTA`: tells us that the file is ours, and may be removed.
const APPLICATION_ID: i64 = 0x4356_5441;

/// What is kept is written down so often, because it is the syncs that cost.
const SAVE_EVERY: Duration = Duration::from_secs(1);

/// A list that was begun longer ago is read anew: jobs may have been forgotten since.
const LONGEST: SignedDuration = SignedDuration::from_hours(24);

const TABLES: &str = "
CREATE TABLE reading (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    whose TEXT NOT NULL,            -- the transfer and the newest run that its journal knows
    began INTEGER NOT NULL,         -- milliseconds since 1970
    progress TEXT NOT NULL          -- JSON
) STRICT;

CREATE TABLE job (
    id INTEGER PRIMARY KEY,         -- in the order in which they came
    hash INTEGER NOT NULL,          -- of the job's id
    count INTEGER NOT NULL,         -- which count of the list it belongs to
    item INTEGER,                   -- of the plan; NULL for jobs of other files, which have a hash alone
    export TEXT,
    stage INTEGER,                  -- 0 live, 1 completed, 2 failed
    place TEXT,                     -- NULL for the planned one
    moved INTEGER,                  -- 1 if the file lies at that other place now
    started INTEGER,
    finished INTEGER
) STRICT;
";

/// How far a list was read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    /// How often it was read to its end.
    pub(crate) passes: u32,
    /// How many jobs came since its beginning.
    pub(crate) offset: u64,
    /// How often it shrank. What was counted before then doesn't count any more.
    pub(crate) count: u32,
    /// How many jobs it has, as it said last.
    pub(crate) total: Option<u64>,
    /// Requests made for it.
    pub(crate) requests: u64,
}

/// A job as it was listed.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) export: ExportId,
    /// The planned files that it is of, with where it brings them.
    pub(crate) items: Vec<(ItemId, JobPlace)>,
    pub(crate) stage: Stage,
    pub(crate) started: Option<Timestamp>,
    pub(crate) finished: Option<Timestamp>,
}

/// The list, as far as it was read.
#[derive(Debug)]
pub(crate) struct JobList {
    path: PathBuf,
    connection: Connection,
    pub(crate) progress: Progress,
    /// Every job of this count, by its hash: eight bytes each.
    seen: HashSet<u64>,
    saved: Instant,
}

impl JobList {
    /// Opens the list beside this transfer. What an earlier audit read is taken up, unless the transfer was run since, it is
    /// a day old, or it is to be read anew. `None` if another audit holds it.
    pub(crate) fn open(
        transfer: &TransferFile,
        reading: AuditReading,
        now: Timestamp,
    ) -> Result<Option<Self>, JournalError> {
        let path = beside(transfer.path())?;
        let open = || {
            // Without links in its way: what lies there may be removed.
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
                | OpenFlags::SQLITE_OPEN_CREATE
                | OpenFlags::SQLITE_OPEN_NO_MUTEX
                | OpenFlags::SQLITE_OPEN_NOFOLLOW;
            let connection = Connection::open_with_flags(&path, flags)?;
            connection.busy_timeout(Duration::ZERO)?;
            connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
            connection.execute_batch("BEGIN EXCLUSIVE")?;
            let tables: i64 =
                connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            let id: i64 =
                connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
            Ok((connection, tables == 0 && id == 0, id == APPLICATION_ID))
        };
        let strange = || damaged(&path, "an audit would keep its list there; move it away");
        let (connection, new, ours) = match open() {
            Ok(opened) => opened,
            Err(error) => match rusqlite::Error::sqlite_error_code(&error) {
                Some(rusqlite::ErrorCode::DatabaseBusy) => return Ok(None),
                Some(rusqlite::ErrorCode::NotADatabase) => return Err(strange()),
                _ => return Err(sqlite(&path, OPENED, error)),
            },
        };
        if !new && !ours {
            return Err(strange());
        }
        let whose = transfer.whose()?;
        let mut list = JobList {
            path,
            connection,
            progress: Progress::default(),
            seen: HashSet::new(),
            saved: Instant::now(),
        };
        let kept = if new || reading == AuditReading::Anew {
            None
        } else {
            list.kept(&whose, now)
                .map_err(|source| sqlite(&list.path, "read", source))?
        };
        match kept {
            Some(progress) => list.take_up(progress),
            None => list.begin(&whose, now),
        }
        .map_err(|source| sqlite(&list.path, "written", source))?;
        Ok(Some(list))
    }

    /// How far an earlier audit of the same journal came.
    fn kept(&self, whose: &str, now: Timestamp) -> rusqlite::Result<Option<Progress>> {
        let row: Option<(String, i64, String)> = self
            .connection
            .query_row("SELECT whose, began, progress FROM reading", [], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let current = row.filter(|(found, began, _)| {
            let age = moment(Some(*began)).map(|began| now.duration_since(began));
            found == whose && age.is_some_and(|age| age < LONGEST)
        });
        // One that an older program wrote otherwise is read anew.
        Ok(current.and_then(|(_, _, progress)| serde_json::from_str(&progress).ok()))
    }

    fn take_up(&mut self, progress: Progress) -> rusqlite::Result<()> {
        let mut statement = self
            .connection
            .prepare("SELECT hash FROM job WHERE count = ?")?;
        let mut rows = statement.query([progress.count])?;
        while let Some(row) = rows.next()? {
            self.seen.insert(row.get::<_, i64>(0)?.cast_unsigned());
        }
        self.progress = progress;
        Ok(())
    }

    fn begin(&self, whose: &str, now: Timestamp) -> rusqlite::Result<()> {
        self.connection
            .pragma_update(None, "application_id", APPLICATION_ID)?;
        self.connection
            .execute_batch("DROP TABLE IF EXISTS reading; DROP TABLE IF EXISTS job;")?;
        self.connection.execute_batch(TABLES)?;
        self.connection.execute(
            "INSERT INTO reading (one, whose, began, progress) VALUES (1, ?, ?, ?)",
            params![whose, milliseconds(now), encoded(&Progress::default())],
        )?;
        self.connection.execute_batch("COMMIT; BEGIN EXCLUSIVE")
    }

    /// How many different jobs came.
    pub(crate) fn distinct(&self) -> u64 {
        self.seen.len() as u64
    }

    /// Whether as many different jobs came as the list says that it has.
    pub(crate) fn is_whole(&self) -> bool {
        let total = self.progress.total;
        total.is_some_and(|total| self.distinct() >= total)
    }

    /// Whether the list shows this job, of whatever file.
    pub(crate) fn shows(&self, export: &ExportId) -> bool {
        self.seen.contains(&hashed(export))
    }

    /// Counts anew: the list has lost something.
    pub(crate) fn count_anew(&mut self) {
        self.seen.clear();
        self.progress.count += 1;
    }

    /// Adds jobs that came.
    pub(crate) fn add(&mut self, jobs: &[Listed]) -> Result<(), JournalError> {
        let add = |list: &mut Self| {
            let mut insert = list.connection.prepare_cached(
                "INSERT INTO job (hash, count, item, export, stage, place, moved, started, finished)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?;
            for job in jobs {
                let hash = hashed(&job.export);
                let new = list.seen.insert(hash);
                let (hash, count) = (hash.cast_signed(), list.progress.count);
                if job.items.is_empty() && new {
                    let nothing = None::<i64>;
                    insert.execute(params![
                        hash, count, nothing, nothing, nothing, nothing, nothing, nothing, nothing
                    ])?;
                }
                for (item, place) in &job.items {
                    let (place, moved) = match place {
                        JobPlace::Planned => (None, None),
                        JobPlace::Elsewhere { place, moved } => (Some(place), Some(moved)),
                    };
                    insert.execute(params![
                        hash,
                        count,
                        item.0,
                        job.export.as_str(),
                        number_of(job.stage),
                        place,
                        moved,
                        job.started.map(milliseconds),
                        job.finished.map(milliseconds),
                    ])?;
                }
            }
            Ok(())
        };
        add(self).map_err(|source| sqlite(&self.path, "written", source))?;
        if self.saved.elapsed() >= SAVE_EVERY {
            self.save()?;
        }
        Ok(())
    }

    /// Brings to disk what came so far.
    pub(crate) fn save(&mut self) -> Result<(), JournalError> {
        let save = || {
            self.connection
                .prepare_cached("UPDATE reading SET progress = ?")?
                .execute([encoded(&self.progress)])?;
            self.connection.execute_batch("COMMIT; BEGIN EXCLUSIVE")
        };
        save().map_err(|source| sqlite(&self.path, "written", source))?;
        self.saved = Instant::now();
        Ok(())
    }

    /// Makes jobs quick to be found by the files of the plan.
    pub(crate) fn sort(&self) -> Result<(), JournalError> {
        self.connection
            .execute_batch(
                "CREATE INDEX IF NOT EXISTS by_item ON job (item) WHERE item IS NOT NULL",
            )
            .map_err(|source| sqlite(&self.path, "written", source))
    }

    /// The jobs of these files, in the order of the plan, each as it was seen last.
    pub(crate) fn jobs(
        &self,
        first: ItemId,
        last: ItemId,
    ) -> Result<Vec<(ItemId, AuditedJob)>, JournalError> {
        let read = || {
            let mut statement = self.connection.prepare_cached(
                "SELECT item, export, stage, place, moved, started, finished FROM job
                 WHERE item BETWEEN ? AND ? AND count = ? ORDER BY item, export, id",
            )?;
            let mut rows = statement.query(params![first.0, last.0, self.progress.count])?;
            let mut jobs: Vec<(ItemId, AuditedJob)> = Vec::new();
            while let Some(row) = rows.next()? {
                let item = ItemId(row.get("item")?);
                let place: Option<String> = row.get("place")?;
                let moved: Option<bool> = row.get("moved")?;
                let job = AuditedJob {
                    export: row.get("export")?,
                    stage: stage_of(row.get("stage")?),
                    place: place.map_or(JobPlace::Planned, |place| JobPlace::Elsewhere {
                        place,
                        moved: moved == Some(true),
                    }),
                    started: moment(row.get("started")?),
                    finished: moment(row.get("finished")?),
                };
                match jobs.last_mut() {
                    Some((other, known)) if *other == item && known.export == job.export => {
                        *known = job;
                    }
                    _ => jobs.push((item, job)),
                }
            }
            Ok(jobs)
        };
        read().map_err(|source| sqlite(&self.path, "read", source))
    }

    /// Removes the file: the audit has ended.
    pub(crate) fn remove(self) -> Result<(), JournalError> {
        let JobList {
            path, connection, ..
        } = self;
        drop(connection);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(JournalError::Io {
                path,
                doing: "removed",
                source: error,
            }),
            _ => Ok(()),
        }
    }
}

fn beside(transfer: &Path) -> Result<PathBuf, JournalError> {
    let real = transfer.canonicalize().map_err(|source| JournalError::Io {
        path: transfer.to_owned(),
        doing: OPENED,
        source,
    })?;
    let mut name: OsString = real.into_os_string();
    name.push(".audit");
    Ok(name.into())
}

fn sqlite(path: &Path, doing: &'static str, source: rusqlite::Error) -> JournalError {
    JournalError::sqlite(path, doing, source)
}

fn encoded(progress: &Progress) -> String {
    serde_json::to_string(progress).expect("numbers can be written")
}

/// The same in every version of the program, for it is kept.
fn hashed(export: &ExportId) -> u64 {
    let hash = Sha256::digest(export.as_str());
    let (first, _) = hash.split_first_chunk().expect("a hash of 32 bytes");
    u64::from_be_bytes(*first)
}

fn number_of(stage: Stage) -> i64 {
    match stage {
        Stage::Live => 0,
        Stage::Completed => 1,
        Stage::Failed => 2,
    }
}

fn stage_of(number: i64) -> Stage {
    match number {
        1 => Stage::Completed,
        2 => Stage::Failed,
        _ => Stage::Live,
    }
}

/// The plan, by its files.
#[derive(Debug)]
pub(crate) struct PlannedPlaces<'t> {
    transfer: &'t TransferFile,
    by_file: ByFile,
}

impl PlannedPlaces<'_> {
    /// The numbers of this file in the plan, with where it is to go.
    pub(crate) fn of(&self, file: &FileId) -> Result<Vec<(ItemId, Location)>, JournalError> {
        let transfer = self.transfer;
        let sqlite = |source| transfer.sqlite(source);
        let mut statement = transfer
            .connection
            .prepare_cached("SELECT file, location FROM item WHERE id = ?")
            .map_err(sqlite)?;
        let mut places = Vec::new();
        for item in self.by_file.candidates(file) {
            let mut rows = statement.query([item]).map_err(sqlite)?;
            let Some(row) = rows.next().map_err(sqlite)? else {
                continue;
            };
            let found = row.get_ref(0).map_err(sqlite)?;
            if file_text(found, transfer.path())? == file.as_str() {
                let relative: String = row.get(1).map_err(sqlite)?;
                let location = format!("{}{relative}", transfer.terms().prefix);
                let location = location.parse();
                let location = location.map_err(|error| damaged(transfer.path(), error))?;
                places.push((ItemId(item), location));
            }
        }
        Ok(places)
    }
}

impl TransferFile {
    /// The plan, by its files.
    pub(crate) fn planned_places(&self) -> Result<PlannedPlaces<'_>, JournalError> {
        Ok(PlannedPlaces {
            transfer: self,
            by_file: ByFile::read(&self.connection).map_err(|source| self.sqlite(source))?,
        })
    }

    /// The transfer and the newest run that its journal knows: while this is the same, nothing was sent.
    pub(crate) fn whose(&self) -> Result<String, JournalError> {
        let id = header::header(self.path(), &self.connection)?.id;
        let newest = fence::newest_run(&self.connection).map_err(|source| self.sqlite(source))?;
        Ok(format!("{id} {}", newest.map_or(0, |(run, _)| run)))
    }
}
