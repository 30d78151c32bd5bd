//! The network between a program and the platform: pipes that take their time, and break.
//!
//! Bytes arrive after a while, in order. What was under way when its sender died or gave up may still arrive, or not; how
//! long it may take is a belief.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use cavatica_exports::transport::{Connect, Connecting, Stream};
use cavatica_sandbox::Door;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use crate::log::Log;
use crate::log::locked;
use crate::process::Process;

/// How long bytes live at most, by the belief `requests-die`.
pub(crate) const BYTE_LIFE: Duration = Duration::from_secs(20);

/// When a connection breaks as soon as something was sent.
const SOON: Duration = Duration::from_millis(1);

/// What happens to one request on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Nobody answers the call for a connection.
    Refuse,
    /// Only so many bytes of the request arrive, then the connection breaks.
    CutUp(u64),
    /// Only so many bytes of the answer arrive, then the connection breaks.
    CutDown(u64),
    /// The request takes so many seconds.
    SlowUp(u64),
    /// The answer takes so many seconds.
    SlowDown(u64),
    /// The connection breaks as soon as the request is sent, which arrives after so many seconds all the same.
    Break(u64),
    /// The program dies so many steps after it sent the request, which is slow.
    Die(u64),
    /// Likewise, and the power fails.
    DiePower(u64),
}

/// A blow, and the request that it strikes: counted over the whole world, calls that start exports alone or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Whether only calls that start exports are counted.
    pub starts_only: bool,
    /// Which one, from 1.
    pub nth: u64,
    /// What happens to it.
    pub blow: Blow,
}

/// The network of one world.
#[derive(Clone, Debug)]
pub(crate) struct Network(Arc<Mutex<NetworkState>>);

#[derive(Debug)]
struct NetworkState {
    chance: fastrand::Rng,
    strikes: Vec<(Strike, bool)>,
    requests: u64,
    starts: u64,
    connections: u64,
    power: bool,
    log: Log,
}

impl Network {
    pub(crate) fn new(seed: u64, strikes: Vec<Strike>, log: &Log) -> Self {
        Network(Arc::new(Mutex::new(NetworkState {
            chance: fastrand::Rng::with_seed(seed),
            strikes: strikes.into_iter().map(|strike| (strike, false)).collect(),
            requests: 0,
            starts: 0,
            connections: 0,
            power: false,
            log: log.clone(),
        })))
    }

    /// Whether a death that came from here takes the power with it.
    pub(crate) fn took_power(&self) -> bool {
        std::mem::take(&mut locked(&self.0).power)
    }

    /// Nothing breaks any more.
    pub(crate) fn heal(&self) {
        locked(&self.0).strikes.clear();
    }

    /// What struck.
    pub(crate) fn struck(&self) -> Vec<Strike> {
        let state = locked(&self.0);
        let struck = state.strikes.iter().filter(|(_, struck)| *struck);
        struck.map(|(strike, _)| *strike).collect()
    }

    pub(crate) fn connector(&self, door: Door, process: &Arc<Process>) -> Connector {
        Connector {
            network: self.clone(),
            door,
            process: Arc::clone(process),
        }
    }
}

impl NetworkState {
    /// A request begins: what happens to it.
    fn request(&mut self, head: &[u8]) -> Option<Blow> {
        let is_start = head.starts_with(b"POST /v2/bulk/storage/exports/create")
            || head.starts_with(b"POST /v2/storage/exports ");
        self.requests += 1;
        self.starts += u64::from(is_start);
        let (requests, starts) = (self.requests, self.starts);
        let (strike, struck) = self.strikes.iter_mut().find(|(strike, struck)| {
            !struck
                && strike.blow != Blow::Refuse
                && if strike.starts_only {
                    is_start && strike.nth == starts
                } else {
                    strike.nth == requests
                }
        })?;
        *struck = true;
        self.power |= matches!(strike.blow, Blow::DiePower(_));
        Some(strike.blow)
    }

    fn refuses(&mut self) -> bool {
        self.connections += 1;
        let number = self.connections;
        let refused = self.strikes.iter_mut().find(|(strike, struck)| {
            !struck && strike.blow == Blow::Refuse && strike.nth == number
        });
        refused.map(|(_, struck)| *struck = true).is_some()
    }

