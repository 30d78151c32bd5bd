//! What a row that can be exported should make one think about.

use super::cell::looks_like_file_id;
use super::{Overwrite, Row};
use crate::Location;
use crate::finding::Reason;
use crate::text::visible;
use crate::visible::is_invisible;

/// Something about a good row that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowWarning {
    /// What it is about.
    pub reason: &'static Reason,
    /// It in a sentence.
    pub message: String,
}

impl Row {
    /// What should make one think, but for what the row asks of S3: that depends on the volume, too.
    pub fn warnings(&self) -> Vec<RowWarning> {
        let mut warnings = Vec::new();
        let mut warn = |reason, message| warnings.push(RowWarning { reason, message });
        if let Some(id) = &self.id
            && !looks_like_file_id(id.as_str())
        {
            let id = visible(id.as_str());
            warn(
                &Reason::ODD_FILE_ID,
                format!("`{id}` doesn't look like a file id, 24 hex digits"),
            );
        }
        if let Some(location) = &self.location {
            let shown = visible(location.as_str());
            if location.as_str().trim() != location.as_str() {
                warn(
                    &Reason::OUTER_SPACE,
                    format!("location `{shown}` begins or ends with a space"),
                );
            }
            if let Some(message) = location.hidden_characters() {
                warn(&Reason::INVISIBLE, message);
            }
        }
        if let Some(alias) = &self.alias {
            let bucket = visible(alias.bucket.as_deref().unwrap_or("a bucket")).to_string();
            warn(
                &Reason::ALIAS,
                format!(
                    "the manifest says that the file lies on `{bucket}` already: the platform exports no alias"
                ),
            );
        }
        if self.overwrite == Some(Overwrite::Allow) {
            let message = "the row lets the platform delete what is already at its location";
            warn(&Reason::OVERWRITES, message.to_owned());
        }
        warnings
    }
}

impl Location {
    /// A sentence about characters that nobody sees, if there are any.
    ///
    /// ```
    /// use cavatica_model::Location;
    ///
    /// let location: Location = "run1/a\u{200b}.bam".parse()?;
    /// let told = location.hidden_characters().expect("there is one");
    /// assert_eq!(told, r"location `run1/a\u{200b}.bam` has a character that nobody sees");
    /// # Ok::<(), cavatica_model::destination::LocationError>(())
    /// ```
    pub fn hidden_characters(&self) -> Option<String> {
        let text = self.as_str();
        let hidden = !text.is_ascii() && text.chars().any(is_invisible);
        hidden.then(|| {
            format!(
                "location `{}` has a character that nobody sees",
                visible(text)
            )
        })
    }
}
