//! Parts that run at the same time at a limit, in virtual time: with one account on several hosts, and with two.

use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_exports::transport::{Client, Clock, Endpoint, Token};
use cavatica_sandbox::{Ledger, ProjectSeed, Sandbox, VolumeSeed};
use cavatica_transfer::journal::Opening;
use cavatica_transfer::plan::plan;
use cavatica_transfer::{Ending, RunOptions, SplitOptions, Stop, run, split};
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use crate::bench::{PROJECT, VOLUME, plan_options};
use crate::pipes::Pipes;
use crate::support::now;

const FILES: u32 = 24_000;

/// The platform's window, and a limit that a transfer of so many files meets several times.
const WINDOW: Duration = Duration::from_secs(300);
const LIMIT: u64 = 20;

/// Time as the paused runtime has it.
#[derive(Clone, Debug)]
struct Virtual(Instant);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::try_from(self.0.elapsed()).expect("a span");
        now() + passed
    }

    fn sleep(&self, how_long: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(how_long))
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

struct Desk {
    sandbox: Sandbox,
    clock: Virtual,
    folder: tempfile::TempDir,
}

/// What a number of parts took together.
struct Took {
    requests: u64,
    seconds: f64,
    ledger: Ledger,
}

impl Desk {
    /// A platform with a plan of all files, at the beginning of a window.
    async fn start(mode: ExportMode) -> Self {
        let project = (1..=8).fold(ProjectSeed::new(PROJECT), |project, number| {
            project.synthetic(format!("run{number}"), FILES / 8, 10)
        });
        let second = Duration::from_secs(1);
        let builder = Sandbox::builder()
            .secluded(now())
            .account("colleague")
            .rate_limit(LIMIT, WINDOW)
            .job_duration(2 * second..=9 * second)
            .project(project)
            .volume(VolumeSeed::s3(VOLUME).keys_only());
        let desk = Desk {
            clock: Virtual(Instant::now()),
            sandbox: builder.start().await.expect("the sandbox starts"),
            folder: tempfile::tempdir().expect("a folder"),
        };
        let mut options = plan_options();
        options.mode = mode;
        let client = desk.client(0, 1);
        let planned = plan(&desk.transfer(), &client, options, &mut |_| {}).await;
        assert_eq!(planned.expect("a plan").files, u64::from(FILES));
        tokio::time::sleep(2 * WINDOW).await;
        desk
    }

    fn transfer(&self) -> PathBuf {
        self.folder.path().join("t.transfer")
    }

    /// A host of its own: what it knows of the limit it knows from its own answers.
    fn client(&self, account: usize, sharers: u16) -> Client {
        let (_, token) = self.sandbox.accounts().nth(account).expect("an account");
        let endpoint: Endpoint = self.sandbox.endpoint().parse().expect("an endpoint");
        let client = Client::builder(endpoint, Token::new(token.to_owned()).expect("a token"));
        client
            .connect(Pipes(self.sandbox.door()))
            .clock(self.clock.clone())
            .share_of(NonZeroU16::new(sharers).expect("one at least"))
            .build()
            .expect("a client")
    }

    fn split(&self, parts: usize) -> Vec<PathBuf> {
        let options = SplitOptions::new(parts, self.folder.path().join("parts"));
        let now = self.clock.now();
        let report = split(&self.transfer(), &Opening::default(), &options, now).expect("parts");
        report
            .parts
            .iter()
            .map(|part| part.transfer.clone().into())
            .collect()
    }

    /// Runs parts at the same time, each with a client of its own.
    async fn run(&self, parts: &[(&Path, Client)]) -> Took {
        let (before, began) = (self.sandbox.ledger(), Instant::now());
        let runs = parts.iter().map(async |(part, client)| {
            let mut journal = Opening::default()
                .open(part, self.clock.now())
                .expect("a journal");
            let (options, stop) = (RunOptions::default(), Stop::new());
            let report = run(&mut journal, client, &options, &stop, &mut |_| {}).await;
            let report = report.expect("a run");
            assert_eq!(report.ending, Ending::Finished);
            report.requests
        });
        let requests = futures_of(runs).await;
        let ledger = self.sandbox.ledger();
        assert_eq!(ledger.files.len(), FILES as usize);
        assert!(ledger.files.values().all(|told| told.starts == 1));
        assert_eq!(before.over_limit, 0);
        Took {
            requests,
            seconds: began.elapsed().as_secs_f64(),
            ledger,
        }
    }
}

/// The sum of what these futures come to, run side by side.
async fn futures_of(futures: impl Iterator<Item = impl Future<Output = u64>>) -> u64 {
    let mut pending: Vec<Pin<Box<_>>> = futures.map(Box::pin).collect();
    let mut sum = 0;
    std::future::poll_fn(|context| {
        pending.retain_mut(|future| match future.as_mut().poll(context) {
            std::task::Poll::Ready(value) => {
                sum += value;
                false
            }
            std::task::Poll::Pending => true,
        });
        match pending.is_empty() {
            true => std::task::Poll::Ready(sum),
            false => std::task::Poll::Pending,
        }
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn parts_of_one_account_spend_the_limit_together_and_no_more() {
    for mode in [ExportMode::Move, ExportMode::Copy] {
        let desk = Desk::start(mode).await;
        let alone = desk.run(&[(&desk.transfer(), desk.client(0, 1))]).await;

        let desk = Desk::start(mode).await;
        let parts = desk.split(4);
        let shared: Vec<(&Path, Client)> = parts
            .iter()
            .map(|part| (&**part, desk.client(0, 4)))
            .collect();
        let together = desk.run(&shared).await;

        // No request is refused that a single run would not have had refused.
        assert_eq!(
            (together.ledger.over_limit, alone.ledger.over_limit),
            (0, 0)
        );
        // In the time in which the limit grants so many requests.
        let granted = together.requests as f64 / LIMIT as f64 * WINDOW.as_secs_f64();
        assert!(
            together.seconds <= 1.05 * granted,
            "{mode:?}: {} requests in {} s, {granted} s are granted; alone {} in {} s",
            together.requests,
            together.seconds,
            alone.requests,
            alone.seconds
        );
        // Each part begins and ends on its own; the rest is the same.
        assert!(
            together.requests <= alone.requests + 3 * 16,
            "{mode:?}: {} requests, alone {}",
            together.requests,
            alone.requests
        );
    }
}

#[tokio::test(start_paused = true)]
async fn two_accounts_take_half_the_time_of_one() {
    for mode in [ExportMode::Move, ExportMode::Copy] {
        let desk = Desk::start(mode).await;
        let alone = desk.run(&[(&desk.transfer(), desk.client(0, 1))]).await;

        let desk = Desk::start(mode).await;
        let parts = desk.split(2);
        let colleague = desk.client(1, 1);
        let mut journal = Opening::default()
            .open(&parts[1], desk.clock.now())
            .expect("a journal");
        journal.take_over("colleague").expect("nothing was sent");
        drop(journal);
        let both = [(&*parts[0], desk.client(0, 1)), (&*parts[1], colleague)];
        let both = desk.run(&both).await;
        let ratio = both.seconds / alone.seconds;
        assert!(
            ratio <= 0.55,
            "{mode:?}: {} s of {} s",
            both.seconds,
            alone.seconds
        );
        assert_eq!(both.ledger.over_limit, 0);
    }
}
