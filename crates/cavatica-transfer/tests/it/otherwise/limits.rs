//! What a platform may tell of its limit on requests, and whom it may count.

use std::time::Duration;

use cavatica_exports::transport::{Call, Client, Outcome, Token};
use cavatica_sandbox::{Quirk, Route, SandboxBuilder};
use cavatica_transfer::journal::{SqliteJournal, TransferFile};
use cavatica_transfer::observe::{Habit, OpenQuestion};
use cavatica_transfer::{Stop, run};

use super::is_harmless;
use crate::bench::{Bench, many, options, world};

/// A client with this token that gives up where it would have to wait.
fn impatient(bench: &Bench, token: &str) -> Client {
    let endpoint = bench.sandbox.endpoint().parse().expect("an endpoint");
    let token = Token::new(token.to_owned()).expect("a token");
    let client = Client::builder(endpoint, token).patience(Duration::ZERO);
    client.build().expect("a client")
}

/// Somebody else has used up the window before the run's first request.
async fn throttled(quirks: &[Quirk]) -> Habit {
    let builder = world(many(30)).rate_limit(50, Duration::from_secs(4));
    let builder = quirks.iter().copied().fold(builder, SandboxBuilder::quirk);
    let bench = Bench::start(builder).await;
    bench.plan(bench.options()).await.expect("a plan");
    let refused = loop {
        if let Err(error) = impatient(&bench, bench.sandbox.token())
            .send(Call::get("/user"))
            .await
        {
            break error;
        }
    };
    assert_eq!(*refused.outcome(), Outcome::Throttled);
    let before = bench.sandbox.ledger().over_limit;
    bench.run().await.expect("a run");
    let ledger = bench.check_exactly_once(30);
    // Those that were under way at once, and none after it waited.
    let refusals = ledger.over_limit - before;
    assert!((1..=3).contains(&refusals), "{refusals} refusals");
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let seen = file.observations().expect("what was seen");
    let told: Vec<_> = seen.habits(OpenQuestion::Throttling).collect();
    let [(habit, times)] = told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(times, refusals);
    habit
}

#[tokio::test]
async fn a_refusal_for_the_limit_is_waited_for_as_it_says() {
    let (seconds, milliseconds, after, after_alone) = tokio::join!(
        throttled(&[]),
        throttled(&[Quirk::ResetInMilliseconds]),
        throttled(&[Quirk::RetryAfter]),
        throttled(&[Quirk::RetryAfter, Quirk::NoReset]),
    );
    assert_eq!([seconds, milliseconds], [Habit::ThrottledWithReset; 2]);
    assert_eq!([after, after_alone], [Habit::ThrottledWithRetryAfter; 2]);
}

/// How many requests another program sends.
const OTHERS: u64 = 300;

/// Another program asks with another token of the same account while a client is in use: how many of its requests showed in
/// what the client was told to be left, and how many were left in the end, as the client has it and as it is.
async fn beside_another_token(quirk: Option<Quirk>) -> (u64, u64, u64) {
    // Of a window of 300 s the end, rounded up, would be further away than a window is long.
    let builder = world(many(30)).rate_limit(1_000, Duration::from_secs(200));
    let builder = quirk
        .into_iter()
        .fold(builder.second_token(), SandboxBuilder::quirk);
    let bench = Bench::start(builder).await;
    bench.plan(bench.options()).await.expect("a plan");
    let client = bench.client();
    client.send(Call::get("/user")).await.expect("an answer");

    let (_, token) = bench.sandbox.accounts().last().expect("a second token");
    let other = impatient(&bench, token);
    for _ in 0..OTHERS {
        other.send(Call::get("/user")).await.expect("an answer");
    }

    let mut journal = SqliteJournal::open(&bench.transfer(), &client).expect("a journal");
    let (options, stop) = (options(), Stop::new());
    let ran = run(&mut journal, &client, &options, &stop, &mut |_| {}).await;
    ran.expect("a run");
    drop(journal);
    let ledger = bench.check_exactly_once(30);
    assert_eq!(ledger.over_limit, 0);
    is_harmless(&bench, &bench.summary(), "another token");

    // Asking for the limit doesn't count.
    let asked: u64 = ledger.requests.values().sum();
    let counted = asked - ledger.requests_to(Route::RateLimit);
    let ours = match quirk {
        None => counted,
        Some(_) => counted - OTHERS,
    };
    let file = TransferFile::open(&bench.transfer()).expect("the transfer");
    let seen = file.observations().expect("what was seen");
    let shown = seen.count(Habit::OthersCounted);
    (shown, client.budget().remaining, 1_000 - ours)
}

/// Whether an account has one limit, or each of its tokens: what is told to be left is obeyed, and where others' requests
/// show in it, that is noticed. A request that nobody waited for may be counted on one side only.
#[tokio::test]
async fn a_limit_is_kept_whether_an_account_has_it_or_a_token() {
    let (one, each) = tokio::join!(
        beside_another_token(None),
        beside_another_token(Some(Quirk::LimitPerToken)),
    );
    let (shown, left, really) = one;
    assert!((OTHERS - 10..=OTHERS).contains(&shown), "{shown} showed");
    assert!((really - 10..=really).contains(&left), "{left} of {really}");
    let (shown, left, really) = each;
    assert_eq!(shown, 0);
    assert!((really - 10..=really).contains(&left), "{left} of {really}");
}
