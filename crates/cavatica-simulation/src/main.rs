//! Plays seeds and tells what they met. `cargo xtask simulate` builds and runs it.

use std::process::ExitCode;
use std::time::Instant;

use cavatica_simulation::{
    BadSeed, Belief, Campaign, Mode, Mutation, Scenario, as_test, play, shrink, story,
};
use clap::{Parser, ValueEnum};

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
    /// What is asked: that nothing is doubled or destroyed or said falsely, or that everything comes to its end too
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
    /// Lists the beliefs
    #[arg(long)]
    beliefs: bool,
    /// Puts each fault into the engine that is made for it, and tells which seed finds it
    #[arg(long)]
    mutations: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ModeName {
    Safety,
    Liveness,
}

impl From<ModeName> for Mode {
    fn from(asked: ModeName) -> Mode {
        match asked {
            ModeName::Safety => Mode::Safety,
            ModeName::Liveness => Mode::Liveness,
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
        return mutations(&options);
    }
    let seed = options
        .seed
        .map(|seed| Scenario::of_seed(seed, options.without));
    let found = match seed.or_else(|| options.scenario.clone()) {
        Some(scenario) => one(&scenario, &options),
        None => many(&options),
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
    let campaign = campaign(options, None);
    for (what, times) in &campaign.met {
        say(format_args!("{times:>9}  {what}"));
    }
    say(format_args!(
        "{} seeds, {} files, {:.0} s, {} found something",
        campaign.seeds,
        campaign.files,
        began.elapsed().as_secs_f64(),
        campaign.findings.len()
    ));
    for finding in &campaign.findings {
        tell(finding, options.mode.into());
    }
    let missing = campaign.missing();
    if !missing.is_empty() {
        say(format_args!("never met: {}", missing.join(", ")));
    }
    !campaign.findings.is_empty() || !missing.is_empty()
}

fn campaign(options: &Arguments, mutation: Option<Mutation>) -> Campaign {
    let enough = if mutation.is_some() {
        1
    } else {
        options.enough
    };
    let (first, seeds) = (options.from, options.seeds);
    Campaign::play(
        first,
        seeds,
        options.without,
        options.mode.into(),
        enough,
        mutation,
    )
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
fn mutations(options: &Arguments) -> ExitCode {
    let mut missed = false;
    say("| in the engine | found by seed | after | seen |\n|---|--:|--:|---|");
    for mutation in Mutation::ALL {
        let began = Instant::now();
        let campaign = campaign(options, Some(*mutation));
        let seconds = began.elapsed().as_secs_f64();
        let words = mutation.words();
        match campaign.findings.first() {
            Some(finding) => say(format_args!(
                "| {words} | {} | {seconds:.1} s | {} |",
                finding.scenario.seed,
                finding.wrongs[0].split(':').next().unwrap_or_default()
            )),
            None => {
                missed = true;
                say(format_args!(
                    "| {words} | **none of {}** | {seconds:.1} s | |",
                    campaign.seeds
                ));
            }
        }
    }
    if missed {
        ExitCode::from(FOUND)
    } else {
        ExitCode::SUCCESS
    }
}

#[expect(clippy::print_stdout, reason = "what was found is told here")]
fn say(text: impl std::fmt::Display) {
    println!("{text}");
}
