//! A terminal with the real program on it: what it shows is read as a person would read it.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use pty_process::Size;
use pty_process::blocking::{Pty, open};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// What isn't shown by then never is.
const PATIENCE: Duration = Duration::from_secs(40);

/// How many lines of what has scrolled away are kept.
const SCROLLBACK: usize = 2_000;

/// A program on a terminal of its own, so that Ctrl-C and a hang-up reach it.
pub(crate) struct Terminal {
    pty: Pty,
    child: Child,
    parser: vt100::Parser,
    seen: Seen,
}

/// What a program showed so far.
#[derive(Default)]
struct Seen {
    /// Every byte, as it came.
    raw: Vec<u8>,
    /// Each screen, once.
    frames: Vec<String>,
}

/// What was seen of a program that has ended.
pub(crate) struct Ended {
    /// `None` if a signal ended it.
    pub(crate) exit: Option<i32>,
    /// The last screen, and all that has scrolled away above it.
    pub(crate) text: String,
    pub(crate) raw: String,
    pub(crate) frames: Vec<String>,
}

impl Terminal {
    pub(crate) fn start(command: &Command, rows: u16, columns: u16) -> Self {
        let (pty, end) = open().unwrap();
        pty.resize(Size::new(rows, columns)).unwrap();
        let mut on_it = pty_process::blocking::Command::new(command.get_program())
            .args(command.get_args())
            .env_clear()
            .env("TERM", "xterm-256color");
        for (name, value) in command.get_envs() {
            on_it = on_it.env(name, value.unwrap_or_default());
        }
        if let Some(folder) = command.get_current_dir() {
            on_it = on_it.current_dir(folder);
        }
        Terminal {
            child: on_it.spawn(end).unwrap(),
            parser: vt100::Parser::new(size(rows), size(columns), SCROLLBACK),
            pty,
            seen: Seen::default(),
        }
    }

    /// Waits until the screen shows a text, and answers the whole screen.
    #[track_caller]
    pub(crate) fn shows(&mut self, text: &str) -> String {
        let shown = self.reads_until(|terminal| terminal.screen().contains(text));
        assert!(shown, "`{text}` is never shown; at last:\n{}", self.whole());
        self.screen()
    }

    /// Waits until something is so, and answers whether it came to that.
    pub(crate) fn reads_until(&mut self, is_so: impl Fn(&Self) -> bool) -> bool {
        let began = Instant::now();
        while !is_so(self) {
            if began.elapsed() > PATIENCE || !self.reads() {
                return false;
            }
        }
        true
    }

    /// Takes in what the program wrote; whether it may write more.
    fn reads(&mut self) -> bool {
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let mut ready = [PollFd::new(&self.pty, PollFlags::IN)];
        if poll(&mut ready, Some(&patience)).unwrap() == 0 {
            return false;
        }
        let mut some = [0; 4096];
        // An error says that nobody has the other end open any more.
        let read = self.pty.read(&mut some).unwrap_or(0);
        self.seen.raw.extend_from_slice(&some[..read]);
        self.parser.process(&some[..read]);
        let screen = self.screen();
        if self.seen.frames.last() != Some(&screen) {
            self.seen.frames.push(screen);
        }
        read > 0
    }

    fn screen(&self) -> String {
        let screen = self.parser.screen();
        let (_, columns) = screen.size();
        let lines: Vec<String> = screen.rows(0, columns.get()).collect();
        lines.join("\n").trim_end().to_owned()
    }

    /// The screen with what has scrolled away.
    fn whole(&self) -> String {
        let mut screen = self.parser.screen().clone();
        let (_, columns) = screen.size();
        let mut lines = Vec::new();
        for back in (1..=screen.scrollback_len()).rev() {
            screen.set_scrollback(back);
            lines.extend(screen.rows(0, columns.get()).next());
        }
        screen.set_scrollback(0);
        lines.extend(screen.rows(0, columns.get()));
        lines.join("\n").trim_end().to_owned()
    }

    /// Types keys; `\u{3}` is Ctrl-C.
    pub(crate) fn types(&mut self, keys: &str) {
        self.pty.write_all(keys.as_bytes()).unwrap();
    }

    pub(crate) fn resizes(&mut self, rows: u16, columns: u16) {
        self.parser.set_size(size(rows), size(columns));
        self.pty.resize(Size::new(rows, columns)).unwrap();
    }

    /// Waits until the program has ended.
    pub(crate) fn ends(mut self) -> Ended {
        while self.reads() {}
        let exit = self.child.wait().unwrap().code();
        Ended {
            exit,
            text: self.whole(),
            raw: String::from_utf8(self.seen.raw).expect("a program prints text"),
            frames: self.seen.frames,
        }
    }

    /// Closes the terminal's window under the program, which goes on alone if it can.
    pub(crate) fn closes(self) -> Child {
        self.child
    }
}

fn size(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).expect("a terminal has room")
}
