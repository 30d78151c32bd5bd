//! A sandbox, a lie, and a transfer that is run until it ends.

use std::time::Duration;

use cavatica_exports::transport::{Client, Endpoint, Token};
use cavatica_sandbox::{ProjectSeed, Sandbox, VolumeSeed};
use cavatica_transfer::journal::SqliteJournal;
use cavatica_transfer::plan::Existing;
use cavatica_transfer::{RunError, RunOptions, RunReport, Stop, run};

use super::judge::{Found, judge};
use super::lie::Lie;
use crate::bench::{Bench, PROJECT, VOLUME, options};

pub(super) const FILES: u32 = 300;
pub(super) const FOLDER: &str = "run1/bam";
/// Where the files of others lie.
pub(super) const OTHERS: &str = "lab/others";

/// How often a transfer is taken up again.
const RUNS: usize = 4;

/// How long one run may take; nothing that is waited for takes more than a few settling times.
const LONGEST: Duration = Duration::from_secs(40);

/// The path of a planned file, which is its location too.
pub(super) fn path(number: u32) -> String {
    format!("{FOLDER}/file-{number:07}.dat")
}

/// Plans under the truth, runs under the lie, and judges what came of it.
pub(super) async fn play(lie: &Lie) -> Found {
    let bench = Bench::start(world(lie)).await;
    let mut planning = bench.options();
    planning.mode = lie.mode;
    planning.existing = lie.existing;
    bench.plan(planning).await.expect("a plan");
    if let Some(act) = lie.before {
        act(&bench.sandbox);
    }
    bench.sandbox.set_faults(lie.faults.clone());

    let client = client(&bench.sandbox);
    let mut stopped = None;
    for turn in 0..RUNS {
        let act = lie.during.filter(|_| turn == 0);
        match tokio::time::timeout(LONGEST, with(&bench, &client, act)).await {
            Ok(Ok(_)) => stopped = None,
            Ok(Err(error)) => stopped = Some(chain(&error)),
            Err(_) => break,
        }
        if stopped.is_none() && bench.summary().left == 0 {
            break;
        }
    }
    quiet(&bench.sandbox).await;
    judge(
        &bench.transfer(),
        &bench.sandbox.ledger(),
        lie.mode,
        stopped,
    )
}

fn world(lie: &Lie) -> cavatica_sandbox::SandboxBuilder {
    let mut builder = Sandbox::builder()
        // A limit that resets at once: what is waited for is what a lie makes wait.
        .rate_limit(1_000_000, Duration::from_secs(1))
        .project(ProjectSeed::new(PROJECT).synthetic(lie.folder, FILES, 1_000))
        .project(ProjectSeed::new(OTHERS).synthetic("others", FILES, 1_000))
        .volume(volume(lie))
        .job_duration(lie.lasting / 2..=lie.lasting);
    for quirk in &lie.quirks {
        builder = builder.quirk(*quirk);
    }
    match lie.already {
        None => builder,
        Some(act) => (1..=FILES).fold(builder, act),
    }
}

/// Where there is something to overwrite, every tenth key is taken.
fn volume(lie: &Lie) -> VolumeSeed {
    let volume = VolumeSeed::s3(VOLUME).keys_only();
    if lie.existing != Existing::Overwrite || lie.already.is_some() {
        return volume;
    }
    let taken = (1..=FILES).step_by(10);
    taken.fold(volume, |volume, number| {
        volume.object(path(number), "older")
    })
}

/// With limits that fit the settling time.
fn client(sandbox: &Sandbox) -> Client {
    let endpoint: Endpoint = sandbox.endpoint().parse().expect("an endpoint");
    let token = Token::new(sandbox.token().to_owned()).expect("a token");
    Client::builder(endpoint, token)
        .longest_byte_life(Duration::from_millis(330))
        .attempt_limit(Duration::from_secs(4))
        .call_limit(Duration::from_secs(15))
        .patience(Duration::from_secs(15))
        .build()
        .expect("a client")
}

/// One run, and what somebody does once its first file was sent.
async fn with(
    bench: &Bench,
    client: &Client,
    act: Option<fn(&Sandbox)>,
) -> Result<RunReport, RunError> {
    let mut journal = SqliteJournal::open(&bench.transfer(), client)?;
    let (options, stop) = (short(), Stop::new());
    let mut ignore = |_| {};
    let run = run(&mut journal, client, &options, &stop, &mut ignore);
    let aside = async {
        if let Some(act) = act {
            while bench.sandbox.ledger().starts == 0 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            act(&bench.sandbox);
        }
        std::future::pending().await
    };
    tokio::select! {
        report = run => report,
        () = aside => unreachable!("it waits for ever"),
    }
}

fn short() -> RunOptions {
    let mut options = options();
    options.timing.settle = Duration::from_secs(1);
    // As long as some lies last.
    options.timing.unclear_job = Duration::from_secs(4);
    options.timing.patience = Duration::from_secs(10);
    options
}

/// Waits until no job is under way and no call is being carried out any more.
async fn quiet(sandbox: &Sandbox) {
    let mut before = None;
    loop {
        let ledger = sandbox.ledger();
        let ended: u64 = ledger
            .files
            .values()
            .map(|file| file.completed + file.failed)
            .sum();
        let all = ledger.starts + ledger.starts_elsewhere;
        if ended == all && before == Some(all) {
            return;
        }
        before = Some(all);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

fn chain(error: &RunError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}
