//! What the tests share: a secret, clients, a clock that needs no time.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cavatica_transport::{Call, Client, ClientBuilder, Clock, Effect, Token};
use jiff::Timestamp;

/// The token of all tests. It must turn up nowhere but in the requests.
pub(crate) const SECRET: &str = "5ec2e7bead5deadbeef0123456789abc";

/// Where every [`QuickClock`] begins.
pub(crate) const BEGINNING: i64 = 1_700_000_000;

pub(crate) fn builder(endpoint: &str) -> ClientBuilder {
    let token = Token::new(SECRET.to_owned()).unwrap();
    Client::builder(endpoint.parse().unwrap(), token)
}

/// A client whose waits take no time, and the clock that counts them.
pub(crate) fn quick(endpoint: &str) -> (ClientBuilder, QuickClock) {
    let clock = QuickClock::default();
    (builder(endpoint).clock(clock.clone()), clock)
}

/// Sleeping moves its hand and returns at once. Chance always says one half.
#[derive(Clone, Debug, Default)]
pub(crate) struct QuickClock(Arc<Mutex<Vec<Duration>>>);

impl QuickClock {
    pub(crate) fn sleeps(&self) -> Vec<Duration> {
        self.0.lock().unwrap().clone()
    }
}

impl Clock for QuickClock {
    fn now(&self) -> Timestamp {
        let slept: Duration = self.0.lock().unwrap().iter().sum();
        Timestamp::from_second(BEGINNING).unwrap() + slept
    }

    fn sleep(&self, how_long: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.lock().unwrap().push(how_long);
        Box::pin(tokio::task::yield_now())
    }

    fn chance(&self) -> f64 {
        0.5
    }
}

pub(crate) fn read() -> Call {
    Call::get("/things/{thing}").param("thing", "t1")
}

pub(crate) fn bulk_read() -> Call {
    start().effect(Effect::Read)
}

pub(crate) fn start() -> Call {
    Call::post("/things").json(&serde_json::json!({"name": "t1"}))
}

/// Waits for a condition that is sure to come, and fails if it doesn't in half a minute.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it comes to pass");
}
