//! What the server, the mover and the owner of a sandbox share.
//!
//! # Locking
//!
//! Each lock guards one subject and is held for one short step, never across an await and never while bytes are moved.
//! Nobody takes a second lock while holding one.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::clock::Clock;
use crate::fault::Faults;
use crate::journal::Journal;
use crate::ledger::{Counters, Ledger};
use crate::quirk::{Quirk, Quirks};
use crate::rate::{Admission, Standing, Window};
use crate::remote::Buckets;
use crate::store::{Store, measure};
use crate::world::{Event, NodeKind, Pace, StoreKind, World};

#[derive(Debug)]
pub(crate) struct Hub {
    pub(crate) token: String,
    /// `http://127.0.0.1:PORT/v2`.
    pub(crate) endpoint: String,
    pub(crate) reach: Reach,
    pub(crate) clock: Clock,
    pub(crate) quirks: Quirks,
    pub(crate) store: Store,
    pub(crate) buckets: Buckets,
    /// Rings when there is a new job.
    pub(crate) started: Notify,
    state: Mutex<State>,
    faults: Mutex<Faults>,
    counters: Mutex<Counters>,
    window: Mutex<Window>,
    pace: Mutex<Pace>,
    /// Calls that are still being carried out though their clients don't wait for them.
    accepting: Mutex<Vec<AbortHandle>>,
}

/// Who can reach the sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// This computer.
    Loopback,
    /// Other computers, which know it by names that the sandbox doesn't.
    Exposed,
}

/// The world and the log of how it came to be.
pub(crate) struct State {
    pub(crate) world: World,
    journal: Journal,
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
    pub(crate) fn new(world: World, journal: Journal) -> Self {
        State {
            world,
            journal,
            busy_files: HashSet::new(),
            busy_keys: HashSet::new(),
        }
    }

    /// Lets an event happen; it is safe from a kill once [`flush`](Self::flush)ed.
    pub(crate) fn commit(&mut self, event: &Event) -> io::Result<()> {
        self.journal.add(event)?;
        self.world.apply(event).map_err(io::Error::other)
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.journal.flush()
    }
}

impl Hub {
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one subject, and there is one caller"
    )]
    pub(crate) fn new(
        token: String,
        endpoint: String,
        reach: Reach,
        clock: Clock,
        pace: Pace,
        store: Store,
        buckets: Buckets,
        state: State,
        faults: Faults,
        window: Window,
    ) -> Self {
        Hub {
            token,
            endpoint,
            reach,
            clock,
            quirks: state.world.quirks().clone(),
            store,
            buckets,
            started: Notify::new(),
            state: Mutex::new(state),
            faults: Mutex::new(faults),
            counters: Mutex::new(Counters::default()),
            window: Mutex::new(window),
            pace: Mutex::new(pace),
            accepting: Mutex::default(),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub(crate) fn counters(&self) -> MutexGuard<'_, Counters> {
        lock(&self.counters)
    }

    /// How long jobs take that are accepted now, and how many of them fail.
    pub(crate) fn pace(&self) -> MutexGuard<'_, Pace> {
        lock(&self.pace)
    }

    /// Remembers a call that goes on by itself until the sandbox stops.
    pub(crate) fn goes_on(&self, call: AbortHandle) {
        let mut accepting = lock(&self.accepting);
        accepting.retain(|call| !call.is_finished());
        accepting.push(call);
    }

    /// Ends the calls that go on by themselves.
    pub(crate) fn abandon(&self) {
        for call in lock(&self.accepting).drain(..) {
            call.abort();
        }
    }

    /// The limit and what has been used of it.
    pub(crate) fn window(&self) -> MutexGuard<'_, Window> {
        lock(&self.window)
    }

    /// Counts a request against the limit.
    pub(crate) fn admit(&self) -> Admission {
        lock(&self.window).admit(self.clock.now())
    }

    /// Where the client stands, as it is told.
    pub(crate) fn standing(&self) -> Standing {
        let mut standing = lock(&self.window).standing(self.clock.now());
        if self.quirks.contains(&Quirk::ResetInMilliseconds) {
            standing.reset *= 1000;
        }
        standing
    }

    /// What was seen and done so far.
    pub(crate) fn ledger(&self) -> Ledger {
        let mut ledger = Ledger::of_world(&self.state().world);
        ledger.faults = self.faults().hits();
        let counters = self.counters().clone();
        ledger.requests = counters.requests;
        ledger.answers = counters.answers;
        ledger.over_limit = counters.over_limit;
        ledger.stray_tokens = counters.stray_tokens;
        ledger
    }
}

/// What happens to files and volumes behind the platform's back.
impl Hub {
    /// Archives a file or makes it a copy of a public one, or takes that back. `None` if there is no such file.
    pub(crate) fn mark_file(
        &self,
        id: &str,
        archived: Option<bool>,
        public_copy: Option<bool>,
    ) -> io::Result<Option<()>> {
        let mut state = self.state();
        let Some(number) = state.world.file_by_id(id) else {
            return Ok(None);
        };
        let NodeKind::File(file) = &state.world.node(number).kind else {
            return Ok(None);
        };
        let marked = Event::FileMarked {
            file: number,
            archived: archived.unwrap_or(file.archived),
            public_copy: public_copy.unwrap_or(file.public_copy),
        };
        state.commit(&marked)?;
        state.flush().map(Some)
    }

    /// Puts an object on a volume, over one that is there. `None` if there is no such volume.
    pub(crate) fn put_object(
        &self,
        volume: &str,
        location: &str,
        content: &[u8],
    ) -> io::Result<Option<()>> {
        let Some((number, key, store)) = self.place(volume, location) else {
            return Ok(None);
        };
        let written = match store {
            StoreKind::Folder => self.store.put(volume, &key, &mut &*content)?,
            StoreKind::KeysOnly => measure(&mut &*content)?,
            StoreKind::Bucket { .. } => return Err(elsewhere(volume)),
        };
        let mut state = self.state();
        state.commit(&Event::ObjectPut {
            volume: number,
            location: location.to_owned(),
            size: written.size,
            etag: written.etag,
            at: self.clock.now(),
        })?;
        state.flush().map(Some)
    }

    /// Takes an object away. `None` if there is no such volume or object.
    pub(crate) fn remove_object(&self, volume: &str, location: &str) -> io::Result<Option<()>> {
        let Some((number, key, store)) = self.place(volume, location) else {
            return Ok(None);
        };
        if let StoreKind::Bucket { .. } = store {
            return Err(elsewhere(volume));
        }
        let mut state = self.state();
        let objects = &state.world.volumes()[number as usize].objects;
        if !objects.contains_key(location) {
            return Ok(None);
        }
        self.store.remove(volume, &key)?;
        state.commit(&Event::ObjectRemoved {
            volume: number,
            location: location.to_owned(),
            job: None,
        })?;
        state.flush().map(Some)
    }

    fn place(&self, volume: &str, location: &str) -> Option<(u32, String, StoreKind)> {
        let state = self.state();
        let (number, volume) = state.world.volume(volume)?;
        let store = volume.store.clone();
        Some((number, state.world.key(number, location), store))
    }
}

/// The sandbox changes nothing in a real bucket but by jobs.
fn elsewhere(volume: &str) -> io::Error {
    let text = format!("`{volume}` is a real bucket; change it with an S3 client");
    io::Error::new(io::ErrorKind::Unsupported, text)
}

/// A panic elsewhere doesn't take the platform down: what is locked is changed in single steps.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
