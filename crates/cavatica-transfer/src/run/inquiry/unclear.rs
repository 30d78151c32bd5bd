//! Jobs in a state that nobody knows.

use super::resolution::Resolution;
use super::{Cause, Inquiry};
use crate::evidence::Trace;
use crate::journal::Change;
use crate::state::{Doubt, ItemId, Observation, Step};

impl Inquiry {
    /// What a job means that is still in a state which nobody knows: that may be its last. A file that waits to be sent goes on
    /// waiting.
    pub(super) fn given_up(id: ItemId, trace: &Trace<'_>, cause: &Cause) -> Option<Resolution> {
        match (trace, cause) {
            (Trace::Job(job), Cause::Echo(change)) if job.state.known().is_none() => {
                Some(Resolution::Absent(vec![change.clone()]))
            }
            (Trace::Elsewhere(job), Cause::Lost | Cause::Refused(_))
                if job.state.known().is_none() =>
            {
                let unclear = Observation::Unclear(Doubt::JobUnclear);
                let change = Change::new(id, Step::Observation(unclear));
                Some(Resolution::Unknown(vec![change]))
            }
            _ => None,
        }
    }
}
