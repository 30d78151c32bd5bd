//! Plays seeds and tells what they met. `cargo xtask simulate` builds and runs it.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use cavatica_simulation::{
    BadSeed, Belief, Campaign, Mode, Mutation, Record, RecordedCampaign, Scenario, as_test, play,
    shrink, story,
};
use clap::{Parser, ValueEnum};

/// A seed makes and drops millions of small values.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Seeds of the engine, its journal and the platform in one deterministic process; exit code 3 if one shows a fault.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask simulate")]
struct Arguments {
    /// How many seeds
    #[arg(long, default_value_t = 2000)]
    seeds: u64,
    /// The first of them
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// What is asked: that nothing is doubled or destroyed or said falsely; that everything comes to its end too; or, with a
    /// belief broken, that nothing is destroyed
    #[arg(long, value_enum, default_value_t = ModeName::Safety)]
    mode: ModeName,
    /// Breaks a belief in every seed
    #[arg(long)]
    without: Option<Belief>,
    /// One seed alone
    #[arg(long)]
    seed: Option<u64>,
    /// One scenario, as text
    #[arg(long, conflicts_with = "seed")]
    scenario: Option<Scenario>,
    /// Prints everything that happened
    #[arg(long)]
    log: bool,
    /// How many findings are enough
    #[arg(long, default_value_t = 3)]
    enough: usize,
    /// Adds what came of it to the campaigns of this file, whose seeds must be others, and tells the sum
    #[arg(long, conflicts_with = "without")]
    record: Option<PathBuf>,
    /// Lists the beliefs
    #[arg(long)]
    beliefs: bool,
    /// Puts each fault into the engine that is made for it, and tells which seed finds it
    #[arg(long)]
    mutations: bool,
    /// Likewise one of them, by its name, and tells how it was found; with a seed or a scenario, what it does there
    #[arg(long, value_parser = named)]
    mutation: Option<Mutation>,
}

fn named(name: &str) -> Result<Mutation, String> {
    let known = Mutation::ALL.iter().find(|known| known.name() == name);
    known.copied().ok_or_else(|| {
        let names: Vec<_> = Mutation::ALL.iter().map(|known| known.name()).collect();
        format!("there are {}", names.join(", "))
    })
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    Safety,
    Liveness,
    Harm,
}

impl From<ModeName> for Mode {
    fn from(asked: ModeName) -> Mode {
        match asked {
            ModeName::Safety => Mode::Safety,
            ModeName::Liveness => Mode::Liveness,
            ModeName::Harm => Mode::Harm,
        }
    }
}

/// Something was found.
const FOUND: u8 = 3;

