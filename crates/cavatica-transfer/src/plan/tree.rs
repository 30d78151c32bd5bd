//! Reading a folder with everything below it.

use std::collections::VecDeque;

use cavatica_exports::model::Entry;
use cavatica_exports::transport::Outcome;
use cavatica_exports::{ListError, Parent};

use super::companion;
use super::error::PlanError;
use super::filter::Tally;
use super::sieve::{Flow, Sieve};
use crate::platform::Platform;

/// The largest page that programs in the field ask for.
const LARGE_PAGE: u32 = 1_000;

/// How folders are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Paging {
    /// A thousand files per request, by tokens.
    Large,
    /// A hundred, as documented.
    Documented,
}

/// Hands on every file in a folder and below it that is meant; `path` is the folder's own from the project's root.
pub(super) async fn tree(
    platform: &Platform,
    start: Parent,
    path: String,
    tally: &mut Tally<'_>,
    sieve: &mut Sieve<'_>,
) -> Result<(), PlanError> {
    let mut levels = VecDeque::from([(start, path)]);
    let mut paging = Paging::Large;
    while let Some((parent, path)) = levels.pop_front() {
        let mut pager = match paging {
            Paging::Large => platform.files.scroll(&parent, LARGE_PAGE).leniently(),
            Paging::Documented => platform.files.list(&parent).leniently(),
        };
        loop {
            let page = match pager.next_page().await {
                Ok(Some(page)) => page,
                Ok(None) => break,
                Err(ListError::Call(error))
                    if paging == Paging::Large && *error.outcome() == Outcome::Refused =>
                {
                    // Large pages are advance access; the sieve doesn't mind files that it has seen.
                    paging = Paging::Documented;
                    pager = platform.files.list(&parent).leniently();
                    continue;
                }
                Err(error) => return Err(PlanError::List(error)),
            };
            for entry in page.items {
                let file = match entry {
                    Entry::Read(file) => file,
                    Entry::Unreadable { raw, reason } => {
                        sieve.unreadable(&path, &raw, &reason)?;
                        continue;
                    }
                };
                let name = file.name.value().map_or("", String::as_str);
                if file.is_folder() {
                    let path = match path.as_str() {
                        "" => name.to_owned(),
                        above => format!("{above}/{name}"),
                    };
                    levels.push_back((Parent::Folder(file.id), path));
                } else if tally.fits(&file) && sieve.take(&file, Some(&path), None)? == Flow::Enough
                {
                    return Ok(());
                }
            }
            companion::settle(platform, sieve).await?;
        }
    }
    Ok(())
}
