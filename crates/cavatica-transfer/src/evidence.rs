//! What the platform's answers mean in the words of the state machine. What they show, [`cavatica_exports::evidence`] says.

use cavatica_exports::ListError;
pub(crate) use cavatica_exports::evidence::{
    AskError, Asked, Clocks, Completed, Coverage, Effort, Evidence, Extent, JobClock, LATEST,
    ListOrder, ListedJobs, Question, SentBy, Settled, Settling, Trace, Whereabouts, gather, judge,
    object_exists, whereabouts,
};
use cavatica_exports::model::job::JobStanding;
use cavatica_exports::model::wire::DateTime;
use cavatica_exports::model::{ExportMode, ExportState, Tri};
use jiff::Timestamp;

use crate::event::Hindrance;
use crate::state::{Failure, SeenJob, Verdict};

/// How a job stands, in the words of the state machine.
///
/// A move is complete when its file says so, whatever its job says: until then it isn't known to have ended.
pub(crate) fn seen(job: JobStanding, mode: ExportMode, request_id: Option<&str>) -> SeenJob {
    let verdict = match (job.state.known(), mode) {
        (Some(ExportState::Completed), ExportMode::Copy) => Verdict::Completed,
        (Some(ExportState::Completed), ExportMode::Move) => Verdict::Unfinished,
        (Some(ExportState::Failed), _) => Verdict::Failed(match job.error.value() {
            Some(error) => Failure::of(error, request_id),
            None => Failure {
                code: None,
                status: None,
                message: "the job failed, and the platform gives no reason".to_owned(),
                request_id: request_id.map(str::to_owned),
            },
        }),
        (Some(ExportState::Pending | ExportState::Running) | None, _) => Verdict::Unfinished,
    };
    SeenJob {
        export: job.id,
        verdict,
    }
}

/// The moments that a job tells: when it was queued, and when it ended.
pub(crate) type Times = (Option<Timestamp>, Option<Timestamp>);

/// Reads the moments of many jobs. Those of one answer are mostly of the same second, and to see that two texts are the same
/// takes a small part of the time that reading one takes.
#[derive(Debug, Default)]
pub(crate) struct Moments {
    started: LastRead,
    finished: LastRead,
}

type LastRead = Option<(DateTime, Option<Timestamp>)>;

impl Moments {
    pub(crate) fn of(&mut self, job: &JobStanding) -> Times {
        (
            read(&mut self.started, &job.started_on),
            read(&mut self.finished, &job.finished_on),
        )
    }
}

fn read(last: &mut LastRead, time: &Tri<DateTime>) -> Option<Timestamp> {
    let time = time.value()?;
    match last {
        Some((text, moment)) if text == time => *moment,
        _ => last.insert((time.clone(), time.timestamp())).1,
    }
}

/// Why a file that isn't on the platform any more can't be exported, of which it is known that it wasn't our doing.
pub(crate) fn moved_away(place: &Whereabouts) -> Option<Failure> {
    let message = match place {
        Whereabouts::Platform => return None,
        Whereabouts::Volume {
            volume: Some(volume),
            location: Some(location),
        } => format!("somebody else moved the file to volume {volume} at {location}"),
        Whereabouts::Volume { .. } => {
            "somebody else moved the file to a volume that the platform doesn't name".to_owned()
        }
        Whereabouts::Gone => "somebody deleted the file, or it can't be seen any more".to_owned(),
    };
    Some(Failure {
        code: None,
        status: None,
        message,
        request_id: None,
    })
}

/// What keeps us from an answer.
pub(crate) fn hindrance(error: &AskError) -> Hindrance {
    if let AskError::Call(error) | AskError::List(ListError::Call(error)) = error {
        error.into()
    } else {
        Hindrance::NoAnswer
    }
}

#[cfg(test)]
mod tests {
    use cavatica_exports::model::ExportJob;
    use serde_json::json;

    use super::*;

    fn job(state: &str, date: &str) -> ExportJob {
        let job = json!({"id": "a", "state": state, "started_on": date, "finished_on": date});
        serde_json::from_value(job).expect("a job")
    }

    #[test]
    fn each_job_keeps_its_own_times() {
        let (one, other) = ("2026-01-01T10:00:00Z", "2026-01-01T10:00:01Z");
        let mut moments = Moments::default();
        for (started, finished) in [
            (one, other),
            (one, one),
            (other, one),
            ("soon", other),
            (one, "later"),
            (one, other),
        ] {
            let mut job = job("COMPLETED", started);
            job.finished_on = serde_json::from_value(json!(finished)).expect("a text");
            let read = moments.of(&job.into());
            assert_eq!(read, (started.parse().ok(), finished.parse().ok()));
        }
    }

    #[test]
    fn who_moved_a_file_away_is_told_as_far_as_it_shows() {
        let said = |place: &Whereabouts| moved_away(place).map(|failure| failure.message);
        let on_volume = |location: Option<&str>| Whereabouts::Volume {
            volume: "lab/results".parse().ok(),
            location: location.map(str::to_owned),
        };
        assert_eq!(said(&Whereabouts::Platform), None);
        for (place, words) in [
            (on_volume(Some("a.bam")), "to volume lab/results at a.bam"),
            (
                on_volume(None),
                "to a volume that the platform doesn't name",
            ),
            (Whereabouts::Gone, "somebody deleted the file"),
        ] {
            let said = said(&place).expect("it isn't on the platform");
            assert!(said.contains(words), "{said}");
        }
    }

    #[test]
    fn a_moves_job_is_never_complete_by_its_own_word() {
        let job = job("COMPLETED", "2026-01-01T10:05:01Z");
        let verdict = |mode| seen(job.clone().into(), mode, None).verdict;
        assert_eq!(verdict(ExportMode::Move), Verdict::Unfinished);
        assert_eq!(verdict(ExportMode::Copy), Verdict::Completed);
    }
}
