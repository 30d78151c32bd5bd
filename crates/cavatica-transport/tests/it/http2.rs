//! A server that speaks HTTP/2 inside TLS.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use h2::Reason;
use tokio_rustls::TlsAcceptor;

use crate::server::{Listening, listen};
use crate::support::{builder, read, start};
use crate::tls::{Authority, Validity};

/// What it does with a request that it has read to the end.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act2 {
    Answer,
    /// Ends the stream alone.
    ResetStream(Reason),
    /// Ends the connection.
    GoAway(Reason),
    Hang,
}

pub(crate) struct Server2 {
    pub(crate) listening: Listening,
    /// The bodies of the requests that arrived whole.
    pub(crate) seen: Arc<Mutex<Vec<Bytes>>>,
    pub(crate) connections: Arc<Mutex<usize>>,
}

impl Server2 {
    /// Asks the script by the number of the request, from 0.
    pub(crate) async fn start(
        acceptor: TlsAcceptor,
        script: impl Fn(usize) -> Act2 + Send + Sync + 'static,
    ) -> Self {
        let script = Arc::new(script);
        let seen = Arc::new(Mutex::new(Vec::new()));
        let connections = Arc::new(Mutex::new(0));
        let (record, count) = (Arc::clone(&seen), Arc::clone(&connections));
        let listening = listen(move |socket| {
            let (acceptor, script) = (acceptor.clone(), Arc::clone(&script));
            let (record, count) = (Arc::clone(&record), Arc::clone(&count));
            async move {
                let Ok(stream) = acceptor.accept(socket).await else {
                    return;
                };
                *count.lock().unwrap() += 1;
                let handshake = h2::server::Builder::new()
                    // The races reset more streams than a server likes.
                    .max_pending_accept_reset_streams(10_000)
                    .max_concurrent_reset_streams(10_000)
                    .handshake(stream);
                // The client may give up during it.
                let Ok(mut connection) = handshake.await else {
                    return;
                };
                let (away, mut told) = tokio::sync::mpsc::unbounded_channel();
                loop {
                    tokio::select! {
                        request = connection.accept() => match request {
                            Some(Ok((request, respond))) => {
                                let (script, record) = (Arc::clone(&script), Arc::clone(&record));
                                let away = away.clone();
                                tokio::spawn(async move {
                                    if let Some(reason) = treat(request, respond, &*script, &record).await {
                                        away.send(reason).unwrap();
                                    }
                                });
                            }
                            Some(Err(_)) | None => return,
                        },
                        Some(reason) = told.recv() => connection.abrupt_shutdown(reason),
                    }
                }
            }
        })
        .await;
        Server2 {
            listening,
            seen,
            connections,
        }
    }
}

/// Returns the reason for which the connection should end.
async fn treat(
    request: http::Request<h2::RecvStream>,
    mut respond: h2::server::SendResponse<Bytes>,
    script: &(dyn Fn(usize) -> Act2 + Send + Sync),
    record: &Mutex<Vec<Bytes>>,
) -> Option<Reason> {
    let mut body = Vec::new();
    let mut incoming = request.into_body();
    while let Some(data) = incoming.data().await {
        // The client gave up in the middle.
        let data = data.ok()?;
        body.extend_from_slice(&data);
    }
    let number = {
        let mut record = record.lock().unwrap();
        record.push(body.into());
        record.len() - 1
    };
    match script(number) {
        Act2::Answer => {
            let response = http::Response::builder()
                .header("x-ratelimit-limit", "1000000")
                .header("x-ratelimit-remaining", "1000000")
                .body(())
                .unwrap();
            if let Ok(mut stream) = respond.send_response(response, false) {
                // A client that has gone already doesn't mind.
                drop(stream.send_data("{}".into(), true));
            }
            None
        }
        Act2::ResetStream(reason) => {
            respond.send_reset(reason);
            None
        }
        Act2::GoAway(reason) => Some(reason),
        Act2::Hang => std::future::pending().await,
    }
}

#[tokio::test]
async fn http2_is_spoken_where_it_is_offered_and_shares_one_connection() {
    let authority = Authority::new();
    let acceptor = authority.acceptor("localhost", Validity::Current, &[b"h2", b"http/1.1"]);
    let server = Server2::start(acceptor, |_| Act2::Answer).await;
    let client = builder(&format!(
        "https://localhost:{}/v2",
        server.listening.address.port()
    ))
    .ca_certificates(authority.pem.as_bytes())
    .unwrap()
    .build()
    .unwrap();
    client.send(read()).await.unwrap();
    let (one, two, three) = tokio::join!(
        client.send(start()),
        client.send(read()),
        client.send(start())
    );
    one.unwrap();
    two.unwrap();
    three.unwrap();
    assert_eq!(server.seen.lock().unwrap().len(), 4);
    assert_eq!(*server.connections.lock().unwrap(), 1);
}
