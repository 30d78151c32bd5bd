//! A backup of the transfer, and what becomes of it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::World;
use crate::scenario::Trouble;
use crate::vfs;

impl World {
    /// Copies the transfer at its time.
    pub(super) fn take_backup(&self) -> Option<JoinHandle<Option<PathBuf>>> {
        let after = self
            .scenario
            .troubles
            .iter()
            .find_map(|trouble| match trouble {
                Trouble::Backup(after) => Some(*after),
                _ => None,
            })?;
        self.meet("backup", 1);
        let (transfer, backup) = (self.transfer(), self.folder.join("backup.transfer"));
        Some(tokio::spawn(async move {
            sleep(Duration::from_secs(after)).await;
            // Within a commit, or after a death there, a copy of the one file alone is none.
            let journal = format!("{}-journal", transfer.display());
            for _ in 0..60 {
                if !vfs::disk(|disk| disk.exists(&journal)) {
                    break;
                }
                sleep(Duration::from_secs(1)).await;
            }
            if vfs::disk(|disk| disk.exists(&journal)) {
                return None;
            }
            fs::write(&backup, "").expect("a file");
            vfs::disk(|disk| disk.share(&transfer, &backup, true));
            Some(backup)
        }))
    }

    /// Puts the copy, if there is one, in the transfer's place, when nothing of the run moves any more.
    pub(super) async fn restore(&self, backup: JoinHandle<Option<PathBuf>>) -> bool {
        let Some(backup) = backup.await.expect("it doesn't panic") else {
            return false;
        };
        // A call that it doesn't know of must have come to its end: `one-disk`.
        sleep(Duration::from_secs(300)).await;
        self.log.line(|| "the backup is put back".to_owned());
        let transfer = self.transfer();
        vfs::disk(|disk| {
            disk.forget_journal(&transfer);
            disk.forget(&transfer);
        });
        fs::rename(&backup, &transfer).expect("it can be renamed");
        true
    }
}
