//! Through a proxy, and round it.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cavatica_transport::{BuildError, DialError, Outcome, ProxyChoice, RetryPolicy};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::TcpStream;

use crate::server::{Act, Listening, Moment, Server, answer, listen};
use crate::support::{SECRET, builder, start};
use crate::tls::{Authority, Validity};

pub(crate) const PASSWORD: &str = "pr0xypa55w0rd";

/// A host that only the proxy can find.
const HOST: &str = "api.cavatica.test";

/// A proxy that leads to `target`, wherever one wants to go.
struct Proxy {
    listening: Listening,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    async fn to(target: SocketAddr) -> Self {
        let heads = Arc::new(Mutex::new(Vec::new()));
        let record = Arc::clone(&heads);
        let listening = listen(move |mut client| {
            let record = Arc::clone(&record);
            async move {
                let head = read_head(&mut client).await;
                record.lock().unwrap().push(head);
                let mut server = TcpStream::connect(target).await.unwrap();
                client
                    .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
                    .await
                    .unwrap();
                // Either side may hang up first.
                drop(copy_bidirectional(&mut client, &mut server).await);
            }
        })
        .await;
        Proxy { listening, heads }
    }

    fn choice(&self, except: &str) -> ProxyChoice {
        ProxyChoice::Through {
            url: format!("http://user:{PASSWORD}@{}", self.listening.address),
            except: except.to_owned(),
        }
    }
}

/// What a client asks of a proxy.
pub(crate) async fn read_head(client: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test]
async fn the_proxy_leads_the_way_and_sees_no_token() {
    let authority = Authority::new();
    let acceptor = authority.acceptor(HOST, Validity::Current, &[]);
    let server = Server::start(Some(acceptor), |moment| match moment {
        Moment::Accepted(_) => Act::Serve,
        Moment::Read(_) => answer(200, &[], "{}"),
    })
    .await;
    let proxy = Proxy::to(server.listening.address).await;
    let client = builder(&format!("https://{HOST}/v2"))
        .ca_certificates(authority.pem.as_bytes())
        .unwrap()
        .proxy(proxy.choice("example.org"))
        .build()
        .unwrap();

    client.send(start()).await.unwrap();

    let heads = proxy.heads.lock().unwrap();
    assert!(
        heads[0].starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")),
        "{}",
        heads[0]
    );
    let basic = "Proxy-Authorization: Basic dXNlcjpwcjB4eXBhNTV3MHJk";
    assert!(heads[0].contains(basic), "{}", heads[0]);
    assert!(!heads[0].contains(SECRET));
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert!(seen[0].head.contains(SECRET));
    assert!(!seen[0].head.to_lowercase().contains("proxy"));
}

#[tokio::test]
async fn a_proxy_with_tls_of_its_own_works_too() {
    let authority = Authority::new();
    let server = Server::start(
        Some(authority.acceptor(HOST, Validity::Current, &[])),
        |moment| match moment {
            Moment::Accepted(_) => Act::Serve,
            Moment::Read(_) => answer(200, &[], "{}"),
        },
    )
    .await;
    let inner = Proxy::to(server.listening.address).await;
    // TLS in front of the same proxy.
    let acceptor = authority.acceptor("localhost", Validity::Current, &[]);
    let target = inner.listening.address;
    let listening = listen(move |socket| {
        let acceptor = acceptor.clone();
        async move {
            let mut client = acceptor.accept(socket).await.unwrap();
            let mut proxy = TcpStream::connect(target).await.unwrap();
            drop(copy_bidirectional(&mut client, &mut proxy).await);
        }
    })
    .await;
    let client = builder(&format!("https://{HOST}/v2"))
        .ca_certificates(authority.pem.as_bytes())
        .unwrap()
        .proxy(ProxyChoice::Through {
            url: format!("https://localhost:{}", listening.address.port()),
            except: String::new(),
        })
        .build()
        .unwrap();
    client.send(start()).await.unwrap();
    assert_eq!(inner.heads.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn this_machine_and_excepted_hosts_are_reached_without_it() {
    let server = Server::always(answer(200, &[], "{}")).await;
    let proxy = Proxy::to(server.listening.address).await;
    let client = builder(&server.endpoint())
        .proxy(proxy.choice(""))
        .build()
        .unwrap();
    client.send(start()).await.unwrap();
    assert!(proxy.heads.lock().unwrap().is_empty());

    // A name too long for any lookup: tried directly, it fails here and at once.
    let host = format!("{}.cavatica.test", "a".repeat(64));
    let client = builder(&format!("https://{host}/v2"))
        .proxy(proxy.choice("other.test, cavatica.test"))
        .retry(RetryPolicy::NEVER)
        .build()
        .unwrap();
    let error = client.send(start()).await.unwrap_err();
    assert_eq!(*error.outcome(), Outcome::NotSent);
    assert!(proxy.heads.lock().unwrap().is_empty());
}

#[test]
fn a_proxy_that_cannot_be_understood_is_an_error_and_not_passed_over() {
    for url in [
        "ftp://proxy:1",
        "socks5://proxy:1",
        "http://",
        "http://us er@proxy",
        ":",
    ] {
        let built = builder(&format!("https://{HOST}/v2"))
            .proxy(ProxyChoice::Through {
                url: url.to_owned(),
                except: "*".to_owned(),
            })
            .build();
        assert!(
            matches!(built, Err(BuildError::Dial(DialError::Proxy))),
            "{url}"
        );
    }
}
