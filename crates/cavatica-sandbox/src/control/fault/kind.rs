//! What can go wrong: the building blocks of fault rules.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong with a request, or with a job that it starts.
///
/// Those that say how a call is carried out ([`Take`](Fault::Take), [`TakeEvery`](Fault::TakeEvery),
/// [`Spread`](Fault::Spread)) say nothing of its answer, so a rule joins them with one that does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum Fault {
    /// The request is refused with this status and code, and not carried out.
    Refuse {
        /// The HTTP status.
        status: u16,
        /// The platform's status code.
        code: i64,
    },
    /// The request is carried out; the answer refuses it as a whole with this status and code.
    RefuseAfter {
        /// The HTTP status.
        status: u16,
        /// The platform's status code.
        code: i64,
    },
    /// The connection is closed; the request is not carried out.
    DropBefore,
    /// The request is carried out; the connection is closed instead of an answer.
    DropAfter,
    /// The request is carried out; the answer is a gateway's error.
    ErrorAfter {
        /// The HTTP status, 500 or above.
        status: u16,
    },
    /// The request is not carried out and never answered.
    HangBefore,
    /// The request is carried out and never answered.
    HangAfter,
    /// The request is not carried out; the answer is a page for people.
    HtmlBefore {
        /// The HTTP status.
        status: u16,
    },
    /// The request is carried out; the answer is a page for people.
    HtmlAfter {
        /// The HTTP status.
        status: u16,
    },
    /// The request is carried out; the answer breaks off in the middle.
    Truncate,
    /// 429 without any header that says how long to wait; not carried out.
    Throttle,
    /// 503 with code 0; not carried out.
    Maintenance,
    /// Only the first items of a bulk start are carried out; the others are answered with 503, if anything is.
    Take {
        /// How many.
        items: usize,
    },
    /// Only every n-th item of a bulk start is carried out.
    TakeEvery {
        /// 2 takes every second one.
        nth: usize,
    },
    /// The items of a start are accepted one by one over this time. An answer that is lost or refuses goes out at once, and
    /// the rest is accepted while the client looks; any other waits for the last item.
    Spread {
        /// From the request to the last item's acceptance.
        #[serde(rename = "seconds", with = "crate::clock::seconds")]
        over: Duration,
    },
    /// An item of a bulk start is accepted, but its own error comes back. Counted per item.
    ItemError {
        /// The HTTP status in the item.
        status: u16,
        /// The platform's status code.
        code: i64,
    },
    /// The items of an answer come in another order.
    Shuffle,
    /// Items are missing from the end of a bulk answer.
    Omit {
        /// How many.
        items: usize,
    },
    /// The first items of a list have a field of a wrong type.
    OddItems {
        /// How many.
        items: usize,
    },
    /// The jobs in the answer show a state that no page documents.
    OddState {
        /// The state.
        state: String,
    },
    /// The jobs in the answer have neither source nor destination.
    Nameless,
    /// Jobs younger than this don't show in the list of exports, nor in its total. Read by their ids they do.
    LateList {
        /// Since acceptance.
        #[serde(rename = "seconds", with = "crate::clock::seconds")]
        by: Duration,
    },
    /// The list of exports ends after so many jobs, and its total says so.
    CapList {
        /// How many.
        items: usize,
    },
    /// The newest jobs don't show in the list of exports, nor in its total. Read by their ids they do.
    LackNewest {
        /// How many.
        items: usize,
    },
    /// The list of exports stands in another order at each request, so that its pages overlap and leave jobs out.
    Disorder,
    /// Pages of a scroll hold at most so many entries, whatever `limit` says.
    CapScroll {
        /// How many.
        items: usize,
    },
    /// Lists of files, scrolled or not, show only later that a file is an alias, or was added. Read by its id it shows.
    LateFiles {
        /// Since it became one.
        #[serde(rename = "seconds", with = "crate::clock::seconds")]
        by: Duration,
    },
    /// The further pages of a scroll show aliases and added files as they were when the first page was read.
    Snapshot,
    /// The tokens of a scroll aren't taken any more.
    ExpireTokens {
        /// Since the page that named them.
        #[serde(rename = "seconds", with = "crate::clock::seconds")]
        after: Duration,
    },
    /// Before a further page of a folder is read, somebody renames a file that is still to come, which jumps to the front,
    /// moves another to the project's top, and adds one.
    Restless,
    /// Jobs older than this are neither listed nor found by their ids.
    Forget {
        /// Since acceptance.
        #[serde(rename = "seconds", with = "crate::clock::seconds")]
        after: Duration,
    },
    /// The times of jobs in the answer are off.
    JobClock {
        /// How far the jobs' clock is ahead; negative if it is behind.
        seconds: i64,
    },
    /// The times of jobs in the answer are local and don't say so.
    Zoneless {
        /// How far the zone is ahead of UTC.
        hours: i64,
    },
    /// The jobs in the answer have no times.
    NoTimes,
    /// The `Date` header is off.
    Date {
        /// How far it is ahead; negative if it is behind.
        seconds: i64,
    },
    /// Locations of jobs and aliases come back spelled otherwise.
    Respell {
        /// How.
        form: Form,
    },
    /// The job that is started will fail. Counted per job, as the others that follow.
    FailJobs {
        /// The platform's status code of the failure.
        code: i64,
    },
    /// The job completes with an object, but the file never becomes its alias.
    KeepFile,
    /// The job says that it completed, but there is neither an object nor an alias.
    Hollow,
    /// The file becomes an alias only some time after its job completed.
    LateAlias {
        /// Since completion.
        #[serde(rename = "seconds", with = "crate::clock::seconds")]
        by: Duration,
    },
    /// Somebody deletes the file some time after its job completed; the object stays.
    LoseFile {
        /// Since completion.
        #[serde(rename = "seconds", with = "crate::clock::seconds")]
        after: Duration,
    },
}

/// How a location can be spelled otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Unicode, composed.
    Nfc,
    /// Unicode, decomposed.
    Nfd,
    /// Percent-encoded, but for `/`.
    Percent,
}

impl Fault {
    /// Whether it strikes single jobs (or items) rather than requests.
    pub(crate) fn is_per_job(&self) -> bool {
        matches!(
            self,
            Fault::ItemError { .. }
                | Fault::FailJobs { .. }
                | Fault::KeepFile
                | Fault::Hollow
                | Fault::LateAlias { .. }
                | Fault::LoseFile { .. }
        )
    }
}
