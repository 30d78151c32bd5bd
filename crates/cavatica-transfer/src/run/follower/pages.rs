//! What is learned of files whose folders are listed, and of jobs that are listed as failed.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use cavatica_exports::model::ExportId;
use tokio::time::Instant;

use super::{Follower, PAGE};
use crate::journal::FolderId;
use crate::run::folders::{FileList, PageSeen, PageShown};
use crate::run::followed::{Followed, SampledPage};

/// A job's reading tells what a page of files should have shown if it comes so soon after it.
const PROMPT: Duration = Duration::from_secs(5);

/// Why a page could not be had.
#[derive(Debug)]
pub(in crate::run) enum PageFailure {
    /// It can be asked for again: where the list can't be read on, from its beginning.
    Again(Option<Box<FileList>>),
    /// The folder isn't shown.
    NoFolder,
    /// Lists by tokens are refused.
    NoScroll,
}

impl Follower {
    /// So many entries of a folder came with a request.
    pub(in crate::run) fn granted(&mut self, entries: u64) {
        self.folders.grant(entries);
    }

    /// The list of failed jobs was read, or the beginning of it: these jobs, of so many.
    pub(in crate::run) fn failures(&mut self, listed: &HashSet<ExportId>, total: Option<u64>) {
        self.reads -= 1;
        let risen = match (self.failures_listed, total) {
            (Some(before), Some(total)) => total > before,
            (None, Some(total)) => total > listed.len() as u64,
            (_, None) => false,
        };
        self.failures_listed = total.or(self.failures_listed);
        let has_failed = |export: &ExportId| listed.contains(export);
        let mut suspects = self.folders.take_jobs(&has_failed);
        let (failed, others) = std::mem::take(&mut self.followed)
            .into_iter()
            .partition::<VecDeque<_>, _>(|followed| has_failed(&followed.export));
        self.followed = others;
        suspects.extend(failed);
        if suspects.is_empty() && risen {
            // They aren't among those that were shown. Those that were sent first may tell.
            suspects = self.folders.take_first(PAGE);
        }
        self.suspects.extend(suspects);
    }

    /// The list of failed jobs could not be had.
    pub(in crate::run) fn no_failures(&mut self) {
        self.reads -= 1;
    }

    /// A page of a folder was read.
    pub(in crate::run) fn listed(
        &mut self,
        folder: FolderId,
        shown: &PageShown<'_>,
        list: Option<Box<FileList>>,
    ) -> PageSeen {
        self.reads -= 1;
        let page = self.folders.listed(folder, shown, list);
        self.reading += page.seen.len();
        self.followed.extend(page.missed.iter().cloned());
        page
    }

    /// Of the files on a page so many had arrived, and these had not.
    pub(in crate::run) fn sorted_page(
        &mut self,
        folder: FolderId,
        expected: usize,
        arrived: usize,
        late: Vec<(Followed, u64)>,
        now: Instant,
    ) {
        let seen = arrived + late.len();
        self.reading -= seen;
        let few = late.len() * 10 <= seen;
        let mut late = late.into_iter();
        if few && self.reads_all && self.schedule.are_running(late.len()) {
            self.followed.extend(late.map(|(followed, _)| followed));
        } else if few {
            self.stragglers.extend(late.map(|(followed, _)| followed));
        } else {
            let sample = late.by_ref().take(PAGE).map(|(followed, _)| followed);
            self.samples
                .push((SampledPage { folder, at: now }, sample.collect()));
            let back = self.folders.put_back(folder, late.collect());
            self.followed.extend(back);
        }
        // Where the order isn't known, a page without any of them says nothing of the others.
        let nothing = seen == 0 && self.folders.is_in_order(folder);
        let asked = if nothing { expected } else { seen };
        self.schedule.read(asked, arrived, self.waiting(), now);
    }

    /// A page could not be had.
    pub(in crate::run) fn not_listed(
        &mut self,
        folder: FolderId,
        failed: PageFailure,
        now: Instant,
    ) {
        self.reads -= 1;
        let released = match failed {
            PageFailure::Again(list) => self.folders.not_listed(folder, list),
            PageFailure::NoFolder => self.folders.close(folder),
            PageFailure::NoScroll => self.folders.give_up(),
        };
        self.followed.extend(released);
        self.schedule.failed(now);
    }

    /// How the jobs of a sample stand now: so many were asked for, so many of them have failed, so many completed.
    pub(in crate::run) fn sampled(
        &mut self,
        page: SampledPage,
        asked: usize,
        failed: usize,
        done: usize,
        now: Instant,
    ) {
        // Where the limit stands between the two, jobs have ended since the page was read.
        let is_prompt = now - page.at <= PROMPT;
        if (failed + done) * 10 >= asked * 9 {
            self.schedule.vindicated();
        }
        if failed * 10 >= asked * 9 {
            let others = self.folders.sample_failed(page.folder);
            self.stragglers.extend(others);
        } else if done * 2 >= asked && is_prompt {
            let released = self.folders.sample_completed();
            self.followed.extend(released);
        }
    }
}
