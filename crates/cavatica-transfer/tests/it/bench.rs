//! A sandbox, a transfer on it, and the judge.

use std::path::{Path, PathBuf};
use std::time::Duration;

use cavatica_exports::transport::{Client, Endpoint, Token};
use cavatica_sandbox::{Ledger, ProjectSeed, Sandbox, SandboxBuilder, VolumeSeed};
use cavatica_transfer::journal::{SqliteJournal, TransferFile, TroubledItem};
use cavatica_transfer::plan::{PlanError, PlanOptions, PlanReport, PlanTarget, Selection, plan};
use cavatica_transfer::state::State;
use cavatica_transfer::{
    Destination, Event, RunError, RunOptions, RunReport, Stop, VerifyError, VerifySummary, run,
    verify,
};
use jiff::Timestamp;

pub(crate) const PROJECT: &str = "lab/trio";
pub(crate) const VOLUME: &str = "lab/output";

/// Longer than the sandbox's lists may lag.
pub(crate) const SETTLE: Duration = Duration::from_millis(1_300);

/// A sandbox with one project and one volume, and a folder for transfers.
pub(crate) struct Bench {
    pub(crate) sandbox: Sandbox,
    folder: tempfile::TempDir,
}

pub(crate) fn world(project: ProjectSeed) -> SandboxBuilder {
    Sandbox::builder()
        .rate_limit(1_000_000, Duration::from_secs(300))
        .project(project)
        .volume(VolumeSeed::s3(VOLUME).keys_only())
}

pub(crate) fn many(files: u32) -> ProjectSeed {
    ProjectSeed::new(PROJECT).synthetic("run1/bam", files, 1_000)
}

impl Bench {
    pub(crate) async fn start(builder: SandboxBuilder) -> Self {
        Bench {
            sandbox: builder.start().await.expect("the sandbox starts"),
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    pub(crate) fn client(&self) -> Client {
        let endpoint: Endpoint = self.sandbox.endpoint().parse().expect("an endpoint");
        let token = Token::new(self.sandbox.token().to_owned()).expect("a token");
        Client::builder(endpoint, token)
            .longest_byte_life(SETTLE / 3)
            .build()
            .expect("a client")
    }

    pub(crate) fn transfer(&self) -> PathBuf {
        self.folder.path().join("t.transfer")
    }

    pub(crate) fn options(&self) -> PlanOptions {
        plan_options()
    }

    pub(crate) async fn plan(&self, options: PlanOptions) -> Result<PlanReport, PlanError> {
        plan(&self.transfer(), &self.client(), options, &mut |_| {}).await
    }

    pub(crate) async fn run(&self) -> Result<RunReport, RunError> {
        self.run_with(&options(), &Stop::new(), &mut |_| {}).await
    }

    pub(crate) async fn run_with(
        &self,
        options: &RunOptions,
        stop: &Stop,
        report: &mut (dyn FnMut(Event) + Send),
    ) -> Result<RunReport, RunError> {
        let client = self.client();
        let mut journal = SqliteJournal::open(&self.transfer(), &client)?;
        run(&mut journal, &client, options, stop, report).await
    }

    /// A look at the volume.
    pub(crate) async fn verify(&self) -> Result<VerifySummary, VerifyError> {
        let destination = Destination::Volume(self.client());
        let transfers = [self.transfer()];
        verify(&transfers, &destination, Timestamp::now, &mut |_| {}).await
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary::read(&self.transfer())
    }

    /// The ledger and the journal tell the same story, and every file was accepted once.
    pub(crate) fn check_exactly_once(&self, files: usize) -> Ledger {
        let ledger = self.sandbox.ledger();
        for (file, told) in &ledger.files {
            assert_eq!(
                told.starts, 1,
                "file {file} was accepted {} times",
                told.starts
            );
        }
        assert_eq!(ledger.files.len(), files);
        assert_eq!(ledger.objects_overwritten, 0);
        check_journal(&self.transfer(), &ledger);
        ledger
    }
}

/// The whole project, to be moved to the volume.
pub(crate) fn plan_options() -> PlanOptions {
    PlanOptions::new(
        Selection::project(PROJECT.parse().expect("a project")),
        PlanTarget::Volume(VOLUME.parse().expect("a volume")),
    )
}

/// What the journal says of each file is what the sandbox did.
fn check_journal(path: &Path, ledger: &Ledger) {
    let file = TransferFile::open(path).expect("the transfer");
    let mut after = None;
    loop {
        let page = file.items(after).expect("readable");
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        for row in page {
            let job = ledger
                .jobs
                .iter()
                .rev()
                .find(|job| job.file == row.file.as_str() && job.location == row.location);
            let told = job.map(|job| job.state.as_str());
            match &row.state {
                State::Completed { export, .. } => {
                    assert_eq!(told, Some("COMPLETED"), "{row:?}");
                    if let Some(export) = export {
                        assert_eq!(Some(export.as_str()), job.map(|job| job.id.as_str()));
                    }
                }
                State::Failed {
                    export: Some(_), ..
                } => assert_eq!(told, Some("FAILED"), "{row:?}"),
                State::Planned => assert_eq!(told, None, "{row:?}"),
                State::Failed { export: None, .. }
                | State::Intended
                | State::Accepted { .. }
                | State::Unknown { .. } => {}
            }
        }
    }
}

/// Short waits; the settling is longer than the sandbox's lists may lag.
pub(crate) fn options() -> RunOptions {
    let mut options = RunOptions::default();
    options.timing.settle = SETTLE;
    options.timing.first_poll = Duration::from_millis(50);
    options.timing.longest_poll = Duration::from_millis(400);
    options.timing.unclear_job = Duration::from_secs(1);
    options.timing.retry = Duration::from_millis(50);
    options.timing.pause = Duration::from_millis(50);
    options
}

/// How a transfer stands.
pub(crate) struct Summary {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) unknown: u64,
    pub(crate) left: u64,
    pub(crate) failures: Vec<TroubledItem>,
}

impl Summary {
    pub(crate) fn read(transfer: &Path) -> Self {
        let file = TransferFile::open(transfer).expect("a transfer");
        let tally = file.tally().expect("its counts");
        Summary {
            completed: tally.completed.files,
            failed: tally.failed.files,
            unknown: tally.unknown.files,
            left: tally.left(),
            failures: file.failures(None, 10).expect("its failures"),
        }
    }
}
