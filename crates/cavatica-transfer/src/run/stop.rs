//! Stopping without losing anything.

use std::sync::Arc;

use tokio::sync::watch;

/// A handle to stop a run: nothing further is sent, answers under way are waited for briefly, and the transfer can be
/// resumed. Cheap to clone; asking twice changes nothing.
#[derive(Clone, Debug)]
pub struct Stop {
    sender: Arc<watch::Sender<Asked>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    No,
    Yes,
}

impl Default for Stop {
    fn default() -> Self {
        Stop {
            sender: Arc::new(watch::Sender::new(Asked::No)),
        }
    }
}

impl Stop {
    /// A handle that nobody used yet.
    pub fn new() -> Self {
        Stop::default()
    }

    /// Asks to stop.
    pub fn ask(&self) {
        self.sender.send_replace(Asked::Yes);
    }

    /// Whether somebody asked.
    pub fn is_asked(&self) -> bool {
        *self.sender.borrow() == Asked::Yes
    }

    /// Waits until somebody asks.
    pub(crate) async fn asked(&self) {
        let mut receiver = self.sender.subscribe();
        receiver
            .wait_for(|asked| *asked == Asked::Yes)
            .await
            .expect("the sender is held by self");
    }
}
