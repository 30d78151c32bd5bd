//! Requests in windows of five minutes, as the platform counts them.

use super::digest::Digest;
use super::timeline::Timeline;

/// The platform's window, in seconds.
pub(super) const WINDOW_S: f64 = 300.0;

/// The most windows that are told apart: almost three days. A longer transfer is shown by its totals.
const WINDOWS: usize = 800;

/// How many requests a transfer made when.
#[derive(Debug)]
pub(super) struct Requests {
    pub(super) total: u64,
    /// In a window.
    pub(super) allowed: u64,
    /// In each window from the timeline's beginning on. Between two moments at which the journal noted the number, requests
    /// are spread evenly.
    pub(super) windows: Vec<f64>,
}

impl Requests {
    /// `None` where nothing was noted.
    pub(super) fn of(timeline: &Timeline, digest: &Digest) -> Option<Self> {
        let (runs, pulses) = (&digest.runs, &digest.pulses);
        let allowed = pulses.last()?.allowed * digest.accounts;
        let begin = timeline.begin();
        let seconds = |at: jiff::Timestamp| at.duration_since(begin).as_secs_f64().max(0.0);
        let count = (timeline.span_s() / WINDOW_S).ceil() as usize;
        let mut windows = vec![0.0; count.clamp(1, WINDOWS)];
        for (index, run) in runs.iter().enumerate() {
            let (mut since, mut before) = (seconds(run.started), 0);
            for pulse in pulses.iter().filter(|pulse| pulse.run == index) {
                let at = seconds(pulse.at).max(since);
                spread(
                    &mut windows,
                    since,
                    at,
                    pulse.requests.saturating_sub(before),
                );
                (since, before) = (at, pulse.requests);
            }
        }
        Some(Requests {
            total: runs.iter().map(|run| run.requests).sum(),
            allowed,
            windows,
        })
    }

    /// The most in one window.
    pub(super) fn busiest(&self) -> f64 {
        self.windows.iter().copied().fold(0.0, f64::max)
    }
}

/// Spreads requests over the windows between two moments.
fn spread(windows: &mut [f64], from: f64, to: f64, requests: u64) {
    let last = windows.len() - 1;
    let window = |at: f64| ((at / WINDOW_S) as usize).min(last);
    for (index, count) in windows
        .iter_mut()
        .enumerate()
        .take(window(to) + 1)
        .skip(window(from))
    {
        let begin = (index as f64 * WINDOW_S).max(from);
        let end = if index == last {
            to
        } else {
            ((index + 1) as f64 * WINDOW_S).min(to)
        };
        let share = if to > from {
            (end - begin) / (to - from)
        } else {
            1.0
        };
        *count += requests as f64 * share;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_spread_over_the_windows_they_lie_in() {
        let mut windows = vec![0.0; 3];
        spread(&mut windows, 150.0, 450.0, 100);
        spread(&mut windows, 600.0, 600.0, 7);
        assert_eq!(windows, [50.0, 50.0, 7.0]);
    }
}
