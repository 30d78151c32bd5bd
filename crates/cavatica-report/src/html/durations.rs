//! How long exports took, by size, in a fixed amount of memory.

use std::time::Duration;

/// The upper ends of the classes: name and bytes.
const CLASSES: [(&str, u64); 7] = [
    ("under 1 MiB", 1 << 20),
    ("1 to 16 MiB", 1 << 24),
    ("16 to 256 MiB", 1 << 28),
    ("256 MiB to 4 GiB", 1 << 32),
    ("4 to 64 GiB", 1 << 36),
    ("64 GiB to 1 TiB", 1 << 40),
    ("1 TiB and more", u64::MAX),
];

/// Slots for each factor of ten, so a slot is 15 % wide.
const PER_DECADE: f64 = 16.0;

/// From a tenth of a second to four months.
const SLOTS: usize = 128;
const SHORTEST_S: f64 = 0.1;

/// How long the exports of files of about one size took.
#[derive(Clone, Debug)]
pub(super) struct Durations {
    pub(super) class: &'static str,
    pub(super) files: u64,
    slots: [u64; SLOTS],
}

impl Durations {
    /// The duration that this share of the files stayed below, right within a slot's half: 8 %.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        let rank = (self.files as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        let slot = self.slots.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        let slot = slot.unwrap_or(SLOTS - 1) as f64;
        Duration::from_secs_f64(SHORTEST_S * 10_f64.powf((slot + 0.5) / PER_DECADE))
    }
}

/// All sizes.
#[derive(Debug)]
pub(super) struct BySize([Durations; CLASSES.len()]);

impl Default for BySize {
    fn default() -> Self {
        BySize(CLASSES.map(|(class, _)| Durations {
            class,
            files: 0,
            slots: [0; SLOTS],
        }))
    }
}

impl BySize {
    pub(super) fn add(&mut self, size: u64, took: Duration) {
        let class = CLASSES.iter().position(|(_, end)| size < *end);
        let durations = &mut self.0[class.unwrap_or(CLASSES.len() - 1)];
        let slot = ((took.as_secs_f64() / SHORTEST_S).log10() * PER_DECADE).floor();
        durations.files += 1;
        durations.slots[(slot.max(0.0) as usize).min(SLOTS - 1)] += 1;
    }

    /// The classes that have files.
    pub(super) fn present(&self) -> Vec<&Durations> {
        self.0.iter().filter(|class| class.files > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quantiles_are_right_within_8_percent(
            mut seconds in proptest::collection::vec(0.1_f64..1_000_000.0, 1..100),
            share in 0.0_f64..=1.0,
        ) {
            let mut by_size = BySize::default();
            for took in &seconds {
                by_size.add(5 << 20, Duration::from_secs_f64(*took));
            }
            seconds.sort_by(f64::total_cmp);
            let rank = (seconds.len() as f64 * share).ceil().max(1.0) as usize;
            let exact = seconds[rank - 1];
            let present = by_size.present();
            prop_assert_eq!(present.len(), 1);
            prop_assert_eq!(present[0].class, "1 to 16 MiB");
            let found = present[0].quantile(share).as_secs_f64();
            prop_assert!((found / exact - 1.0).abs() < 0.08, "{found} for {exact}");
        }
    }
}
