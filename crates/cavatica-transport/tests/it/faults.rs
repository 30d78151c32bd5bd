//! The matrix of calls and faults, which is also a table of `docs/reliability.md`.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use cavatica_transport::{Call, ClientBuilder, Error, Fetched, Outcome, ProxyChoice, RetryPolicy};
use h2::Reason;
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpSocket;

use crate::http2::{Act2, Server2};
use crate::server::{Act, Moment, Server, answer, listen, text};
use crate::support::{QuickClock, builder, bulk_read, quick, read, start};
use crate::tls::{Authority, Validity};
use Kind::{Answered, Is, Raced};
use Outcome::{Maintenance, NotSent, Refused, Throttled, Unknown};
use Then::{Final, Repeated, WaitedFor};

/// One fault, and what each kind of call makes of it.
pub(crate) struct Row {
    name: &'static str,
    place: Place,
    read: (Kind, Then),
    start: (Kind, Then),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Answered,
    Is(Outcome),
    /// `NotSent` where the gate was quicker, `Unknown` otherwise.
    Raced,
}

/// What a client with its defaults does after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Repeated,
    WaitedFor,
    Final,
}

/// Where the fault strikes.
enum Place {
    /// The server's side of a connection in plain text.
    Connection(Act),
    /// The server's answer, likewise.
    Answer(Act),
    /// As `Answer`, but the client's time limits are short.
    Silence(Act),
    /// An endpoint that never gets as far as HTTP: scheme, host and port.
    Nowhere(Nowhere),
    Http2(Act2),
    Proxy(ProxyFault),
}

enum Nowhere {
    ClosedPort,
    UnknownName,
    WrongName,
    Expired,
    UnknownAuthority,
    HangingTls,
    NoTls,
}

enum ProxyFault {
    ClosedPort,
    Says(&'static str),
    Hangs,
    Closes,
}

/// A place that was set up, and lasts as long as this value.
pub(crate) struct Site {
    endpoint: String,
    authority: Option<String>,
    proxy: ProxyChoice,
    short_limits: bool,
    seen: Box<dyn Fn() -> usize + Send>,
    _alive: Box<dyn Any + Send>,
}

/// How often the fault strikes before the server behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Strike {
    Once,
    Always,
}

const HTML: &str = "<html><body>Something on the way has failed</body></html>";

