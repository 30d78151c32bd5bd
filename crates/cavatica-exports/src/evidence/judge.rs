//! What the platform's answers show of one file. Pure: no network, no clock, no disk.

use jiff::{SignedDuration, Timestamp};

use super::job_clock::JobClock;
use super::shown::{Evidence, dated};
use crate::model::{ExportId, ExportJob, ExportMode, ExportState, FileId, Location, VolumeId};
use crate::mutation::Mutation;

/// A file of which it isn't known whether the platform took it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The file.
    pub file: FileId,
    /// Where on the volume it was sent to.
    pub location: Location,
    /// When it was sent, on the platform's clock: our job can't have begun before.
    pub sent: Timestamp,
    /// Which run sent it.
    pub run: SentBy,
    /// Whether the plan saw that nothing lay at its place.
    pub planned_free: bool,
    /// Jobs of earlier attempts: not the one that is looked for.
    pub earlier: Vec<ExportId>,
    /// Whether a job that others began before counts as well, as long as it hadn't ended by then: where it is asked what
    /// stands in the way of a file, rather than what became of our call.
    pub others_count: bool,
}

/// Which run a moment was written down in. Clocks may have been set between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SentBy {
    /// The one that goes on.
    ThisRun,
    /// One before it.
    AnEarlierRun,
}

/// The clocks that jobs are dated by, as they were measured, and the moment of a look.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Of jobs that this run started.
    pub this_run: JobClock,
    /// Of jobs that earlier runs started.
    pub earlier_runs: JobClock,
    /// On the platform's clock.
    pub now: Timestamp,
}

impl Clocks {
    fn of(&self, run: SentBy) -> JobClock {
        match run {
            SentBy::ThisRun => self.this_run,
            SentBy::AnEarlierRun => self.earlier_runs,
        }
    }
}

/// What answers show of one file.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Trace<'a> {
    /// It is an alias of exactly the planned object. With our job, if that is listed.
    Alias(Option<&'a ExportJob>),
    /// Our job.
    Job(&'a ExportJob),
    /// A job of the same file is under way to another place.
    Elsewhere(&'a ExportJob),
    /// A job of the same file to the same place has completed, perhaps before this transfer was planned.
    Whose(&'a ExportJob),
    /// No trace of a job.
    Nothing,
}

/// Whose a job is that brings the file to the planned place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Us,
    Earlier,
    Unclear,
}

/// What the evidence shows of one file.
pub fn judge<'a>(
    question: &Question,
    mode: ExportMode,
    volume: &VolumeId,
    evidence: &'a Evidence,
    clocks: &Clocks,
) -> Trace<'a> {
    let Question { file, location, .. } = question;
    let strange = |job: &&ExportJob| !question.earlier.contains(&job.id);
    let jobs = || {
        let jobs = evidence.jobs.get(file).into_iter().flatten();
        jobs.filter(strange)
    };
    let here = || jobs().filter(|job| is_at(job, volume, location));
    let owner = |job: &ExportJob| owner(job, question, mode, evidence, clocks);
    let ours = here()
        .filter(|job| owner(job) == Whose::Us)
        // Should there be several, success counts before hope, and hope before failure; of two that ended, the later one.
        .max_by_key(|job| {
            let rank = match job.state.known() {
                Some(ExportState::Completed) => 2,
                Some(ExportState::Pending | ExportState::Running) | None => 1,
                Some(ExportState::Failed) => 0,
            };
            (rank, dated(&job.finished_on))
        });
    let place = evidence.whereabouts.get(file);
    if mode == ExportMode::Move && place.is_some_and(|place| place.is_at(volume, location)) {
        return Trace::Alias(ours);
    }
    if let Some(job) = ours {
        return Trace::Job(job);
    }
    if let Some(job) = jobs().find(|job| !job.is_final()) {
        return Trace::Elsewhere(job);
    }
    let unclear =
        |job: &&ExportJob| job.state.is(ExportState::Completed) && owner(job) == Whose::Unclear;
    here().find(unclear).map_or(Trace::Nothing, Trace::Whose)
}

