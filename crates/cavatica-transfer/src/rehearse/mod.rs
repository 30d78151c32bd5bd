//! Settles open questions about a platform with one file that its owner can spare, before an irreversible run.
//!
//! It is copied, the copy is tried again where an object lies already, and where that is asked for the file is moved and its
//! alias sent once more. Whatever the platform answers, nothing is sent a second time because its answer was lost, nothing
//! may overwrite, and no more requests are made than it may.

mod acts;
mod scene;

use cavatica_exports::Cavatica;
use cavatica_exports::transport::Client;

pub use scene::{Halt, Left, MOST_REQUESTS, REHEARSED, Rehearsal, Rehearsed, Scene};

use crate::observe::Habits;
use crate::run::Stop;

/// Plays a rehearsal, and tells each scene before it begins. `stop` ends it before its next request or in a wait, `quit` at
/// once, with a request under way or not; what it left behind, or may have, is told however it ends.
pub async fn rehearse(
    client: &Client,
    wish: &Rehearsal,
    stop: &Stop,
    quit: &Stop,
    tell: &mut (dyn FnMut(Scene) + Send),
) -> Rehearsed {
    // What was told before is none of ours.
    client.take_limits_told();
    let mut player = acts::Player {
        platform: Cavatica::new(client.clone()),
        wish,
        stop,
        before: client.budget().sent,
        seen: Habits::default(),
        left: Vec::new(),
        account: None,
        volume: None,
        first_job: None,
        unlisted: None,
    };
    let halt = tokio::select! {
        end = player.play(tell) => end.err(),
        () = quit.asked() => Some(Halt::Stopped),
    };
    crate::observe::limits(&mut player.seen, &client.take_limits_told());
    Rehearsed {
        requests: player.requests(),
        account: player.account,
        volume: player.volume,
        seen: player.seen,
        left: player.left,
        halt,
    }
}
