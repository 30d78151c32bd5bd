//! What somebody else does to a world: other programs of the same account, other people, and the owner of a volume.

use std::io;
use std::time::Duration;

use cavatica_model::{ExportMode, Tri};
use serde::Deserialize;

use crate::clock::{Millis, millis};
use crate::fault::JobFaults;
use crate::hub::{Hub, State};
use crate::world::{self, By, Event, Pace, Wish, World};

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
    file: String,
    volume: String,
    location: String,
    #[serde(default)]
    copy: bool,
    #[serde(default)]
    overwrite: bool,
    #[serde(default)]
    account: Option<String>,
    #[serde(default, rename = "job_milliseconds")]
    lasts: u64,
    #[serde(default, rename = "ago_seconds")]
    ago: u64,
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

/// What becomes different about a volume; what isn't named stays.
///
/// With another bucket or prefix it leads to another place, where nothing lies yet.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct VolumeChange {
    /// The bucket.
    pub bucket: Option<String>,
    /// The prefix of all locations.
    pub prefix: Option<String>,
    /// `RO` or `RW`.
    pub access_mode: Option<String>,
    /// Whether it can be used.
    pub active: Option<bool>,
}

impl State {
    /// Starts an export on somebody else's behalf; gives its job's number.
    pub(crate) fn export_elsewhere(&mut self, other: &OtherExport, now: Millis) -> io::Result<u32> {
        let file = named_file(&self.world, &other.file).ok_or_else(|| no_file(&other.file))?;
        let wish = Wish {
            file: self.world.file_id(file),
            volume: other.volume.clone(),
            location: other.location.clone(),
            mode: if other.copy {
                ExportMode::Copy
            } else {
                ExportMode::Move
            },
            overwrite: other.overwrite,
            properties: Tri::Absent,
        };
        let lasts = millis(Duration::from_millis(other.lasts));
        let pace = Pace {
            shortest: lasts,
            longest: lasts,
            fail_share: 0.0,
        };
        let at = now.saturating_sub(millis(Duration::from_secs(other.ago)));
        let mut start = self
            .world
            .start(wish, pace, &JobFaults::default(), at)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error.to_string()))?;
        start.by = match &other.account {
            None => By::SameAccount,
            Some(account) => By::OtherAccount(account.as_str().into()),
        };
        let number = self.world.jobs().len();
        self.commit(&Event::Started(start))?;
        self.flush()?;
        u32::try_from(number).map_err(io::Error::other)
    }
}

impl Hub {
    /// Starts an export on somebody else's behalf; gives its job's id.
    pub(crate) fn export_elsewhere(&self, other: &OtherExport) -> io::Result<String> {
        let mut state = self.state();
        let job = state.export_elsewhere(other, self.clock.now())?;
        self.started.notify_one();
        Ok(state.world.export_id(job))
    }

    /// Deletes a file, an alias or not; what lies on a volume stays. `None` if there is no such file.
    pub(crate) fn remove_file(&self, file: &str) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some(number) = named_file(&state.world, file) else {
            return Ok(None);
        };
        let world = &state.world;
        let project = &world.projects()[world.node(number).project as usize];
        let place = self
            .store
            .file_path(project.id.as_str(), &world.path(number));
        state.commit(&Event::FileRemoved { file: number })?;
        state.flush()?;
        self.store.remove_file(&place).map(Some)
    }

    /// Changes a volume past the platform's calls. `None` if there is no such volume.
    pub(crate) fn change_volume(&self, id: &str, change: &VolumeChange) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some((number, _)) = state.world.volume(id) else {
            return Ok(None);
        };
        let change = change.clone();
        let event = Event::VolumeChanged {
            volume: number,
            change: Box::new(world::VolumeChange {
                active: change.active,
                access_mode: change.access_mode,
                bucket: change.bucket,
                prefix: change.prefix,
                ..world::VolumeChange::default()
            }),
            at: self.clock.now(),
        };
        state.commit(&event)?;
        state.flush().map(Some)
    }
}

/// The file with this id, or at `OWNER/PROJECT:PATH`. Folders can't be exported or deleted here.
fn named_file(world: &World, name: &str) -> Option<u32> {
    let number = match name.split_once(':') {
        Some((project, path)) => world.file_by_path(project, path),
        None => world.file_by_id(name),
    };
    number.filter(|number| world.is_file(*number))
}

fn no_file(name: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no file `{name}`"))
}
