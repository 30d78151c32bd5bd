//! How to make a client.

use std::num::NonZeroU16;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cavatica_connect::{DialError, Dialer, KNOWS_BYTE_LIFE, Options, ProxyChoice};
use http::{HeaderMap, HeaderValue};
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::Token;
use crate::budget::Budget;
use crate::client::Client;
use crate::clock::{Clock, SystemClock};
use crate::connect::{Connect, ConnectionSource};
use crate::endpoint::Endpoint;
use crate::retry::{RetryBudget, RetryPolicy};
use crate::shared::{OnRequest, OnWait, Settings, Shared};
use crate::starts::Starts;
use crate::wait::Wait;

/// Why a client can't be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// No connection could be opened: the trust store, a certificate or the proxy can't be used.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// A user agent is visible ASCII.
    #[error("the user agent can't be sent in a header")]
    UserAgent,
    /// Nothing would be left for this client.
    #[error("a reserve of {0} percent leaves nothing; at most 99")]
    Reserve(u8),
}

/// Makes a [`Client`]. Every setting has a default that suits.
#[must_use]
pub struct ClientBuilder {
    endpoint: Endpoint,
    token: Token,
    user_agent: String,
    dial: Options,
    attempt_limit: Duration,
    call_limit: Duration,
    patience: Duration,
    idle_limit: Duration,
    connect: Option<Arc<dyn Connect>>,
    max_answer: usize,
    retry: RetryPolicy,
    reserve: u8,
    sharers: NonZeroU16,
    clock: Arc<dyn Clock>,
    on_wait: Option<OnWait>,
    on_request: Option<OnRequest>,
}

impl Client {
    /// Begins to build a client.
    pub fn builder(endpoint: Endpoint, token: Token) -> ClientBuilder {
        ClientBuilder::new(endpoint, token)
    }
}

impl ClientBuilder {
    pub(crate) fn new(endpoint: Endpoint, token: Token) -> Self {
        let mut dial = Options::default();
        dial.byte_life = Some(Duration::from_secs(20));
        dial.http2 = true;
        ClientBuilder {
            endpoint,
            token,
            user_agent: concat!("cavatica/", env!("CARGO_PKG_VERSION")).to_owned(),
            dial,
            attempt_limit: Duration::from_secs(120),
            call_limit: Duration::from_secs(600),
            patience: Duration::from_secs(3600),
            idle_limit: Duration::from_secs(20),
            connect: None,
            max_answer: 16 << 20,
            retry: RetryPolicy::default(),
            reserve: 0,
            sharers: NonZeroU16::MIN,
            clock: Arc::new(SystemClock),
            on_wait: None,
            on_request: None,
        }
    }

    /// Names the program to the platform. The default names this library and its version.
    pub fn user_agent(mut self, name: impl Into<String>) -> Self {
        self.user_agent = name.into();
        self
    }

    /// Trusts the certificates of a PEM file besides those of the system.
    ///
    /// # Errors
    ///
    /// [`BuildError`] if there is none in it, or one that can't be read.
    pub fn ca_certificates(mut self, pem: &[u8]) -> Result<Self, BuildError> {
        self.dial.trust.add_pem(pem)?;
        Ok(self)
    }

    /// Chooses a proxy. The default asks the environment.
    pub fn proxy(mut self, proxy: ProxyChoice) -> Self {
        self.dial.proxy = proxy;
        self
    }

    /// How long it may take to connect: name, addresses, proxy and TLS together. 10 seconds unless set.
    pub fn connect_limit(mut self, limit: Duration) -> Self {
        self.dial.limit = limit;
        self
    }

    /// How long one attempt may take, from its beginning to the last byte of the answer. 2 minutes unless set.
    pub fn attempt_limit(mut self, limit: Duration) -> Self {
        self.attempt_limit = limit;
        self
    }

    /// How long all attempts of a call and the waits after failures may take together. 10 minutes unless set.
    ///
    /// Waiting for the request budget or for the end of a maintenance isn't counted, see [`patience`](Self::patience).
    pub fn call_limit(mut self, limit: Duration) -> Self {
        self.call_limit = limit;
        self
    }

