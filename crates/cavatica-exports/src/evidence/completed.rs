//! Completed jobs whose files don't show it yet.

use std::time::Duration;

use tokio::time::Instant;

use super::judge::is_at;
use super::{Evidence, LATEST, Question};
use crate::model::{ExportState, VolumeId};

/// How many completed jobs to a file's planned place were seen, and since when. A file that was moved by one of them shows it
/// at most [`LATEST`] settling times after that; a job that is listed late may have ended a moment before.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Completed {
    jobs: usize,
    since: Option<Instant>,
}

impl Completed {
    /// None was seen.
    pub fn none() -> Self {
        Completed {
            jobs: 0,
            since: None,
        }
    }

    /// What a look that began at this moment shows.
    pub fn saw(
        &mut self,
        question: &Question,
        volume: &VolumeId,
        evidence: &Evidence,
        began: Instant,
    ) {
        let jobs = evidence.jobs.get(&question.file).into_iter().flatten();
        let completed = jobs.filter(|job| {
            job.state.is(ExportState::Completed)
                && !question.earlier.contains(&job.id)
                && is_at(job, volume, &question.location)
        });
        let jobs = completed.count();
        if jobs > self.jobs {
            *self = Completed {
                jobs,
                since: Some(began),
            };
        }
    }

    /// Whether a look that began at this moment would have shown a file that was moved.
    pub fn must_show(&self, began: Instant, settle: Duration) -> bool {
        self.since
            .is_some_and(|since| began >= since + settle * LATEST)
    }

    /// Whether one was seen that need not show on its file yet in a look that began at this moment.
    pub fn may_show_later(&self, began: Instant, settle: Duration) -> bool {
        self.since.is_some() && !self.must_show(began, settle)
    }
}

#[cfg(feature = "proof")]
mod moments;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::evidence::SentBy;
    use crate::evidence::judge::tests::{file, job, location, volume};
    use crate::model::ExportJob;

    const SETTLE: Duration = Duration::from_secs(60);

    fn question() -> Question {
        Question {
            file: file(1),
            location: location(1),
            sent: "2026-01-01T10:05:00Z".parse().expect("a moment"),
            run: SentBy::ThisRun,
            planned_free: true,
            earlier: vec!["earlier".parse().expect("an id")],
            others_count: false,
        }
    }

    fn listed(id: &str, state: &str, volume: &str) -> ExportJob {
        let mut job = job(1)["resource"].take();
        job["id"] = json!(id);
        job["state"] = json!(state);
        job["destination"]["volume"] = json!(volume);
        serde_json::from_value(job).expect("a job")
    }

    /// Looks at these jobs every settling time, and answers after how many a moved file must have shown itself.
    fn shows_after(looks: &[Vec<ExportJob>]) -> Option<u32> {
        let began = Instant::now();
        let mut completed = Completed::none();
        for (times, jobs) in (0..).zip(looks) {
            let now = began + SETTLE * times;
            let evidence = Evidence::of(jobs.clone(), []);
            completed.saw(&question(), &volume(), &evidence, now);
            if completed.must_show(now, SETTLE) {
                return Some(times);
            }
        }
        None
    }

    #[test]
    fn a_moved_file_has_four_settling_times_from_the_first_look_that_shows_its_job_completed() {
        let old = || listed("old", "COMPLETED", "lab/results");
        let live = || listed("live", "RUNNING", "lab/results");
        let done = || listed("live", "COMPLETED", "lab/results");
        assert_eq!(shows_after(&vec![vec![old()]; 9]), Some(4));
        assert_eq!(shows_after(&vec![vec![live()]; 9]), None);
        let mut looks = vec![vec![live()]; 3];
        looks.extend(vec![vec![done()]; 9]);
        assert_eq!(shows_after(&looks), Some(7));
        let mut looks = vec![vec![old()]; 3];
        looks.extend(vec![vec![old(), done()]; 9]);
        assert_eq!(shows_after(&looks), Some(7), "the second may be ours");
    }

    #[test]
    fn a_file_may_show_it_later_from_that_look_on_until_it_must() {
        let began = Instant::now();
        let mut completed = Completed::none();
        let later =
            |completed: &Completed, times| completed.may_show_later(began + SETTLE * times, SETTLE);
        assert!(!later(&completed, 0));
        let evidence = Evidence::of(vec![listed("live", "COMPLETED", "lab/results")], []);
        completed.saw(&question(), &volume(), &evidence, began);
        let told = [0, 3, 4].map(|times| later(&completed, times));
        assert_eq!(told, [true, true, false]);
    }

    #[test]
    fn earlier_attempts_and_other_places_say_nothing() {
        for job in [
            listed("earlier", "COMPLETED", "lab/results"),
            listed("other", "COMPLETED", "lab/other"),
            listed("failed", "FAILED", "lab/results"),
        ] {
            assert_eq!(shows_after(&vec![vec![job]; 9]), None);
        }
    }
}
