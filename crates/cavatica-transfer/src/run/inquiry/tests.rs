use serde_json::json;

use super::*;
use crate::evidence::SentBy;

const SETTLE: Duration = Duration::from_secs(60);

const FILE: &str = "5f1c3f3ae4b0a1d2c3b4a596";
const PLACE: &str = "run/1.bam";

fn volume() -> VolumeId {
    "lab/results".parse().expect("a volume")
}

fn question() -> Question {
    Question {
        file: FILE.parse().expect("a file id"),
        location: PLACE.parse().expect("a location"),
        sent: "2026-01-01T10:05:00Z".parse().expect("a moment"),
        run: SentBy::ThisRun,
        planned_free: true,
        earlier: Vec::new(),
        others_count: false,
    }
}

fn job(state: &str, finished: Option<&str>) -> ExportJob {
    serde_json::from_value(json!({
        "id": "job1", "state": state, "source": {"file": FILE}, "finished_on": finished,
        "destination": {"volume": "lab/results", "location": PLACE},
    }))
    .expect("a job")
}

/// Looks so many settling times after a call's bytes were dead; each shows the call's job or doesn't. Answers what the last
/// look said of how late it was listed.
fn listed(looks: &[(u32, bool)]) -> Option<(u32, u32)> {
    let dead = Instant::now();
    let question = question();
    let sent = question.sent;
    let mut inquiry = Inquiry::new(ExportMode::Copy, volume());
    let settling = Settling::since(dead, SETTLE);
    inquiry.ask(
        ItemId(1),
        IntentId(1),
        question.clone(),
        Cause::Lost,
        settling,
    );
    let timing = Timing::default();
    let mut late = None;
    for (times, shown) in looks {
        let jobs = shown.then(|| job("RUNNING", None)).into_iter().collect();
        let evidence = Evidence::of(jobs, []);
        let asked = std::slice::from_ref(&question);
        let began = dead + SETTLE * *times;
        late = inquiry
            .answered(asked, &evidence, false, began, sent, &timing)
            .late;
    }
    let times = |span: Duration| u32::try_from(span.as_secs() / SETTLE.as_secs()).expect("few");
    late.map(|late| (times(late.at_least), times(late.at_most)))
}

#[test]
fn a_job_is_late_that_a_whole_list_had_not_shown_before() {
    assert_eq!(
        listed(&[(1, true)]),
        None,
        "it was there when it was looked for"
    );
    assert_eq!(listed(&[(1, false), (2, true)]), Some((1, 2)));
    assert_eq!(listed(&[(1, false), (5, false), (7, true)]), Some((5, 7)));
    assert_eq!(
        listed(&[(1, false), (2, false)]),
        None,
        "it may not be there at all"
    );
}

/// Whether a copy that was told no counts as completed because another job brought it there, by when each ended.
fn is_echo(may_overwrite: bool, failed: Option<&str>, another: Option<&str>) -> bool {
    let question = Question {
        planned_free: !may_overwrite,
        others_count: true,
        ..question()
    };
    let failure = Failure::of(
        &serde_json::from_value(json!({"code": 9006})).expect("an error"),
        None,
    );
    let told = Change {
        finished: failed.map(|failed| failed.parse().expect("a moment")),
        ..Change::new(ItemId(1), Step::Answer(Answer::Refused(failure)))
    };
    let inquiry = Inquiry::new(ExportMode::Copy, volume());
    let another = job("COMPLETED", another);
    let resolution = inquiry.echoed(ItemId(1), &question, &another, &told, false, None);
    if let Resolution::Absent(changes) = &resolution {
        assert_eq!(*changes, [told]);
    }
    matches!(resolution, Resolution::Found(_))
}

#[test]
fn what_may_overwrite_and_fails_is_an_echo_only_of_what_was_brought_later() {
    let (earlier, failed, later) = (
        "2026-01-01T10:05:59Z",
        "2026-01-01T10:06:00Z",
        "2026-01-01T10:06:01Z",
    );
    assert!(is_echo(true, Some(failed), Some(later)));
    for another in [Some(earlier), Some(failed), None] {
        assert!(!is_echo(true, Some(failed), another), "{another:?}");
        assert!(
            is_echo(false, Some(failed), another),
            "it deletes nothing: {another:?}"
        );
    }
    assert!(
        !is_echo(true, None, Some(later)),
        "nobody knows when it failed"
    );
}

/// What becomes of a file, so long after it was asked about first, while a job of it elsewhere or here shows this state.
fn resolved(cause: Cause, place: &str, state: &str, after: Duration) -> Vec<Change> {
    let dead = Instant::now();
    let question = Question {
        others_count: cause.is_about_others(),
        ..question()
    };
    let (asked, sent, timing) = (question.clone(), question.sent, Timing::default());
    let mut inquiry = Inquiry::new(ExportMode::Move, volume());
    let settling = Settling::since(dead, SETTLE);
    inquiry.ask(ItemId(1), IntentId(1), question, cause, settling);
    let mut job = job(state, None);
    job.destination = serde_json::from_value(json!({"volume": "lab/results", "location": place}))
        .expect("a place");
    let evidence = Evidence::of(vec![job], []);
    let outcome = inquiry.answered(&[asked], &evidence, true, dead + after, sent, &timing);
    assert_eq!(outcome.changes.is_empty(), inquiry.is_open(ItemId(1)));
    outcome.changes
}

#[test]
fn a_state_that_nobody_knows_is_waited_for_only_so_long() {
    let told = Change::new(ItemId(1), Step::Answer(Answer::NotSent));
    let unclear = Step::Observation(Observation::Unclear(Doubt::JobUnclear));
    let long = Timing::default().unclear_job;
    let second = Duration::from_secs(1);
    for (cause, place, changes) in [
        (Cause::Echo(told.clone()), PLACE, vec![told.clone()]),
        (
            Cause::Lost,
            "other/1.bam",
            vec![Change::new(ItemId(1), unclear.clone())],
        ),
        (Cause::Held, PLACE, vec![]),
    ] {
        assert_eq!(resolved(cause.clone(), place, "ABORTED", long - second), []);
        assert_eq!(resolved(cause.clone(), place, "ABORTED", long), changes);
        assert_eq!(resolved(cause, place, "RUNNING", long), [], "it will end");
    }
}
