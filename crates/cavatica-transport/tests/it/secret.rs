//! The token turns up nowhere, whatever goes wrong.

use std::error::Error as _;
use std::io;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use cavatica_transport::{Call, Token, TokenError};
use tracing::Dispatch;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::faults::{Row, Strike, rows, send, together};
use crate::proxy::PASSWORD;
use crate::server::{Server, answer};
use crate::support::{SECRET, builder, read, start};

/// All that was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Log;

    fn make_writer(&self) -> Log {
        self.clone()
    }
}

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Logs all of this thread from `level` on, spans with their fields included, until the guard is dropped.
    fn listen(&self, level: LevelFilter) -> (MutexGuard<'static, ()>, DefaultGuard) {
        // What is enabled is cached for the whole process. While there is just one listener, `tracing` asks the thread
        // that comes first, which may not be the one that listens; so there are always two, and not this one twice.
        static OTHER: LazyLock<Dispatch> = LazyLock::new(|| {
            let subscriber = tracing_subscriber::fmt().with_max_level(LevelFilter::TRACE);
            Dispatch::new(subscriber.with_writer(io::sink).finish())
        });
        static ALONE: Mutex<()> = Mutex::new(());
        LazyLock::force(&OTHER);
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_span_events(FmtSpan::FULL)
            .with_ansi(false)
            .with_writer(self.clone())
            .finish();
        (alone, tracing::subscriber::set_default(subscriber))
    }
}

/// All that a call shows of itself, its client and its end. The fault strikes once, so that a good request is logged, too.
async fn outputs(row: &Row, call: Call) -> String {
    let site = row.site(Strike::Once).await;
    let (builder, _) = site.builder();
    let mut outputs = format!("{builder:?} {call:?} ");
    let client = builder.build().unwrap();
    outputs += &format!("{client:?} {:?} ", client.budget());
    match client.send(call).await {
        Ok(answer) => outputs += &format!("{answer:?}\n"),
        Err(error) => {
            // `Debug` is also what a panic shows.
            outputs += &format!("{error} {error:?} {error:#?}");
            let mut cause = error.source();
            while let Some(source) = cause {
                outputs += &format!(": {source} {source:?}");
                cause = source.source();
            }
            outputs.push('\n');
        }
    }
    outputs
}

#[tokio::test]
async fn no_output_holds_the_token_after_any_fault() {
    let log = Log::default();
    let outputs = {
        let _listening = log.listen(LevelFilter::TRACE);
        let rows = rows();
        let calls = rows.iter().flat_map(|row| [(row, read()), (row, start())]);
        together(calls.map(|(row, call)| outputs(row, call)))
            .await
            .concat()
    };
    let log = log.text();
    let basic = "dXNlcjpwcjB4eXBhNTV3MHJk";
    for secret in [SECRET, PASSWORD, basic] {
        assert!(!outputs.contains(secret), "{outputs}");
        if let Some(line) = log.lines().find(|line| line.contains(secret)) {
            panic!("logged: {line}");
        }
    }
    // It was all there to be searched.
    for expected in [
        "attempt failed",
        "hyper_util::client",
        "h2::",
        "waiting for",
    ] {
        assert!(
            log.contains(expected),
            "nothing was logged about {expected}"
        );
    }
    assert!(outputs.contains("NotSent") && outputs.contains("Unknown"));
}

#[tokio::test]
async fn at_info_level_there_are_neither_ids_nor_bodies() {
    let log = Log::default();
    {
        let _listening = log.listen(LevelFilter::INFO);
        let server = Server::always(answer(500, &[], r#"{"name": "patient 7"}"#)).await;
        send(
            builder(&server.endpoint()),
            start().attempt_limit(std::time::Duration::from_secs(30)),
        )
        .await
        .unwrap_err();
        let server = Server::always(answer(
            200,
            &[("x-request-id", "r1")],
            r#"{"name": "patient 7"}"#,
        ))
        .await;
        send(builder(&server.endpoint()), read()).await.unwrap();
    }
    let log = log.text();
    assert!(!log.contains("t1") && !log.contains("patient"), "{log}");
    for expected in [
        "url.template=/things/{thing}",
        "cavatica.effect=read",
        "http.response.status_code=200",
        "cavatica.request_id=\"r1\"",
        "cavatica.budget_left=999",
        "url.template=/things",
        "cavatica.effect=start",
        "cavatica.outcome=\"unknown\"",
    ] {
        assert!(log.contains(expected), "{expected} is missing in {log}");
    }
}

#[test]
fn a_token_is_text_that_can_stand_in_a_header() {
    let token = |text: &str| Token::new(text.to_owned());
    assert!(token(" 0123abc\n").is_ok());
    assert_eq!(token(" \n").unwrap_err(), TokenError::Empty);
    let error = token("my s3cret").unwrap_err();
    assert_eq!(error, TokenError::Character { position: 3 });
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    assert!(token("é").is_err() && token("a\nb").is_err());
}