    fn latency(&mut self) -> Duration {
        Duration::from_millis(match self.chance.u8(..20) {
            0 => self.chance.u64(200..2000),
            _ => self.chance.u64(1..40),
        })
    }
}

/// Connects one program with the platform.
#[derive(Debug)]
pub(crate) struct Connector {
    network: Network,
    door: Door,
    process: Arc<Process>,
}

impl Connect for Connector {
    fn connect(&self) -> Connecting {
        if !self.process.step() || locked(&self.network.0).refuses() {
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        let pipes = Arc::new(Mutex::new(Pipes::default()));
        let ours = Near {
            pipes: Arc::clone(&pipes),
            network: self.network.clone(),
            process: Arc::clone(&self.process),
            sleep: None,
        };
        let theirs = Far {
            pipes,
            network: self.network.clone(),
            sleep: None,
        };
        let door = self.door.clone();
        tokio::spawn(async move { door.serve(theirs).await });
        Box::pin(async move { Ok(Box::new(ours) as Box<dyn Stream>) })
    }

    fn longest_byte_life(&self) -> Option<Duration> {
        Some(BYTE_LIFE)
    }
}

#[derive(Debug, Default)]
struct Pipes {
    up: Pipe,
    down: Pipe,
}

/// One direction.
#[derive(Debug, Default)]
struct Pipe {
    under_way: VecDeque<(Instant, Vec<u8>)>,
    /// No more comes, once what is under way has arrived.
    ended: Option<End>,
    /// When the last byte arrives.
    last: Option<Instant>,
    /// So many bytes more, then it breaks.
    cut: Option<u64>,
    slow: Option<Duration>,
    reader: Option<Waker>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Closed,
    Broken,
}

impl Pipe {
    fn send(&mut self, bytes: &[u8], latency: Duration) {
        if self.ended.is_some() {
            return;
        }
        let mut bytes = bytes;
        if let Some(left) = &mut self.cut {
            let most = usize::try_from(*left)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            *left -= most as u64;
            bytes = &bytes[..most];
        }
        let slow = self.slow.take().unwrap_or_default();
        let at = (Instant::now() + latency + slow).max(self.last.unwrap_or_else(Instant::now));
        if !bytes.is_empty() {
            self.last = Some(at);
            self.under_way.push_back((at, bytes.to_owned()));
        }
        if self.cut == Some(0) {
            self.end(End::Broken);
        }
        self.wake();
    }

