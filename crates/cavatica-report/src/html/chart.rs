//! The little that the charts share: a frame with two scales, ticks at round values, paths.

use std::fmt::{self, Display};
use std::ops::RangeInclusive;

use maud::{Markup, html};

/// The size of all charts, in units that the page scales.
pub(super) const WIDTH: f64 = 760.0;

/// Where the first unit of a scale lies, and the last.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub(super) domain: RangeInclusive<f64>,
    pub(super) range: RangeInclusive<f64>,
}

impl Scale {
    pub(super) fn at(&self, value: f64) -> Coordinate {
        let (low, high) = (self.domain.start(), self.domain.end());
        let (begin, end) = (self.range.start(), self.range.end());
        let share = if high > low {
            ((value - low) / (high - low)).clamp(0.0, 1.0)
        } else {
            0.0
        };
        Coordinate(begin + share * (end - begin))
    }
}

/// A coordinate, written with one decimal.
#[derive(Clone, Copy, Debug)]
pub(super) struct Coordinate(pub(super) f64);

impl Display for Coordinate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

/// The frame of a chart: everything within is drawn between `left` and `right`, `top` and `bottom`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Frame {
    pub(super) fn x(&self, domain: RangeInclusive<f64>) -> Scale {
        Scale {
            domain,
            range: self.left..=self.right,
        }
    }

    pub(super) fn y(&self, highest: f64) -> Scale {
        Scale {
            domain: 0.0..=highest,
            range: self.bottom..=self.top,
        }
    }

    /// Horizontal lines with their values at the left.
    pub(super) fn grid(&self, scale: &Scale, ticks: &[(f64, String)]) -> Markup {
        html! {
            @for (value, label) in ticks {
                @let y = scale.at(*value);
                line.grid x1=(Coordinate(self.left)) x2=(Coordinate(self.right)) y1=(y) y2=(y) {}
                text.tick.end x=(Coordinate(self.left - 8.0)) y=(Coordinate(y.0 + 4.0)) { (label) }
            }
        }
    }

    /// The horizontal axis with its values below.
    pub(super) fn axis(&self, scale: &Scale, ticks: &[(f64, String)]) -> Markup {
        let bottom = Coordinate(self.bottom);
        html! {
            line.axis x1=(Coordinate(self.left)) x2=(Coordinate(self.right)) y1=(bottom) y2=(bottom) {}
            @for (value, label) in ticks {
                @let x = scale.at(*value);
                line.axis x1=(x) x2=(x) y1=(bottom) y2=(Coordinate(self.bottom + 5.0)) {}
                text.tick.mid x=(x) y=(Coordinate(self.bottom + 19.0)) { (label) }
            }
        }
    }
}

/// Up to five round values from 0 to the first one at or above `highest`.
pub(super) fn round_ticks(highest: f64, base: f64) -> Vec<f64> {
    if highest <= 0.0 {
        return vec![0.0];
    }
    let raw = highest / 4.0;
    let power = base.powf(raw.log(base).floor());
    let factors: &[f64] = if base == 10.0 {
        &[1.0, 2.0, 2.5, 5.0, 10.0]
    } else {
        &[
            1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
        ]
    };
    let step = factors
        .iter()
        .map(|factor| factor * power)
        .find(|step| *step >= raw * 0.999)
        .unwrap_or(raw);
    let count = (highest / step).ceil() as u32;
    (0..=count).map(|index| f64::from(index) * step).collect()
}

/// Round values for counts: whole numbers.
pub(super) fn count_ticks(highest: u64) -> Vec<f64> {
    if highest <= 4 {
        return (0..=highest).map(|count| count as f64).collect();
    }
    round_ticks(highest as f64, 10.0)
        .into_iter()
        .filter(|tick| tick.fract() == 0.0)
        .collect()
}

/// Round spans for an axis of so many seconds, at most nine of them, none shorter than a label can tell.
pub(super) fn time_step(span_s: f64) -> f64 {
    let steps = [
        1.0,
        2.0,
        5.0,
        10.0,
        15.0,
        30.0,
        60.0,
        120.0,
        300.0,
        600.0,
        900.0,
        1_800.0,
        3_600.0,
        7_200.0,
        10_800.0,
        21_600.0,
        43_200.0,
        86_400.0,
        172_800.0,
        604_800.0,
        2_419_200.0,
    ];
    let found = steps.into_iter().find(|step| span_s / step <= 8.0);
    found.unwrap_or(span_s / 8.0)
}

/// Points, joined.
pub(super) struct Path<'a>(pub(super) &'a [(Coordinate, Coordinate)]);

impl Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (x, y)) in self.0.iter().enumerate() {
            let verb = if index == 0 { "M" } else { "L" };
            write!(f, "{verb}{x} {y}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(round_ticks(998.0, 10.0), [0.0, 250.0, 500.0, 750.0, 1000.0]);
        assert_eq!(
            round_ticks(3.0 * 1024.0, 1024.0),
            [0.0, 1024.0, 2048.0, 3072.0]
        );
        assert_eq!(count_ticks(3), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!((time_step(0.3), time_step(3_600.0)), (1.0, 600.0));
    }

    proptest! {
        #[test]
        fn ticks_are_few_and_reach_the_top(highest in 1e-3_f64..1e15, binary in any::<bool>()) {
            let ticks = round_ticks(highest, if binary { 1024.0 } else { 10.0 });
            prop_assert!(ticks.len() <= 6, "{ticks:?}");
            prop_assert!(ticks.last().is_some_and(|last| *last >= highest * 0.999));
        }
    }
}
