//! A program that runs, and can die at any step.
//!
//! Whatever a program does to the world outside of it goes through here and is counted: a poll of its run, a call of the
//! disk, bytes on a wire. At the step that was chosen for it the program is dead: nothing that it does afterwards has any
//! effect, until its run is dropped.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use crate::log::{Log, locked};

/// A run of 300 files takes a few thousand.
const MOST_STEPS: u64 = 40_000;

thread_local! {
    static CURRENT: RefCell<Option<Arc<Process>>> = const { RefCell::new(None) };
}

/// One program.
#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) name: String,
    steps: AtomicU64,
    /// The step at which it dies; never, if that is beyond all steps.
    last: AtomicU64,
    dead: AtomicBool,
    /// Who waits for something that its death decides.
    waiting: Mutex<Vec<Waker>>,
    log: Log,
}

impl Process {
    pub(crate) fn new(name: impl Into<String>, last: Option<u64>, log: &Log) -> Arc<Self> {
        Arc::new(Process {
            name: name.into(),
            steps: AtomicU64::new(0),
            last: AtomicU64::new(last.unwrap_or(u64::MAX)),
            dead: AtomicBool::new(false),
            waiting: Mutex::default(),
            log: log.clone(),
        })
    }

    /// The program whose code runs on this thread.
    pub(crate) fn current() -> Option<Arc<Process>> {
        CURRENT.with_borrow(Clone::clone)
    }

    /// Takes a step. False if the program is dead, now or already: then the step must not be taken.
    pub(crate) fn step(&self) -> bool {
        if self.is_dead() {
            return false;
        }
        let steps = self.steps.fetch_add(1, Ordering::Relaxed) + 1;
        if steps < self.last.load(Ordering::Relaxed) && steps < MOST_STEPS {
            return true;
        }
        self.kill();
        false
    }

    /// Lets it die so many steps from now.
    pub(crate) fn die_in(&self, steps: u64) {
        self.last.fetch_min(self.steps() + steps, Ordering::Relaxed);
    }

    /// Whether it went on for longer than any run does that gets anywhere.
    pub(crate) fn is_endless(&self) -> bool {
        self.steps() >= MOST_STEPS
    }

    pub(crate) fn kill(&self) {
        if !self.is_dead() {
            self.log
                .line(|| format!("{} dies at step {}", self.name, self.steps()));
            self.end();
        }
    }

    /// It does nothing any more, because it has ended or died.
    pub(crate) fn end(&self) {
        if !self.dead.swap(true, Ordering::Relaxed) {
            for waker in locked(&self.waiting).drain(..) {
                waker.wake();
            }
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    pub(crate) fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }

    /// Wakes whoever polls, once it is dead.
    pub(crate) fn tell(&self, waker: &Waker) {
        let mut waiting = locked(&self.waiting);
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }
}

/// A run of a program, which ends with `None` when the program dies.
pub(crate) struct Mortal<F> {
    run: Option<Pin<Box<F>>>,
    process: Arc<Process>,
}

impl<F: Future> Mortal<F> {
    pub(crate) fn new(process: Arc<Process>, run: F) -> Self {
        Mortal {
            run: Some(Box::pin(run)),
            process,
        }
    }

    /// Does something as this program.
    fn as_program<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let before = CURRENT.replace(Some(Arc::clone(&self.process)));
        let told = work(self);
        CURRENT.set(before);
        told
    }
}

impl<F: Future> Future for Mortal<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.process.tell(context.waker());
        let told = this.as_program(|this| {
            if !this.process.step() {
                return Poll::Pending;
            }
            let run = this.run.as_mut().expect("it isn't polled after its end");
            run.as_mut().poll(context)
        });
        if this.process.is_dead() {
            // What its code does while it is torn down has no effect either.
            this.as_program(|this| this.run = None);
            return Poll::Ready(None);
        }
        told.map(Some)
    }
}
