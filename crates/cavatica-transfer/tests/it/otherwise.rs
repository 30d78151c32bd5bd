//! A platform that answers an open question the other way: each answer that a run or a look can meet. It is noticed, and the
//! sandbox's ledger says that nothing is doubled, destroyed or falsely shown.

use std::collections::BTreeSet;
use std::time::Duration;

use cavatica_exports::model::{ExportMode, ExportProperties, Tri};
use cavatica_sandbox::{FaultPlan, FileSeed, LedgerPlace, ProjectSeed, Quirk, SandboxBuilder};
use cavatica_transfer::journal::TransferFile;
use cavatica_transfer::observe::{Accord, Habit, OpenQuestion};
use cavatica_transfer::{RunError, Stop};
use tokio::task::JoinSet;

mod limits;
mod regions;

use crate::bench::{Bench, PROJECT, Summary, many, options, world};

/// A platform, and what a transfer from it comes to.
#[derive(Clone, Copy)]
struct Case {
    sees: Habit,
    mode: ExportMode,
    project: fn() -> ProjectSeed,
    quirk: Option<Quirk>,
    /// In force from the plan on.
    faults: &'static str,
    failed: u64,
    /// How long jobs take, in seconds.
    lasting: u64,
}

impl Case {
    const fn new(sees: Habit) -> Self {
        Case {
            sees,
            mode: ExportMode::Move,
            project: some,
            quirk: None,
            faults: "",
            failed: 0,
            lasting: 1,
        }
    }

    const fn copies(self) -> Self {
        Case {
            mode: ExportMode::Copy,
            ..self
        }
    }

    const fn of(self, project: fn() -> ProjectSeed) -> Self {
        Case { project, ..self }
    }

    const fn quirk(self, quirk: Quirk) -> Self {
        Case {
            quirk: Some(quirk),
            ..self
        }
    }

    const fn faults(self, faults: &'static str) -> Self {
        Case { faults, ..self }
    }

    const fn lasting(self, lasting: u64) -> Self {
        Case { lasting, ..self }
    }

    const fn fails(self, failed: u64) -> Self {
        Case { failed, ..self }
    }
}

fn some() -> ProjectSeed {
    many(250)
}

/// Enough in one folder for it to be followed by listing it.
fn dense() -> ProjectSeed {
    many(2_000)
}

fn with_an_archived_file() -> ProjectSeed {
    many(5).with(FileSeed::bytes("old.tar", "cold").archived())
}

fn accented() -> ProjectSeed {
    ProjectSeed::new(PROJECT).synthetic("Prüfung 1", 5, 1_000)
}

const CASES: &[Case] = &[
    Case::new(Habit::Status201).quirk(Quirk::Created),
    // Jobs are dated to the second, so that an order shows among those of several.
    Case::new(Habit::OldestFirst)
        .quirk(Quirk::OldestFirst)
        .faults("spread=2s@bulk-start,nth=1")
        .lasting(4),
    Case::new(Habit::NoOrder)
        .faults("spread=2s@bulk-start,nth=1; disorder@exports")
        .lasting(4),
    Case::new(Habit::InAnotherOrder).faults("shuffle@bulk-start"),
    Case::new(Habit::ItemsMissing).faults("omit=1@bulk-start,nth=2"),
    Case::new(Habit::NoMetadata).quirk(Quirk::BareListing),
    Case::new(Habit::SmallerPage)
        .of(dense)
        .faults("cap-scroll=500@scroll"),
    Case::new(Habit::NoScroll)
        .of(dense)
        .faults("refuse=403/90002@scroll"),
    Case::new(Habit::NotExportableInJob)
        .of(with_an_archived_file)
        .quirk(Quirk::RefuseInJob)
        .fails(1),
    Case::new(Habit::ResetMilliseconds).quirk(Quirk::ResetInMilliseconds),
    Case::new(Habit::ResetUntold).quirk(Quirk::NoReset),
    Case::new(Habit::ThrottledBare).faults("throttle@exports,nth=1"),
    Case::new(Habit::JobsNameless).faults("nameless"),
    Case::new(Habit::UnknownState)
        .copies()
        .faults("odd-state=ABORTED@bulk-get,nth=1"),
    Case::new(Habit::ZonelessTimes).faults("zoneless=2"),
    Case::new(Habit::NoTimes).faults("no-times"),
    Case::new(Habit::AliasRespelled)
        .of(accented)
        .faults("respell=percent@bulk-files; respell=percent@scroll"),
    Case::new(Habit::AliasLate).faults("late-alias=3s"),
    Case::new(Habit::FailedMoveLosesFile)
        .quirk(Quirk::FailureLosesFile)
        .faults("fail-jobs=9100@bulk-start,nth=5")
        .fails(1),
];

