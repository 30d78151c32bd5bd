//! The world's events on disk, one JSON object a line, in the order in which they happened.
//!
//! An event is handed to the operating system before anybody hears of it, so a killed sandbox loses nothing it told. A
//! line that a crash cut short was never told to anybody and is dropped.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use crate::error::SandboxError;
use crate::world::Event;

#[derive(Debug)]
pub(crate) struct EventLog {
    lines: BufWriter<File>,
}

impl EventLog {
    /// Opens the log of a data folder and reads its events to `each`, oldest first.
    pub(crate) fn open(
        path: &Path,
        mut each: impl FnMut(usize, Event) -> Result<(), SandboxError>,
    ) -> Result<EventLog, SandboxError> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(SandboxError::io(path))?;
        let mut reader = BufReader::new(file);
        let mut line = Vec::new();
        let mut good = 0;
        for number in 1.. {
            line.clear();
            let read = reader
                .read_until(b'\n', &mut line)
                .map_err(SandboxError::io(path))?;
            if line.last() != Some(&b'\n') {
                break;
            }
            let event = serde_json::from_slice(&line).map_err(|error| SandboxError::Log {
                path: path.to_owned(),
                line: number,
                source: error.into(),
            })?;
            each(number, event)?;
            good += read as u64;
        }
        let file = reader.into_inner();
        file.set_len(good).map_err(SandboxError::io(path))?;
        Ok(EventLog {
            lines: BufWriter::new(file),
        })
    }

    /// Adds an event; it is told to nobody before [`flush`](Self::flush).
    pub(crate) fn add(&mut self, event: &Event) -> io::Result<()> {
        serde_json::to_writer(&mut self.lines, event)?;
        self.lines.write_all(b"\n")
    }

    /// Hands everything added to the operating system.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.lines.flush()
    }
}
