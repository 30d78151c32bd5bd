//! The account's jobs against the journal, over a socket, whatever the list looks like.

use std::rc::Rc;
use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, OtherExport, ProjectSeed, Route, SandboxBuilder};
use cavatica_transfer::journal::SqliteJournal;
use cavatica_transfer::plan::{Existing, PlanOptions};
use cavatica_transfer::{AuditError, AuditEvent, AuditReading, AuditSummary, Stop, audit};

use crate::bench::{Bench, PROJECT, VOLUME, many, options, world};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A world with a few files of somebody else's beside the project.
fn with_others(files: u32) -> SandboxBuilder {
    let others = ProjectSeed::new("lab/others").synthetic("x", 40, 10);
    world(many(files)).project(others)
}

/// A file of the project, by its number from 0.
fn path(number: u32) -> String {
    format!("run1/bam/file-{:07}.dat", number + 1)
}

fn of_project(number: u32) -> String {
    format!("{PROJECT}:{}", path(number))
}

fn of_others(number: u32) -> String {
    format!("lab/others:x/file-{:07}.dat", number + 1)
}

#[derive(Debug)]
struct Audited {
    summary: AuditSummary,
    events: Vec<AuditEvent>,
}

impl Audited {
    fn names(&self) -> Vec<(&str, &str)> {
        let lines = self.summary.findings.iter();
        lines
            .map(|line| (line.name, line.location.as_str()))
            .collect()
    }

    fn assert_agrees(&self) {
        assert!(self.summary.agrees, "{:#?}", self.summary);
    }
}

impl Bench {
    async fn try_audit(
        &self,
        reading: AuditReading,
        stop: Stop,
        mut tell: impl FnMut(&AuditEvent) + Send,
    ) -> Result<Audited, AuditError> {
        let mut events = Vec::new();
        let client = self.client();
        let told = &mut |event| {
            tell(&event);
            events.push(event);
        };
        let summary = audit(&self.transfer(), &client, reading, &stop, told).await?;
        Ok(Audited { summary, events })
    }

    async fn audit(&self) -> Audited {
        let audited = self.try_audit(AuditReading::GoOn, Stop::new(), |_| {});
        audited.await.expect("an audit")
    }

    fn faults(&self, spec: &str) {
        self.sandbox
            .set_faults(spec.parse::<FaultPlan>().expect("a fault plan"));
    }

    fn elsewhere(&self, other: &OtherExport) -> String {
        self.sandbox.export_elsewhere(other).expect("a job")
    }

    /// How many pages of the list were asked for, counts included.
    fn lists(&self) -> u64 {
        self.sandbox.ledger().requests[&Route::Exports]
    }

    /// Edits the journal behind everybody's back.
    fn edit(&self, statement: &str) {
        let connection = rusqlite::Connection::open(self.transfer()).expect("it opens");
        connection.execute_batch(statement).expect("an edit");
    }

    /// Jobs of the first seconds after a plan may be earlier ones: whose clocks agree to the second?
    fn was_planned_earlier(&self) {
        self.edit("UPDATE transfer SET created = created - 600000");
    }

    fn keeps_a_list(&self) -> bool {
        let mut name = self.transfer().into_os_string();
        name.push(".audit");
        std::path::Path::new(&name).exists()
    }
}

/// A finished transfer of so many files.
async fn finished(builder: SandboxBuilder, change: impl FnOnce(&mut PlanOptions)) -> Bench {
    let bench = Bench::start(builder).await;
    let mut options = bench.options();
    change(&mut options);
    bench.plan(options).await.expect("a plan");
    bench.run().await.expect("a run");
    bench
}

#[tokio::test]
async fn a_finished_transfer_agrees_whatever_others_did() {
    let bench = Bench::start(with_others(450)).await;
    let copy = |number, key: &str| OtherExport::new(of_project(number), VOLUME, key).copy();
    // Last year's copies: to other places, and to the planned one, whose object was deleted since.
    bench.elsewhere(&copy(0, "last-year/0.bam").ago(365 * DAY));
    bench.elsewhere(&copy(1, &path(1)).ago(365 * DAY));
    wait_for_jobs(&bench, 2).await;
    bench
        .sandbox
        .remove_object(VOLUME, &path(1))
        .expect("it is there");
    bench.plan(bench.options()).await.expect("a plan");
    // Since the plan: a copy elsewhere, files of nobody's business, and another account's.
    bench.elsewhere(&copy(2, "today/2.bam"));
    for number in 0..5 {
        let key = format!("others/{number}.bam");
        bench.elsewhere(&OtherExport::new(of_others(number), VOLUME, key));
    }
    bench
        .elsewhere(&OtherExport::new(of_others(5), VOLUME, "colleague/5.bam").account("colleague"));
    bench.run().await.expect("a run");

    let before = bench.lists();
    let audited = bench.audit().await;
    audited.assert_agrees();
    let summary = &audited.summary;
    assert_eq!((summary.files, summary.jobs), (450, 2 + 1 + 5 + 450));
    // The user, the count, and five pages.
    assert_eq!((summary.requests, bench.lists() - before), (7, 6));
    assert!(summary.complete);
    let AuditEvent::Began {
        jobs,
        kept,
        requests,
        ..
    } = audited.events[0]
    else {
        panic!("{:?}", audited.events[0]);
    };
    assert_eq!((jobs, kept, requests), (Some(458), 0, 5));
    assert!(!bench.keeps_a_list());
}

