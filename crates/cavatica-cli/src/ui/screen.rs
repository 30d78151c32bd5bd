//! A few lines at the foot of a terminal that are written anew as things change.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::fit::{middle, wrapped};
use super::gate::shown;
use super::stderr::{draw_below, width};

/// One line of the screen.
pub(crate) enum ScreenLine {
    /// A text whose middle may go.
    Name(String),
    /// So many percent, and a text beside the bar.
    Bar(u64, String),
    /// A text that may take more than one line.
    Words(String),
}

/// The lines that are drawn now. Each is fitted to the terminal as it is when it is drawn.
pub(crate) struct Screen {
    all: MultiProgress,
    lines: ProgressBar,
}

/// How wide a bar is at most.
const BAR: usize = 40;

#[expect(clippy::disallowed_methods, reason = "this is the owner")]
impl Screen {
    pub(crate) fn new() -> Self {
        let all = MultiProgress::new();
        let style = ProgressStyle::with_template("{msg}").expect("the template is fixed");
        let lines = all.add(ProgressBar::new(0).with_style(style));
        draw_below(Some(all.clone()));
        Screen { all, lines }
    }

    pub(crate) fn show(&self, lines: &[ScreenLine]) {
        // The last column stays empty: terminals differ in what they do after it.
        let room = width().saturating_sub(1).max(20);
        let lines: Vec<String> = lines.iter().map(|line| line.fitted(room)).collect();
        self.lines.set_message(lines.join("\n"));
    }

    pub(crate) fn clear(&self) {
        draw_below(None);
        self.all.clear().ok();
    }
}

impl ScreenLine {
    fn fitted(&self, room: usize) -> String {
        match self {
            ScreenLine::Name(text) => middle(&shown(text), room).into_owned(),
            ScreenLine::Words(text) => wrapped(&shown(text), room, 0, 2),
            ScreenLine::Bar(percent, text) => {
                let text = shown(text);
                let width = room.saturating_sub(text.len() + 3).min(BAR);
                if width < 8 {
                    return wrapped(&text, room, 0, 2);
                }
                let full = width * usize::try_from(*percent).unwrap_or(0).min(100) / 100;
                format!("[{}{}] {text}", "#".repeat(full), "-".repeat(width - full))
            }
        }
    }
}
