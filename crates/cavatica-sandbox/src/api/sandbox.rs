//! The sandbox as its owner holds it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::data::Data;
use crate::control::fault::FaultPlan;
use crate::control::hub::Hub;
use crate::control::ledger::{Ledger, LedgerPlace};
use crate::serve::listen::connection;
use crate::world::seed::{OtherExport, VolumeChange};

/// A running sandbox. Dropping it stops it; [`stop`](Self::stop) also waits until it has.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use cavatica_sandbox::{ProjectSeed, Sandbox, VolumeSeed};
///
/// let sandbox = Sandbox::builder()
///     .project(ProjectSeed::new("lab/trio").file("run1/a.vcf", "##fileformat=VCFv4.2\n"))
///     .volume(VolumeSeed::s3("lab/output"))
///     .start()
///     .await?;
/// // Point a client to sandbox.endpoint() with sandbox.token(), let it export, and then:
/// assert_eq!(sandbox.ledger().starts, 0);
/// assert!(sandbox.data().join("projects/lab/trio/run1/a.vcf").exists());
/// sandbox.stop().await;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Sandbox {
    pub(super) hub: Arc<Hub>,
    pub(super) data: Data,
    pub(super) ca_cert: Option<PathBuf>,
    pub(super) stop: watch::Sender<()>,
    pub(super) tasks: Vec<JoinHandle<()>>,
}

/// A way into a sandbox for connections that are no sockets: pipes within one process.
#[derive(Clone, Debug)]
pub struct Door(Arc<Hub>);

impl Door {
    /// Serves one connection to its end.
    pub async fn serve(&self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        connection(Arc::clone(&self.0), stream).await;
    }
}

impl Sandbox {
    /// The address for clients, for instance `http://127.0.0.1:40123/v2`.
    pub fn endpoint(&self) -> &str {
        &self.hub.endpoint
    }

    /// A way in for connections that are no sockets.
    pub fn door(&self) -> Door {
        Door(Arc::clone(&self.hub))
    }

    /// The token of the first account.
    pub fn token(&self) -> &str {
        &self.hub.accounts[0].token
    }

