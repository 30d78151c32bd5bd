//! A single start whose answer is lost: sent once, and found out about.

use std::time::Duration;

use cavatica_exports::model::ExportMode;
use cavatica_exports::transport::{Client, Outcome, Token};
use cavatica_exports::{Exports, OnceError, Started};
use cavatica_sandbox::{FaultPlan, Route, Sandbox};
use tokio::time::timeout;

use crate::world::World;

/// The sandbox lists a job at once.
const SETTLE: Duration = Duration::from_millis(300);

/// Far more than looking for it takes.
const LONGEST: Duration = Duration::from_secs(60);

/// Starts one export in a world with these faults.
async fn start_once(faults: &str, mode: ExportMode) -> (World, Result<Started, OnceError>) {
    let faults: FaultPlan = faults.parse().unwrap();
    let world = World::with(Sandbox::builder().seed(3).faults(faults)).await;
    let export = world.checked("README.txt", "docs/README.txt").await;
    let token = Token::new(world.sandbox.token().to_owned()).unwrap();
    let client = Client::builder(world.sandbox.endpoint().parse().unwrap(), token)
        .longest_byte_life(SETTLE / 3)
        .build();
    let exports = Exports::new(client.unwrap());
    let started = exports.start_once(&export, mode, SETTLE);
    let started = timeout(LONGEST, started).await.expect("it comes to an end");
    assert_eq!(world.sandbox.ledger().requests[&Route::Start], 1);
    (world, started)
}

#[tokio::test]
async fn an_answer_that_comes_is_the_answer() {
    let (world, started) = start_once("", ExportMode::Move).await;
    assert!(matches!(started, Ok(Started::Answered(_))), "{started:?}");
    assert_eq!(world.sandbox.ledger().starts, 1);
}

#[tokio::test]
async fn a_lost_answer_is_found_in_the_list_and_not_sent_again() {
    for mode in [ExportMode::Move, ExportMode::Copy] {
        let (world, started) = start_once("drop-after@start", mode).await;
        assert!(
            matches!(started, Ok(Started::Found(_) | Started::Completed)),
            "{started:?}"
        );
        assert_eq!(world.sandbox.ledger().starts, 1);
    }
}

#[tokio::test]
async fn a_request_that_never_arrived_is_proven_absent() {
    for mode in [ExportMode::Move, ExportMode::Copy] {
        let (world, started) = start_once("drop-before@start", mode).await;
        let error = started.unwrap_err();
        assert!(matches!(error, OnceError::Absent(_)), "{error:?}");
        assert_eq!(*error.outcome(), Outcome::NotSent);
        assert_eq!(*error.call().outcome(), Outcome::Unknown);
        assert_eq!(world.sandbox.ledger().starts, 0);
    }
}

#[tokio::test]
async fn a_refusal_says_what_the_platform_said() {
    let (world, started) = start_once("refuse=403/9006@start", ExportMode::Move).await;
    let error = started.unwrap_err();
    assert!(matches!(error, OnceError::NotStarted(_)), "{error:?}");
    assert_eq!(*error.outcome(), Outcome::Refused);
    assert_eq!(error.call().code(), Some(9006));
    assert_eq!(world.sandbox.ledger().starts, 0);
}
