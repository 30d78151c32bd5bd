//! `cavatica`: moves or copies files from CAVATICA projects to your own S3 bucket, each exactly once.

mod api;
mod args;
mod command;
mod copying;
mod credentials;
mod failure;
mod help;
mod hint;
mod interrupt;
mod reporter;
mod ui;
mod value;

use std::process::ExitCode;

use clap::FromArgMatches;
use tokio::runtime::Builder;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Cli, Command, Jobs, Volumes};
use crate::failure::{Exit, Failure, usage, with_nearest};
use crate::ui::{OnClosedPipe, Ui};

/// Answers are large and made of many small parts, which the system's allocator is slow to take back.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    if args.len() == 1 {
        help::next().lines().for_each(ui::note);
        return Exit::Refused.into();
    }
    let parsed = help::command().try_get_matches_from(&args);
    let cli = match parsed.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli.with_endpoint(),
        // Help and version come this way too.
        Err(error) if !error.use_stderr() => error.exit(),
        Err(error) => {
            let json = args.iter().any(|arg| arg == "--json");
            let failure = usage::failure(&error, &args);
            let ui = Ui::new(json, usage::color(&args), OnClosedPipe::GoOn);
            ui.failure(&failure);
            return failure.exit.into();
        }
    };
    let ui = Ui::new(
        cli.global.json,
        cli.global.color,
        cli.command.on_closed_pipe(),
    );
    start_log(cli.global.verbose);
    if cli.global.stop_at_eof {
        interrupt::stop_at_eof();
    }
    let outcome = runtime(&cli.command)
        .enable_all()
        .build()
        .map_err(Failure::from)
        .and_then(|runtime| {
            runtime.block_on(async {
                interrupt::survive_size_limits();
                run(&cli, &ui).await
            })
        });
    match outcome {
        Ok(exit) => exit.into(),
        Err(_) if ui.has_stopped() => Exit::Done.into(),
        Err(failure) => {
            ui.failure(&failure);
            failure.exit.into()
        }
    }
}

impl Command {
    /// Listings have nothing to do but to be read; everything else has work to finish or a result to tell.
    fn on_closed_pipe(&self) -> OnClosedPipe {
        match self {
            Command::Files(_)
            | Command::Volumes(Volumes::List | Volumes::Ls { .. })
            | Command::Jobs(Jobs::List { .. })
            | Command::Report(_) => OnClosedPipe::Stop,
            _ => OnClosedPipe::GoOn,
        }
    }
}

/// A client waits for the wire nearly all the time, and one thread does that with the least work: on a shared machine
/// that counts. The sandbox serves others.
fn runtime(command: &Command) -> Builder {
    match command {
        Command::Sandbox(_) | Command::Demo(_) => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    }
}

/// Runs the command. Where something isn't there that was named, the platform is asked what was meant.
async fn run(cli: &Cli, ui: &Ui) -> Result<Exit, Failure> {
    let failure = match run_command(cli, ui).await {
        Err(failure) if failure.absent.is_some() => failure,
        ended => return ended,
    };
    Err(match api::connect_quietly(&cli.global) {
        Ok(api) => with_nearest(failure, &api).await,
        Err(_) => failure,
    })
}

async fn run_command(cli: &Cli, ui: &Ui) -> Result<Exit, Failure> {
    let api = || api::connect(&cli.global, ui);
    match &cli.command {
        Command::Export(args) => {
            let api = api::for_starts(&cli.global, args.settle, ui)?;
            command::export::run(args, &api, ui).await
        }
        Command::Plan(args) => command::plan::run(args, &cli.global, ui).await,
        Command::Run(args) => command::run::run(args, &cli.global, ui).await,
        Command::Status(args) => command::status::run(args, ui),
        Command::Support(args) => command::support::run(args, &cli.global, ui),
        Command::Contract(args) => command::contract::run(args, ui),
        Command::Transfers(args) => command::transfers::run(args, ui),
        Command::Verify(args) => command::verify::run(args, &cli.global, ui).await,
        Command::Audit(args) => command::audit::run(args, &cli.global, ui).await,
        Command::Report(args) => command::report::run(args, ui),
        Command::Page(args) => command::page::run(args, ui).await,
        Command::Retry(args) => command::retry::run(args, &cli.global, ui).await,
        Command::Resolve(args) => command::resolve::run(args, ui),
        Command::Split(args) => command::split::run(args, ui),
        Command::Take(args) => command::take::run(args, &cli.global, ui).await,
        Command::Jobs(args) => command::jobs::run(args, &api()?, ui).await,
        Command::Projects(args) => command::projects::run(args, &api()?, ui).await,
        Command::Files(args) => command::files::run(args, &api()?, ui).await,
        Command::Volumes(args) => match command::volumes::offline(args, ui) {
            Some(outcome) => outcome,
            None => command::volumes::run(args, &api()?, ui).await,
        },
        Command::Check(args) => command::check::run(args, ui),
        Command::Explain(args) => command::explain::run(args, ui),
        Command::Sandbox(args) => command::sandbox::run(args, ui).await,
        Command::Demo(args) => {
            let again = |cli: Cli| -> command::demo::CommandEnd<'_> {
                Box::pin(async move { run(&cli, ui).await })
            };
            command::demo::run(args, &again, ui).await
        }
        Command::Doctor(args) => command::doctor::run(args, &cli.global, ui).await,
        Command::Completions(args) => command::completions::run(args, ui),
        Command::Complete(args) => command::complete::run(args, &cli.global, ui).await,
        Command::Man(args) => command::man::run(args, ui),
    }
}

/// Only our own crates speak, whose names all begin alike; those below could print what must not be seen.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => LevelFilter::ERROR,
        1 => LevelFilter::INFO,
        _ => LevelFilter::DEBUG,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(|| ui::Log)
        .with_target(false)
        .without_time();
    tracing_subscriber::registry()
        .with(Targets::new().with_target("cavatica", level))
        .with(lines)
        .init();
}
