//! Sizes and spans as people read them.

use std::fmt::{self, Display};
use std::time::Duration;

/// Bytes in the largest unit that leaves a whole part.
pub(crate) struct Bytes(pub(crate) u64);

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let power = (self.0.max(1).ilog2() / 10) as usize;
        match power.checked_sub(1) {
            None => f.pad(&format!("{} B", self.0)),
            Some(unit) => {
                let value = self.0 as f64 / 1024_f64.powi(power as i32);
                f.pad(&format!("{value:.2} {}", units[unit]))
            }
        }
    }
}

/// A span of time in its two largest units.
pub(crate) struct Span(pub(crate) Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
            (0, 0, seconds) => write!(f, "{seconds} s"),
            (0, minutes, seconds) => write!(f, "{minutes} min {seconds} s"),
            (hours, minutes, _) => write!(f, "{hours} h {minutes} min"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        let sizes =
            [0, 1_023, 1_024, 6_333_000, 5 << 40, u64::MAX].map(|size| Bytes(size).to_string());
        assert_eq!(
            sizes,
            [
                "0 B",
                "1023 B",
                "1.00 KiB",
                "6.04 MiB",
                "5.00 TiB",
                "16.00 EiB"
            ]
        );
        let spans =
            [0, 59, 61, 7_260].map(|seconds| Span(Duration::from_secs(seconds)).to_string());
        assert_eq!(spans, ["0 s", "59 s", "1 min 1 s", "2 h 1 min"]);
    }
}