/// Those that no run meets, or that come with more than one, and where they are served.
const ELSEWHERE: &[Habit] = &[
    // `observe::tests` gives every status there is.
    Habit::StatusOther,
    // `observing::a_platform_that_moves_what_is_to_be_copied_is_told`
    Habit::SourceMoved,
    // `observing::a_list_that_is_late_lengthens_the_settling_time`
    Habit::ListedLate,
    // `verify::` of the program: a volume without a `/` between prefix and location.
    Habit::AnotherJoin,
    // `observe::tests::keys_of_metadata_are_known_by_their_names`
    Habit::SizeKey,
    Habit::OtherKey,
    // `observing::where_an_occupied_key_is_refused_is_told`
    Habit::OccupiedAtOnce,
    // `rehearsal::either_way` of the program; a run has no way to see them.
    Habit::Overwritten,
    Habit::FailedJobError,
    // Below.
    Habit::ThrottledWithRetryAfter,
    // `observe::tests::an_alias_elsewhere_is_told`
    Habit::AliasElsewhere,
];

/// Plans, runs and looks at the volume.
async fn play(case: Case) {
    let name = case.sees;
    let lasting = Duration::from_secs(case.lasting);
    let builder = world((case.project)()).job_duration(lasting..=lasting);
    let builder = case.quirk.into_iter().fold(builder, SandboxBuilder::quirk);
    let bench = Bench::start(builder).await;
    let mut planning = bench.options();
    planning.mode = case.mode;
    let planned = bench.plan(planning).await.expect("a plan");
    bench.sandbox.set_faults(faults(case.faults));
    let mut options = options();
    options.timing.unclear_job = Duration::from_secs(20);
    bench
        .run_with(&options, &Stop::new(), &mut |_| {})
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    bench
        .verify()
        .await
        .unwrap_or_else(|error| panic!("{name}: {error}"));

    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let seen = file.observations().expect("what was seen");
    assert!(seen.count(case.sees) > 0, "{name}: {seen:?}");
    assert_eq!(seen.contradicted(&[]), None, "{name}");
    let summary = bench.summary();
    let told = (
        summary.completed,
        summary.failed,
        summary.unknown + summary.left,
    );
    assert_eq!(
        told,
        (planned.files - case.failed, case.failed, 0),
        "{name}"
    );
    is_harmless(&bench, &summary, &name.to_string());
}

/// Nothing was doubled or destroyed, and what is told of a file is so.
fn is_harmless(bench: &Bench, told: &Summary, name: &str) {
    let ledger = bench.sandbox.ledger();
    assert!(
        ledger.files_doubled.is_empty(),
        "{name}: {:?}",
        ledger.files_doubled
    );
    assert!(ledger.dangling.is_empty(), "{name}: {:?}", ledger.dangling);
    assert_eq!(ledger.destroyed().count(), 0, "{name}");
    let delivered = ledger.files.values().filter(|file| file.delivered > 0);
    assert_eq!(delivered.count() as u64, told.completed, "{name}");
}

fn faults(plan: &str) -> FaultPlan {
    plan.parse().expect("a fault plan")
}

#[tokio::test]
async fn every_answer_that_a_run_can_meet_is_noticed_and_does_no_harm() {
    for some in CASES.chunks(7) {
        let mut playing: JoinSet<()> = some.iter().copied().map(play).collect();
        while let Some(played) = playing.join_next().await {
            played.expect("it is noticed");
        }
    }
}

/// Whoever adds a question serves its answers.
#[test]
fn every_unexpected_answer_is_served() {
    let served = CASES.iter().map(|case| case.sees);
    let served: BTreeSet<Habit> = served.chain(ELSEWHERE.iter().copied()).collect();
    let questions = OpenQuestion::ALL.iter();
    for habit in questions.flat_map(|question| question.habits()) {
        let unexpected = habit.accord() == Accord::Otherwise;
        assert_eq!(served.contains(habit), unexpected, "{habit:?}");
    }
}

/// A move that failed in a way that passes is sent again. Where the file was lost it is refused, and the file has failed.
#[tokio::test]
async fn a_failed_move_is_taken_again_only_where_its_file_is_left() {
    for (quirk, habit, left) in [
        (None, Habit::FailedMoveKeepsFile, None),
        (
            Some(Quirk::FailureLosesFile),
            Habit::FailedMoveLosesFile,
            Some(LedgerPlace::Gone),
        ),
    ] {
        let builder = quirk
            .into_iter()
            .fold(world(many(20)), SandboxBuilder::quirk);
        let bench = Bench::start(builder).await;
        bench.plan(bench.options()).await.expect("a plan");
        // A failure that passes by waiting.
        bench
            .sandbox
            .set_faults(faults("fail-jobs=9100@bulk-start,nth=5"));
        bench.run().await.expect("a run");
        let ledger = bench.sandbox.ledger();
        let again: Vec<_> = ledger.started_twice().collect();
        assert_eq!(again.len(), usize::from(left.is_none()), "{quirk:?}");
        let gone = ledger
            .files
            .values()
            .find(|file| file.now == LedgerPlace::Gone);
        assert_eq!(gone.map(|file| file.now.clone()), left);
        let file = TransferFile::open(&bench.transfer()).expect("the transfer");
        let seen = file.observations().expect("what was seen");
        assert_eq!(seen.count(habit), 1, "{seen:?}");
        let summary = bench.summary();
        let failed = u64::from(left.is_some());
        assert_eq!((summary.completed, summary.failed), (20 - failed, failed));
        is_harmless(&bench, &summary, "a failed move");
    }
}