/// Waits until so many jobs of others have ended.
async fn wait_for_jobs(bench: &Bench, jobs: usize) {
    let ended = || {
        let ledger = bench.sandbox.ledger();
        ledger
            .jobs
            .iter()
            .filter(|job| job.state == "COMPLETED")
            .count()
            >= jobs
    };
    while !ended() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_list_in_no_order_is_read_until_all_of_it_came() {
    let bench = finished(world(many(450)), |_| {}).await;
    bench.faults("shuffle@exports");
    bench.audit().await.assert_agrees();

    // The count and the first reading; the second finds what was missing.
    bench.faults("disorder@exports,times=6");
    let audited = bench.audit().await;
    audited.assert_agrees();
    let again = |event: &&AuditEvent| matches!(event, AuditEvent::ReadingAgain { .. });
    assert_eq!(audited.events.iter().filter(again).count(), 1);
}

#[tokio::test]
async fn a_list_that_never_comes_whole_proves_nothing_that_it_doesnt_show() {
    let bench = finished(world(many(450)), |_| {}).await;
    bench.faults("omit=30@exports");
    let audited = bench.audit().await;
    let summary = &audited.summary;
    assert!(!summary.complete && !summary.agrees);
    assert_eq!(summary.faults(), 0, "{:?}", summary.totals);
    assert!(summary.totals["unclear"] > 0);
    assert!(!bench.keeps_a_list(), "the next audit reads it anew");
    bench.faults("");
    bench.audit().await.assert_agrees();
}

#[tokio::test]
async fn a_list_that_is_cut_with_its_total_misses_the_journals_jobs() {
    let bench = finished(world(many(150)), |_| {}).await;
    bench.faults("cap-list=20@exports");
    let summary = bench.audit().await.summary;
    assert!(summary.complete && !summary.agrees);
    assert_eq!(summary.totals["not-in-list"], 130);
}

#[tokio::test]
async fn a_list_may_grow_while_it_is_read() {
    let bench = finished(with_others(450), |_| {}).await;
    let before = bench.lists();
    let mut others = 0..8;
    let audited = bench
        .try_audit(AuditReading::GoOn, Stop::new(), |event| {
            if let (AuditEvent::PageRead { .. }, Some(number)) = (event, others.next()) {
                let file = of_others(number);
                bench.elsewhere(&OtherExport::new(file, VOLUME, format!("o/{number}.bam")));
            }
        })
        .await
        .expect("an audit");
    audited.assert_agrees();
    // What was added meanwhile stands on the first page, which is read again.
    assert_eq!(audited.summary.jobs, 455);
    assert_eq!(bench.lists() - before, 1 + 5 + 1);
}

#[tokio::test]
async fn a_file_that_was_copied_twice_is_told() {
    let bench = finished(world(many(3)), |plan| plan.mode = ExportMode::Copy).await;
    bench.was_planned_earlier();
    let other = OtherExport::new(of_project(1), VOLUME, path(1));
    let second = bench.elsewhere(&other.copy().overwrite());
    wait_for_jobs(&bench, 4).await;
    let summary = bench.audit().await.summary;
    assert_eq!(summary.totals["doubled"], 1, "{summary:#?}");
    let line = &summary.findings[0];
    assert_eq!((line.name, &*line.location), ("doubled", &*path(1)));
    assert_eq!(line.export_id.as_deref(), Some(&*second));
    assert_eq!(summary.faults(), 1);
}

#[tokio::test]
async fn what_the_journal_was_made_to_say_is_held_against_the_list() {
    let mut half = options();
    half.limit = Some(7);
    let bench = Bench::start(world(many(9))).await;
    bench.plan(bench.options()).await.expect("a plan");
    bench
        .run_with(&half, &Stop::new(), &mut |_| {})
        .await
        .expect("a run");
    bench.audit().await.assert_agrees();

    bench.was_planned_earlier();
    bench.edit(
        "UPDATE attempt SET state = 4 WHERE item = 1;
         UPDATE attempt SET state = 4, export = NULL WHERE item = 2;
         DELETE FROM attempt WHERE item = 3;
         UPDATE attempt SET export = 'nobody' WHERE item = 4;
         UPDATE attempt SET export = (SELECT export FROM attempt WHERE item = 6) WHERE item = 5;
         UPDATE attempt SET export = NULL, proof = 1 WHERE item = 6;
         INSERT INTO attempt (item, number, state, proof) VALUES (8, 1, 3, 1);",
    );
    // The ninth, which was never sent, moves to another place.
    bench.elsewhere(&OtherExport::new(of_project(8), VOLUME, "away/8.bam"));
    wait_for_jobs(&bench, 8).await;
    let audited = bench.audit().await;
    let places: Vec<String> = (0..9).map(path).collect();
    assert_eq!(
        audited.names(),
        [
            ("state-differs", &*places[0]),
            ("unexpected-job", &*places[1]),
            ("unexpected-job", &*places[2]),
            ("not-in-list", &*places[3]),
            ("wrong-job", &*places[4]),
            ("missing-job", &*places[7]),
            ("elsewhere", &*places[8]),
        ]
    );
    assert_eq!(audited.summary.faults(), 7);
    assert_eq!(audited.summary.totals["doubled"], 0);
}

#[tokio::test]
async fn a_job_that_still_runs_is_told_where_the_journal_says_that_it_ended() {
    let bench = finished(world(many(3)), |_| {}).await;
    bench.faults("odd-state=RESTING@exports");
    let summary = bench.audit().await.summary;
    assert_eq!(summary.totals["live-job"], 3, "{summary:#?}");
}

#[tokio::test]
async fn jobs_are_dated_by_their_own_clock_and_undated_ones_are_no_fault() {
    let bench = Bench::start(world(many(5))).await;
    let copy = OtherExport::new(of_project(0), VOLUME, path(0)).copy();
    bench.elsewhere(&copy.ago(DAY / 2));
    wait_for_jobs(&bench, 1).await;
    let mut options = bench.options();
    options.existing = Existing::Overwrite;
    bench.plan(options).await.expect("a plan");
    bench.run().await.expect("a run");
    // Half a day is less than zones differ, but here jobs of our own tell the clock.
    for clock in ["", "zoneless=-5@exports", "job-clock=900@exports"] {
        bench.faults(clock);
        bench.audit().await.assert_agrees();
    }
    bench.faults("no-times@exports");
    let summary = bench.audit().await.summary;
    assert_eq!(
        (summary.totals["unclear"], summary.faults()),
        (1, 0),
        "{summary:#?}"
    );
    assert!(summary.complete && !summary.agrees);
}

#[tokio::test]
async fn locations_that_come_back_spelled_otherwise_are_the_same() {
    let project = ProjectSeed::new(PROJECT).file("caf\u{e9} #1.txt", "text");
    let bench = finished(world(project), |_| {}).await;
    for form in ["nfd", "percent"] {
        bench.faults(&format!("respell={form}@exports"));
        bench.audit().await.assert_agrees();
    }
}

#[tokio::test]
async fn an_interrupted_audit_goes_on_where_it_was() {
    let bench = finished(world(many(750)), |_| {}).await;
    let stop = Stop::new();
    let mut pages = 0;
    let interrupted = bench.try_audit(AuditReading::GoOn, stop.clone(), |event| {
        pages += u32::from(matches!(event, AuditEvent::PageRead { .. }));
        if pages == 5 {
            stop.ask();
        }
    });
    let error = interrupted.await.expect_err("it was stopped");
    let AuditError::Interrupted { jobs, total } = error else {
        panic!("{error}");
    };
    assert_eq!((jobs, total), (500, Some(750)));
    assert!(bench.keeps_a_list());

    let before = bench.lists();
    let audited = bench.audit().await;
    audited.assert_agrees();
    let began = &audited.events[0];
    assert!(
        matches!(began, AuditEvent::Began { kept: 500, .. }),
        "{began:?}"
    );
    // A count, a page that came before, and three that had not.
    assert_eq!(bench.lists() - before, 1 + 4);
    // Of both audits.
    assert_eq!(audited.summary.requests, (2 + 5) + (2 + 4));
    assert!(!bench.keeps_a_list());
}

/// Stops an audit after its first page.
async fn interrupt(bench: &Bench) {
    let stop = Stop::new();
    let audit = bench.try_audit(AuditReading::Anew, stop.clone(), |event| {
        if matches!(event, AuditEvent::PageRead { .. }) {
            stop.ask();
        }
    });
    let outcome = audit.await;
    assert!(matches!(outcome, Err(AuditError::Interrupted { .. })));
}

#[tokio::test]
async fn what_was_read_is_read_anew_where_it_can_be_out_of_date() {
    let bench = finished(world(many(250)), |_| {}).await;
    let kept = |audited: &Audited| match audited.events[0] {
        AuditEvent::Began { kept, .. } => kept,
        _ => panic!("{:?}", audited.events[0]),
    };
    interrupt(&bench).await;
    let anew = bench.try_audit(AuditReading::Anew, Stop::new(), |_| {});
    assert_eq!(kept(&anew.await.expect("an audit")), 0);

    interrupt(&bench).await;
    bench.run().await.expect("a run");
    let audited = bench.audit().await;
    assert_eq!(kept(&audited), 0, "it was run since");
    audited.assert_agrees();
}

#[tokio::test]
async fn a_transfer_is_not_audited_while_it_runs() {
    let bench = finished(world(many(250)), |_| {}).await;
    let client = bench.client();
    let open = || SqliteJournal::open(&bench.transfer(), &client).expect("nobody holds it");
    let stop = Stop::new();
    let held = open();
    let refused = bench
        .try_audit(AuditReading::GoOn, stop.clone(), |_| {})
        .await;
    assert!(matches!(refused, Err(AuditError::Running { .. })));
    drop(held);

    // An audit is in nobody's way; but the journal is newer than the list then.
    let mut pages = 0;
    let outdated = bench
        .try_audit(AuditReading::GoOn, stop.clone(), |event| {
            pages += u32::from(matches!(event, AuditEvent::PageRead { .. }));
            if pages == 1 {
                drop(open());
            }
        })
        .await;
    assert!(matches!(outdated, Err(AuditError::RunMeanwhile { .. })));
}

/// A run that begins while files are compared isn't kept waiting, and what was compared counts for nothing.
#[tokio::test]
async fn nothing_is_said_of_a_transfer_whose_run_began_while_it_was_compared() {
    let bench = finished(world(many(3)), |_| {}).await;
    bench.faults("odd-state=RESTING@exports");
    let client = bench.client();
    let open = || SqliteJournal::open(&bench.transfer(), &client).expect("nobody holds it");
    let mut held = None;
    for goes_on in [true, false] {
        let outcome = bench.try_audit(AuditReading::GoOn, Stop::new(), |event| {
            if matches!(event, AuditEvent::Disagreed(..)) && held.is_none() {
                held = Some(open());
            }
            if !goes_on {
                held = None;
            }
        });
        match outcome.await {
            Err(AuditError::Running { .. }) if goes_on => held = None,
            Err(AuditError::RunMeanwhile { .. }) if !goes_on => {}
            other => panic!("{other:?}"),
        }
    }
}

/// Four readings are the most for one audit. The next one has as many.
#[tokio::test]
async fn a_list_that_wasnt_whole_is_read_on_after_an_audit_that_died_over_it() {
    let bench = Rc::new(finished(world(many(150)), |_| {}).await);
    bench.faults("omit=30@exports");
    let dying = Rc::clone(&bench);
    let here = tokio::task::LocalSet::new();
    let died = here.spawn_local(async move {
        let audit = dying.try_audit(AuditReading::GoOn, Stop::new(), |event| {
            let compares = matches!(event, AuditEvent::Disagreed(..));
            assert!(!compares, "it dies");
        });
        audit.await.map(|_| ())
    });
    here.await;
    assert!(died.await.expect_err("it died").is_panic());
    assert!(bench.keeps_a_list());
    bench.faults("");
    let audited = bench.audit().await;
    audited.assert_agrees();
    assert!(matches!(
        audited.events[0],
        AuditEvent::Began { kept: 1.., .. }
    ));
}

#[tokio::test]
async fn another_account_sees_none_of_the_jobs_and_is_refused() {
    let bench = finished(world(many(3)), |_| {}).await;
    let other = |terms: &str| {
        bench.edit(&format!("UPDATE transfer SET terms = {terms}"));
    };
    other("json_set(terms, '$.account', 'somebody')");
    let stop = Stop::new();
    let refused = bench.try_audit(AuditReading::GoOn, stop.clone(), |_| {});
    let error = refused.await.expect_err("it is refused").to_string();
    assert!(error.contains("account `somebody`"), "{error}");
}

#[tokio::test]
async fn before_anything_was_sent_there_is_nothing_to_audit() {
    let bench = Bench::start(world(many(3))).await;
    bench.plan(bench.options()).await.expect("a plan");
    let summary = bench.audit().await.summary;
    assert!(!summary.audited);
    // A job of somebody's may be one of a file that is planned.
    bench.elsewhere(&OtherExport::new(of_project(0), VOLUME, path(0)));
    let summary = bench.audit().await.summary;
    assert!(summary.audited && !summary.agrees);
}
