//! What is asked of the platform's contract, and the habits that it can have: all there are.
//!
//! A habit is one of a fixed list, so that nothing which the platform wrote can get into what is kept.

use std::fmt;

/// Whether a habit is the one that the program was written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accord {
    /// It is what is documented, or inferred where no page tells.
    Expected,
    /// It is the other way, and the program gets along with it.
    Otherwise,
    /// It contradicts what *exactly once* rests on.
    Contradiction,
}

/// How a habit is known before a platform has shown one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Basis {
    /// A page of the platform says so.
    Documented,
    /// No page says so in so many words.
    Inferred,
}

impl Basis {
    /// It in one word, as in `docs/api.md`.
    pub fn name(self) -> &'static str {
        match self {
            Basis::Documented => "documented",
            Basis::Inferred => "inferred",
        }
    }
}

/// Declares the questions with the habits that answer them.
macro_rules! questions {
    ($($OpenQuestion:ident = $name:literal, row $row:expr, $Basis:ident, $asks:literal => {
        $($Habit:ident = $said:literal, $standing:ident, $does:literal;)+
    })+) => {
        /// Something about the platform that no page tells, or that pages tell differently.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum OpenQuestion { $(#[doc = $asks] $OpenQuestion,)+ }

        /// How a platform was seen to behave: what answers an [`OpenQuestion`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Habit { $($(#[doc = $does] $Habit,)+)+ }

        impl OpenQuestion {
            /// Every question.
            pub const ALL: &'static [OpenQuestion] = &[$(OpenQuestion::$OpenQuestion,)+];

            /// Its name in JSON; it doesn't change.
            pub fn name(self) -> &'static str {
                match self { $(OpenQuestion::$OpenQuestion => $name,)+ }
            }

            /// Its number among the open questions of `docs/api.md`, if it has one.
            pub fn row(self) -> Option<u8> {
                match self { $(OpenQuestion::$OpenQuestion => $row,)+ }
            }

            /// How the expected habit is known.
            pub fn basis(self) -> Basis {
                match self { $(OpenQuestion::$OpenQuestion => Basis::$Basis,)+ }
            }

            /// What is asked, in words.
            pub fn asks(self) -> &'static str {
                match self { $(OpenQuestion::$OpenQuestion => $asks,)+ }
            }

            /// The habits that it can show.
            pub fn habits(self) -> &'static [Habit] {
                match self { $(OpenQuestion::$OpenQuestion => &[$(Habit::$Habit,)+],)+ }
            }
        }

        impl Habit {
            pub(super) const ALL: &'static [Habit] = &[$($(Habit::$Habit,)+)+];

            /// Its name in JSON; it doesn't change.
            pub fn name(self) -> &'static str {
                match self { $($(Habit::$Habit => $said,)+)+ }
            }

            /// The question that it answers.
            pub fn question(self) -> OpenQuestion {
                match self { $($(Habit::$Habit => OpenQuestion::$OpenQuestion,)+)+ }
            }

            /// Whether the program was written for it.
            pub fn accord(self) -> Accord {
                match self { $($(Habit::$Habit => Accord::$standing,)+)+ }
            }

            /// What the program does about it, in words.
            pub fn follows(self) -> &'static str {
                match self { $($(Habit::$Habit => $does,)+)+ }
            }
        }
    };
}