    /// The accounts that the sandbox serves and their tokens, the first one first.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &str)> {
        let accounts = self.hub.accounts.iter();
        accounts.map(|account| (&*account.username, &*account.token))
    }

    /// The folder with everything: `projects/OWNER/NAME/...` are the platform's files, `volumes/OWNER/NAME/...` the
    /// objects, `credentials` a credentials file for clients.
    pub fn data(&self) -> &Path {
        self.data.path()
    }

    /// The certificate that clients have to trust, if the sandbox speaks TLS.
    pub fn ca_cert(&self) -> Option<&Path> {
        self.ca_cert.as_deref()
    }

    /// A credentials file in the shape of `~/.sevenbridges/credentials`, with the profiles `default` and `cavatica`.
    pub fn credentials(&self) -> PathBuf {
        self.data().join("credentials")
    }

    /// The ids of all projects, the public one left out.
    pub fn projects(&self) -> Vec<String> {
        let state = self.hub.platform.state();
        let projects = state.world.projects().iter();
        projects
            .filter(|project| !project.id.is_public())
            .map(|project| project.id.to_string())
            .collect()
    }

    /// The ids of all volumes.
    pub fn volumes(&self) -> Vec<String> {
        let state = self.hub.platform.state();
        let volumes = state.world.mounted();
        volumes.map(|(_, volume)| volume.id.to_string()).collect()
    }

    /// The id of the file or folder with this path in a project.
    pub fn file_id(&self, project: &str, path: &str) -> Option<String> {
        let state = self.hub.platform.state();
        let file = state.world.file_by_path(project, path)?;
        Some(state.world.file_id(file))
    }

    /// Where an object lies, or would lie, in the data folder.
    pub fn object_path(&self, volume: &str, location: &str) -> PathBuf {
        let key = {
            let state = self.hub.platform.state();
            let number = state.world.volume(volume).map(|(number, _)| number);
            number.map_or_else(
                || location.to_owned(),
                |number| state.world.key(number, location),
            )
        };
        self.hub.platform.store.object_path(volume, &key)
    }

    /// What was accepted and done so far; the same as `GET /_sandbox/ledger`.
    pub fn ledger(&self) -> Ledger {
        self.hub.ledger()
    }

    /// Puts an object on a volume behind the platform's back, over one that is there.
    ///
    /// # Errors
    ///
    /// If there is no such volume, or the object can't be written.
    pub fn put_object(&self, volume: &str, location: &str, content: &[u8]) -> io::Result<()> {
        let put = self.hub.platform.put_object(volume, location, content)?;
        put.ok_or_else(|| nothing_there(volume, location))
    }

    /// Takes an object away behind the platform's back.
    ///
    /// # Errors
    ///
    /// If there is no such volume or object, or the object can't be deleted.
    pub fn remove_object(&self, volume: &str, location: &str) -> io::Result<()> {
        let removed = self.hub.platform.remove_object(volume, location)?;
        removed.ok_or_else(|| nothing_there(volume, location))
    }

    /// Starts an export that no client asks for; gives its job's id. It is refused as a client's would be.
    ///
    /// # Errors
    ///
    /// If the export is refused or can't be written down.
    pub fn export_elsewhere(&self, other: &OtherExport) -> io::Result<String> {
        self.hub.platform.export_elsewhere(other)
    }

    /// Adds a file of so many bytes, made from the seed, at `OWNER/PROJECT:PATH` in a folder that is there; gives its id.
    ///
    /// # Errors
    ///
    /// If there is no such folder, something lies there, or it can't be written down.
    pub fn add_file(&self, place: &str, size_bytes: u64) -> io::Result<String> {
        self.hub.platform.add_file(place, size_bytes)
    }

    /// Renames a file, named by its id or as `OWNER/PROJECT:PATH`, or moves it to another folder of its project. Its id stays,
    /// and lists begin with it.
    ///
    /// # Errors
    ///
    /// If there is no such file or folder, something lies there, or the file's bytes are being exported.
    pub fn move_file(&self, file: &str, path: &str) -> io::Result<()> {
        let moved = self.hub.platform.move_file(file, path)?;
        let text = || format!("no file `{file}`");
        moved.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, text()))
    }

    /// Deletes a file, by its id or as `OWNER/PROJECT:PATH`. If it is an alias, its object stays.
    ///
    /// # Errors
    ///
    /// If there is no such file, or its bytes can't be deleted.
    pub fn remove_file(&self, file: &str) -> io::Result<()> {
        let removed = self.hub.platform.remove_file(file)?;
        let text = || format!("no file `{file}`");
        removed.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, text()))
    }

    /// Changes a volume as its owner might between a client's plan and its run.
    ///
    /// # Errors
    ///
    /// If there is no such volume, or the change can't be written down.
    pub fn change_volume(&self, volume: &str, change: &VolumeChange) -> io::Result<()> {
        let changed = self.hub.platform.change_volume(volume, change)?;
        let text = || format!("no volume `{volume}`");
        changed.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, text()))
    }

    /// Where a file really is, whatever answers show; `None` if there never was such a file.
    pub fn place_of(&self, file: &str) -> Option<LedgerPlace> {
        LedgerPlace::of(&self.hub.platform.state().world, file)
    }

    /// Puts other fault rules in force, with fresh counts.
    pub fn set_faults(&self, plan: impl Into<FaultPlan>) {
        self.hub.faults().replace(plan.into());
    }

    /// Stops the sandbox: connections are closed, bytes under way arrive, everything else waits for the next start with
    /// the same data folder.
    pub async fn stop(mut self) {
        self.hub.abandon();
        // Nobody listens any more if the tasks have ended by themselves.
        self.stop.send_replace(());
        for task in self.tasks.drain(..) {
            if let Err(error) = task.await {
                tracing::error!(%error, "the sandbox didn't end well");
            }
        }
    }
}

fn nothing_there(volume: &str, location: &str) -> io::Error {
    let text = format!("no volume `{volume}`, or no object `{location}` there");
    io::Error::new(io::ErrorKind::NotFound, text)
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.hub.abandon();
        for task in &self.tasks {
            task.abort();
        }
    }
}
