use tokio::time::Instant;

use super::Completed;

impl Completed {
    /// The same, with its moment set elsewhere.
    #[doc(hidden)]
    pub fn with_moments(self, set: impl Fn(Instant) -> Instant) -> Self {
        Completed {
            since: self.since.map(set),
            ..self
        }
    }
}
