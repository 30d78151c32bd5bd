use tokio::time::Instant;

use super::{INQUIRIES, Settling};

impl Settling {
    /// The same, with its moments set elsewhere.
    #[doc(hidden)]
    pub fn with_moments(self, set: impl Fn(Instant) -> Instant) -> Self {
        Settling {
            dead: set(self.dead),
            // What comes after as many changes nothing but how often is asked.
            inquiries: self.inquiries.min(INQUIRIES + 1),
            clean: self.clean.min(INQUIRIES),
            states: self.states.map(&set),
            last: self.last.map(&set),
            ..self
        }
    }
}