fn main() -> ExitCode {
    let options = Arguments::parse();
    // They are told with the seed that met them.
    std::panic::set_hook(Box::new(|_| {}));
    if options.beliefs {
        for belief in Belief::ALL {
            say(belief);
        }
        return ExitCode::SUCCESS;
    }
    if options.mutations {
        return mutations(Mutation::ALL, &options);
    }
    let seed = options
        .seed
        .map(|seed| Scenario::of_seed(seed, options.without));
    let scenario = seed.or_else(|| options.scenario.clone());
    let found = match (scenario, options.mutation) {
        (Some(scenario), mutation) => {
            Mutation::switch(mutation);
            one(&scenario, &options)
        }
        (None, Some(mutation)) => return mutations(&[mutation], &options),
        (None, None) => many(&options),
    };
    if found {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

fn one(scenario: &Scenario, options: &Arguments) -> bool {
    say(scenario);
    let played = play(scenario, options.mode.into(), options.log);
    say(&played.log);
    for (what, times) in &played.met {
        say(format_args!("{times:>7}  {what}"));
    }
    for wrong in &played.wrongs {
        say(format_args!("WRONG: {wrong}"));
    }
    !played.wrongs.is_empty()
}

fn many(options: &Arguments) -> bool {
    let began = Instant::now();
    let campaign = campaign(options, options.without, options.mode.into(), None);
    let took = began.elapsed();
    for (what, times) in &campaign.met {
        say(format_args!("{times:>9}  {what}"));
    }
    say(format_args!(
        "{} seeds, {} files, {:.0} s, {} found something",
        campaign.seeds,
        campaign.files,
        took.as_secs_f64(),
        campaign.findings.len()
    ));
    for finding in &campaign.findings {
        tell(finding, options.mode.into());
    }
    let missing = match &options.record {
        Some(path) => match record(path, options, &campaign, took) {
            Ok(missing) => missing,
            Err(error) => {
                say(format_args!("{} can't be used: {error}", path.display()));
                return true;
            }
        },
        None => campaign.missing(),
    };
    if !missing.is_empty() {
        say(format_args!("never met: {}", missing.join(", ")));
    }
    !campaign.findings.is_empty() || !missing.is_empty()
}

/// Adds a campaign to those of a file, and tells what they come to. Answers what none of them met.
fn record(
    path: &Path,
    options: &Arguments,
    campaign: &Campaign,
    took: Duration,
) -> io::Result<Vec<&'static str>> {
    let mut record = Record::read(path)?;
    let played = RecordedCampaign {
        mode: format!("{:?}", options.mode).to_lowercase(),
        from: options.from,
        seeds: campaign.seeds,
        files: campaign.files,
        seconds: took.as_secs(),
        found: campaign.findings.len() as u64,
    };
    if record.has_some_of(&played) {
        return Err(io::Error::other("it has some of these seeds already"));
    }
    record.add(played, campaign);
    record.write(path)?;
    say(format_args!(
        "all campaigns of {}:\n{record}",
        path.display()
    ));
    Ok(record.missing())
}

fn campaign(
    options: &Arguments,
    without: Option<Belief>,
    mode: Mode,
    mutation: Option<Mutation>,
) -> Campaign {
    let enough = mutation.map_or(options.enough, |_| 1);
    let (first, seeds) = (options.from, options.seeds);
    Campaign::play(first, seeds, without, mode, enough, mutation)
}

fn tell(finding: &BadSeed, mode: Mode) {
    let (scenario, wrongs) = (&finding.scenario, &finding.wrongs);
    say(format_args!("\n{scenario}\n  {}", wrongs.join("\n  ")));
    let (least, played) = shrink(scenario, mode);
    say(format_args!("shrunk, {}:\n", played.wrongs.join("; ")));
    say(as_test(&least, mode));
    say(format_args!("\n{}", story(&play(&least, mode, true).log)));
}

/// Each fault that was made has to be found. Prints a table.
fn mutations(which: &[Mutation], options: &Arguments) -> ExitCode {
    let mut missed = false;
    say("| in the engine | found by seed | after | seen |\n|---|--:|--:|---|");
    for mutation in which {
        let began = Instant::now();
        let (without, mode) = world_of(*mutation);
        let campaign = campaign(options, without, mode, Some(*mutation));
        let seconds = began.elapsed().as_secs_f64();
        let broken = without.map(|belief| format!(", without `{belief}`"));
        let broken = broken.unwrap_or_default();
        let found = campaign.findings.first();
        missed |= found.is_none();
        let (seed, seen) = match found {
            Some(finding) => {
                let seen = finding.wrongs[0].split(':').next().unwrap_or_default();
                (finding.scenario.seed.to_string(), seen)
            }
            None => (format!("**none of {}**", campaign.seeds), ""),
        };
        say(format_args!(
            "| {} | {seed}{broken} | {seconds:.1} s | {seen} |",
            mutation.words()
        ));
        if let (Some(finding), [mutation]) = (found, which) {
            Mutation::switch(Some(*mutation));
            tell(finding, mode);
        }
    }
    if missed {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

/// Where a fault shows. What limits the harm where a belief is broken shows nowhere else.
fn world_of(mutation: Mutation) -> (Option<Belief>, Mode) {
    match mutation {
        Mutation::OverwriteKept => (Some(Belief::ListInOrder), Mode::Harm),
        _ => (None, Mode::Liveness),
    }
}

#[expect(clippy::print_stdout, reason = "what was found is told here")]
fn say(text: impl std::fmt::Display) {
    println!("{text}");
}
