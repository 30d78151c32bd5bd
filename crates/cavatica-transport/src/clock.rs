//! Time and chance, which tests set.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use jiff::Timestamp;

/// What time it is, how to let it pass, and what chance says. A client's waits between attempts go through it; the time
/// limits on sockets don't, for they bound the real world.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The moment.
    fn now(&self) -> Timestamp;

    /// Waits.
    fn sleep(&self, how_long: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>>;

    /// A random number in `0.0..1.0`.
    fn chance(&self) -> f64;
}

/// The system's clock, tokio's timers and an unpredictable chance.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, how_long: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(tokio::time::sleep(how_long))
    }

    fn chance(&self) -> f64 {
        fastrand::f64()
    }
}