    fn end(&mut self, end: End) {
        self.ended.get_or_insert(end);
        self.wake();
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    /// Its sender is gone. What is under way may arrive or not, but in order.
    fn abandon(&mut self, chance: &mut fastrand::Rng) {
        if self.ended.is_none() {
            let kept = chance.usize(..=self.under_way.len());
            self.under_way.truncate(kept);
        }
        self.end(End::Broken);
    }

    fn receive(
        &mut self,
        sleep: &mut Option<Pin<Box<Sleep>>>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Some((at, bytes)) = self.under_way.front_mut() else {
            self.reader = Some(context.waker().clone());
            return match self.ended {
                None => Poll::Pending,
                Some(End::Closed) => Poll::Ready(Ok(())),
                Some(End::Broken) => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            };
        };
        if *at > Instant::now() {
            let waiting = sleep.insert(Box::pin(sleep_until(*at)));
            self.reader = Some(context.waker().clone());
            if waiting.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
        }
        let length = bytes.len().min(into.remaining());
        into.put_slice(&bytes[..length]);
        if length == bytes.len() {
            self.under_way.pop_front();
        } else {
            bytes.drain(..length);
        }
        Poll::Ready(Ok(()))
    }
}

/// The first line of what is sent, and a number for all of it.
fn told(bytes: &[u8]) -> String {
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let line = &line[..line.len().min(120)];
    // <http://www.isthe.com/chongo/tech/comp/fnv/>
    let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!(
        "{} ({} bytes, {sum:016x})",
        String::from_utf8_lossy(line),
        bytes.len()
    )
}

/// The program's end of a connection.
struct Near {
    pipes: Arc<Mutex<Pipes>>,
    network: Network,
    process: Arc<Process>,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for Near {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.process.tell(context.waker());
        if this.process.is_dead() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        let before = into.filled().len();
        let told_now = locked(&this.pipes)
            .down
            .receive(&mut this.sleep, context, into);
        if told_now.is_ready() && into.filled().len() > before {
            if !this.process.step() {
                return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
            }
            let log = &locked(&this.network.0).log;
            log.line(|| {
                format!(
                    "{} hears {}",
                    this.process.name,
                    told(&into.filled()[before..])
                )
            });
        }
        told_now
    }
}

impl AsyncWrite for Near {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipes = locked(&self.pipes);
        if !self.process.step() || pipes.up.ended.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut state = locked(&self.network.0);
        state
            .log
            .line(|| format!("{} says {}", self.process.name, told(bytes)));
        if !bytes.is_empty() && !bytes[0].is_ascii_whitespace() && is_head(bytes) {
            match state.request(bytes) {
                None | Some(Blow::Refuse) => {}
                Some(Blow::CutUp(bytes)) => {
                    pipes.up.cut = Some(bytes);
                    pipes.down.cut = Some(0);
                }
                Some(Blow::CutDown(bytes)) => pipes.down.cut = Some(bytes.max(1)),
                Some(Blow::SlowUp(seconds)) => {
                    let slow = Duration::from_secs(seconds);
                    pipes.up.slow = Some(slow);
                    if slow > BYTE_LIFE {
                        // Nobody acknowledged it in time.
                        give_up(&self.pipes, BYTE_LIFE);
                    }
                }
                Some(Blow::Break(seconds)) => {
                    pipes.up.slow = Some(Duration::from_secs(seconds));
                    give_up(&self.pipes, SOON);
                }
                Some(Blow::Die(steps) | Blow::DiePower(steps)) => {
                    pipes.up.slow = Some(Duration::from_secs(state.chance.u64(0..19)));
                    self.process.die_in(steps);
                }
                Some(Blow::SlowDown(seconds)) => {
                    pipes.down.slow = Some(Duration::from_secs(seconds))
                }
            }
        }
        let latency = state.latency();
        pipes.up.send(bytes, latency);
        if pipes.up.ended == Some(End::Broken) {
            pipes.down.end(End::Broken);
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        locked(&self.pipes).up.end(End::Closed);
        Poll::Ready(Ok(()))
    }
}

/// The program's side gives the connection up. What is under way goes on, and arrives.
fn give_up(pipes: &Arc<Mutex<Pipes>>, after: Duration) {
    let pipes = Arc::clone(pipes);
    tokio::spawn(async move {
        tokio::time::sleep(after).await;
        let mut pipes = locked(&pipes);
        pipes.up.end(End::Broken);
        pipes.down.end(End::Broken);
    });
}

fn is_head(bytes: &[u8]) -> bool {
    bytes.starts_with(b"GET ") || bytes.starts_with(b"POST ")
}

impl Drop for Near {
    fn drop(&mut self) {
        let mut pipes = locked(&self.pipes);
        pipes.up.abandon(&mut locked(&self.network.0).chance);
        pipes.down.under_way.clear();
    }
}

/// The platform's end.
struct Far {
    pipes: Arc<Mutex<Pipes>>,
    network: Network,
    sleep: Option<Pin<Box<Sleep>>>,
}

impl AsyncRead for Far {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = into.filled().len();
        let told_now = locked(&this.pipes)
            .up
            .receive(&mut this.sleep, context, into);
        if told_now.is_ready() && into.filled().len() > before {
            let log = &locked(&this.network.0).log;
            log.line(|| format!("the platform hears {}", told(&into.filled()[before..])));
        }
        told_now
    }
}

impl AsyncWrite for Far {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut pipes = locked(&self.pipes);
        if pipes.down.ended.is_some() {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let mut state = locked(&self.network.0);
        state
            .log
            .line(|| format!("the platform says {}", told(bytes)));
        let latency = state.latency();
        pipes.down.send(bytes, latency);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        locked(&self.pipes).down.end(End::Closed);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Far {
    fn drop(&mut self) {
        // The platform's answers arrive, or its connection is seen to be closed.
        let mut pipes = locked(&self.pipes);
        pipes.down.end(End::Closed);
        pipes.up.end(End::Broken);
    }
}
