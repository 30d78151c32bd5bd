//! What a platform was seen to do with the sources of copies, remembered for an account beyond one transfer.
//!
//! One that ignores `copy_only` moves the file. Each transfer finds that out on its first file; without this, each would.

use std::fs;
use std::io;
use std::path::PathBuf;

use cavatica_transfer::journal::Copying;
use serde::{Deserialize, Serialize};

use crate::credentials::Environment;
use crate::failure::Failure;
use crate::hint;
use crate::ui::Ui;

/// Where it is kept; nowhere, if there is no folder for it.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Option<PathBuf>);

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    endpoint: String,
    account: String,
    sources: Sources,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Sources {
    Kept,
    Moved,
}

impl Memory {
    pub(crate) fn of(environment: &Environment) -> Self {
        let state = environment.state.as_ref();
        Memory(state.map(|state| state.join("cavatica/copying.json")))
    }

    /// What was seen on this endpoint with this account.
    pub(crate) fn copying(&self, endpoint: &str, account: &str) -> Copying {
        let entries = self.entries();
        let found = entries
            .iter()
            .find(|entry| entry.endpoint == endpoint && entry.account == account);
        match found.map(|entry| entry.sources) {
            None => Copying::Untried,
            Some(Sources::Kept) => Copying::KeepsSource,
            Some(Sources::Moved) => Copying::MovesSource,
        }
    }

    /// Remembers what was seen. That it can't be kept is told, and no reason to stop.
    pub(crate) fn note(&self, endpoint: &str, account: &str, copying: Copying, ui: &Ui) {
        let sources = match copying {
            Copying::Untried => return,
            Copying::KeepsSource => Sources::Kept,
            Copying::MovesSource => Sources::Moved,
        };
        let mut entries = self.entries();
        entries.retain(|entry| entry.endpoint != endpoint || entry.account != account);
        entries.push(Entry {
            endpoint: endpoint.to_owned(),
            account: account.to_owned(),
            sources,
        });
        if let Err(error) = self.write(&entries) {
            ui.warn(format_args!(
                "what the platform does with copies can't be remembered: {error}"
            ));
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let text = self.0.as_ref().and_then(|path| fs::read(path).ok());
        text.and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// Under a name of its own first, so that no half of it is ever read.
    fn write(&self, entries: &[Entry]) -> io::Result<()> {
        let Some(path) = &self.0 else {
            return Err(io::Error::other("neither XDG_STATE_HOME nor HOME is set"));
        };
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder)?;
        let unfinished = folder.join(format!("copying.{}.unfinished", std::process::id()));
        fs::write(&unfinished, serde_json::to_vec_pretty(entries)?)?;
        fs::rename(&unfinished, path)
    }
}

/// Why nothing is copied on a platform that was seen to move.
pub(crate) fn refusal(volume: &str) -> Failure {
    Failure::usage(
        "nothing was sent: this platform moved a file of this account that was to be copied",
    )
    .hint(format!(
        "when that was put right, show it on a file that you can spare: `cavatica export FILE {} KEY --copy --canary`",
        hint::shell_word(volume)
    ))
}
