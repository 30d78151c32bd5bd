//! Reading the files that a manifest lists, by id or by project, folders and name.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use cavatica_exports::Cavatica;
use cavatica_exports::model::manifest::{Row, RowError};
use cavatica_exports::model::{File, FileId};

use super::error::PlanError;
use super::files::{self, Folders, Shown};
use super::options::Rows;
use super::paths::{self, FolderPath, Paths};
use super::settle::settle;
use super::sieve::{Flow, Sieve};

/// The most bad rows that are told about at once.
const BAD_ROWS: usize = 1_000;

/// How many rows are looked up together: enough to fill the requests, few enough to fit into little memory.
const TOGETHER: u64 = 1_000;

/// Hands on the files of a manifest in its order.
pub(super) async fn read(
    platform: &Cavatica,
    rows: Rows,
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    sieve.is_listed = true;
    let mut errors: Vec<RowError> = Vec::new();
    let mut finder = Finder::default();
    let mut waiting: Vec<Row> = Vec::new();
    for row in rows {
        match row {
            Err(error) => {
                errors.push(error);
                if errors.len() == BAD_ROWS {
                    break;
                }
            }
            // Once a row is bad there will be no plan, only the list of what is wrong.
            Ok(_) if !errors.is_empty() => {}
            Ok(row) => {
                waiting.push(row);
                if waiting.len() as u64 >= sieve.room().min(TOGETHER)
                    && finder
                        .hand_on(platform, &std::mem::take(&mut waiting), sieve)
                        .await?
                        == Flow::Enough
                {
                    return Ok(());
                }
            }
        }
    }
    if !errors.is_empty() {
        return Err(PlanError::Manifest { errors });
    }
    finder.hand_on(platform, &waiting, sieve).await?;
    Ok(())
}

/// What was learned from earlier rows.
#[derive(Default)]
struct Finder {
    above: Folders,
    paths: Paths,
}

/// The entries of the folders that rows name; or why there are none.
type Entries = HashMap<FolderPath, Result<Vec<File>, &'static str>>;

impl Finder {
    /// Looks rows up and hands their files on.
    async fn hand_on(
        &mut self,
        platform: &Cavatica,
        rows: &[Row],
        sieve: &mut Sieve<'_>,
    ) -> Result<Flow, PlanError> {
        let ids: Vec<FileId> = rows.iter().filter_map(|row| row.id.clone()).collect();
        let shown = files::read(platform, ids).await.map_err(PlanError::Call)?;
        self.above.learn(platform, shown.files()).await?;
        let entries = self.entries(platform, rows).await?;
        for row in rows {
            let flow = match &row.id {
                Some(id) => self.by_id(id, row, &shown, sieve)?,
                None => by_name(row, &entries, sieve)?,
            };
            if flow == Flow::Enough {
                return Ok(Flow::Enough);
            }
        }
        settle(platform, sieve).await?;
        Ok(sieve.flow())
    }

    fn by_id(
        &self,
        id: &FileId,
        row: &Row,
        shown: &Shown,
        sieve: &mut Sieve<'_>,
    ) -> Result<Flow, PlanError> {
        match shown.get(id) {
            Ok(file) => {
                let path = self.above.path(file).or_else(|| row.path.clone());
                Ok(sieve.take(file, path.as_deref(), Some(row))?)
            }
            Err(reason) => {
                sieve.miss(Some(id), None, Some(row.line), reason)?;
                Ok(sieve.flow())
            }
        }
    }

    /// Looks up the rows without an id; those of one folder are asked for together.
    async fn entries(&mut self, platform: &Cavatica, rows: &[Row]) -> Result<Entries, PlanError> {
        let mut names: BTreeMap<FolderPath, BTreeSet<&str>> = BTreeMap::new();
        for row in rows.iter().filter(|row| row.id.is_none()) {
            if let (Some(place), Some(name)) = (place(row), row.name.as_deref()) {
                names.entry(place).or_default().insert(name);
            }
        }
        let places: BTreeSet<FolderPath> = names.keys().cloned().collect();
        self.paths.learn(platform, &places).await?;
        let mut entries = Entries::new();
        for (place, names) in names {
            let names: Vec<&str> = names.into_iter().collect();
            let found = match self.paths.get(&place) {
                Ok(parent) => paths::find(platform, &parent, &names).await?,
                Err(reason) => Err(reason),
            };
            entries.insert(place, found);
        }
        Ok(entries)
    }
}

fn by_name(row: &Row, entries: &Entries, sieve: &mut Sieve<'_>) -> Result<Flow, PlanError> {
    let folders = row.path.as_deref().unwrap_or_default();
    let found = match place(row).and_then(|place| entries.get(&place)) {
        None => Err("the manifest gives neither file id nor project and name"),
        Some(Err(reason)) => Err(*reason),
        Some(Ok(entries)) => {
            let mut named = entries
                .iter()
                .filter(|file| file.name.value() == row.name.as_ref());
            match (named.next(), named.next()) {
                (Some(file), None) => Ok(file),
                (Some(_), Some(_)) => Err("several files have this name; name one by its id"),
                (None, _) => Err("the folder has no file of this name, or you have no right to it"),
            }
        }
    };
    match found {
        Ok(file) => Ok(sieve.take(file, Some(folders), Some(row))?),
        Err(reason) => {
            let name = row.name.as_deref().unwrap_or_default();
            let path = match folders {
                "" => name.to_owned(),
                folders => format!("{folders}/{name}"),
            };
            sieve.miss(None, Some(&path), Some(row.line), reason)?;
            Ok(sieve.flow())
        }
    }
}

/// The folder that a row without an id names.
fn place(row: &Row) -> Option<FolderPath> {
    let folders = row.path.clone().unwrap_or_default();
    Some((row.project.clone()?, folders))
}
