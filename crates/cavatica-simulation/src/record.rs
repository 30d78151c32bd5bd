//! Campaigns that add up: one after another, each with seeds of its own.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::campaign::{Campaign, missing};

/// What all campaigns of a file came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// In the order in which they were played.
    pub campaigns: Vec<RecordedCampaign>,
    /// What they met, and how often.
    pub met: BTreeMap<String, u64>,
}

/// One campaign.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedCampaign {
    /// What was asked.
    pub mode: String,
    /// Its first seed.
    pub from: u64,
    /// How many seeds.
    pub seeds: u64,
    /// Files planned in all of them.
    pub files: u64,
    /// How long it took.
    pub seconds: u64,
    /// How many seeds found something.
    pub found: u64,
}

impl RecordedCampaign {
    fn overlaps(&self, other: &RecordedCampaign) -> bool {
        let ends = |played: &RecordedCampaign| played.from + played.seeds;
        self.mode == other.mode && self.from < ends(other) && other.from < ends(self)
    }
}

impl Record {
    /// What a file holds; nothing yet, if there is none.
    ///
    /// # Errors
    ///
    /// If it can't be read, or holds something else.
    pub fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(text) => Ok(serde_json::from_slice(&text)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Record::default()),
            Err(error) => Err(error),
        }
    }

    /// Whether seeds of this campaign were played before in this mode.
    #[must_use]
    pub fn has_some_of(&self, played: &RecordedCampaign) -> bool {
        self.campaigns.iter().any(|known| known.overlaps(played))
    }

    /// Adds a campaign.
    pub fn add(&mut self, played: RecordedCampaign, campaign: &Campaign) {
        self.campaigns.push(played);
        for (what, times) in &campaign.met {
            *self.met.entry(what.clone()).or_default() += times;
        }
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file can't be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let unfinished = path.with_extension("unfinished");
        fs::write(&unfinished, serde_json::to_vec_pretty(self)?)?;
        fs::rename(unfinished, path)
    }

    fn seeds(&self) -> u64 {
        self.campaigns.iter().map(|played| played.seeds).sum()
    }

    /// What none of them ever met, though they are long together.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        missing(self.seeds(), &self.met)
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, times) in &self.met {
            writeln!(f, "{times:>10}  {what}")?;
        }
        let mut by_mode: BTreeMap<&str, (u64, u64, u64, u64, usize)> = BTreeMap::new();
        for played in &self.campaigns {
            let sums = by_mode.entry(&played.mode).or_default();
            sums.0 += played.seeds;
            sums.1 += played.files;
            sums.2 += played.found;
            sums.3 += played.seconds;
            sums.4 += 1;
        }
        for (mode, (seeds, files, found, seconds, campaigns)) in by_mode {
            writeln!(
                f,
                "{mode}: {seeds} seeds in {campaigns} campaigns, {files} files, {seconds} s, {found} found something"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn played(mode: &str, from: u64, seeds: u64) -> RecordedCampaign {
        RecordedCampaign {
            mode: mode.to_owned(),
            from,
            seeds,
            files: seeds * 100,
            seconds: 1,
            found: 0,
        }
    }

    #[test]
    fn campaigns_add_up_and_no_seed_counts_twice() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("campaigns.json");
        let met = |what: &str| Campaign {
            met: BTreeMap::from([(what.to_owned(), 2)]),
            ..Campaign::default()
        };
        let mut record = Record::read(&path).expect("nothing yet");
        record.add(played("safety", 1, 1_000), &met("kill"));
        record.write(&path).expect("room");

        let mut record = Record::read(&path).expect("a record");
        for (mode, from, again) in [
            ("safety", 1_000, true),
            ("safety", 1, true),
            ("safety", 1_001, false),
            ("liveness", 1, false),
        ] {
            let next = played(mode, from, 10);
            assert_eq!(record.has_some_of(&next), again, "{mode} {from}");
        }
        record.add(played("safety", 1_001, 500), &met("kill"));
        let text = record.to_string();
        let sum = "safety: 1500 seeds in 2 campaigns, 150000 files, 2 s, 0 found something";
        assert!(text.contains(sum) && text.contains("4  kill"), "{text}");
        assert!(record.missing().contains(&"power"), "it is long by now");
        assert!(!record.missing().contains(&"kill"));
    }
}
