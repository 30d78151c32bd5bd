//! A server that does what a script says.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use crate::support::until;

/// What the server does with a connection or a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// A connection only: reads requests from it.
    Serve,
    /// Resets the connection.
    Reset,
    /// Closes the connection in good order.
    Close,
    /// Neither reads nor writes any more.
    Hang,
    /// Writes this. The connection stays open if it holds the word `keep-alive`.
    Write(Vec<u8>),
    /// Writes this, then says nothing more.
    WriteAndHang(Vec<u8>),
    /// Writes this, then a byte every now and then, for ever.
    Drip(Vec<u8>),
    /// Writes the text as soon as it is told to.
    WriteAfter(Arc<tokio::sync::Notify>, Vec<u8>),
}

/// What the script is asked for. The numbers count from 0 over all connections.
pub(crate) enum Moment {
    Accepted(usize),
    Read(usize),
}

/// A request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// The request line and the headers.
    pub(crate) head: String,
    pub(crate) body: String,
}

/// Listens until it is dropped.
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    /// One for the listener and one for each open connection.
    open: Arc<()>,
    accepting: JoinHandle<()>,
}

/// Does what its script says.
pub(crate) struct Server {
    pub(crate) listening: Listening,
    seen: Arc<Mutex<Vec<Seen>>>,
}

type Script = dyn Fn(Moment) -> Act + Send + Sync;

impl Drop for Listening {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Listening {
    /// Waits until no connection is open, so that nothing more can arrive.
    pub(crate) async fn is_quiet(&self) {
        until(|| Arc::strong_count(&self.open) == 2).await;
    }
}

impl Server {
    /// Does as the script says, behind TLS if an acceptor is given.
    pub(crate) async fn start(
        tls: Option<TlsAcceptor>,
        script: impl Fn(Moment) -> Act + Send + Sync + 'static,
    ) -> Self {
        Server::start_on("127.0.0.1", tls, script).await
    }

    /// As [`start`](Self::start), on this address of the machine.
    pub(crate) async fn start_on(
        host: &str,
        tls: Option<TlsAcceptor>,
        script: impl Fn(Moment) -> Act + Send + Sync + 'static,
    ) -> Self {
        let script: Arc<Script> = Arc::new(script);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&seen);
        let mut accepted = 0;
        let listening = listen_on(host, move |socket| {
            let act = script(Moment::Accepted(accepted));
            accepted += 1;
            let (script, record, tls) = (Arc::clone(&script), Arc::clone(&record), tls.clone());
            async move {
                match (act, tls) {
                    (Act::Reset, _) => socket.set_zero_linger().unwrap(),
                    (Act::Hang, _) => std::future::pending().await,
                    (_, None) => {
                        serve(socket, |s| s.set_zero_linger().unwrap(), &*script, &record).await;
                    }
                    (_, Some(tls)) => {
                        if let Ok(stream) = tls.accept(socket).await {
                            let reset = |stream: &tokio_rustls::server::TlsStream<TcpStream>| {
                                stream.get_ref().0.set_zero_linger().unwrap();
                            };
                            serve(stream, reset, &*script, &record).await;
                        }
                    }
                }
            }
        })
        .await;
        Server { listening, seen }
    }

    /// Does the same with every request, in plain text.
    pub(crate) async fn always(act: Act) -> Self {
        Server::in_turn(vec![act]).await
    }

    /// Does one after the other with the requests, and the last with all that follow; in plain text.
    pub(crate) async fn in_turn(acts: Vec<Act>) -> Self {
        Server::start(None, move |moment| match moment {
            Moment::Accepted(_) => Act::Serve,
            Moment::Read(number) => acts[number.min(acts.len() - 1)].clone(),
        })
        .await
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}/v2", self.listening.address)
    }

    /// The requests that arrived whole.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// Accepts connections on this machine and treats each in a task of its own.
pub(crate) async fn listen<F>(treat: impl FnMut(TcpStream) -> F + Send + 'static) -> Listening
where
    F: Future<Output = ()> + Send + 'static,
{
    listen_on("127.0.0.1", treat).await
}

async fn listen_on<F>(
    host: &str,
    mut treat: impl FnMut(TcpStream) -> F + Send + 'static,
) -> Listening
where
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((host, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    let open = Arc::new(());
    let count = Arc::clone(&open);
    let accepting = tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let (treated, open) = (treat(socket), Arc::clone(&count));
            tokio::spawn(async move {
                treated.await;
                drop(open);
            });
        }
    });
    Listening {
        address,
        open,
        accepting,
    }
}

async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    reset: impl FnOnce(&S),
    script: &Script,
    record: &Mutex<Vec<Seen>>,
) {
    let mut buffer = Vec::new();
    while let Some(request) = read_request(&mut stream, &mut buffer).await {
        let number = {
            let mut record = record.lock().unwrap();
            record.push(request);
            record.len() - 1
        };
        let text = match script(Moment::Read(number)) {
            Act::Serve => continue,
            Act::Reset => return reset(&stream),
            Act::Close => return,
            Act::Hang => return std::future::pending().await,
            Act::Write(text) => text,
            Act::WriteAfter(told, text) => {
                told.notified().await;
                text
            }
            Act::WriteAndHang(text) => {
                stream.write_all(&text).await.unwrap();
                return std::future::pending().await;
            }
            Act::Drip(mut bytes) => {
                while stream.write_all(&bytes).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    bytes = b" ".to_vec();
                }
                return;
            }
        };
        let written = stream.write_all(&text).await;
        if written.is_err() || !holds(&text, b"keep-alive") {
            // A client that has gone already doesn't mind.
            drop(stream.shutdown().await);
            return;
        }
    }
}

/// One request with a `Content-Length` or without a body, which is all that the client sends.
async fn read_request(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Option<Seen> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
                .map_or(0, |(_, length)| length.parse().unwrap());
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                let body = String::from_utf8_lossy(&buffer[end + 4..whole]).into_owned();
                buffer.drain(..whole);
                return Some(Seen { head, body });
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// An answer in full.
pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Act {
    Act::Write(text(status, headers, body))
}

/// The text of an answer in full.
pub(crate) fn text(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    format!(
        "HTTP/1.1 {status} Reason\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
