//! Being asked to stop: by Ctrl-C, by what a supervisor sends instead, as a batch system does when the time is up, or by the
//! death of the program that started this one.

use std::sync::atomic::{AtomicBool, Ordering};
use std::{io, thread};

use tokio::sync::{Notify, oneshot};

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Whether the end of standard input is a request to stop.
static STOP_AT_EOF: AtomicBool = AtomicBool::new(false);

/// Told once, when standard input has ended.
static EOF: Notify = Notify::const_new();

/// Takes the end of standard input for a request to stop from now on. A program that dies, however it dies, closes the pipe
/// that it held; no signal is as sure. Reading has a thread of its own, because nothing can end it.
pub(crate) fn stop_at_eof() {
    STOP_AT_EOF.store(true, Ordering::Relaxed);
    thread::spawn(|| {
        io::copy(&mut io::stdin().lock(), &mut io::sink()).ok();
        EOF.notify_one();
    });
}

/// Waits for the end of standard input, for ever if nobody asked for it.
async fn end_of_input() {
    if STOP_AT_EOF.load(Ordering::Relaxed) {
        EOF.notified().await;
    } else {
        std::future::pending::<()>().await;
    }
}

/// Requests to stop. From the moment this exists none of them ends the program by itself.
pub(crate) struct StopRequests {
    #[cfg(unix)]
    interrupted: Signal,
    #[cfg(unix)]
    terminated: Signal,
}

impl StopRequests {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(StopRequests {
            #[cfg(unix)]
            interrupted: signal(SignalKind::interrupt())?,
            #[cfg(unix)]
            terminated: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    #[cfg(unix)]
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
            () = end_of_input() => {}
        }
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        let ctrl_c = async {
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = ctrl_c => {}
            () = end_of_input() => {}
        }
    }
}

/// Makes a file that grows beyond a limit of the system an error like a full disk. It would end the program without a word.
#[cfg(unix)]
pub(crate) fn survive_size_limits() {
    /// The same on every system but MIPS.
    const SIGXFSZ: i32 = 25;

    // Once it is heard it does nothing else any more. Where it can't be heard, all is as before.
    drop(signal(SignalKind::from_raw(SIGXFSZ)));
}

/// Elsewhere there are no such limits.
#[cfg(not(unix))]
pub(crate) fn survive_size_limits() {}

/// Hears requests to stop for as long as it lives.
pub(crate) struct Listener {
    _until: oneshot::Sender<()>,
}

impl Listener {
    /// Calls `heard` with the number of the request at each, beginning with 1. It has a thread of its own, so that a
    /// program held up by a slow disk still hears.
    pub(crate) fn start(heard: impl Fn(u32) + Send + 'static) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let mut requests = {
            let _inside = runtime.enter();
            StopRequests::listen()?
        };
        let (sender, until) = oneshot::channel::<()>();
        let listen = async move {
            for number in 1.. {
                requests.next().await;
                heard(number);
            }
        };
        thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = listen => {}
                    _ = until => {}
                }
            });
        });
        Ok(Listener { _until: sender })
    }
}