questions! {
    StartStatus = "start-status", row Some(1), Inferred, "the HTTP status of a bulk start" => {
        Status200 = "200", Expected, "the body decides";
        Status201 = "201", Otherwise, "the body decides";
        StatusOther = "another-2xx", Otherwise, "the body decides";
    }
    CopyOnly = "copy-only", row Some(2), Documented, "whether `copy_only` keeps the platform's copy" => {
        SourceKept = "kept", Expected, "copies go on after the first";
        SourceMoved = "moved", Otherwise, "copies are refused for this account until a canary shows otherwise";
    }
    ListOrder = "list-order", row Some(5), Inferred, "the order of the list of jobs" => {
        NewestFirst = "newest-first", Expected, "all pages are read in any case";
        OldestFirst = "oldest-first", Otherwise, "all pages are read in any case";
        NoOrder = "none", Otherwise, "all pages are read in any case";
    }
    ListDelay = "list-delay", row None, Inferred, "whether a job is listed when it was accepted" => {
        ListedAtOnce = "at-once", Expected, "the settling time stays as it is";
        ListedLate = "late", Otherwise, "where it takes longer than the settling time, that is lengthened";
    }
    BulkOrder = "bulk-order", row Some(7), Inferred, "the order of bulk answers" => {
        AsAsked = "as-asked", Expected, "items are matched by file and location";
        InAnotherOrder = "another", Otherwise, "items are matched by file and location";
        ItemsMissing = "items-missing", Otherwise, "what is missing is a lost answer, and looked up";
    }
    PrefixJoin = "prefix-join", row Some(9), Inferred, "what stands between a volume's prefix and a location" => {
        OneSlash = "one-slash", Expected, "`verify` looks there first";
        AnotherJoin = "otherwise", Otherwise, "`verify` looks there too";
    }
    ObjectMetadata = "object-metadata", row Some(10), Inferred, "the keys of an S3 object's `metadata`" => {
        ContentLength = "content-length", Expected, "sizes are compared";
        SizeKey = "size", Otherwise, "sizes are compared";
        EtagKey = "etag", Expected, "objects that were written again are noticed";
        LastModified = "last-modified", Expected, "it isn't used";
        OtherKey = "other", Otherwise, "it isn't used";
        NoMetadata = "none", Otherwise, "`verify` compares keys alone, and says so";
    }
    ScrollPage = "scroll-page", row Some(11), Inferred, "the page that `/files/scroll` grants" => {
        FullPage = "a-thousand", Expected, "moves are followed by listing folders";
        SmallerPage = "fewer", Otherwise, "listing is used where it takes fewer requests all the same";
        NoScroll = "refused", Otherwise, "files are read by their ids";
    }
    NotExportable = "not-exportable", row Some(15), Inferred, "where 9006 comes" => {
        NotExportableAtOnce = "at-once", Expected, "the file has failed, unless our own success is the reason";
        NotExportableInJob = "in-the-job", Otherwise, "the file has failed, unless our own success is the reason";
    }
    Occupied = "occupied", row Some(15), Inferred, "where 9107 comes" => {
        OccupiedInJob = "in-the-job", Expected, "the file has failed, unless our own object is in the way";
        OccupiedAtOnce = "at-once", Otherwise, "the file has failed, unless our own object is in the way";
        Overwritten = "not-at-all", Otherwise, "`plan` alone keeps files from being overwritten: let nobody else write there";
    }
    FailedJob = "failed-job", row None, Documented, "the HTTP status under which a failed job is read" => {
        FailedJob200 = "200", Expected, "the job is read";
        FailedJobError = "its-error's", Otherwise, "the job is read from there too";
    }
    ResetUnit = "reset-unit", row Some(17), Documented, "the unit of `X-RateLimit-Reset`" => {
        ResetSeconds = "seconds", Expected, "it is obeyed";
        ResetMilliseconds = "milliseconds", Otherwise, "it is told from seconds by its size, and obeyed";
        ResetUntold = "untold", Otherwise, "the documented window of five minutes is assumed";
    }
    Throttling = "throttling", row None, Documented, "what a 429 says of how long to wait" => {
        ThrottledWithReset = "reset", Expected, "it is waited for";
        ThrottledWithRetryAfter = "retry-after", Otherwise, "it is waited for";
        ThrottledBare = "nothing", Otherwise, "pauses grow from a second on";
    }
    LimitScope = "limit-scope", row Some(18), Inferred, "whether what others use of the limit shows" => {
        OthersCounted = "it-shows", Expected, "what is told to be left is obeyed, not our own count";
    }
    FailedMove = "failed-move", row Some(22), Inferred, "whether a move that failed leaves the file as it was" => {
        FailedMoveKeepsFile = "as-it-was", Expected, "it can be sent again";
        FailedMoveLosesFile = "elsewhere-or-gone", Otherwise, "sent again it is refused, and has failed";
    }
    VolumeRegion = "volume-region", row Some(29), Inferred, "whether a volume takes files of another region" => {
        OtherRegionRefused = "refused", Expected, "such a file has failed, and stays as it is";
    }
    JobNames = "job-names", row None, Documented, "whether the job in a bulk answer names its file" => {
        JobsNamed = "named", Expected, "jobs are matched by it";
        JobsNameless = "nameless", Otherwise, "jobs are read by their ids first";
    }
    JobState = "job-state", row None, Documented, "whether jobs show documented states alone" => {
        KnownState = "documented", Expected, "they are followed";
        UnknownState = "undocumented", Otherwise, "such a job counts as not known to have ended";
    }
    JobTimes = "job-times", row None, Documented, "how jobs are dated" => {
        ZonedTimes = "with-zone", Expected, "jobs are told apart by them";
        ZonelessTimes = "without-zone", Otherwise, "the offset is measured on jobs of our own";
        NoTimes = "not-at-all", Otherwise, "files and objects alone tell whose a job is";
    }
    AliasLocation = "alias-location", row None, Inferred, "the location that an alias shows" => {
        AliasAsPlanned = "as-sent", Expected, "it proves the move";
        AliasRespelled = "in-another-form", Otherwise, "it proves the move: forms of Unicode and percent-encoding are compared";
        AliasElsewhere = "another", Otherwise, "the object is looked for, and proves the move";
    }
    AliasDelay = "alias-delay", row None, Inferred, "whether a moved file is an alias when its job has completed" => {
        AliasAtOnce = "at-once", Expected, "the file proves the move";
        AliasLate = "late", Otherwise, "the file is looked at again";
    }
    Belief = "belief", row None, Inferred, "whether what was seen contradicts what *exactly once* rests on" => {
        ListOutOfOrder = "list-in-order", Contradiction, "a move sends nothing further";
        JobForgotten = "jobs-kept", Contradiction, "a move sends nothing further";
        AliasTooLate = "alias-is-true", Contradiction, "a move sends nothing further";
    }
}

