//! When a line is written where there is no terminal. Time is an argument.

use std::time::Duration;

/// How far apart lines are.
const EVERY: Duration = Duration::from_secs(30);

/// The lines so far, of which the first is written at once.
#[derive(Debug, Default)]
pub(super) struct LinePace {
    last: Option<Duration>,
}

impl LinePace {
    /// Where the beginning was told otherwise, and the first line is due as long after it as any later one.
    pub(super) fn begun() -> Self {
        LinePace {
            last: Some(Duration::ZERO),
        }
    }

    /// Whether a line is due so long after the beginning; then it counts as written.
    pub(super) fn is_due(&mut self, now: Duration) -> bool {
        let is_due = self
            .last
            .is_none_or(|last| now.saturating_sub(last) >= EVERY);
        if is_due {
            self.last = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The seconds of which each had a line, where it was asked every `step` milliseconds.
    fn lines(mut pace: LinePace, step: u64) -> Vec<u64> {
        let moments = (0..=100_000 / step).map(|nth| nth * step);
        let written = moments.filter(|at| pace.is_due(Duration::from_millis(*at)));
        written.map(|at| at / 1_000).collect()
    }

    #[test]
    fn a_line_is_due_every_half_minute_however_often_it_is_asked() {
        for step in [1, 250, 1_000, 10_000] {
            assert_eq!(lines(LinePace::begun(), step), [30, 60, 90], "{step}");
            assert_eq!(lines(LinePace::default(), step), [0, 30, 60, 90], "{step}");
        }
        // Late ones aren't made up for.
        assert_eq!(lines(LinePace::begun(), 25_000), [50, 100]);
    }
}
