//! Files that failed and are to be sent again.
//!
//! A failed job may come back, and a file may have been moved by hand since. So both are read, a hundred files a request,
//! before anything is sent again.

use std::collections::HashSet;

use cavatica_exports::model::error::StatusCode;

use crate::journal::Failed;
use crate::state::{Doubt, Failure, ItemId};

/// The most readings that are under way at once.
const READS: usize = 3;

/// Which files a run sends again. It sends nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retry {
    /// Failed files: those with one of these codes or, with none named, those that pass by waiting.
    pub codes: Vec<i64>,
    /// Files whose outcome isn't known.
    pub unknown: UnknownFiles,
    /// Files that may not overwrite any more, because a sending of theirs was lost.
    pub overwrite: OverwriteAgain,
}

impl Retry {
    /// Failed files with one of these codes or, with none named, those that pass by waiting.
    pub fn of_codes(codes: Vec<i64>) -> Self {
        Retry {
            codes,
            ..Retry::default()
        }
    }
}

/// What becomes of files whose outcome isn't known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFiles {
    /// They are looked for, and not sent.
    #[default]
    Leave,
    /// They are looked for, and sent where nothing of theirs is seen, although it may be there.
    MaySendTwice,
}

/// Whether a file may overwrite again whose earlier sending was lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverwriteAgain {
    /// It may not.
    #[default]
    No,
    /// It may, if the user planned it so; its file is read before.
    Yes,
}

impl Retry {
    /// Whether a failed file is to be sent again.
    pub(super) fn wants(&self, failure: &Failure) -> bool {
        let is_taken =
            failure.code == Some(StatusCode::OCCUPIED) && self.overwrite == OverwriteAgain::Yes;
        is_taken
            || match &self.codes[..] {
                [] => failure.class().passes_by_waiting(),
                codes => failure.code.is_some_and(|code| codes.contains(&code)),
            }
    }

    /// Whether a file may be sent of which it isn't known whether it was: nothing of it was seen.
    pub(super) fn releases(&self, doubt: Doubt) -> bool {
        self.unknown == UnknownFiles::MaySendTwice
            && match doubt {
                Doubt::ListIncomplete | Doubt::JobGone | Doubt::FileChanged => true,
                Doubt::JobUnclear | Doubt::NotMoved | Doubt::WhoseJob => false,
            }
    }
}

/// How far the failed files have been gone through.
#[derive(Debug)]
pub(super) struct Retrying {
    retry: Option<Retry>,
    /// The last file that was looked at; `None` before the first.
    after: Option<ItemId>,
    finished: bool,
    reads: usize,
    /// Files that failed in an earlier run. Where that was a backup's, it need not have been the last one: a later run may
    /// have sent them again, and their jobs may be under way.
    of_earlier_runs: HashSet<ItemId>,
}

impl Retrying {
    pub(super) fn new(retry: Option<Retry>) -> Self {
        Retrying {
            finished: retry.is_none(),
            retry,
            after: None,
            reads: 0,
            of_earlier_runs: HashSet::new(),
        }
    }

    /// An earlier run sent it, and it failed.
    pub(super) fn failed_before(&mut self, item: ItemId) {
        self.of_earlier_runs.insert(item);
    }

    /// Whether it was such a one, which is looked up before it is sent again.
    pub(super) fn take_failed_before(&mut self, item: ItemId) -> bool {
        self.of_earlier_runs.remove(&item)
    }

    pub(super) fn retry(&self) -> Option<&Retry> {
        self.retry.as_ref()
    }

    /// Whether more files are to be read from the journal, and behind which.
    pub(super) fn wants_more(&self) -> Option<Option<ItemId>> {
        (!self.finished && self.reads < READS).then_some(self.after)
    }

    /// A page came from the journal. Answers those of it that are to be sent again.
    pub(super) fn take_page(&mut self, page: Vec<Failed>) -> Vec<Failed> {
        match page.last() {
            Some(last) => self.after = Some(last.item.id),
            None => self.finished = true,
        }
        let wanted = |failed: &Failed| {
            let retry = self.retry.as_ref();
            retry.is_some_and(|retry| retry.wants(&failed.failure))
        };
        let wanted: Vec<Failed> = page.into_iter().filter(wanted).collect();
        self.reads += usize::from(!wanted.is_empty());
        wanted
    }

    /// A reading ended.
    pub(super) fn read(&mut self) {
        self.reads -= 1;
    }

    /// A reading brought nothing: what it was about, and all behind it, is looked at again.
    pub(super) fn not_read(&mut self, first: ItemId) {
        self.reads -= 1;
        self.finished = false;
        self.after = Some(ItemId(first.0 - 1));
    }

    pub(super) fn is_idle(&self) -> bool {
        self.finished && self.reads == 0
    }
}
