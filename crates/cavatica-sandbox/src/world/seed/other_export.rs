//! An export that no client asks for.

use std::time::Duration;

use serde::Deserialize;

/// An export that no client of the sandbox asks for: another program of the same account, or another person, does.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// use cavatica_sandbox::{OtherExport, ProjectSeed, Sandbox, VolumeSeed};
///
/// let day = Duration::from_secs(24 * 3600);
/// let sandbox = Sandbox::builder()
///     .project(ProjectSeed::new("lab/trio").file("a.vcf", "text"))
///     .volume(VolumeSeed::s3("lab/output"))
///     // Yesterday's copy, before a client comes.
///     .export(OtherExport::new("lab/trio:a.vcf", "lab/output", "a.vcf").copy().ago(day))
///     .start()
///     .await?;
/// // A colleague moves the file while a client is at work.
/// let other = OtherExport::new("lab/trio:a.vcf", "lab/output", "colleagues/a.vcf");
/// sandbox.export_elsewhere(&other.account("colleague"))?;
/// assert_eq!(sandbox.ledger().starts_elsewhere, 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherExport {
    pub(crate) file: String,
    pub(crate) volume: String,
    pub(crate) location: String,
    #[serde(default)]
    pub(crate) copy: bool,
    #[serde(default)]
    pub(crate) overwrite: bool,
    #[serde(default)]
    pub(crate) account: Option<String>,
    #[serde(default, rename = "job_milliseconds")]
    pub(crate) lasts: u64,
    #[serde(default, rename = "ago_seconds")]
    pub(crate) ago: u64,
}

impl OtherExport {
    /// A move of a file, named by its id or as `OWNER/PROJECT:PATH`, that ends at once.
    pub fn new(
        file: impl Into<String>,
        volume: impl Into<String>,
        location: impl Into<String>,
    ) -> Self {
        OtherExport {
            file: file.into(),
            volume: volume.into(),
            location: location.into(),
            copy: false,
            overwrite: false,
            account: None,
            lasts: 0,
            ago: 0,
        }
    }

    /// Leaves the file on the platform.
    #[must_use]
    pub fn copy(mut self) -> Self {
        self.copy = true;
        self
    }

    /// May overwrite an object.
    #[must_use]
    pub fn overwrite(mut self) -> Self {
        self.overwrite = true;
        self
    }

    /// By another account, to whom alone its job shows.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// How long its job takes.
    #[must_use]
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.lasts = duration.as_millis().try_into().unwrap_or(u64::MAX);
        self
    }

    /// How long ago it was started; whole seconds.
    #[must_use]
    pub fn ago(mut self, span: Duration) -> Self {
        self.ago = span.as_secs();
        self
    }
}
