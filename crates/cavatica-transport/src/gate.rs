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

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn gated(guard: Option<Guard>) -> (Gate, GatedBody) {
        Gate::before(Some(Bytes::from_static(b"abc")), guard)
    }

    /// What the body hands out; nothing where it was withdrawn.
    fn polled(body: &mut GatedBody) -> Option<Option<Bytes>> {
        let frame = Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()));
        let Poll::Ready(frame) = frame else {
            panic!("it is handed out at once");
        };
        frame.map(|frame| Some(frame.ok()?.into_data().expect("data")))
    }

    #[test]
    fn whoever_comes_first_wins_for_good() {
        let (gate, mut body) = gated(None);
        assert_eq!(
            (body.is_end_stream(), body.size_hint().exact()),
            (false, Some(3))
        );
        assert_eq!(polled(&mut body), Some(Some(Bytes::from_static(b"abc"))));
        assert!(!gate.withdraw());
        assert_eq!(
            (body.is_end_stream(), body.size_hint().exact()),
            (true, Some(0))
        );
        assert_eq!(polled(&mut body), None);

        let (gate, mut body) = gated(None);
        assert!(gate.withdraw() && gate.withdraw());
        assert_eq!(polled(&mut body), Some(None));
    }

    #[test]
    fn what_its_guard_keeps_back_was_not_sent() {
        let (gate, mut body) = gated(Some(Arc::new(|| true)));
        assert!(polled(&mut body).expect("bytes").is_some());
        assert!(!gate.withdraw());
        let (gate, mut body) = gated(Some(Arc::new(|| false)));
        assert_eq!(polled(&mut body), Some(None));
        assert!(gate.withdraw());
    }

    #[test]
    fn of_a_request_without_a_body_nothing_is_proven() {
        for bytes in [None, Some(Bytes::new())] {
            let (gate, body) = Gate::before(bytes, None);
            assert!(body.is_end_stream());
            assert!(!gate.withdraw());
        }
    }

    #[test]
    fn who_does_not_keep_a_gate_may_shut_it() {
        let (gate, mut body) = gated(None);
        let weak = gate.downgrade();
        drop(gate);
        assert!(weak.is_used(), "by the body");
        weak.withdraw();
        assert_eq!(polled(&mut body), Some(None));
        drop(body);
        assert!(!weak.is_used());
    }
}
