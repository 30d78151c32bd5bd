//! Being asked to stop: by Ctrl-C, or by what a supervisor sends instead, as a batch system does when the time is up.

use std::{io, thread};

use tokio::sync::oneshot;

#[cfg(unix)]
use tokio::signal::unix::{Signal, SignalKind, signal};

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
        }
    }

    /// Waits for the next one.
    #[cfg(not(unix))]
    pub(crate) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
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
