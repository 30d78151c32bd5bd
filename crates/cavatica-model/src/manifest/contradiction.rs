//! Whether a row and the file that it names are about the same.

use unicode_normalization::UnicodeNormalization;

use super::Row;
use crate::File;
use crate::text::visible;

impl Row {
    /// What the row says of its file that isn't so: most likely it has the id of one file and the name of another.
    ///
    /// Folders don't count: files are moved, and lists of programs write paths in many ways. See
    /// [`other_folders`](Self::other_folders).
    pub fn contradiction(&self, file: &File) -> Option<String> {
        let name = self.name.as_deref().map(str::trim);
        if let (Some(said), Some(told)) = (name, file.name.value())
            && !is_same(said, told.trim())
        {
            return Some(format!(
                "the manifest calls it `{}`, the platform `{}`",
                visible(said),
                visible(told)
            ));
        }
        let (said, told) = (self.project.as_ref()?, file.project.value()?);
        (said != told).then(|| format!("the manifest says project `{said}`, the platform `{told}`"))
    }

    /// The folders that the row tells, if they aren't those of the platform.
    pub fn other_folders(&self, told: &str) -> Option<&str> {
        let said = self.path.as_deref()?;
        (!is_same(said, told)).then_some(said)
    }
}

/// Whether two texts are the same but for their Unicode form, which spreadsheets and Macs change.
fn is_same(one: &str, other: &str) -> bool {
    one == other || one.nfc().eq(other.nfc())
}
