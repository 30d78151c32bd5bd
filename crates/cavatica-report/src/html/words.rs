//! Numbers, sizes, spans and moments as people read them.

use std::fmt::{self, Display};
use std::time::Duration;

use jiff::Timestamp;
use maud::{Markup, Render, html};

/// A number with a comma after each three digits.
pub(super) struct Number(pub(super) u64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// `1 file`, `2 files`.
pub(super) struct FileCount(pub(super) u64);

impl Display for FileCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0 == 1 { "file" } else { "files" };
        write!(f, "{} {noun}", Number(self.0))
    }
}

/// `1 row`, `2 rows`.
pub(super) struct RowCount(pub(super) u64);

impl Display for RowCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let noun = if self.0 == 1 { "row" } else { "rows" };
        write!(f, "{} {noun}", Number(self.0))
    }
}

/// Bytes in the largest unit that leaves a whole part, in three figures.
pub(super) struct Bytes(pub(super) f64);

impl Bytes {
    pub(super) fn of(bytes: u64) -> Self {
        Bytes(bytes as f64)
    }
}

impl Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        if self.0 < 1024.0 {
            return write!(f, "{} B", self.0.round());
        }
        let (mut value, mut unit) = (self.0 / 1024.0, units[0]);
        for larger in &units[1..] {
            if value < 1023.5 {
                break;
            }
            (value, unit) = (value / 1024.0, larger);
        }
        let decimals = match value {
            ..10.0 => 2,
            10.0..100.0 => 1,
            _ => 0,
        };
        write!(f, "{value:.decimals$} {unit}")
    }
}

/// A span of time in its two largest units.
pub(super) struct Span(pub(super) Duration);

impl Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs_f64();
        if seconds < 10.0 {
            return write!(f, "{seconds:.1} s");
        }
        let whole = seconds.round() as u64;
        let (days, hours) = (whole / 86_400, whole / 3_600 % 24);
        let (minutes, seconds) = (whole / 60 % 60, whole % 60);
        match (days, hours, minutes) {
            (0, 0, 0) => write!(f, "{seconds} s"),
            (0, 0, _) => write!(f, "{minutes} min {seconds} s"),
            (0, _, _) => write!(f, "{hours} h {minutes} min"),
            (_, _, _) => write!(f, "{days} d {hours} h"),
        }
    }
}

/// A moment in UTC, which is said beside it; programs and the page's script read it, too.
pub(super) struct Moment(pub(super) Timestamp);

impl Render for Moment {
    fn render(&self) -> Markup {
        let machine = self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let shown = self.0.strftime("%Y-%m-%d %H:%M:%S").to_string();
        html! { time datetime=(machine) { (shown) } }
    }
}

/// A share of a whole; never `100 %` or `0 %` unless it is all or nothing.
pub(super) struct Share(pub(super) u64, pub(super) u64);

impl Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Share(part, whole) = *self;
        if whole == 0 || part == 0 {
            return f.write_str("0 %");
        }
        if part == whole {
            return f.write_str("100 %");
        }
        match part as f64 * 100.0 / whole as f64 {
            ..0.1 => f.write_str("< 0.1 %"),
            99.9.. => f.write_str("> 99.9 %"),
            percent => write!(f, "{percent:.1} %"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_well() {
        let numbers = [0, 999, 1_000, 1_234_567].map(|number| Number(number).to_string());
        assert_eq!(numbers, ["0", "999", "1,000", "1,234,567"]);
        let sizes =
            [0, 1_023, 1_024, 10_239, 1_048_575, 5 << 40].map(|size| Bytes::of(size).to_string());
        assert_eq!(
            sizes,
            [
                "0 B",
                "1023 B",
                "1.00 KiB",
                "10.00 KiB",
                "1.00 MiB",
                "5.00 TiB"
            ]
        );
        let spans = [0.04, 12.4, 61.0, 3_725.0, 90_000.0]
            .map(|seconds| Span(Duration::from_secs_f64(seconds)).to_string());
        assert_eq!(
            spans,
            ["0.0 s", "12 s", "1 min 1 s", "1 h 2 min", "1 d 1 h"]
        );
        let shares = [
            (0, 0),
            (0, 9),
            (9, 9),
            (1, 1_000_000),
            (999_999, 1_000_000),
            (1, 3),
        ]
        .map(|(part, whole)| Share(part, whole).to_string());
        assert_eq!(
            shares,
            ["0 %", "0 %", "100 %", "< 0.1 %", "> 99.9 %", "33.3 %"]
        );
    }
}
