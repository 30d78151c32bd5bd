//! The one clock of a sandbox. It follows tokio's time, so that a test which pauses or advances that moves the world.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use tokio::time::Instant;

/// A moment of the world: milliseconds since 1970.
pub(crate) type Millis = i64;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    opened: Instant,
    opened_at: Millis,
}

impl Clock {
    /// Starts at this moment, whatever the system says.
    pub(crate) fn start(at: Timestamp) -> Self {
        Clock {
            opened: Instant::now(),
            opened_at: at.as_millisecond(),
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.opened_at + millis(self.opened.elapsed())
    }

    /// When tokio's clock reaches a moment of the world.
    pub(crate) fn instant(&self, at: Millis) -> Instant {
        let ahead = u64::try_from(at - self.opened_at).unwrap_or(0);
        self.opened + Duration::from_millis(ahead)
    }
}

/// A span in milliseconds; longer than any clock runs counts as that.
pub(crate) fn millis(span: Duration) -> Millis {
    Millis::try_from(span.as_millis()).unwrap_or(Millis::MAX)
}

/// A moment as a time of day.
pub(crate) fn timestamp(at: Millis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// A moment as headers have it.
pub(crate) fn http_date(at: Timestamp) -> String {
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&at);
    // Only years before 0 have no such form.
    date.unwrap_or_default()
}

/// Spans as seconds, fractions allowed.
pub(crate) mod seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        if span.subsec_nanos() == 0 {
            to.serialize_u64(span.as_secs())
        } else {
            to.serialize_f64(span.as_secs_f64())
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        Duration::try_from_secs_f64(f64::deserialize(from)?).map_err(de::Error::custom)
    }
}
