//! A run whose events are a stream.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use cavatica_exports::transport::Client;
use futures_core::Stream;

use super::{RunError, RunOptions, RunReport, Stop, run};
use crate::event::Event;
use crate::journal::Journal;

type Outcome = Result<RunReport, RunError>;

/// As [`run`], with the events as a stream in place of a callback, for instance for a `select!` with a tick:
///
/// ```no_run
/// # use cavatica_exports::transport::Client;
/// # use cavatica_transfer::{RunError, RunOptions, Stop, journal::Journal, run_stream};
/// # async fn demo(journal: &mut dyn Journal, client: &Client) -> Result<(), RunError> {
/// let (options, stop) = (RunOptions::default(), Stop::new());
/// let mut running = run_stream(journal, client, &options, &stop);
/// let mut tick = tokio::time::interval(std::time::Duration::from_secs(1));
/// loop {
///     tokio::select! {
///         event = running.next() => match event {
///             Some(event) => println!("{event:?}"),
///             None => break,
///         },
///         _ = tick.tick() => println!("still there"),
///     }
/// }
/// let report = running.finish().await?;
/// println!("{} files arrived", report.tally.completed.files);
/// # Ok(()) }
/// ```
///
/// The run goes on only while somebody asks for the next event or for the end. Dropping it leaves the journal as a program
/// that died would: whoever runs it next loses nothing.
pub fn run_stream<'a>(
    journal: &'a mut dyn Journal,
    client: &'a Client,
    options: &'a RunOptions,
    stop: &'a Stop,
) -> RunStream<'a> {
    let events = Events::default();
    let queue = events.clone();
    RunStream {
        run: Box::pin(async move {
            let mut report = |event| queue.push(event);
            run(journal, client, options, stop, &mut report).await
        }),
        events,
        outcome: None,
    }
}

/// A run whose events are a stream; made by [`run_stream`]. It ends when the run does.
#[must_use = "a run goes on only while it is polled"]
pub struct RunStream<'a> {
    run: Pin<Box<dyn Future<Output = Outcome> + Send + 'a>>,
    events: Events,
    /// Of a run that has ended.
    outcome: Option<Outcome>,
}

impl RunStream<'_> {
    /// The next event; `None` when the run has ended. A future that is dropped loses nothing.
    pub async fn next(&mut self) -> Option<Event> {
        poll_fn(|context| Pin::new(&mut *self).poll_next(context)).await
    }

    /// Runs to the end, whatever events are still to come, and says how it ended.
    ///
    /// # Errors
    ///
    /// As for [`run`].
    pub async fn finish(mut self) -> Outcome {
        match self.outcome.take() {
            Some(outcome) => outcome,
            None => self.run.await,
        }
    }
}

impl Stream for RunStream<'_> {
    type Item = Event;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Event>> {
        if let Some(event) = self.events.pop() {
            return Poll::Ready(Some(event));
        }
        if self.outcome.is_none()
            && let Poll::Ready(outcome) = self.run.as_mut().poll(context)
        {
            self.outcome = Some(outcome);
        }
        match self.events.pop() {
            None if self.outcome.is_none() => Poll::Pending,
            event => Poll::Ready(event),
        }
    }
}

impl fmt::Debug for RunStream<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStream")
            .field("outcome", &self.outcome)
            .finish_non_exhaustive()
    }
}

/// What happened and was not yet asked for. Only the run itself adds to it, while it is polled.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<VecDeque<Event>>>);

impl Events {
    fn push(&self, event: Event) {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.push_back(event);
    }

    fn pop(&self) -> Option<Event> {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        events.pop_front()
    }
}
