//! The platform as it stands: its world with the log of how it came to be, its bytes and its clock.
//!
//! # Locking
//!
//! A lock guards one subject and is held for one short step, never across an await and never while bytes are moved.
//! Nobody takes a second lock while holding one.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::event_log::EventLog;
use super::remote::Buckets;
use super::store::Store;
use crate::clock::Clock;
use crate::world::{Event, World};

#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) clock: Clock,
    pub(crate) store: Store,
    pub(crate) buckets: Buckets,
    /// Rings when there is a new job.
    pub(crate) started: Notify,
    state: Mutex<State>,
}

/// The world and the log of how it came to be.
pub(crate) struct State {
    pub(crate) world: World,
    log: EventLog,
    /// Files and keys whose bytes are under way; jobs that need them wait.
    pub(crate) busy_files: HashSet<u32>,
    pub(crate) busy_keys: HashSet<(u32, Box<str>)>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").finish_non_exhaustive()
    }
}

impl State {
    pub(crate) fn new(world: World, log: EventLog) -> Self {
        State {
            world,
            log,
            busy_files: HashSet::new(),
            busy_keys: HashSet::new(),
        }
    }

    /// Lets an event happen; it is safe from a kill once [`flush`](Self::flush)ed.
    pub(crate) fn commit(&mut self, event: &Event) -> io::Result<()> {
        self.log.add(event)?;
        self.world.apply(event).map_err(io::Error::other)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.log.flush()
    }
}

impl Platform {
    pub(crate) fn new(clock: Clock, store: Store, buckets: Buckets, state: State) -> Self {
        Platform {
            clock,
            store,
            buckets,
            started: Notify::new(),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A panic elsewhere doesn't take the platform down: what is locked is changed in single steps.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
