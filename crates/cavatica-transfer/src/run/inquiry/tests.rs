use serde_json::json;

use super::*;
use crate::evidence::SentBy;

const SETTLE: Duration = Duration::from_secs(60);

/// Looks so many settling times after a call's bytes were dead; each shows the call's job or doesn't. Answers what the last
/// look said of how late it was listed.
fn listed(looks: &[(u32, bool)]) -> Option<(u32, u32)> {
    let dead = Instant::now();
    let sent: Timestamp = "2026-01-01T10:05:00Z".parse().expect("a moment");
    let (file, place) = ("5f1c3f3ae4b0a1d2c3b4a596", "run/1.bam");
    let question = Question {
        file: file.parse().expect("a file id"),
        location: place.parse().expect("a location"),
        sent,
        run: SentBy::ThisRun,
        planned_free: true,
        earlier: Vec::new(),
        others_count: false,
    };
    let mut inquiry = Inquiry::new(ExportMode::Copy, "lab/results".parse().expect("a volume"));
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
        let job: ExportJob = serde_json::from_value(json!({
            "id": "job1", "state": "RUNNING", "source": {"file": file},
            "destination": {"volume": "lab/results", "location": place},
        }))
        .expect("a job under way");
        let jobs = shown.then_some(job).into_iter().collect();
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