/// Whether a storage class may be sent at all: where not, nothing is sent, and every file says why.
#[tokio::test]
async fn a_storage_class_that_is_refused_moves_nothing() {
    let bench = Bench::start(world(many(30)).quirk(Quirk::NoStorageClass)).await;
    let mut planning = bench.options();
    let mut properties = ExportProperties::default();
    properties.aws_storage_class = Tri::Value("GLACIER".into());
    planning.properties = Tri::Value(properties);
    bench.plan(planning).await.expect("a plan");
    bench.run().await.expect("a run");
    let summary = bench.summary();
    assert_eq!((summary.completed, summary.failed), (0, 30));
    for failure in &summary.failures {
        assert_eq!(
            failure.failure().and_then(|failure| failure.code),
            Some(9024)
        );
    }
    assert_eq!(bench.sandbox.ledger().starts, 0);
}

/// What `export_enabled: false` means is for the platform to say.
#[tokio::test]
async fn a_volume_that_says_no_and_takes_exports_is_warned_of_and_used() {
    let bench = Bench::start(world(many(30)).quirk(Quirk::NotEnabled)).await;
    let planned = bench.plan(bench.options()).await.expect("a plan");
    let names: Vec<_> = planned
        .warnings
        .iter()
        .map(|warning| warning.name)
        .collect();
    assert_eq!(names, ["exports-disabled"]);
    bench.run().await.expect("a run");
    bench.check_exactly_once(30);
    assert_eq!(bench.summary().completed, 30);
}

/// Empty files are sent; a platform that takes none fails those alone.
#[tokio::test]
async fn empty_files_are_sent_and_may_be_refused() {
    for (quirk, failed) in [(None, 0), (Some(Quirk::NoEmptyFiles), 1)] {
        let builder = world(many(5).file("run1/empty.txt", ""));
        let builder = quirk.into_iter().fold(builder, SandboxBuilder::quirk);
        let bench = Bench::start(builder).await;
        bench.plan(bench.options()).await.expect("a plan");
        bench.run().await.expect("a run");
        let summary = bench.summary();
        assert_eq!((summary.completed, summary.failed), (6 - failed, failed));
        is_harmless(&bench, &summary, "empty files");
    }
}

/// How many jobs an account may have unfinished: what is refused for now is sent later, and nothing twice.
#[tokio::test]
async fn a_limit_on_unfinished_jobs_is_waited_out() {
    let lasting = Duration::from_millis(500);
    let builder = world(many(300)).job_duration(lasting..=lasting);
    let bench = Bench::start(builder.quirk(Quirk::FewJobs)).await;
    bench.plan(bench.options()).await.expect("a plan");
    bench.run().await.expect("a run");
    bench.check_exactly_once(300);
    assert_eq!(bench.summary().completed, 300);
}

/// Which permission of the project an export needs: where it is missing, the run ends with the platform's word, and goes on
/// once it is there.
#[tokio::test]
async fn a_permission_that_is_missing_ends_the_run_and_loses_nothing() {
    let bench = Bench::start(world(many(150))).await;
    bench.plan(bench.options()).await.expect("a plan");
    bench
        .sandbox
        .set_faults(faults("refuse=403/9004@bulk-start"));
    let error = bench.run().await.expect_err("it is refused");
    let RunError::Refused(error) = error else {
        panic!("{error:?}");
    };
    assert_eq!(error.code(), Some(9004));
    assert_eq!(bench.summary().left, 150);
    bench.sandbox.set_faults(FaultPlan::default());
    bench.run().await.expect("a run");
    bench.check_exactly_once(150);
}

/// A plain member may not be let to see who else is one: no right is missed on that account.
#[tokio::test]
async fn members_that_cannot_be_read_stand_in_nothings_way() {
    let bench = Bench::start(world(many(3))).await;
    let plan = "refuse=403/9020@volume-members; refuse=403/9020@volume-member";
    bench.sandbox.set_faults(faults(plan));
    let planned = bench.plan(bench.options()).await.expect("a plan");
    assert!(planned.warnings.is_empty(), "{:?}", planned.warnings);
    bench.run().await.expect("a run");
    bench.check_exactly_once(3);
}
