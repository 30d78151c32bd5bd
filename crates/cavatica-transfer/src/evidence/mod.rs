//! What the platform shows of files whose fate isn't known, and what follows from it.
//!
//! [`gather`] asks, cheapest question first. [`judge`] says what the answers show of one file, [`Settling`] when seeing
//! nothing proves that there is nothing, [`JobClock`] when a job began on our own clock. All but the first are pure: no network, no clock, no disk.

mod completed;
mod gather;
mod job_clock;
mod judge;
mod settling;
mod whereabouts;

pub(crate) use completed::Completed;
pub(crate) use gather::{AskError, Asked, Effort, Evidence, gather, object_exists, whereabouts};
pub(crate) use job_clock::JobClock;
pub(crate) use judge::{Clocks, Moments, Question, SentBy, Trace, judge, seen};
pub(crate) use settling::{Coverage, Extent, LATEST, Settled, Settling};
pub(crate) use whereabouts::Whereabouts;