/// Every row has the expected cells in it.
pub(crate) fn rows() -> Vec<Row> {
    let row = |name, place, read, start| Row {
        name,
        place,
        read,
        start,
    };
    let html = |status| Place::Answer(answer(status, &[("content-type", "text/html")], HTML));
    let api = |status, code| {
        let body = format!(r#"{{"status": {status}, "code": {code}, "message": "No."}}"#);
        Place::Answer(answer(status, &[("x-request-id", "r1")], &body))
    };
    let ok = |headers: &str, body: &str| {
        format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n{body}").into_bytes()
    };
    let away = |status, to: &str| Place::Answer(answer(status, &[("location", to)], ""));
    let unknown = (Is(Unknown), Repeated);
    let unknown_start = (Is(Unknown), Final);
    let not_sent = (Is(NotSent), Repeated);
    let hopeless = (Is(NotSent), Final);
    let refused = (Is(Refused), Final);
    let throttled = (Is(Throttled), WaitedFor);
    let throttled_start = (Is(Throttled), Final);
    vec![
        row(
            "connection refused",
            Place::Nowhere(Nowhere::ClosedPort),
            not_sent,
            not_sent,
        ),
        row(
            "no such name",
            Place::Nowhere(Nowhere::UnknownName),
            not_sent,
            not_sent,
        ),
        row(
            "TLS: certificate for another name",
            Place::Nowhere(Nowhere::WrongName),
            hopeless,
            hopeless,
        ),
        row(
            "TLS: certificate expired",
            Place::Nowhere(Nowhere::Expired),
            hopeless,
            hopeless,
        ),
        row(
            "TLS: unknown authority",
            Place::Nowhere(Nowhere::UnknownAuthority),
            hopeless,
            hopeless,
        ),
        row(
            "TLS: silence in the handshake",
            Place::Nowhere(Nowhere::HangingTls),
            not_sent,
            not_sent,
        ),
        row(
            "TLS: the server speaks none",
            Place::Nowhere(Nowhere::NoTls),
            not_sent,
            not_sent,
        ),
        row(
            "proxy: connection refused",
            Place::Proxy(ProxyFault::ClosedPort),
            not_sent,
            not_sent,
        ),
        row(
            "proxy: 403",
            Place::Proxy(ProxyFault::Says("HTTP/1.1 403 Forbidden\r\n\r\n")),
            not_sent,
            not_sent,
        ),
        row(
            "proxy: 407",
            Place::Proxy(ProxyFault::Says("HTTP/1.1 407 Authenticate\r\n\r\n")),
            hopeless,
            hopeless,
        ),
        row(
            "proxy: silence",
            Place::Proxy(ProxyFault::Hangs),
            not_sent,
            not_sent,
        ),
        row(
            "proxy: closed",
            Place::Proxy(ProxyFault::Closes),
            not_sent,
            not_sent,
        ),
        row(
            "reset as soon as connected",
            Place::Connection(Act::Reset),
            unknown,
            (Raced, Final),
        ),
        row(
            "silence as soon as connected",
            Place::Connection(Act::Hang),
            unknown,
            unknown_start,
        ),
        row(
            "reset after the request",
            Place::Answer(Act::Reset),
            unknown,
            unknown_start,
        ),
        row(
            "closed after the request",
            Place::Answer(Act::Close),
            unknown,
            unknown_start,
        ),
        row(
            "silence after the request",
            Place::Silence(Act::Hang),
            unknown,
            unknown_start,
        ),
        row(
            "silence within the headers",
            Place::Silence(Act::WriteAndHang(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())),
            unknown,
            unknown_start,
        ),
        row(
            "closed within the headers",
            Place::Answer(Act::Write(b"HTTP/1.1 200 OK\r\ncontent-le".to_vec())),
            unknown,
            unknown_start,
        ),
        row(
            "silence within the body",
            Place::Silence(Act::WriteAndHang(ok("content-length: 9", "{"))),
            unknown,
            unknown_start,
        ),
        row(
            "closed within the body",
            Place::Answer(Act::Write(ok("content-length: 9", "{}"))),
            unknown,
            unknown_start,
        ),
        row(
            "slow drip",
            Place::Silence(Act::Drip(ok("content-length: 99999", "{"))),
            unknown,
            unknown_start,
        ),
        row(
            "no HTTP",
            Place::Answer(Act::Write(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec())),
            unknown,
            unknown_start,
        ),
        row(
            "HTTP/2: stream reset",
            Place::Http2(Act2::ResetStream(Reason::INTERNAL_ERROR)),
            unknown,
            unknown_start,
        ),
        row(
            "HTTP/2: stream refused after the body",
            Place::Http2(Act2::ResetStream(Reason::REFUSED_STREAM)),
            unknown,
            unknown_start,
        ),
        row(
            "HTTP/2: GOAWAY after the body",
            Place::Http2(Act2::GoAway(Reason::INTERNAL_ERROR)),
            unknown,
            unknown_start,
        ),
        row(
            "HTTP/2: silence after the request",
            Place::Http2(Act2::Hang),
            unknown,
            unknown_start,
        ),
        row(
            "200, JSON called text",
            Place::Answer(answer(200, &[("content-type", "text/plain")], "{}")),
            (Answered, Final),
            (Answered, Final),
        ),
        row("200, HTML", html(200), unknown, unknown_start),
        row(
            "200, invalid UTF-8",
            Place::Answer(Act::Write(
                ok("content-length: 7", "")
                    .into_iter()
                    .chain(*b"{\"\xff\":1}")
                    .collect(),
            )),
            unknown,
            unknown_start,
        ),
        row(
            "200, JSON of another shape",
            Place::Answer(answer(200, &[], "[]")),
            unknown_start,
            unknown_start,
        ),
        row(
            "200, too large",
            Place::Answer(Act::Write(text(200, &[], &format!("{:9999}", "{}")))),
            unknown_start,
            unknown_start,
        ),
        row(
            "302 to the same origin",
            away(302, "/v2/elsewhere"),
            refused,
            unknown_start,
        ),
        row(
            "307 to another origin",
            away(307, "https://example.org/login"),
            refused,
            unknown_start,
        ),
        row("400, API error", api(400, 9011), refused, refused),
        row("401, API error", api(401, 90001), refused, refused),
        row("403, API error", api(403, 9006), refused, refused),
        row("404, API error", api(404, 9008), refused, refused),
        row("409, API error", api(409, 9107), refused, refused),
        row("403, HTML", html(403), refused, unknown_start),
        row(
            "403, JSON of a gateway",
            Place::Answer(answer(403, &[], r#"{"message": "Forbidden"}"#)),
            refused,
            unknown_start,
        ),
        row("404, HTML", html(404), refused, unknown_start),
        row("408, API error", api(408, 90000), refused, refused),
        row("408, HTML", html(408), unknown, unknown_start),
        row(
            "429 with its headers",
            Place::Answer(limited()),
            throttled,
            throttled_start,
        ),
        row("429 without headers", html(429), throttled, throttled_start),
        row("500, API error", api(500, 90004), unknown, unknown_start),
        row("500, HTML", html(500), unknown, unknown_start),
        row("502, HTML", html(502), unknown, unknown_start),
        row(
            "503, maintenance (code 0)",
            api(503, 0),
            (Is(Maintenance), WaitedFor),
            (Is(Maintenance), Final),
        ),
        row("503, API error", api(503, 9000), unknown, unknown_start),
        row("503, HTML", html(503), unknown, unknown_start),
        row("504, HTML", html(504), unknown, unknown_start),
    ]
}

fn limited() -> Act {
    let reset = (crate::support::BEGINNING + 60).to_string();
    answer(
        429,
        &[
            ("x-ratelimit-limit", "1000"),
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-reset", &reset),
        ],
        r#"{"status": 429, "code": 1000, "message": "Rate limit exceeded!"}"#,
    )
}

impl Row {
    /// Whether it ends by a time limit only.
    fn is_silent(&self) -> bool {
        match &self.place {
            Place::Connection(act) => matches!(act, Act::Hang),
            Place::Silence(_) => true,
            Place::Nowhere(nowhere) => matches!(nowhere, Nowhere::HangingTls),
            Place::Http2(act) => matches!(act, Act2::Hang),
            Place::Proxy(fault) => matches!(fault, ProxyFault::Hangs),
            Place::Answer(_) => false,
        }
    }

    pub(crate) async fn site(&self, strike: Strike) -> Site {
        let site = match &self.place {
            Place::Connection(act) => scripted(Some(act.clone()), None, strike).await,
            Place::Answer(act) | Place::Silence(act) => {
                scripted(None, Some(act.clone()), strike).await
            }
            Place::Nowhere(nowhere) => nowhere.site().await,
            Place::Http2(act) => http2(*act, strike).await,
            Place::Proxy(fault) => fault.site().await,
        };
        Site {
            short_limits: self.is_silent(),
            ..site
        }
    }
}

impl Site {
    fn at(endpoint: String, alive: impl Any + Send) -> Self {
        Site {
            endpoint,
            authority: None,
            proxy: ProxyChoice::Direct,
            short_limits: false,
            seen: Box::new(|| 0),
            _alive: Box::new(alive),
        }
    }

    /// A client whose waits take no time.
    pub(crate) fn builder(&self) -> (ClientBuilder, QuickClock) {
        let (builder, clock) = quick(&self.endpoint);
        let mut twice = RetryPolicy::default();
        twice.attempts = 2;
        let builder = builder
            .proxy(self.proxy.clone())
            .max_answer(1000)
            .retry(twice);
        let builder = match &self.authority {
            Some(pem) => builder.ca_certificates(pem.as_bytes()).unwrap(),
            None => builder,
        };
        let builder = if self.short_limits {
            let short = Duration::from_secs(2);
            builder.connect_limit(short).attempt_limit(short)
        } else {
            builder
        };
        (builder, clock)
    }
}

async fn scripted(on_accept: Option<Act>, on_request: Option<Act>, strike: Strike) -> Site {
    let strikes = move |number| strike == Strike::Always || number == 0;
    let server = Server::start(None, move |moment| {
        match (moment, &on_accept, &on_request) {
            (Moment::Accepted(number), Some(act), _) if strikes(number) => act.clone(),
            (Moment::Accepted(_), ..) => Act::Serve,
            (Moment::Read(number), _, Some(act)) if strikes(number) => act.clone(),
            (Moment::Read(_), ..) => answer(200, &[], "{}"),
        }
    })
    .await;
    let server = std::sync::Arc::new(server);
    let counted = std::sync::Arc::clone(&server);
    Site {
        seen: Box::new(move || counted.seen().len()),
        ..Site::at(server.endpoint(), server)
    }
}

async fn http2(act: Act2, strike: Strike) -> Site {
    let authority = Authority::new();
    let acceptor = authority.acceptor("localhost", Validity::Current, &[b"h2"]);
    let server = Server2::start(acceptor, move |number| {
        if strike == Strike::Always || number == 0 {
            act
        } else {
            Act2::Answer
        }
    })
    .await;
    let seen = std::sync::Arc::clone(&server.seen);
    Site {
        authority: Some(authority.pem),
        seen: Box::new(move || seen.lock().unwrap().len()),
        ..Site::at(
            format!("https://localhost:{}/v2", server.listening.address.port()),
            server,
        )
    }
}

impl Nowhere {
    async fn site(&self) -> Site {
        let authority = Authority::new();
        let stranger = Authority::new();
        let acceptor = match self {
            Nowhere::ClosedPort => {
                let (address, taken) = closed_port();
                return Site::at(format!("http://{address}/v2"), taken);
            }
            Nowhere::UnknownName => {
                // Longer than a label may be, so that no server has to be asked for it.
                return Site::at(format!("https://{}.invalid/v2", "a".repeat(64)), ());
            }
            Nowhere::HangingTls => None,
            Nowhere::NoTls => None,
            Nowhere::WrongName => {
                Some(authority.acceptor("elsewhere.test", Validity::Current, &[]))
            }
            Nowhere::Expired => Some(authority.acceptor("localhost", Validity::Expired, &[])),
            Nowhere::UnknownAuthority => {
                Some(stranger.acceptor("localhost", Validity::Current, &[]))
            }
        };
        let hangs = matches!(self, Nowhere::HangingTls);
        let server = Server::start(acceptor, move |moment| match moment {
            Moment::Accepted(_) if hangs => Act::Hang,
            Moment::Accepted(_) => Act::Serve,
            Moment::Read(_) => answer(200, &[], "{}"),
        })
        .await;
        // A server without TLS answers the handshake in plain text.
        let (port, alive): (u16, Box<dyn Any + Send>) = if matches!(self, Nowhere::NoTls) {
            let listening = listen(|mut socket| async move {
                let greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n";
                drop(socket.write_all(greeting).await);
            })
            .await;
            (listening.address.port(), Box::new(listening))
        } else {
            (server.listening.address.port(), Box::new(server))
        };
        Site {
            authority: Some(authority.pem),
            ..Site::at(format!("https://localhost:{port}/v2"), alive)
        }
    }
}

impl ProxyFault {
    async fn site(&self) -> Site {
        let says = match self {
            ProxyFault::Says(text) => *text,
            _ => "",
        };
        let hangs = matches!(self, ProxyFault::Hangs);
        let listening = listen(move |mut socket| async move {
            crate::proxy::read_head(&mut socket).await;
            if hangs {
                std::future::pending::<()>().await;
            }
            // The client may have gone.
            drop(socket.write_all(says.as_bytes()).await);
        })
        .await;
        let (closed, taken) = closed_port();
        let address = match self {
            ProxyFault::ClosedPort => closed,
            _ => listening.address,
        };
        Site {
            proxy: ProxyChoice::Through {
                url: format!("http://user:{}@{address}", crate::proxy::PASSWORD),
                except: String::new(),
            },
            ..Site::at(
                "https://api.cavatica.test/v2".to_owned(),
                (listening, taken),
            )
        }
    }
}

/// An address that is taken, so that nobody else listens there either.
fn closed_port() -> (std::net::SocketAddr, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    (socket.local_addr().unwrap(), socket)
}

/// What the good answer, an empty object, is read as.
pub(crate) type Thing = BTreeMap<String, Value>;

pub(crate) async fn send(builder: ClientBuilder, call: Call) -> Result<Fetched<Thing>, Error> {
    builder.build().unwrap().fetch::<Thing>(call).await
}

/// Measures one cell: what the fault is, and what is done about it when it strikes once.
async fn measure(row: &Row, call: fn() -> Call) -> (Kind, Then) {
    let site = row.site(Strike::Always).await;
    let (builder, _) = site.builder();
    let told = send(
        builder.retry(RetryPolicy::NEVER).patience(Duration::ZERO),
        call(),
    )
    .await;
    let kind = told.map_or_else(|error| Is(*error.outcome()), |_| Answered);
    assert!((site.seen)() <= 1, "{}: sent more than once", row.name);

    let site = row.site(Strike::Once).await;
    let (builder, clock) = site.builder();
    let told = send(builder, call()).await;
    let then = match kind {
        _ if clock.sleeps().is_empty() => Final,
        Is(Throttled | Maintenance) => WaitedFor,
        _ => Repeated,
    };
    if then == Final && kind != Answered {
        assert!(told.is_err(), "{}", row.name);
        assert!((site.seen)() <= 1, "{}: sent more than once", row.name);
    }
    (kind, then)
}

/// Measures what a read and a start make of it.
async fn cells(row: &Row) -> (&Row, (Kind, Then), (Kind, Then)) {
    let (one, two, three) = tokio::join!(
        measure(row, read),
        measure(row, bulk_read),
        measure(row, start)
    );
    if !row.is_silent() {
        assert_eq!(
            one, two,
            "{}: reads are reads, whatever their method",
            row.name
        );
    }
    (row, one, three)
}

#[tokio::test]
async fn every_call_makes_of_every_fault_what_the_table_says() {
    let rows = rows();
    // The silent ones need short time limits, which mean something only while nobody else keeps the processor busy.
    let (silent, others): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.is_silent());
    let mut measured = together(others.into_iter().map(cells)).await;
    measured.extend(together(silent.into_iter().map(cells)).await);
    for (row, read, start) in measured {
        if row.is_silent() && [read.0, start.0].contains(&Is(NotSent)) {
            // A busy machine may not get as far as the fault within the time limit, which is proven then.
            continue;
        }
        assert_eq!(read, row.read, "{}: a read", row.name);
        match row.start {
            (Raced, _) => assert!(matches!(start.0, Is(NotSent | Unknown)), "{}", row.name),
            expected => assert_eq!(start, expected, "{}: a start", row.name),
        }
    }
    compare_with_docs(&table(&rows));
}

/// Runs them all at once.
pub(crate) async fn together<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    std::future::poll_fn(|context| {
        for (future, done) in futures.iter_mut().filter(|(_, done)| done.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *done = Some(value);
            }
        }
        if futures.iter().all(|(_, done)| done.is_some()) {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    futures.into_iter().filter_map(|(_, done)| done).collect()
}

fn table(rows: &[Row]) -> String {
    let cell = |(kind, then): (Kind, Then)| match (kind, then) {
        (Answered, _) => "answered".to_owned(),
        (Raced, _) => "NotSent, repeated, where proven; else Unknown, final".to_owned(),
        (Is(outcome), Repeated) => format!("{outcome:?}, repeated"),
        (Is(outcome), WaitedFor) => format!("{outcome:?}, waited for"),
        (Is(outcome), Final) => format!("{outcome:?}, final"),
    };
    let mut table = "| fault | a read | a start |\n|---|---|---|\n".to_owned();
    for row in rows {
        table += &format!(
            "| {} | {} | {} |\n",
            row.name,
            cell(row.read),
            cell(row.start)
        );
    }
    table
}

const BEGIN: &str = "<!-- transport faults: begin -->\n";
const END: &str = "<!-- transport faults: end -->\n";

/// The table stands in the documentation as it was measured. `UPDATE_DOCS=1` writes it there.
fn compare_with_docs(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("the begin of the table is marked");
    let (found, after) = rest
        .split_once(END)
        .expect("the end of the table is marked");
    if found.trim() == table.trim() {
        return;
    }
    assert!(
        std::env::var_os("UPDATE_DOCS").is_some(),
        "the table in {} is not what was measured; run with UPDATE_DOCS=1 to write it:\n{table}",
        path.display()
    );
    std::fs::write(&path, format!("{before}{BEGIN}\n{table}\n{END}{after}")).unwrap();
}

#[tokio::test]
async fn an_error_names_its_subject_and_keeps_its_cause() {
    let body = r#"{"status": 403, "code": 9006, "message": "Requested file cannot be exported."}"#;
    let server = Server::always(answer(403, &[("x-request-id", "r1")], body)).await;
    let error = send(builder(&server.endpoint()), start())
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "POST /things: it was refused: the answer has the status 403: Requested file cannot be exported. (code 9006) (request r1)"
    );
    // The message says it; a cause would say it again.
    assert!(std::error::Error::source(&error).is_none());
    assert_eq!(error.api_error().unwrap().code(), Some(9006));
    assert_eq!(error.request_id(), Some("r1"));
    assert_eq!((error.method(), error.path()), ("POST", "/things"));

    let site = Nowhere::ClosedPort.site().await;
    let error = send(site.builder().0, read()).await.unwrap_err();
    assert_eq!(error.attempts(), 2);
    let mut deepest: &dyn std::error::Error = &error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let io = deepest.downcast_ref::<std::io::Error>().unwrap();
    assert_eq!(io.kind(), std::io::ErrorKind::ConnectionRefused);
}
