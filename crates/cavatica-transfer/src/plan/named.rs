//! Looking up files that a manifest names by project and name instead of by id.

use std::collections::{BTreeMap, HashMap};

use cavatica_exports::Parent;
use cavatica_exports::model::manifest::Row;
use cavatica_exports::model::{File, ProjectId};

use super::error::PlanError;
use super::select::find_folder;
use super::sieve::{Flow, Sieve};
use crate::platform::Platform;

/// How many rows wait until they are looked up together.
const WAITING: usize = 1_000;

/// The most names of one request: a page shows a hundred entries.
const NAMES: usize = 100;

/// The most bytes that the names of one request may take in its URL, of which 6,000 are sent at the most. One name takes up
/// to 3,060: 255 characters of four bytes, three letters for each.
const URL_BYTES: usize = 4_000;

/// A folder, by project and path.
type Place = (ProjectId, String);

/// Rows without a file id. Those of one folder are asked for together, up to a hundred with one request.
#[derive(Default)]
pub(super) struct ByName {
    waiting: Vec<Row>,
    /// Folders that were looked for; `None` for those that aren't there.
    folders: HashMap<Place, Option<Parent>>,
}

impl ByName {
    /// Takes a row in, and looks rows up once there are many.
    pub(super) async fn push(
        &mut self,
        row: Row,
        platform: &Platform,
        sieve: &mut Sieve<'_>,
    ) -> Result<Flow, PlanError> {
        self.waiting.push(row);
        if self.waiting.len() < WAITING {
            return Ok(Flow::More);
        }
        self.look_up(platform, sieve).await
    }

    /// Looks up the rows that wait.
    pub(super) async fn look_up(
        &mut self,
        platform: &Platform,
        sieve: &mut Sieve<'_>,
    ) -> Result<Flow, PlanError> {
        let mut places: BTreeMap<Place, Vec<Row>> = BTreeMap::new();
        for row in std::mem::take(&mut self.waiting) {
            match &row.project {
                Some(project) => {
                    let folders = row.path.clone().unwrap_or_default();
                    places
                        .entry((project.clone(), folders))
                        .or_default()
                        .push(row);
                }
                None => sieve.nameless(
                    &path(&row),
                    "the manifest gives neither file id nor project",
                )?,
            }
        }
        for (place, rows) in places {
            let Some(parent) = self.folder(platform, &place).await? else {
                for row in &rows {
                    sieve.nameless(&path(row), "the project has no such folder")?;
                }
                continue;
            };
            let mut rest = &rows[..];
            while !rest.is_empty() {
                let (now, later) = rest.split_at(fitting(rest));
                if entries(platform, &parent, &place.1, now, sieve).await? == Flow::Enough {
                    return Ok(Flow::Enough);
                }
                rest = later;
            }
        }
        Ok(Flow::More)
    }

    async fn folder(
        &mut self,
        platform: &Platform,
        place: &Place,
    ) -> Result<Option<Parent>, PlanError> {
        if let Some(known) = self.folders.get(place) {
            return Ok(known.clone());
        }
        let found = match find_folder(platform, &place.0, Some(&place.1)).await {
            Ok((parent, _)) => Some(parent),
            Err(PlanError::NoFolder { .. }) => None,
            Err(error) => return Err(error),
        };
        self.folders.insert(place.clone(), found.clone());
        Ok(found)
    }
}

/// How many of these rows, at least one, fit into one request.
fn fitting(rows: &[Row]) -> usize {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let cost = |row: &Row| {
        let name = row.name.as_deref().unwrap_or_default().as_bytes();
        "&name=".len()
            + name
                .iter()
                .map(|byte| if plain(byte) { 1 } else { 3 })
                .sum::<usize>()
    };
    let costs = rows.iter().scan(0, |sum, row| {
        *sum += cost(row);
        Some(*sum)
    });
    costs
        .take(NAMES)
        .take_while(|sum| *sum <= URL_BYTES)
        .count()
        .max(1)
}

/// Looks up a few rows of one folder with one request, and hands them on in their order.
async fn entries(
    platform: &Platform,
    parent: &Parent,
    folders: &str,
    rows: &[Row],
    sieve: &mut Sieve<'_>,
) -> Result<Flow, PlanError> {
    let names: Vec<&str> = rows.iter().filter_map(|row| row.name.as_deref()).collect();
    let found = platform
        .files
        .find(parent, &names)
        .await
        .map_err(PlanError::Call)?;
    for row in rows {
        let is_named = |file: &&File| file.name.value() == row.name.as_ref();
        let mut matches = found.iter().filter(is_named);
        let flow = match (matches.next(), matches.next()) {
            (Some(file), None) => sieve.take(file, Some(folders), Some(row))?,
            (Some(_), Some(_)) => {
                sieve.nameless(
                    &path(row),
                    "several files have this name; name one by its id",
                )?;
                Flow::More
            }
            (None, _) => {
                sieve.nameless(
                    &path(row),
                    "the folder has no file of this name, or you have no right to it",
                )?;
                Flow::More
            }
        };
        if flow == Flow::Enough {
            return Ok(Flow::Enough);
        }
    }
    Ok(Flow::More)
}

/// Folders and name of a row, for people.
fn path(row: &Row) -> String {
    let name = row.name.as_deref().unwrap_or_default();
    match row.path.as_deref() {
        None | Some("") => name.to_owned(),
        Some(folders) => format!("{folders}/{name}"),
    }
}

#[cfg(test)]
mod tests {
    use cavatica_exports::model::manifest::Manifest;

    use super::*;

    fn rows(names: &[String]) -> Vec<Row> {
        let text = names
            .iter()
            .fold("project,name\n".to_owned(), |text, name| {
                text + "lab/trio," + name + "\n"
            });
        let manifest = Manifest::open("m.csv", std::io::Cursor::new(text)).expect("a header");
        manifest.map(|row| row.expect("a good row")).collect()
    }

    #[test]
    fn no_request_is_longer_than_a_url_may_be_or_asks_for_more_than_a_page_shows() {
        let short: Vec<String> = (0..150).map(|number| format!("{number}.bam")).collect();
        assert_eq!(fitting(&rows(&short)), 100);
        let long: Vec<String> = (100..110)
            .map(|number| format!("{number}{}", "ä".repeat(120)))
            .collect();
        assert_eq!(fitting(&rows(&long)), 5);
        assert_eq!(fitting(&rows(&["𝄞".repeat(255)])), 1);
    }
}
