//! The proof that a request was not sent.
//!
//! hyper asks a body for its bytes only when it is about to write them. So the body has to win a one-way switch before
//! it hands them out, against the caller, who tries to withdraw them after an error or a time-out. Whoever comes first
//! wins for good: if the caller does, no byte of the body has left this process nor ever will, and a service that needs
//! the body can't have carried the request out. If the body does, what became of the request is not known.
//!
//! No error kind of the HTTP library proves as much, and a time-out leaves no error at all. The switch sits above TLS
//! and above HTTP/1.1 and HTTP/2, and needs no agreement between the tasks but one atomic.

use std::pin::Pin;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

/// Says, immediately before the bytes of a start leave, whether they may.
pub type Guard = Arc<dyn Fn() -> bool + Send + Sync>;

const WAITING: u8 = 0;
const RELEASED: u8 = 1;
const WITHDRAWN: u8 = 2;

/// The switch, shared by a body and the one who may withdraw it.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<AtomicU8>);

impl Gate {
    /// A gate in front of `bytes`. Nothing can be proven of a request without a body: its gate was never shut.
    pub(crate) fn before(bytes: Option<Bytes>, guard: Option<Guard>) -> (Gate, GatedBody) {
        let bytes = bytes.filter(|bytes| !bytes.is_empty());
        let state = if bytes.is_some() { WAITING } else { RELEASED };
        let gate = Gate(Arc::new(AtomicU8::new(state)));
        let body = GatedBody {
            gate: gate.clone(),
            guard,
            bytes,
        };
        (gate, body)
    }

    /// Keeps the bytes back for good. `true` proves that none of them left, nor ever will.
    pub(crate) fn withdraw(&self) -> bool {
        self.switch(WITHDRAWN)
    }

    /// A way to shut it that doesn't keep it.
    pub(crate) fn downgrade(&self) -> WeakGate {
        WeakGate(Arc::downgrade(&self.0))
    }

    fn release(&self) -> bool {
        self.switch(RELEASED)
    }

    fn switch(&self, to: u8) -> bool {
        match self
            .0
            .compare_exchange(WAITING, to, Ordering::AcqRel, Ordering::Acquire)
        {
            Ok(_) => true,
            Err(now) => now == to,
        }
    }
}

/// A gate that somebody else keeps.
pub(crate) struct WeakGate(Weak<AtomicU8>);

impl WeakGate {
    pub(crate) fn is_used(&self) -> bool {
        self.0.strong_count() > 0
    }

    pub(crate) fn withdraw(&self) {
        if let Some(state) = self.0.upgrade() {
            Gate(state).withdraw();
        }
    }
}

/// The body of a request, handed out at once and only through its gate.
pub(crate) struct GatedBody {
    gate: Gate,
    guard: Option<Guard>,
    bytes: Option<Bytes>,
}

/// The caller withdrew the request before its body was written.
#[derive(Debug, thiserror::Error)]
#[error("the request was withdrawn")]
pub(crate) struct Withdrawn;

impl Body for GatedBody {
    type Data = Bytes;
    type Error = Withdrawn;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Withdrawn>>> {
        Poll::Ready(self.bytes.take().map(|bytes| {
            if self.guard.as_ref().is_some_and(|guard| !guard()) {
                self.gate.withdraw();
            }
            if self.gate.release() {
                Ok(Frame::data(bytes))
            } else {
                Err(Withdrawn)
            }
        }))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
    }
}
