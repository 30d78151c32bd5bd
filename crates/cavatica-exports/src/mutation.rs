//! Faults that are put in by hand, to see that the proof finds each of them.
//!
//! Only builds with the feature `mutations` have them, which `cavatica-simulation` alone asks for. In all others
//! [`is_on`](Mutation::is_on) is always false, and the compiler leaves nothing of them.

/// Declares the mutations with their names.
macro_rules! mutations {
    ($($(#[doc = $doc:literal])* $Mutation:ident = $name:literal,)+) => {
        /// A fault that was put in by hand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutation { $($(#[doc = $doc])* $Mutation,)+ }

        #[cfg(feature = "mutations")]
        impl Mutation {
            /// All of them.
            pub const ALL: &[Mutation] = &[$(Mutation::$Mutation,)+];

            /// The name by which it is switched on.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Mutation::$Mutation => $name,)+ }
            }

            /// What is wrong with the engine then.
            #[must_use]
            pub const fn words(self) -> &'static str {
                match self { $(Mutation::$Mutation => concat!($($doc,)*).trim_ascii(),)+ }
            }
        }
    };
}

mutations! {
    /// A lost call is looked up at once, and not finding it is enough.
    SettleSkipped = "settle-skipped",
    /// A resumed run sends again what the one before it was about to send.
    IntentForgotten = "intent-forgotten",
    /// Nobody asks whether another run has taken the transfer over.
    FenceLeftOut = "fence-left-out",
    /// A list counts without a witness.
    WitnessNotAsked = "witness-not-asked",
    /// A job that was sent while the lost call may still be carried out counts as a witness.
    WitnessTooOld = "witness-too-old",
    /// A list counts as whole though fewer different jobs came than it says it has.
    GapsOverlooked = "gaps-overlooked",
    /// A call goes out before its intent is on the disk.
    SentBeforeCommit = "sent-before-commit",
    /// The folder isn't synced after a commit.
    FolderNotSynced = "folder-not-synced",
    /// A refusal isn't looked into that may be the echo of our own success.
    EchoNotLookedAt = "echo-not-looked-at",
    /// A second sending may overwrite.
    OverwriteKept = "overwrite-kept",
    /// A move may overwrite without a look at its files.
    OverwriteBlind = "overwrite-blind",
    /// A move is complete when its job says so.
    CompletedBelieved = "completed-believed",
    /// Every job of the same file to the same place is ours.
    ForeignJobTaken = "foreign-job-taken",
    /// A no to a whole call means that nothing was taken.
    NoBelieved = "no-believed",
    /// An item's 5xx means that it was refused.
    ItemErrorBelieved = "item-error-believed",
    /// The files of a call that is still being carried out aren't waited for.
    SlowCallForgotten = "slow-call-forgotten",
}

#[cfg(feature = "mutations")]
mod switch {
    use std::cell::Cell;

    use super::Mutation;

    thread_local! {
        static ON: Cell<Option<Mutation>> = const { Cell::new(None) };
    }

    impl Mutation {
        /// Switches one on for this thread, or all off.
        pub fn switch(to: Option<Mutation>) {
            ON.set(to);
        }

        /// Whether this one is switched on.
        #[must_use]
        pub fn is_on(self) -> bool {
            ON.get() == Some(self)
        }
    }
}

#[cfg(not(feature = "mutations"))]
impl Mutation {
    /// Never here.
    #[must_use]
    pub const fn is_on(self) -> bool {
        false
    }
}