pub(super) fn is_at(job: &ExportJob, volume: &VolumeId, location: &Location) -> bool {
    job.destination.value().is_some_and(|destination| {
        destination.volume == *volume && location.is_echoed_as(&destination.location)
    })
}

/// Whose a job to the planned place is. One that had ended before we sent anything is an earlier one: last year's copy, or
/// the copy that a move follows. One that had begun before is none of ours either.
fn owner(
    job: &ExportJob,
    question: &Question,
    mode: ExportMode,
    evidence: &Evidence,
    clocks: &Clocks,
) -> Whose {
    if Mutation::ForeignJobTaken.is_on() {
        return Whose::Us;
    }
    let (started, finished) = (dated(&job.started_on), dated(&job.finished_on));
    let clock = clocks.of(question.run);
    let begun_before = started.and_then(|started| clock.is_before(started, question.sent));
    if begun_before == Some(true) && !question.others_count {
        return Whose::Earlier;
    }
    if !job.is_final() {
        return Whose::Us;
    }
    let before = finished
        .or(started)
        .and_then(|ended| clock.is_before(ended, question.sent));
    match (before, mode) {
        (Some(true), _) => Whose::Earlier,
        (Some(false), _) => Whose::Us,
        // The file will tell.
        (None, ExportMode::Move) => Whose::Unclear,
        (None, ExportMode::Copy) => {
            let ahead = clock.presumed();
            let slack = SignedDuration::from_secs(6);
            let since_sent = started.is_some_and(|started| {
                started.duration_since(question.sent) >= ahead - slack
                    && started.duration_since(clocks.now) <= ahead + slack
            });
            // The plan saw that the place was free: what lies there now, somebody brought since.
            let arrived = evidence.objects.contains(&question.file);
            if since_sent || (question.planned_free && arrived) {
                Whose::Us
            } else {
                Whose::Unclear
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::evidence::Whereabouts;

    pub(crate) fn volume() -> VolumeId {
        "lab/results".parse().expect("a volume id")
    }

    pub(crate) fn file(number: i64) -> FileId {
        format!("{number:024x}").parse().expect("a file id")
    }

    pub(crate) fn location(number: i64) -> Location {
        format!("run/{number}.bam").parse().expect("a location")
    }

    pub(crate) fn job(number: i64) -> Value {
        json!({"resource": {
            "id": format!("job{number}"), "state": "PENDING", "source": {"file": format!("{number:024x}")},
            "destination": {"volume": "lab/results", "location": format!("run/{number}.bam")}
        }})
    }

    const SENT: &str = "2026-01-01T10:05:00Z";

    fn moment(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    fn question(number: i64) -> Question {
        Question {
            file: file(number),
            location: location(number),
            sent: moment(SENT),
            run: SentBy::ThisRun,
            planned_free: true,
            earlier: Vec::new(),
            others_count: false,
        }
    }

    fn listed(id: &str, number: i64, state: &str, finished: &str) -> ExportJob {
        let mut value = job(number)["resource"].take();
        value["id"] = json!(id);
        value["state"] = json!(state);
        value["started_on"] = json!(finished);
        value["finished_on"] = json!(finished);
        serde_json::from_value(value).expect("a job")
    }

    fn at(location: &str) -> Whereabouts {
        Whereabouts::Volume {
            volume: Some(volume()),
            location: Some(location.to_owned()),
        }
    }

    /// A clock whose jobs are dated as everything else, measured on one of ours.
    fn measured() -> Clocks {
        let mut jobs = JobClock::default();
        jobs.learn(moment(SENT), moment(SENT), moment(SENT));
        Clocks {
            this_run: jobs,
            ..unmeasured()
        }
    }

    fn unmeasured() -> Clocks {
        Clocks {
            this_run: JobClock::default(),
            earlier_runs: JobClock::default(),
            now: moment("2026-01-01T10:10:00Z"),
        }
    }

    /// What is found, with the id of the job that it is found by.
    fn found(
        question: &Question,
        mode: ExportMode,
        jobs: Vec<ExportJob>,
        place: Option<Whereabouts>,
        clocks: &Clocks,
    ) -> (&'static str, Option<String>) {
        let file = question.file.clone();
        let evidence = Evidence::of(jobs, place.map(|place| (file, place)));
        let id = |job: &ExportJob| Some(job.id.to_string());
        match judge(question, mode, &volume(), &evidence, clocks) {
            Trace::Alias(job) => ("alias", job.and_then(id)),
            Trace::Job(job) => ("job", id(job)),
            Trace::Elsewhere(job) => ("elsewhere", id(job)),
            Trace::Whose(job) => ("whose", id(job)),
            Trace::Nothing => ("nothing", None),
        }
    }

    #[test]
    fn a_live_job_to_the_planned_place_is_ours_unless_it_had_begun_before() {
        let ask = |date, clocks: Clocks, others_count| {
            let jobs = vec![listed("a", 1, "RUNNING", date)];
            let question = Question {
                others_count,
                ..question(1)
            };
            found(&question, ExportMode::Move, jobs, None, &clocks).0
        };
        for date in ["2026-01-01T10:05:01Z", "2026-01-01T09:00:00Z", "soon"] {
            assert_eq!(ask(date, unmeasured(), false), "job", "{date}");
            assert_eq!(ask(date, measured(), true), "job", "{date}");
        }
        assert_eq!(ask("2026-01-01T10:05:01Z", measured(), false), "job");
        assert_eq!(ask("2026-01-01T09:00:00Z", measured(), false), "elsewhere");
    }

    #[test]
    fn a_job_that_had_begun_before_anything_was_sent_is_none_of_ours_though_it_ended_since() {
        let mut job = listed("a", 1, "FAILED", "2026-01-01T10:06:00Z");
        job.started_on = serde_json::from_value(json!("2026-01-01T10:00:00Z")).expect("a date");
        for (others_count, expected) in [(false, "nothing"), (true, "job")] {
            let question = Question {
                others_count,
                ..question(1)
            };
            let jobs = vec![job.clone()];
            let finding = found(&question, ExportMode::Copy, jobs, None, &measured());
            assert_eq!(finding.0, expected);
        }
    }

    #[test]
    fn a_job_that_had_ended_before_anything_was_sent_is_none_of_ours() {
        let jobs = || vec![listed("a", 1, "COMPLETED", "2026-01-01T09:00:00Z")];
        for mode in [ExportMode::Move, ExportMode::Copy] {
            let ask = |clocks: Clocks| {
                let place = Some(Whereabouts::Platform);
                found(&question(1), mode, jobs(), place, &clocks).0
            };
            assert_eq!(ask(measured()), "nothing");
            assert_eq!(
                ask(unmeasured()),
                "whose",
                "its clock may be an hour behind"
            );
        }
    }

    #[test]
    fn jobs_are_dated_by_their_own_clock() {
        // Eleven minutes behind: what seems to have ended before it was sent is ours.
        let mut clocks = measured();
        clocks.this_run = JobClock::default();
        clocks
            .this_run
            .learn(moment("2026-01-01T09:54:00Z"), moment(SENT), moment(SENT));
        let jobs = vec![listed("a", 1, "COMPLETED", "2026-01-01T09:55:00Z")];
        let finding = found(&question(1), ExportMode::Copy, jobs, None, &clocks);
        assert_eq!(finding.0, "job");
    }

    #[test]
    fn a_clock_that_was_seen_to_be_ahead_makes_no_earlier_job_ours() {
        let earlier = || vec![listed("a", 1, "FAILED", "2026-01-01T10:09:00Z")];
        let ask = |clocks| found(&question(1), ExportMode::Copy, earlier(), None, &clocks).0;
        assert_eq!(ask(unmeasured()), "job");
        // It was listed at 09:56, so that it began nine minutes before ours was sent.
        let mut clocks = unmeasured();
        let date = Evidence::of(earlier(), []).latest_date().expect("a date");
        clocks
            .this_run
            .learn_listed(date, moment("2026-01-01T09:56:00Z"));
        assert_eq!(ask(clocks), "nothing");
    }

    #[test]
    fn a_copy_that_began_between_its_sending_and_now_is_ours_on_a_clock_that_nobody_measured() {
        for (started, finding) in [
            ("2026-01-01T10:04:53Z", "whose"),
            ("2026-01-01T10:04:54Z", "job"),
            ("2026-01-01T10:10:06Z", "job"),
            ("2026-01-01T10:10:07Z", "whose"),
        ] {
            let jobs = vec![listed("a", 1, "COMPLETED", started)];
            let found = found(&question(1), ExportMode::Copy, jobs, None, &unmeasured());
            assert_eq!(found.0, finding, "{started}");
        }
    }

    #[test]
    fn a_copy_of_any_date_is_ours_if_its_object_lies_where_the_plan_saw_none() {
        let mut evidence = Evidence::of(vec![listed("a", 1, "COMPLETED", "soon")], None);
        let ask = |evidence: &Evidence, question: &Question| {
            let finding = judge(question, ExportMode::Copy, &volume(), evidence, &measured());
            matches!(finding, Trace::Job(_))
        };
        assert!(!ask(&evidence, &question(1)));
        evidence.objects.insert(file(1));
        assert!(ask(&evidence, &question(1)));
        let mut overwriting = question(1);
        overwriting.planned_free = false;
        assert!(
            !ask(&evidence, &overwriting),
            "it may have lain there before"
        );
    }

    #[test]
    fn the_job_of_an_earlier_attempt_is_not_the_one_that_is_looked_for() {
        let question = Question {
            earlier: vec!["b".parse().expect("an id")],
            ..question(1)
        };
        for state in ["FAILED", "RUNNING", "COMPLETED"] {
            let jobs = vec![listed("b", 1, state, "2026-01-01T10:05:01Z")];
            let finding = found(&question, ExportMode::Move, jobs, None, &measured());
            assert_eq!(finding.0, "nothing", "{state}");
        }
    }

    #[test]
    fn success_counts_before_hope_and_hope_before_failure() {
        let mut jobs = vec![listed("a", 1, "FAILED", "2026-01-01T10:05:01Z")];
        for (state, best) in [("FAILED", "a"), ("RUNNING", "b"), ("COMPLETED", "c")] {
            jobs.push(listed(best, 1, state, "2026-01-01T10:05:02Z"));
            let finding = found(
                &question(1),
                ExportMode::Copy,
                jobs.clone(),
                None,
                &measured(),
            );
            assert_eq!(finding.0, "job");
            if best != "a" {
                assert_eq!(finding.1.as_deref(), Some(best));
            }
        }
    }

    #[test]
    fn of_two_that_ended_the_later_one_counts() {
        let at = |id, minute| listed(id, 1, "COMPLETED", &format!("2026-01-01T10:{minute}:00Z"));
        for jobs in [
            vec![at("a", "06"), at("b", "07")],
            vec![at("b", "07"), at("a", "06")],
        ] {
            let finding = found(&question(1), ExportMode::Copy, jobs, None, &measured());
            assert_eq!(finding.1.as_deref(), Some("b"));
        }
    }

    #[test]
    fn an_alias_of_the_planned_object_is_our_success_and_any_other_is_not() {
        let ask = |mode, place| found(&question(1), mode, vec![], Some(place), &unmeasured()).0;
        assert_eq!(ask(ExportMode::Move, at("run/1.bam")), "alias");
        assert_eq!(ask(ExportMode::Move, at("run%2F1.bam")), "alias");
        assert_eq!(ask(ExportMode::Move, at("run/2.bam")), "nothing");
        assert_eq!(ask(ExportMode::Copy, at("run/1.bam")), "nothing");
    }

    #[test]
    fn a_live_job_to_another_place_is_seen_and_not_taken_for_ours() {
        let mut job = listed("a", 1, "RUNNING", "2026-01-01T10:05:01Z");
        job.destination =
            serde_json::from_value(json!({"volume": "lab/results", "location": "other/1.bam"}))
                .expect("a destination");
        let finding = found(&question(1), ExportMode::Move, vec![job], None, &measured());
        assert_eq!(finding.0, "elsewhere");
    }
}
