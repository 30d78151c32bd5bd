//! Standard error as a terminal: whether it is one, and how large.

use std::io::{self, IsTerminal};

use terminal_size::{Height, Width, terminal_size_of};

/// Whether the terminal says that it is none in particular, which knows neither colours nor bars.
pub(super) fn terminal_is_unnamed() -> bool {
    std::env::var_os("TERM").is_some_and(|name| name.is_empty())
}

/// How wide a terminal is; 80 columns where it doesn't tell.
pub(super) fn columns(size: Option<(Width, Height)>) -> usize {
    size.map_or(80, |(Width(columns), _)| usize::from(columns))
}

#[expect(clippy::disallowed_methods, reason = "this is the owner")]
pub(super) fn stderr() -> io::Stderr {
    io::stderr()
}

/// Whether a screen can be drawn.
pub(crate) fn can_draw() -> bool {
    stderr().is_terminal() && !terminal_is_unnamed()
}

/// How many columns and rows the terminal of standard error has.
pub(super) fn size() -> (usize, usize) {
    let size = terminal_size_of(stderr());
    let rows = size.map_or(24, |(_, Height(rows))| usize::from(rows));
    (columns(size), rows)
}

/// Standard error as the output of a program that is started: nothing of it mixes with data.
pub(crate) fn for_child() -> std::process::Stdio {
    stderr().into()
}