    /// How long a call may wait in all for the request budget and for the end of a maintenance, before it fails as
    /// `Throttled` or `Maintenance`. An hour unless set.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long an unused connection is kept, 20 seconds unless set. It should be shorter than the server keeps it: a
    /// start on a connection that the server closes at that moment ends as `Unknown`.
    pub fn idle_limit(mut self, limit: Duration) -> Self {
        self.idle_limit = limit;
        self
    }

    /// How long bytes that were sent may stay unacknowledged before their connection is given up, 20 seconds unless set. So
    /// a request that is given up, or whose program dies, doesn't arrive later than that. See
    /// [`Client::longest_byte_life`].
    pub fn longest_byte_life(mut self, limit: Duration) -> Self {
        self.dial.byte_life = Some(limit);
        self
    }

    /// Connections from there, in place of the network: for a platform in the same process.
    pub fn connect(mut self, connect: impl Connect) -> Self {
        self.connect = Some(Arc::new(connect));
        self
    }

    /// The longest answer that is read, in bytes; 16 MiB unless set.
    pub fn max_answer(mut self, bytes: usize) -> Self {
        self.max_answer = bytes;
        self
    }

    /// How failed attempts are repeated.
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// Leaves this share of the request budget, in percent, to the user's other programs. Nothing unless set.
    pub fn reserve_percent(mut self, percent: u8) -> Self {
        self.reserve = percent;
        self
    }

    /// Keeps to one of so many equal shares of what isn't reserved: for several clients of one account, on several hosts,
    /// which together then spend each window and no more. One unless set.
    pub fn share_of(mut self, sharers: NonZeroU16) -> Self {
        self.sharers = sharers;
        self
    }

    /// Sets time and chance.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Is called when a call begins to wait, before it does. It must not block.
    pub fn on_wait(mut self, tell: impl Fn(&Wait) + Send + Sync + 'static) -> Self {
        self.on_wait = Some(Box::new(tell));
        self
    }

    /// Adds headers to every request, a `traceparent` for instance: it is called for each attempt, in the span of its call.
    /// Those that the client sets itself (token, content type, user agent) win over them.
    pub fn on_request(mut self, add: impl Fn(&mut HeaderMap) + Send + Sync + 'static) -> Self {
        self.on_request = Some(Box::new(add));
        self
    }

    /// Makes the client. It doesn't connect yet.
    ///
    /// # Errors
    ///
    /// [`BuildError`].
    pub fn build(self) -> Result<Client, BuildError> {
        if self.reserve > 99 {
            return Err(BuildError::Reserve(self.reserve));
        }
        let user_agent =
            HeaderValue::try_from(self.user_agent).map_err(|_| BuildError::UserAgent)?;
        let (source, byte_life, behind_proxy) = match self.connect {
            Some(connect) => {
                let byte_life = connect.longest_byte_life();
                (ConnectionSource::Given(connect), byte_life, false)
            }
            None => {
                let byte_life = self.dial.byte_life;
                let origin = self.endpoint.origin();
                let destination = origin.url("/").expect("an origin comes from a URL");
                let dialer = Dialer::new(&destination, self.dial)?;
                let behind_proxy = dialer.is_behind_proxy();
                let byte_life = byte_life.filter(|_| KNOWS_BYTE_LIFE && !behind_proxy);
                (
                    ConnectionSource::Network(Box::new(dialer)),
                    byte_life,
                    behind_proxy,
                )
            }
        };
        let http = legacy::Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            // Without a timer of its own the pool never drops what is idle.
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(self.idle_limit)
            // A connection that died without a word is noticed while a call waits on it.
            .http2_keep_alive_interval(Duration::from_secs(20))
            .http2_keep_alive_timeout(Duration::from_secs(20))
            .build(source);
        Ok(Client::from_shared(Shared {
            endpoint: self.endpoint,
            token: self.token,
            http,
            settings: Settings {
                user_agent,
                attempt_limit: self.attempt_limit,
                call_limit: self.call_limit,
                patience: self.patience,
                max_answer: self.max_answer,
                retry: self.retry,
                clock: self.clock,
                on_wait: self.on_wait,
                on_request: self.on_request,
                byte_life,
                behind_proxy,
            },
            starts: Starts::default(),
            budget: Mutex::new(Budget::new(self.reserve).among(self.sharers)),
            retries: Mutex::new(RetryBudget::new()),
            clock_ahead: Mutex::new(None),
            limits_told: Mutex::default(),
        }))
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientBuilder({})", self.endpoint)
    }
}
