//! How large the folders are that files were named of one by one: the run decides by it how it follows them.

use cavatica_exports::model::ExportMode;
use cavatica_exports::transport::Outcome;
use cavatica_exports::{Cavatica, ListError, Parent};

use super::error::PlanError;
use crate::journal::{Draft, FolderSize};
use crate::run::WORTH_A_COUNT;

/// Asks for the size of each folder that wasn't listed, with one request, where its files are many enough.
pub(super) async fn count_folders(platform: &Cavatica, draft: &mut Draft) -> Result<(), PlanError> {
    if draft.terms().mode == ExportMode::Copy {
        return Ok(());
    }
    for folder in draft.unseen_folders(WORTH_A_COUNT)? {
        let mut list = platform.files.list(&Parent::Folder(folder.clone()));
        match list.next_page().await {
            Ok(_) => {}
            // Somebody who may read a file needn't see what lies beside it.
            Err(ListError::Call(error)) if *error.outcome() == Outcome::Refused => continue,
            Err(error) => return Err(PlanError::List(error)),
        }
        if let Some(entries) = list.total() {
            let size = FolderSize {
                entries,
                page: None,
            };
            draft.note_folder(&folder, size)?;
        }
    }
    Ok(())
}
