//! Whether a refusal or a failure is the echo of an earlier success of ours.

use cavatica_exports::model::{ExportJob, ExportMode, ExportState};
use tokio::time::Instant;

use super::Inquiry;
use super::resolution::Resolution;
use crate::evidence::Question;
use crate::journal::Change;
use crate::state::{ItemId, Step};

impl Inquiry {
    /// What a job that was found means for a file that was told no.
    pub(super) fn echoed(
        &self,
        id: ItemId,
        question: &Question,
        job: &ExportJob,
        told: &Change,
        late: bool,
        soon: Option<Instant>,
    ) -> Resolution {
        match (job.state.known(), self.mode) {
            (Some(ExportState::Completed), ExportMode::Copy) => {
                let success = self.job(id, job);
                // Unless the place was free, ours may overwrite, and may have deleted the object before it failed.
                if !question.planned_free && !ended_later(&success, told) {
                    return Resolution::Absent(vec![told.clone()]);
                }
                let failed = matches!(told.step, Step::Observation(_)).then(|| told.clone());
                Resolution::Found(failed.into_iter().chain([success]).collect())
            }
            (Some(ExportState::Failed), _) => Resolution::Absent(vec![told.clone()]),
            (Some(ExportState::Completed), ExportMode::Move) if late => {
                Resolution::Absent(vec![told.clone()])
            }
            // Under way, or completed and not yet shown by its file.
            (
                Some(ExportState::Completed | ExportState::Pending | ExportState::Running) | None,
                _,
            ) => Resolution::Open(soon),
        }
    }
}

/// Both are dated by the platform.
fn ended_later(one: &Change, other: &Change) -> bool {
    let ended = one.finished.zip(other.finished);
    ended.is_some_and(|(one, other)| one > other)
}
