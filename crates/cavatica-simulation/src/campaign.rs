//! Many seeds, and what they met.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use cavatica_transfer::Mutation;

use crate::belief::Belief;
use crate::log::locked;
use crate::scenario::Scenario;
use crate::world::{Mode, play};

/// A seed that showed something, and what.
#[derive(Clone, Debug)]
pub struct BadSeed {
    /// The scenario.
    pub scenario: Scenario,
    /// What must not be.
    pub wrongs: Vec<String>,
}

/// What came of many seeds.
#[derive(Clone, Debug, Default)]
pub struct Campaign {
    /// Seeds played.
    pub seeds: u64,
    /// Files planned in all of them.
    pub files: u64,
    /// What was met, and how often.
    pub met: BTreeMap<String, u64>,
    /// What was found, in the order of the seeds.
    pub findings: Vec<BadSeed>,
}

/// What every long campaign meets.
const WORTH: [&str; 64] = [
    "backup",
    "clock",
    "earlier",
    "fault Date",
    "fault Disorder",
    "fault DropAfter",
    "fault DropBefore",
    "fault ErrorAfter",
    "fault FailJobs",
    "fault HangAfter",
    "fault HangBefore",
    "fault Hollow",
    "fault HtmlAfter",
    "fault HtmlBefore",
    "fault ItemError",
    "fault JobClock",
    "fault KeepFile",
    "fault LateAlias",
    "fault LateList",
    "fault LoseFile",
    "fault Maintenance",
    "fault Nameless",
    "fault NoTimes",
    "fault OddItems",
    "fault OddState",
    "fault Omit",
    "fault Refuse",
    "fault RefuseAfter",
    "fault Respell",
    "fault Shuffle",
    "fault Spread",
    "fault Take",
    "fault TakeEvery",
    "fault Throttle",
    "fault Truncate",
    "fault Zoneless",
    "full",
    "kill",
    "limit",
    "link",
    "max-errors",
    "moved",
    "others",
    "owner",
    "past",
    "power",
    "quirk created",
    "quirk delete-before-check",
    "quirk last-wins",
    "quirk oldest-first",
    "quirk refuse-in-job",
    "retry",
    "state completed",
    "state failed",
    "state unknown",
    "stop",
    "wire break",
    "wire cut-down",
    "wire cut-up",
    "wire die",
    "wire die-power",
    "wire refuse",
    "wire slow-down",
    "wire slow-up",
];

/// From so many seeds on a campaign is long.
const LONG: u64 = 1000;

/// What so many seeds should have met, and never did.
pub(crate) fn missing(seeds: u64, met: &BTreeMap<String, u64>) -> Vec<&'static str> {
    let never = WORTH.into_iter().filter(|what| !met.contains_key(*what));
    if seeds < LONG {
        Vec::new()
    } else {
        never.collect()
    }
}

impl Campaign {
    /// What never happened, though the campaign was long: then it proves nothing of that.
    #[must_use]
    pub fn missing(&self) -> Vec<&'static str> {
        missing(self.seeds, &self.met)
    }

    /// Plays these seeds on as many threads as the machine has cores, until so many have found something.
    #[must_use]
    pub fn play(
        first: u64,
        seeds: u64,
        without: Option<Belief>,
        mode: Mode,
        enough: usize,
        mutation: Option<Mutation>,
    ) -> Campaign {
        let next = AtomicU64::new(first);
        let campaign = Mutex::new(Campaign::default());
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    Mutation::switch(mutation);
                    loop {
                        let seed = next.fetch_add(1, Ordering::Relaxed);
                        if seed >= first + seeds || locked(&campaign).findings.len() >= enough {
                            return;
                        }
                        let scenario = Scenario::of_seed(seed, without);
                        let played = play(&scenario, mode, false);
                        let mut campaign = locked(&campaign);
                        campaign.seeds += 1;
                        campaign.files += u64::from(scenario.files);
                        for (what, times) in played.met {
                            *campaign.met.entry(what).or_default() += times;
                        }
                        if !played.wrongs.is_empty() {
                            campaign.findings.push(BadSeed {
                                scenario,
                                wrongs: played.wrongs,
                            });
                        }
                    }
                });
            }
        });
        let mut campaign = campaign.into_inner().unwrap_or_default();
        campaign
            .findings
            .sort_by_key(|finding| finding.scenario.seed);
        campaign
    }
}
