//! Bars on a terminal: submitted, completed and failed, all against the whole plan.

use cavatica_transfer::journal::Tally;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::gate::shown;
use super::stderr::draw_below;

/// Three bars with the same end, and two lines of words below them, so that each fits a terminal of 80 columns.
pub(crate) struct Bars {
    all: MultiProgress,
    submitted: ProgressBar,
    completed: ProgressBar,
    failed: ProgressBar,
    words: ProgressBar,
    requests: ProgressBar,
}

#[expect(clippy::disallowed_methods, reason = "this is the owner")]
impl Bars {
    pub(crate) fn new() -> Self {
        let all = MultiProgress::new();
        let bar = |name: &'static str| {
            let style =
                ProgressStyle::with_template("{prefix:>9} {bar:30} {human_pos:>9} of {human_len}");
            let bar = ProgressBar::new(0).with_style(style.expect("the template is fixed"));
            all.add(bar.with_prefix(name))
        };
        let (submitted, completed, failed) = (bar("submitted"), bar("completed"), bar("failed"));
        let style = ProgressStyle::with_template("{wide_msg}").expect("the template is fixed");
        let line = || all.add(ProgressBar::new(0).with_style(style.clone()));
        let (words, requests) = (line(), line());
        draw_below(Some(all.clone()));
        Bars {
            all,
            submitted,
            completed,
            failed,
            words,
            requests,
        }
    }

    /// Shows how many files stand where. What came back to be sent again isn't submitted, so no bar passes its end.
    pub(crate) fn show(&self, tally: &Tally, words: String, requests: String) {
        let total = tally.total().files;
        let counts = [
            (&self.submitted, total - tally.planned.files),
            (&self.completed, tally.completed.files),
            (&self.failed, tally.failed.files),
        ];
        for (bar, count) in counts {
            bar.set_length(total);
            bar.set_position(count);
        }
        self.words.set_message(shown(words));
        self.requests.set_message(shown(requests));
    }

    pub(crate) fn clear(&self) {
        draw_below(None);
        self.all.clear().ok();
    }
}
