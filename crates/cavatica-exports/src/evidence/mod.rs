//! What the platform shows of exports whose fate isn't known, and what follows from it.
//!
//! [`Exports::start_once`](crate::Exports::start_once) and the engine decide by it, and so may another sender of many files.
//!
//! [`gather`] asks, cheapest question first. [`judge`] says what the answers show of one file, [`Settling`] when seeing
//! nothing proves that there is nothing, [`JobClock`] when a job began on our own clock. All but the first are pure: no
//! network, no clock, no disk.

mod completed;
mod gather;
mod job_clock;
mod judge;
mod list_order;
mod settling;
mod shown;
mod whereabouts;
mod whole_list;

pub use completed::Completed;
pub use gather::{AskError, Asked, Effort, gather, object_exists, whereabouts};
pub use job_clock::JobClock;
pub use judge::{Clocks, Question, SentBy, Trace, judge};
pub use list_order::ListOrder;
pub use settling::{Coverage, Extent, LATEST, Settled, Settling};
pub use shown::Evidence;
pub use whereabouts::Whereabouts;
pub use whole_list::ListedJobs;
