//! A client as small as can be, so that nothing between the test and the wire hides anything.

use std::error::Error;
use std::time::Duration;

use cavatica_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) type Outcome = Result<(), Box<dyn Error>>;

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }

    /// The platform's status code of an error.
    pub(crate) fn code(&self) -> (u16, i64) {
        (self.status, self.json()["code"].as_i64().unwrap_or(-1))
    }
}

/// A request that is sent on a connection of its own.
pub(crate) struct Request<'a> {
    sandbox: &'a Sandbox,
    method: &'static str,
    target: String,
    headers: String,
    host: String,
    body: String,
}

pub(crate) fn get<'a>(sandbox: &'a Sandbox, path: &str) -> Request<'a> {
    request(sandbox, "GET", path)
}

pub(crate) fn post<'a>(sandbox: &'a Sandbox, path: &str, body: &Value) -> Request<'a> {
    Request {
        body: body.to_string(),
        ..request(sandbox, "POST", path)
    }
}

pub(crate) fn patch<'a>(sandbox: &'a Sandbox, path: &str, body: &Value) -> Request<'a> {
    Request {
        body: body.to_string(),
        ..request(sandbox, "PATCH", path)
    }
}

pub(crate) fn put<'a>(sandbox: &'a Sandbox, path: &str, body: &Value) -> Request<'a> {
    Request {
        body: body.to_string(),
        ..request(sandbox, "PUT", path)
    }
}

pub(crate) fn request<'a>(sandbox: &'a Sandbox, method: &'static str, path: &str) -> Request<'a> {
    let base = if path.starts_with("/_sandbox") {
        ""
    } else {
        "/v2"
    };
    Request {
        sandbox,
        method,
        target: format!("{base}{path}"),
        headers: format!("X-SBG-Auth-Token: {}\r\n", sandbox.token()),
        host: address(sandbox),
        body: String::new(),
    }
}

impl Request<'_> {
    pub(crate) fn without_token(mut self) -> Self {
        self.headers.clear();
        self
    }

    pub(crate) fn body(mut self, body: String) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn host(mut self, host: &str) -> Self {
        self.host = host.to_owned();
        self
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers += &format!("{name}: {value}\r\n");
        self
    }

    /// The answer, or `None` if the connection was closed without one or in the middle of it.
    pub(crate) async fn try_send(self) -> Option<Answer> {
        let mut stream = connect(self.sandbox).await;
        let Request {
            method,
            target,
            headers,
            host,
            body,
            ..
        } = self;
        let text = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(text.as_bytes()).await.ok()?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        let mut lines = head.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let answer = Answer {
            status,
            headers,
            text: body.to_owned(),
        };
        if answer.status == 204 {
            return answer.text.is_empty().then_some(answer);
        }
        let length: usize = answer.header("content-length")?.parse().ok()?;
        (length == answer.text.len()).then_some(answer)
    }

    pub(crate) async fn send(self) -> Answer {
        self.try_send().await.expect("an answer")
    }
}

pub(crate) async fn connect(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(address(sandbox))
        .await
        .expect("the sandbox listens")
}

pub(crate) fn address(sandbox: &Sandbox) -> String {
    let (_, rest) = sandbox.endpoint().split_once("://").expect("a scheme");
    rest.trim_end_matches("/v2").to_owned()
}

/// The body that starts an export.
pub(crate) fn export(file: &str, volume: &str, location: &str) -> Value {
    json!({
        "source": {"file": file},
        "destination": {"volume": volume, "location": location},
    })
}

/// Waits until a job has ended and gives it.
pub(crate) async fn ended(sandbox: &Sandbox, id: &str) -> Value {
    loop {
        let job = get(sandbox, &format!("/storage/exports/{id}")).send().await;
        let job = job.json();
        if job["state"] == "COMPLETED" || job["state"] == "FAILED" {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Starts an export and gives its id.
pub(crate) async fn started(sandbox: &Sandbox, query: &str, body: &Value) -> String {
    let answer = post(sandbox, &format!("/storage/exports{query}"), body)
        .send()
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let job = answer.json();
    assert_eq!(job["state"], "PENDING");
    job["id"].as_str().expect("an id").to_owned()
}

/// The id of a file of the default project.
pub(crate) fn file(sandbox: &Sandbox, path: &str) -> String {
    sandbox
        .file_id("sandbox/demo", path)
        .unwrap_or_else(|| panic!("no {path}"))
}
