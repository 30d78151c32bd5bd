//! Whole transfers against the sandbox, over a socket, with its faults; the sandbox's own ledger is the judge.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cavatica_exports::model::manifest::Manifest;
use cavatica_exports::model::{ExportMode, ExportRequest, Layout, Template, Tri};
use cavatica_exports::transport::{Client, Endpoint, Token};
use cavatica_sandbox::{FileSeed, Ledger, ProjectSeed, Quirk, Sandbox, SandboxBuilder, VolumeSeed};
use cavatica_transfer::item::State;
use cavatica_transfer::journal::{SqliteJournal, TransferFile};
use cavatica_transfer::plan::{
    Existing, PlanError, PlanOptions, PlanReport, Policy, Selection, Target, plan,
};
use cavatica_transfer::{
    Ending, Event, OnceError, RunError, RunOptions, RunReport, Started, Stop, Summary, Timing,
    export_once, run,
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
            metadata: Vec::new(),
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
    assert_eq!(
        count("POST /bulk/storage/exports/create"),
        10,
        "{:?}",
        ledger.requests
    );
    // The project's top level, `run1`, and `run1/bam`, a thousand files per page.
    assert_eq!(count("GET /files/scroll"), 3, "{:?}", ledger.requests);
    let all: u64 = ledger.requests.values().sum();
    assert!(all <= 31 + 60, "{:?}", ledger.requests);

    let summary = bench.summary();
    assert_eq!(
        (summary.completed, summary.left, summary.failed),
        (1_000, 0, 0)
    );
    let again = bench.run().await.expect("a second run");
    assert_eq!(again.ending, Ending::NothingToDo);
    bench.check_exactly_once(1_000);
}

