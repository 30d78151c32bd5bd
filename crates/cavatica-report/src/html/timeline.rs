//! What happened when, in a fixed number of steps.

use jiff::Timestamp;

/// The most steps; the chart is hardly wider in pixels.
const STEPS: usize = 256;

/// What happened within one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slice {
    /// Files that were sent.
    pub(super) sent: u64,
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) unknown: u64,
    /// Bytes of the completed files.
    pub(super) bytes: u64,
}

impl Slice {
    fn plus(self, other: Slice) -> Slice {
        Slice {
            sent: self.sent + other.sent,
            completed: self.completed + other.completed,
            failed: self.failed + other.failed,
            unknown: self.unknown + other.unknown,
            bytes: self.bytes + other.bytes,
        }
    }
}

/// Counts of what happened, from a beginning on. The steps double in length whenever the end comes to lie behind them, so
/// a second and a year take the same room.
#[derive(Debug)]
pub(super) struct Timeline {
    begin: Timestamp,
    step_ms: i64,
    steps: Vec<Slice>,
}

impl Timeline {
    pub(super) fn new(begin: Timestamp) -> Self {
        Timeline {
            begin,
            step_ms: 250,
            steps: Vec::new(),
        }
    }

    /// The step that a moment lies in; what seems to lie before the beginning counts as its first.
    pub(super) fn at(&mut self, moment: Timestamp) -> &mut Slice {
        let offset = moment.as_millisecond() - self.begin.as_millisecond();
        let mut index = usize::try_from(offset / self.step_ms).unwrap_or(0);
        while index >= STEPS {
            self.step_ms *= 2;
            index /= 2;
            self.steps = self
                .steps
                .chunks(2)
                .map(|pair| {
                    pair.iter()
                        .fold(Slice::default(), |sum, step| sum.plus(*step))
                })
                .collect();
        }
        if index >= self.steps.len() {
            self.steps.resize(index + 1, Slice::default());
        }
        &mut self.steps[index]
    }

    pub(super) fn begin(&self) -> Timestamp {
        self.begin
    }

    /// Seconds in a step.
    pub(super) fn step_s(&self) -> f64 {
        self.step_ms as f64 / 1000.0
    }

    /// Seconds in all steps.
    pub(super) fn span_s(&self) -> f64 {
        self.step_s() * self.steps.len() as f64
    }

    pub(super) fn steps(&self) -> &[Slice] {
        &self.steps
    }

    /// For each step's end, everything up to there.
    pub(super) fn sums(&self) -> impl Iterator<Item = Slice> + '_ {
        self.steps.iter().scan(Slice::default(), |sum, step| {
            *sum = sum.plus(*step);
            Some(*sum)
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// However far apart events lie, none is lost and the steps stay few.
        #[test]
        fn nothing_is_lost(offsets in proptest::collection::vec(-1_000_i64..100_000_000, 0..200)) {
            let begin: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a moment");
            let mut timeline = Timeline::new(begin);
            for offset in &offsets {
                timeline.at(begin + SignedDuration::from_secs(*offset)).completed += 1;
            }
            prop_assert!(timeline.steps().len() <= STEPS);
            let last = timeline.sums().last().unwrap_or_default();
            prop_assert_eq!(last.completed, offsets.len() as u64);
            if let Some(latest) = offsets.iter().max() {
                prop_assert!(timeline.span_s() > *latest as f64);
            }
        }
    }
}
