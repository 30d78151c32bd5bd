//! Whole transfers against the sandbox, over a socket, with its faults; the sandbox's own ledger is the judge.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cavatica_exports::model::{ExportMode, Layout, Template, Tri};
use cavatica_exports::transport::{Client, Endpoint, Token};
use cavatica_sandbox::{FileSeed, Ledger, ProjectSeed, Sandbox, SandboxBuilder, VolumeSeed};
use cavatica_transfer::item::State;
use cavatica_transfer::journal::{SqliteJournal, TransferFile};
use cavatica_transfer::plan::{
    Existing, PlanError, PlanOptions, PlanReport, Policy, Selection, Target, plan,
};
use cavatica_transfer::{
    Ending, Event, RunError, RunOptions, RunReport, Stop, Summary, Timing, run,
};
use jiff::Timestamp;

pub(crate) const PROJECT: &str = "lab/trio";
pub(crate) const VOLUME: &str = "lab/output";

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
        Client::builder(endpoint, token).build().expect("a client")
    }

    pub(crate) fn transfer(&self) -> PathBuf {
        self.folder.path().join("t.transfer")
    }

    pub(crate) fn options(&self) -> PlanOptions {
        PlanOptions {
            endpoint: self.sandbox.endpoint().to_owned(),
            selection: Selection::Project {
                project: PROJECT.parse().expect("a project"),
                folder: None,
                names: Vec::new(),
            },
            target: Target::Volume(VOLUME.parse().expect("a volume")),
            layout: Layout::default(),
            mode: ExportMode::Move,
            existing: Existing::Fail,
            policies: BTreeMap::new(),
            properties: Tri::Absent,
            limit: None,
            label: None,
        }
    }

    pub(crate) async fn plan(&self, options: PlanOptions) -> Result<PlanReport, PlanError> {
        let now = Timestamp::now();
        plan(&self.transfer(), &self.client(), options, now, &mut |_| {}).await
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
        let account = account(&client).await;
        let mut journal = SqliteJournal::open(
            &self.transfer(),
            self.sandbox.endpoint(),
            &account,
            Timestamp::now(),
        )?;
        run(&mut journal, &client, options, stop, report).await
    }

    pub(crate) fn summary(&self) -> Summary {
        Summary::read(&self.transfer()).expect("a summary")
    }

    /// The ledger and the journal tell the same story, and every file was accepted once.
    pub(crate) fn check_exactly_once(&self, files: usize) -> Ledger {
        let ledger = self.sandbox.ledger();
        for (file, told) in &ledger.files {
            assert_eq!(told.starts, 1, "file {file} was accepted {} times", told.starts);
        }
        assert_eq!(ledger.files.len(), files);
        assert_eq!(ledger.objects_overwritten, 0);
        check_journal(&self.transfer(), &ledger);
        ledger
    }
}

async fn account(client: &Client) -> String {
    let user = cavatica_exports::Account::new(client.clone())
        .user()
        .await
        .expect("the user")
        .value;
    user.username.into_value().expect("a name")
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
                State::Completed { export } => {
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
    RunOptions {
        timing: Timing {
            settle: Duration::from_millis(1_300),
            longest_start: Duration::ZERO,
            first_poll: Duration::from_millis(50),
            longest_poll: Duration::from_millis(400),
            unclear_job: Duration::from_millis(300),
            retry: Duration::from_millis(50),
            pause: Duration::from_millis(50),
            ..Timing::default()
        },
        ..RunOptions::default()
    }
}

#[tokio::test]
async fn a_project_is_moved_with_one_request_for_a_hundred_files_and_a_few_more() {
    let bench = Bench::start(world(many(1_000))).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    assert_eq!((planned.files, planned.bytes), (1_000, 1_000_000));
    assert_eq!(bench.sandbox.ledger().starts, 0, "a plan starts nothing");

    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let ledger = bench.check_exactly_once(1_000);
    let count = |name: &str| ledger.requests.get(name).copied().unwrap_or(0);
    assert_eq!(count("POST /bulk/storage/exports/create"), 10, "{:?}", ledger.requests);
    // The project's top level, `run1`, and ten pages of `run1/bam`.
    assert_eq!(count("GET /files"), 12, "{:?}", ledger.requests);
    let all: u64 = ledger.requests.values().sum();
    assert!(all <= 31 + 60, "{:?}", ledger.requests);

    let summary = bench.summary();
    assert_eq!((summary.completed, summary.left, summary.failed), (1_000, 0, 0));
    let again = bench.run().await.expect("a second run");
    assert_eq!(again.ending, Ending::NothingToDo);
    bench.check_exactly_once(1_000);
}

#[tokio::test]
async fn lost_answers_are_found_again_and_nothing_is_sent_twice() {
    for faults in [
        "drop-after@bulk-start,every=2",
        "drop-before@bulk-start,every=2",
        "error-after=502@bulk-start,every=2",
        "html-before=502@bulk-start,every=2",
        "html-after=200@bulk-start,every=2",
        "truncate@bulk-start,every=2",
        "shuffle@bulk-start",
        "omit=3@bulk-start",
        "drop-after@bulk-start,p=0.5; late-list=1@exports; shuffle@bulk-get; omit=2@bulk-get,p=0.3",
        "shuffle@bulk-start; omit=1@bulk-start,p=0.3; drop-after@bulk-start,p=0.3; drop-before@bulk-start,p=0.2",
    ] {
        let bench = Bench::start(world(many(400)).faults(
            faults
                .parse::<cavatica_sandbox::FaultPlan>()
                .expect("a fault plan"),
        ))
        .await;
        bench.plan(bench.options()).await.expect("a plan");
        let report = bench.run().await.unwrap_or_else(|error| panic!("{faults}: {error}"));
        assert_eq!(report.ending, Ending::Finished, "{faults}");
        eprintln!("{faults}: {report:?} {:?}", bench.sandbox.ledger().faults.iter().map(|f| (f.seen, f.hits)).collect::<Vec<_>>());
        let ledger = bench.check_exactly_once(400);
        assert!(
            ledger.faults.iter().all(|fault| fault.hits > 0),
            "{faults}: {:?}",
            ledger.faults
        );
        assert_eq!(bench.summary().completed, 400, "{faults}");
    }
}
