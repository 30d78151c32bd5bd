//! A few lines at the foot of a terminal that are written anew as things change.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use unicode_width::UnicodeWidthStr;

use super::fit::{middle, wrapped};
use super::gate::shown;
use super::terminal::{size, stderr};

/// What stands at the foot of the terminal now. The cursor waits at the beginning of the line below: what the terminal itself
/// writes there, such as `^C`, moves nothing, and goes with the next drawing.
static DRAWN: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// How often lines are drawn at most: nobody reads faster, and a terminal far away is slow.
const EVERY: Duration = Duration::from_millis(100);

/// One line of the screen.
pub(crate) enum ScreenLine {
    /// A text whose middle may go.
    Name(String),
    /// So many percent, and a text beside the bar.
    Bar(u64, String),
    /// A text that may take more than one line.
    Words(String),
}

/// The lines that are drawn. Each is fitted to the terminal as it is when it is drawn.
#[derive(Default)]
pub(crate) struct Screen {
    last: Option<Instant>,
}

/// How wide a bar is at most.
const BAR: usize = 40;

impl Screen {
    pub(crate) fn show(&mut self, lines: &[ScreenLine]) {
        if self.last.is_some_and(|last| last.elapsed() < EVERY) {
            return;
        }
        self.last = Some(Instant::now());
        let (columns, rows) = size();
        // The last column stays empty: terminals differ in what they do after it.
        let room = columns.saturating_sub(1).max(20);
        let fitted: Vec<String> = lines.iter().map(|line| line.fitted(room)).collect();
        let lines = fitted.iter().flat_map(|text| text.lines());
        // What has scrolled away can't be drawn anew.
        let lines = lines.take(rows.saturating_sub(1)).map(str::to_owned);
        draw(&mut drawn(), "", lines.collect());
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        draw(&mut drawn(), "", Vec::new());
    }
}

/// Writes a line above those that are drawn; `false` if none are.
pub(super) fn line_above(text: &str) -> bool {
    let mut now = drawn();
    if now.is_empty() {
        return false;
    }
    let lines = now.clone();
    draw(&mut now, &format!("{text}\n"), lines);
    true
}

fn drawn() -> MutexGuard<'static, Vec<String>> {
    DRAWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Puts a text and these lines where the drawn ones stand. A terminal may go away before the program does.
fn draw(now: &mut Vec<String>, above: &str, lines: Vec<String>) {
    let (columns, _) = size();
    // A terminal that became narrower breaks what it shows.
    let rows = |line: &String| line.width().div_ceil(columns.max(1)).max(1);
    let mut text = match now.iter().map(rows).sum::<usize>() {
        0 => String::new(),
        up => format!("\r\u{1b}[{up}A\u{1b}[J"),
    };
    text.push_str(above);
    for line in &lines {
        text.push_str(line);
        text.push('\n');
    }
    *now = lines;
    stderr().write_all(text.as_bytes()).ok();
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