/// A transfer under faults ends with every file accepted once and completed, and every fault really struck.
async fn check_faults(faults: &str) {
    let plan: cavatica_sandbox::FaultPlan = faults.parse().expect("a fault plan");
    let bench = Bench::start(world(many(400)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let ledger = bench.check_exactly_once(400);
    for fault in &ledger.faults {
        assert!(fault.hits > 0, "{fault:?}");
    }
    assert_eq!(bench.summary().completed, 400);
    assert_eq!(
        report.requests + 1,
        ledger.requests.values().sum::<u64>() - PLANNING
    );
}

/// The requests of planning four hundred files in a folder of a folder: the user, the volume, three folders, the volume's
/// list.
const PLANNING: u64 = 6;

#[tokio::test]
async fn an_answer_lost_after_acceptance_is_found_again() {
    check_faults("drop-after@bulk-start,every=2").await;
}

#[tokio::test]
async fn a_request_that_was_lost_is_sent_again_once_its_absence_is_proven() {
    check_faults("drop-before@bulk-start,every=2,times=3").await;
}

#[tokio::test]
async fn a_gateways_error_may_hide_acceptance() {
    check_faults("error-after=502@bulk-start,every=2").await;
}

#[tokio::test]
async fn a_page_for_people_may_hide_either() {
    check_faults("html-before=502@bulk-start,nth=1; html-after=200@bulk-start,nth=3").await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_looked_up() {
    check_faults("truncate@bulk-start,every=2").await;
}

#[tokio::test]
async fn shuffled_answers_find_their_files() {
    check_faults("shuffle@bulk-start; shuffle@bulk-get").await;
}

#[tokio::test]
async fn omitted_items_are_looked_up() {
    check_faults("omit=3@bulk-start; omit=2@bulk-get,every=2").await;
}

#[tokio::test]
async fn a_list_that_lags_proves_nothing_before_it_has_settled() {
    check_faults("drop-after@bulk-start,every=2; late-list=1@exports; shuffle@bulk-get").await;
}

/// The two ways to lose the answer of a single start, and what comes of them.
#[tokio::test]
async fn a_single_export_is_sent_once_whatever_becomes_of_the_answer() {
    for (faults, starts) in [("drop-after@start", 1), ("drop-before@start", 0)] {
        let plan: cavatica_sandbox::FaultPlan = faults.parse().expect("a fault plan");
        let project = ProjectSeed::new(PROJECT).file("a.bin", "bytes");
        let bench = Bench::start(world(project).faults(plan)).await;
        let file = bench.sandbox.file_id(PROJECT, "a.bin").expect("a file");
        let request = ExportRequest::new(
            file.parse().expect("an id"),
            VOLUME.parse().expect("a volume"),
            "a.bin".parse().expect("a location"),
        );
        let export = request.skip_checks();
        let settle = Duration::from_millis(300);
        let started = export_once(&bench.client(), &export, ExportMode::Move, settle).await;
        match starts {
            0 => assert!(matches!(started, Err(OnceError::Absent(_))), "{started:?}"),
            _ => assert!(
                matches!(started, Ok(Started::Found(_) | Started::Completed)),
                "{started:?}"
            ),
        }
        let ledger = bench.sandbox.ledger();
        assert_eq!(ledger.starts, starts);
        assert_eq!(ledger.requests["POST /storage/exports"], 1);
    }
}

#[tokio::test]
async fn two_files_to_one_key_refuse_the_plan_and_both_are_named() {
    let project = ProjectSeed::new(PROJECT)
        .file("run1/a.bam", "one")
        .file("run2/a.bam", "two")
        .file("run2/A.bam", "three");
    let bench = Bench::start(world(project)).await;
    let mut options = bench.options();
    options.layout.template = Template::flat();
    let error = bench.plan(options).await.expect_err("a refusal");
    let PlanError::Refused(refusal) = &error else {
        panic!("{error:?}");
    };
    let id = |path| bench.sandbox.file_id(PROJECT, path).expect("a file");
    let [collision] = &refusal.collisions[..] else {
        panic!("{refusal:?}");
    };
    let mut ids = collision.file_ids.clone();
    ids.sort_unstable();
    let mut expected = [id("run1/a.bam"), id("run2/a.bam")];
    expected.sort_unstable();
    assert_eq!(
        (ids.as_slice(), &collision.locations[..]),
        (&expected[..], &["a.bam".to_owned()][..])
    );
    assert!(!bench.transfer().exists());

    // Twins alone are a warning.
    let planned = bench.plan(bench.options()).await.expect("a plan");
    let twins: Vec<_> = planned
        .collisions
        .iter()
        .map(|twins| twins.locations.clone())
        .collect();
    assert_eq!(twins, [["run2/a.bam", "run2/A.bam"]]);
}

#[tokio::test]
async fn what_cannot_be_exported_is_left_out_with_a_reason_or_refuses_the_plan() {
    let project = || {
        ProjectSeed::new(PROJECT)
            .file("a.bam", "one")
            .with(FileSeed::alias("b.bam", VOLUME, "b.bam", 9))
            .with(FileSeed::bytes("c.bam", "three").archived())
    };
    let bench = Bench::start(world(project())).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    assert_eq!(planned.files, 2);
    assert_eq!(planned.skipped, BTreeMap::from([("alias".to_owned(), 1)]));
    let warnings: Vec<_> = planned
        .warnings
        .iter()
        .map(|warning| warning.name)
        .collect();
    assert_eq!(warnings, ["maybe-archived"]);

    let bench = Bench::start(world(project())).await;
    let mut options = bench.options();
    options.policies = BTreeMap::from([
        ("alias".to_owned(), Policy::Fail),
        ("maybe-archived".to_owned(), Policy::Skip),
    ]);
    let error = bench.plan(options).await.expect_err("a refusal");
    let PlanError::Refused(refusal) = &error else {
        panic!("{error:?}");
    };
    let kinds: Vec<_> = refusal
        .refused
        .iter()
        .map(|file| file.kind.as_str())
        .collect();
    assert_eq!(kinds, ["alias"]);
}

#[tokio::test]
async fn objects_that_are_there_already_refuse_the_plan_or_are_left_alone() {
    let start = || {
        Bench::start(
            Sandbox::builder()
                .project(many(3).file("run2/x.bam", "x"))
                .volume(
                    VolumeSeed::s3(VOLUME)
                        .object("run2/x.bam", "older")
                        .object("run3/y.bam", "somebody else's"),
                ),
        )
    };
    let bench = start().await;
    let error = bench.plan(bench.options()).await.expect_err("a refusal");
    let PlanError::Refused(refusal) = &error else {
        panic!("{error:?}");
    };
    let paths: Vec<_> = refusal
        .refused
        .iter()
        .map(|file| file.path.as_deref())
        .collect();
    assert_eq!(paths, [Some("run2/x.bam")]);

    let mut options = bench.options();
    options.existing = Existing::Skip;
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!(
        (planned.files, planned.skipped),
        (3, BTreeMap::from([("exists".to_owned(), 1)]))
    );
    bench.run().await.expect("a run");
    bench.check_exactly_once(3);
}

#[tokio::test]
async fn failures_end_with_their_codes_and_transient_ones_are_tried_again() {
    let plan: cavatica_sandbox::FaultPlan =
        "fail-jobs=9100@bulk-start,nth=3; fail-jobs=9103@bulk-start,nth=5"
            .parse()
            .expect("a plan");
    let bench = Bench::start(world(many(20)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let summary = bench.summary();
    assert_eq!((summary.completed, summary.failed), (19, 1));
    assert_eq!(summary.failures[0].code, Some(9103));
    assert!(!summary.failures[0].advice.is_empty());
    let starts: Vec<u64> = bench
        .sandbox
        .ledger()
        .files
        .values()
        .map(|file| file.starts)
        .collect();
    assert_eq!(
        starts.iter().filter(|starts| **starts == 2).count(),
        1,
        "{starts:?}"
    );
    assert_eq!(starts.iter().sum::<u64>(), 21);

    // A permanent failure is sent again only if its code is named.
    let account = account(&bench.client()).await;
    let open = || {
        SqliteJournal::open(
            &bench.transfer(),
            bench.sandbox.endpoint(),
            &account,
            Timestamp::now(),
        )
    };
    assert_eq!(open().expect("free").retry(&[]).expect("room"), 0);
    assert_eq!(open().expect("free").retry(&[9103]).expect("room"), 1);
    bench.run().await.expect("a run");
    assert_eq!(bench.summary().completed, 20);
}

#[tokio::test]
async fn a_limit_sends_a_few_and_the_next_run_the_rest() {
    let bench = Bench::start(world(many(250))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let few = RunOptions {
        limit: Some(110),
        ..options()
    };
    for started in [110, 220, 250] {
        let report = bench
            .run_with(&few, &Stop::new(), &mut |_| {})
            .await
            .expect("a run");
        assert_eq!(report.ending, Ending::Finished);
        assert_eq!(bench.summary().completed, started as u64);
        bench.check_exactly_once(started);
    }
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::NothingToDo);
}

#[tokio::test]
async fn too_many_errors_stop_the_sending() {
    let plan: cavatica_sandbox::FaultPlan = "fail-jobs=9103".parse().expect("a plan");
    let bench = Bench::start(world(many(500)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let options = RunOptions {
        max_errors: Some(3),
        max_in_flight: 100,
        ..options()
    };
    let report = bench
        .run_with(&options, &Stop::new(), &mut |_| {})
        .await
        .expect("a run");
    assert_eq!(report.ending, Ending::TooManyErrors);
    let ledger = bench.check_exactly_once(100);
    assert_eq!(ledger.starts, 100);
}

#[tokio::test]
async fn a_job_in_a_state_that_nobody_knows_ends_as_unknown() {
    let plan: cavatica_sandbox::FaultPlan = "odd-state=ABORTED@bulk-get".parse().expect("a plan");
    let bench = Bench::start(world(many(5)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    assert_eq!(bench.summary().unknown, 5);

    // A later run asks once more, and sends nothing.
    bench.sandbox.set_faults(Vec::new());
    bench.run().await.expect("a run");
    assert_eq!((bench.summary().unknown, bench.summary().completed), (0, 5));
    bench.check_exactly_once(5);
}

#[tokio::test]
async fn copies_are_proven_on_the_first_file_and_leave_their_sources() {
    let bench = Bench::start(world(many(150))).await;
    let mut options = bench.options();
    options.mode = ExportMode::Copy;
    bench.plan(options).await.expect("a plan");
    let mut proven_after = None;
    let mut sent = 0;
    let report = bench
        .run_with(&self::options(), &Stop::new(), &mut |event| match event {
            Event::BatchAnswered { files, .. } => sent += files,
            Event::CopyProven => proven_after = Some(sent),
            _ => {}
        })
        .await
        .expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    assert_eq!(proven_after, Some(1));
    let ledger = bench.check_exactly_once(150);
    assert!(ledger.jobs.iter().all(|job| job.mode == ExportMode::Copy));
}

/// Stops a run after every so many answers, and takes it up again until it is done.
#[tokio::test]
async fn a_run_that_is_stopped_goes_on_where_it_stood() {
    let plan: cavatica_sandbox::FaultPlan = "drop-after@bulk-start,every=3; shuffle@bulk-start"
        .parse()
        .expect("a plan");
    let bench = Bench::start(world(many(900)).faults(plan)).await;
    bench.plan(bench.options()).await.expect("a plan");
    let mut stops = 0;
    loop {
        let stop = Stop::new();
        let asked = stop.clone();
        let mut answers = 0;
        let report = bench
            .run_with(&options(), &stop, &mut |event| {
                if let Event::BatchAnswered { .. } | Event::AnswersLost { .. } = event {
                    answers += 1;
                    if answers == 2 {
                        asked.ask();
                    }
                }
            })
            .await
            .expect("a run");
        match report.ending {
            Ending::Stopped => stops += 1,
            Ending::Finished | Ending::NothingToDo => break,
            Ending::TooManyErrors => panic!("there were none"),
        }
    }
    assert!(stops > 1, "{stops}");
    bench.check_exactly_once(900);
    assert_eq!(bench.summary().completed, 900);
}

#[tokio::test]
async fn an_edited_plan_has_another_fingerprint() {
    let bench = Bench::start(world(many(3))).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    let fingerprint =
        || TransferFile::open(&bench.transfer()).and_then(|file| file.compute_fingerprint());
    assert_eq!(
        fingerprint().expect("readable").to_string(),
        planned.fingerprint
    );
    rusqlite::Connection::open(bench.transfer())
        .and_then(|connection| {
            connection.execute("UPDATE item SET location = 'elsewhere' WHERE id = 2", [])
        })
        .expect("an edit");
    assert_ne!(
        fingerprint().expect("readable").to_string(),
        planned.fingerprint
    );
}

#[tokio::test]
async fn the_bucket_names_the_volume_and_a_read_only_one_is_refused() {
    let bench = Bench::start(
        Sandbox::builder()
            .project(many(1))
            .volume(VolumeSeed::s3(VOLUME).bucket("franklin-lab"))
            .volume(VolumeSeed::s3("lab/fixed").bucket("fixed").read_only()),
    )
    .await;
    let mut options = bench.options();
    options.target = Target::Bucket("fixed".to_owned());
    let error = bench.plan(options).await.expect_err("a refusal");
    assert!(matches!(error, PlanError::Volume { .. }), "{error:?}");
    let mut options = bench.options();
    options.target = Target::Bucket("franklin-lab".to_owned());
    assert_eq!(bench.plan(options).await.expect("a plan").volume, VOLUME);
}

#[tokio::test]
async fn where_large_pages_are_refused_the_documented_ones_are_read() {
    let refuse: cavatica_sandbox::FaultPlan = "refuse=403/90002@scroll".parse().expect("a plan");
    let bench = Bench::start(world(many(250)).faults(refuse)).await;
    assert_eq!(
        bench.plan(bench.options()).await.expect("a plan").files,
        250
    );
    let requests = bench.sandbox.ledger().requests;
    assert_eq!(
        (requests["GET /files/scroll"], requests["GET /files"]),
        (1, 5)
    );
}

/// The same files, reached as a project, a folder and a manifest, are the same plan.
#[tokio::test]
async fn a_manifest_and_a_folder_find_the_same_files() {
    let bench = Bench::start(world(many(120))).await;
    let whole = bench.plan(bench.options()).await.expect("a plan");
    let rows = TransferFile::open(&bench.transfer())
        .and_then(|file| file.items(None))
        .expect("rows");
    let mut text = "file_id\n".to_owned();
    for row in rows.iter().rev() {
        text += &format!("{}\n", row.file);
    }
    let mut selections = vec![Selection::Project {
        project: PROJECT.parse().expect("a project"),
        folder: Some("run1/bam".to_owned()),
        names: Vec::new(),
    }];
    selections.push(listed(text));
    for selection in selections {
        std::fs::remove_file(bench.transfer()).expect("it is there");
        let options = PlanOptions {
            selection,
            ..bench.options()
        };
        let planned = bench.plan(options).await.expect("a plan");
        assert_eq!(planned.fingerprint, whole.fingerprint);
    }
}

/// Rows without ids are looked up by project, folders and name: some of one folder with one request.
#[tokio::test]
async fn a_manifest_may_name_files_by_project_and_name() {
    let bench = Bench::start(world(many(120))).await;
    let whole = bench.plan(bench.options()).await.expect("a plan");
    let rows = TransferFile::open(&bench.transfer())
        .and_then(|file| file.items(None))
        .expect("rows");
    let mut text = "project,path,name\n".to_owned();
    for row in &rows {
        let path = row.path.as_deref().expect("a path");
        let (folders, name) = path.rsplit_once('/').expect("folders");
        text += &format!("{PROJECT},{folders},{name}\n");
    }
    text += &format!("{PROJECT},run1/bam,nobody.bam\n{PROJECT},nowhere,a.bam\n");
    let asked = |bench: &Bench| {
        bench
            .sandbox
            .ledger()
            .requests
            .get("GET /files")
            .copied()
            .unwrap_or(0)
    };
    let before = asked(&bench);
    std::fs::remove_file(bench.transfer()).expect("it is there");
    let options = PlanOptions {
        selection: listed(text),
        ..bench.options()
    };
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!(planned.fingerprint, whole.fingerprint);
    assert_eq!(planned.skipped.get("missing"), Some(&2));
    // One for run1 and the folder that isn't there, one for bam, two for 121 names.
    assert_eq!(asked(&bench) - before, 1 + 1 + 2);
}

fn listed(text: String) -> Selection {
    let manifest = Manifest::open("m.csv", std::io::Cursor::new(text));
    Selection::Manifest {
        name: "m.csv".to_owned(),
        rows: Box::new(manifest.expect("a header")),
    }
}

/// Folders that lie in one folder are asked for together, and each once.
#[tokio::test]
async fn folders_on_the_way_to_named_files_are_asked_for_once() {
    let paths: Vec<String> = (0..50).map(|number| format!("a/b/{number}")).collect();
    let project = paths
        .iter()
        .fold(ProjectSeed::new(PROJECT), |project, path| {
            project.file(format!("{path}/x.bam"), "x")
        });
    let bench = Bench::start(world(project)).await;
    let text = paths
        .iter()
        .fold("project,path,name\n".to_owned(), |text, path| {
            text + PROJECT + "," + path + ",x.bam\n"
        });
    let options = PlanOptions {
        selection: listed(text),
        ..bench.options()
    };
    assert_eq!(bench.plan(options).await.expect("a plan").files, 50);
    // One for `a`, one for `b`, one for the fifty in it, and one for each file.
    assert_eq!(bench.sandbox.ledger().requests["GET /files"], 53);
}

#[tokio::test]
async fn rows_of_an_unknown_project_are_missing_and_the_others_planned() {
    let bench = Bench::start(world(many(2))).await;
    let text = format!(
        "project,path,name\nlab/nobody,,a.bam\nlab/nobody,run1,a.bam\n{PROJECT},run1/bam,000000.bin\n"
    );
    let whole = bench.plan(bench.options()).await.expect("a plan");
    let name = whole.sample[0]
        .path
        .as_deref()
        .and_then(|path| path.rsplit_once('/'));
    let text = text.replace("000000.bin", name.expect("folders").1);
    std::fs::remove_file(bench.transfer()).expect("it is there");
    let options = PlanOptions {
        selection: listed(text),
        ..bench.options()
    };
    let planned = bench.plan(options).await.expect("a plan");
    assert_eq!(
        (planned.files, planned.skipped.get("missing")),
        (1, Some(&2))
    );
}

/// With a limit it is the first rows that count, however they name their files.
#[tokio::test]
async fn a_limit_takes_the_first_rows_of_a_manifest() {
    let project = ProjectSeed::new(PROJECT)
        .file("z/1.bam", "1")
        .file("y/2.bam", "2")
        .file("a/3.bam", "3");
    let bench = Bench::start(world(project)).await;
    let text =
        format!("project,path,name\n{PROJECT},z,1.bam\n{PROJECT},y,2.bam\n{PROJECT},a,3.bam\n");
    let options = PlanOptions {
        selection: listed(text),
        limit: Some(2),
        ..bench.options()
    };
    let planned = bench.plan(options).await.expect("a plan");
    let paths: Vec<_> = planned
        .sample
        .iter()
        .filter_map(|file| file.path.as_deref())
        .collect();
    assert_eq!(paths, ["z/1.bam", "y/2.bam"]);
}

#[tokio::test]
async fn chosen_metadata_is_kept_for_the_report() {
    let project = ProjectSeed::new(PROJECT)
        .with(
            FileSeed::bytes("a.bam", "a")
                .metadata("sample_id", "NA12878")
                .metadata("age", "7"),
        )
        .file("b.bam", "b");
    let bench = Bench::start(world(project)).await;
    let options = PlanOptions {
        metadata: vec!["sample_id".to_owned(), "case_id".to_owned()],
        ..bench.options()
    };
    bench.plan(options).await.expect("a plan");
    let rows = TransferFile::open(&bench.transfer()).and_then(|file| file.items(None));
    let kept: Vec<_> = rows
        .expect("rows")
        .into_iter()
        .map(|row| row.metadata)
        .collect();
    assert_eq!(kept, [Some(r#"{"sample_id":"NA12878"}"#.to_owned()), None]);
}

/// Jobs that last, a limit that is tight: no request is refused for it, and the jobs' duration costs only a few questions.
#[tokio::test]
async fn the_limit_on_requests_is_never_met_and_waiting_costs_little() {
    let lasting = Duration::from_millis(1_500)..=Duration::from_secs(3);
    let bench = Bench::start(
        world(many(3_000))
            .rate_limit(40, Duration::from_secs(1))
            .job_duration(lasting),
    )
    .await;
    bench.plan(bench.options()).await.expect("a plan");
    let report = bench.run().await.expect("a run");
    assert_eq!(report.ending, Ending::Finished);
    let ledger = bench.check_exactly_once(3_000);
    assert_eq!(ledger.over_limit, 0);
    let count = |name: &str| ledger.requests.get(name).copied().unwrap_or(0);
    assert_eq!(count("POST /bulk/storage/exports/create"), 30);
    let following = count("GET /storage/exports") + count("POST /bulk/storage/exports/get");
    assert!(following <= 30 + 3 + 30, "{:?}", ledger.requests);
}

#[tokio::test]
async fn a_platform_that_moves_what_was_to_be_copied_moves_one_file_at_most() {
    let bench = Bench::start(world(many(150)).quirk(Quirk::IgnoreCopyOnly)).await;
    let mut options = bench.options();
    options.mode = ExportMode::Copy;
    bench.plan(options).await.expect("a plan");
    let error = bench.run().await.expect_err("it was moved");
    assert!(matches!(error, RunError::CopyMoved { .. }), "{error:?}");
    assert_eq!(bench.sandbox.ledger().starts, 1);
}

/// The platform may tell at once or in the job that a file can't be exported, or that its location is taken. If our own
/// object is the reason, the file has arrived.
#[tokio::test]
async fn a_refusal_that_echoes_our_own_success_is_success() {
    for quirk in [None, Some(Quirk::RefuseInJob)] {
        let mut builder = world(many(3));
        if let Some(quirk) = quirk {
            builder = builder.quirk(quirk);
        }
        let bench = Bench::start(builder).await;
        bench.plan(bench.options()).await.expect("a plan");
        let rows = TransferFile::open(&bench.transfer())
            .and_then(|file| file.items(None))
            .expect("rows");
        // Somebody of the same account does one of the exports by hand, after the plan was made.
        let request = ExportRequest::new(
            rows[1].file.clone(),
            VOLUME.parse().expect("a volume"),
            rows[1].location.parse().expect("a location"),
        );
        let exports = cavatica_exports::Exports::new(bench.client());
        let job = exports
            .start(&request.skip_checks(), ExportMode::Move)
            .await
            .expect("a job")
            .value;
        exports
            .wait(&job.id, Duration::from_secs(20))
            .await
            .expect("it ends");

        let report = bench.run().await.expect("a run");
        assert_eq!(
            (report.ending, report.reconciled),
            (Ending::Finished, 1),
            "{quirk:?}"
        );
        let summary = bench.summary();
        assert_eq!((summary.completed, summary.failed), (3, 0), "{quirk:?}");
        assert_eq!(bench.sandbox.ledger().objects_overwritten, 0);
    }
}