impl fmt::Display for OpenQuestion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.asks())
    }
}

impl fmt::Display for Habit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Declares what is measured.
macro_rules! measures {
    ($($Measure:ident = $name:literal, $words:literal,)+) => {
        /// Something that is measured, as its least and its greatest.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Measure { $(#[doc = $words] $Measure,)+ }

        impl Measure {
            /// Everything that is measured.
            pub const ALL: &'static [Measure] = &[$(Measure::$Measure,)+];

            /// Its name in JSON, with its unit at the end; it doesn't change.
            pub fn name(self) -> &'static str {
                match self { $(Measure::$Measure => $name,)+ }
            }

            /// What is measured, in words.
            pub fn words(self) -> &'static str {
                match self { $(Measure::$Measure => $words,)+ }
            }
        }
    };
}

measures! {
    ListedAfter = "listed_after_ms", "how long after its call a job was listed at the latest that a look before had not shown, in milliseconds",
    AliasAfter = "alias_after_ms", "how long after a look that showed its job completed a file was not yet an alias, in milliseconds",
    ScrollEntries = "scroll_entries", "entries on a page of a scroll that another one followed",
    JobClockAhead = "job_clock_ahead_s", "how far the clock that jobs are dated by is ahead of the `Date` of answers at least, in seconds",
    DateAhead = "date_ahead_s", "how far the `Date` of answers is ahead of this machine's clock, in seconds",
}

/// What *exactly once* rests on and a run can see contradicted; the names are those of `docs/reliability.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Belief {
    /// What a list of jobs shows of later jobs it shows of earlier ones, after four settling times at the latest.
    ListInOrder,
    /// A job stays in the list for a day, and can be read by its id.
    JobsKept,
    /// A completed move shows on its file within four settling times.
    AliasIsTrue,
}

impl Belief {
    /// All of them.
    pub const ALL: [Belief; 3] = [Belief::ListInOrder, Belief::JobsKept, Belief::AliasIsTrue];

    /// The habit that says that it was contradicted.
    pub(crate) fn contradicted(self) -> Habit {
        match self {
            Belief::ListInOrder => Habit::ListOutOfOrder,
            Belief::JobsKept => Habit::JobForgotten,
            Belief::AliasIsTrue => Habit::AliasTooLate,
        }
    }

    /// Its name, as in `docs/reliability.md`.
    pub fn name(self) -> &'static str {
        self.contradicted().name()
    }

    /// What was seen that contradicts it.
    pub fn seen(self) -> &'static str {
        match self {
            Belief::ListInOrder => {
                "a job showed in the list only when younger ones had shown long before"
            }
            Belief::JobsKept => "a job that had been accepted could not be found any more",
            Belief::AliasIsTrue => {
                "a moved file became an alias only long after its job had completed"
            }
        }
    }
}

impl fmt::Display for Belief {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl std::str::FromStr for Belief {
    type Err = NoBelief;

    fn from_str(name: &str) -> Result<Self, NoBelief> {
        let known = Belief::ALL.into_iter().find(|belief| belief.name() == name);
        known.ok_or(NoBelief)
    }
}

/// A name that no belief has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there are list-in-order, jobs-kept and alias-is-true")]
pub struct NoBelief;
