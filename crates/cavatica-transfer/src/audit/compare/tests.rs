//! What jobs say of each state of a file, case by case.

use super::*;
use crate::state::{Failure, Proof};

const PLANNED: i64 = 1_800_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(PLANNED + seconds).expect("a moment")
}

fn id(export: &str) -> ExportId {
    export.parse().expect("an id")
}

/// A job that ended so many seconds after the plan.
fn job(export: &str, stage: Stage, ended: i64) -> AuditedJob {
    AuditedJob {
        export: export.to_owned(),
        stage,
        place: JobPlace::Planned,
        started: Some(at(ended - 1)),
        finished: (stage != Stage::Live).then(|| at(ended)),
    }
}

fn away(export: &str, stage: Stage, moved: bool) -> AuditedJob {
    AuditedJob {
        place: JobPlace::Elsewhere {
            place: "there".to_owned(),
            moved,
        },
        ..job(export, stage, 500)
    }
}

fn completed(export: Option<&str>) -> State {
    State::Completed {
        export: export.map(id),
        proof: Proof::File,
    }
}

fn failed(export: Option<&str>) -> State {
    State::Failed {
        export: export.map(id),
        failure: Failure {
            code: Some(9103),
            status: None,
            message: "no".to_owned(),
            request_id: None,
        },
    }
}

fn unknown(export: Option<&str>, doubt: Doubt) -> State {
    State::Unknown {
        export: export.map(id),
        doubt,
    }
}

fn books(mode: ExportMode, whole: bool) -> Books<'static> {
    let mut clock = JobClock::default();
    clock.learn(at(300), at(299), at(301));
    Books {
        mode,
        planned: at(0),
        clock,
        whole,
        shows: &|export| export.as_str() == "listed",
    }
}

#[track_caller]
fn check(state: &State, jobs: &[AuditedJob], expected: &str) {
    let found = books(ExportMode::Move, true).compare(state, jobs);
    let name = found.map_or("agrees", |(kind, ..)| kind.name());
    assert_eq!(name, expected, "{state:?} {jobs:?}");
}

use Stage::{Completed, Failed, Live};

#[test]
fn a_completed_file_has_one_successful_job() {
    let ours = completed(Some("a"));
    check(&ours, &[job("a", Completed, 300)], "agrees");
    check(&completed(None), &[job("a", Completed, 300)], "agrees");
    check(&ours, &[job("a", Live, 300)], "live-job");
    check(&ours, &[job("a", Failed, 300)], "state-differs");
    check(&ours, &[], "not-in-list");
    check(&ours, &[job("b", Completed, 300)], "not-in-list");
    check(&ours, &[away("a", Completed, false)], "wrong-job");
    check(&completed(Some("listed")), &[], "wrong-job");
    check(&completed(None), &[], "missing-job");
    check(&completed(None), &[job("a", Failed, 300)], "missing-job");
    check(
        &completed(None),
        &[job("a", Completed, -300)],
        "missing-job",
    );
}

#[test]
fn two_jobs_to_the_place_are_one_too_many_whatever_the_journal_says() {
    let two = [job("a", Completed, 300), job("b", Completed, 301)];
    let one_lives = [job("a", Completed, 300), job("b", Live, 301)];
    for state in [
        completed(Some("a")),
        completed(None),
        failed(Some("a")),
        State::Planned,
        State::Intended,
        State::Accepted { export: id("a") },
        unknown(None, Doubt::ListIncomplete),
    ] {
        check(&state, &two, "doubled");
        check(&state, &one_lives, "doubled");
    }
    let (_, _, export) = books(ExportMode::Move, true)
        .compare(&completed(Some("a")), &two)
        .expect("a disagreement");
    assert_eq!(export, Some("b"), "the one that the journal doesn't know");
}

#[test]
fn earlier_jobs_failed_ones_and_copies_elsewhere_are_no_double() {
    let others = [
        job("a", Completed, 300),
        job("b", Completed, -300),
        job("c", Failed, 300),
        away("d", Completed, false),
    ];
    check(&completed(Some("a")), &others, "agrees");
    check(&completed(None), &others, "agrees");
    check(&failed(None), &others[1..], "agrees");
    check(&State::Planned, &others[1..], "agrees");
}

#[test]
fn the_others_have_none() {
    for state in [
        State::Planned,
        failed(None),
        failed(Some("b")),
        unknown(None, Doubt::WhoseJob),
    ] {
        check(&state, &[job("a", Completed, 300)], "unexpected-job");
        check(&state, &[job("a", Live, 300)], "unexpected-job");
        check(&state, &[], "agrees");
    }
    check(
        &failed(Some("a")),
        &[job("a", Completed, 300)],
        "state-differs",
    );
    check(&failed(Some("a")), &[job("a", Live, 300)], "live-job");
    let not_moved = unknown(Some("a"), Doubt::NotMoved);
    check(&not_moved, &[job("a", Completed, 300)], "agrees");
}

#[test]
fn files_under_way_have_one_at_most() {
    let accepted = State::Accepted { export: id("a") };
    for stage in [Live, Completed, Failed] {
        check(&accepted, &[job("a", stage, 300)], "agrees");
        check(&State::Intended, &[job("a", stage, 300)], "agrees");
    }
    check(&accepted, &[], "not-in-list");
    let lost = [job("a", Failed, 300), job("b", Completed, 301)];
    check(&accepted, &lost, "unexpected-job");
    check(&State::Intended, &[], "agrees");
}

#[test]
fn a_move_to_another_place_is_told_unless_the_journal_knows() {
    let moved = [away("a", Completed, true)];
    check(&State::Planned, &moved, "elsewhere");
    check(&completed(None), &moved, "elsewhere");
    check(&State::Planned, &[away("a", Live, false)], "elsewhere");
    check(&failed(None), &moved, "agrees");
    let copied = books(ExportMode::Copy, true).compare(&State::Planned, &moved);
    assert!(
        copied.is_none(),
        "what becomes of a copy's source is not its business"
    );
}

#[test]
fn what_cant_be_dated_is_unclear() {
    // Within the seconds to which clocks are known.
    let undated = |export| job(export, Completed, 1);
    check(&State::Planned, &[undated("a")], "unclear");
    check(&completed(Some("a")), &[undated("a")], "agrees");
    check(
        &completed(Some("a")),
        &[undated("a"), undated("b")],
        "unclear",
    );
    check(&completed(None), &[undated("a")], "agrees");
    check(&completed(None), &[undated("a"), undated("b")], "unclear");
    let timeless = AuditedJob {
        started: None,
        finished: None,
        ..undated("a")
    };
    check(&failed(None), &[timeless], "unclear");
}

#[test]
fn a_list_that_isnt_whole_proves_no_absence() {
    let part = books(ExportMode::Move, false);
    for state in [completed(Some("a")), completed(None)] {
        let found = part.compare(&state, &[]).map(|(kind, ..)| kind);
        assert_eq!(found, Some(Disagreement::Unclear));
    }
    let two = [job("a", Completed, 300), job("b", Completed, 301)];
    let found = part.compare(&completed(None), &two);
    assert_eq!(found.map(|(kind, ..)| kind), Some(Disagreement::Doubled));
}
