//! Standard output, and what happens when its reader goes away.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// What a command does when nobody reads its output any more, as after `| head`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OnClosedPipe {
    /// Its work goes on, and ends as it would have ended.
    GoOn,
    /// Its output was all of its work.
    Stop,
}

/// Standard output. A reader that goes away ends what is printed, and is no failure.
#[derive(Debug)]
pub(super) struct Out {
    on_closed_pipe: OnClosedPipe,
    /// Whether it was one when the program began: one that is gone can't be asked.
    is_terminal: bool,
    closed: AtomicBool,
}

impl Out {
    pub(super) fn new(on_closed_pipe: OnClosedPipe, is_terminal: bool) -> Self {
        Out {
            on_closed_pipe,
            is_terminal,
            closed: AtomicBool::new(false),
        }
    }

    /// Whether the command was stopped because nobody reads what it prints.
    pub(super) fn has_stopped(&self) -> bool {
        self.on_closed_pipe == OnClosedPipe::Stop && self.closed.load(Ordering::Relaxed)
    }

    /// Whether a pipe's reader, or the terminal, is gone.
    fn is_unread(&self, error: &io::Error) -> bool {
        error.kind() == ErrorKind::BrokenPipe || self.is_terminal && is_of_a_gone_terminal(error)
    }

    /// Writes as long as there is a reader. Standard output keeps what it could not write, and would try it again, so it
    /// isn't asked any more.
    fn while_read<T>(
        &self,
        write: impl FnOnce(io::StdoutLock<'_>) -> io::Result<T>,
        unread: T,
    ) -> io::Result<T> {
        if !self.closed.load(Ordering::Relaxed) {
            #[expect(clippy::disallowed_methods, reason = "this is the owner")]
            let stdout = io::stdout();
            match write(stdout.lock()) {
                Err(error) if self.is_unread(&error) => {
                    self.closed.store(true, Ordering::Relaxed);
                }
                result => return result,
            }
        }
        match self.on_closed_pipe {
            OnClosedPipe::GoOn => Ok(unread),
            OnClosedPipe::Stop => Err(ErrorKind::BrokenPipe.into()),
        }
    }
}

#[cfg(unix)]
fn is_of_a_gone_terminal(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

#[cfg(not(unix))]
fn is_of_a_gone_terminal(_: &io::Error) -> bool {
    false
}

impl Write for &Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.while_read(|mut out| out.write(bytes), bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.while_read(|mut out| out.flush(), ())
    }
}
