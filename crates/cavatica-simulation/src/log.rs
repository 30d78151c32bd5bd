//! What happened, line by line: the same for the same seed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

/// A log that many write to. It costs nothing where nobody reads it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log(Option<Arc<Mutex<Lines>>>);

#[derive(Debug)]
struct Lines {
    began: Instant,
    text: String,
}

impl Log {
    /// A log that is kept. Its times count from now.
    pub(crate) fn kept() -> Self {
        Log(Some(Arc::new(Mutex::new(Lines {
            began: Instant::now(),
            text: String::new(),
        }))))
    }

    pub(crate) fn line(&self, words: impl FnOnce() -> String) {
        if let Some(lines) = &self.0 {
            let words = words();
            let mut lines = locked(lines);
            let at = lines.began.elapsed().as_millis();
            lines.text += &format!("{at:>9} {words}\n");
        }
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        self.0
            .as_ref()
            .map(|lines| locked(lines).text.clone())
            .unwrap_or_default()
    }
}

/// A lock that nobody is afraid of.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
