//! A web service that takes export requests and answers 422 with everything that speaks against one, on a sandbox.
//!
//! `cargo run -p cavatica-exports --example check_service`

#![expect(clippy::print_stdout, reason = "an example may speak")]

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use cavatica_exports::Cavatica;
use cavatica_exports::model::{ExportMode, ExportRequest};
use cavatica_exports::transport::{Client, Error, Token};
use cavatica_sandbox::Sandbox;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Starts what nothing speaks against.
async fn export(State(cavatica): State<Cavatica>, Json(request): Json<ExportRequest>) -> Response {
    let (file, volume) = (&request.source.file, &request.destination.volume);
    let read = tokio::try_join!(cavatica.files.get(file), cavatica.volumes.get(volume));
    let (file, volume) = match read {
        Ok(both) => both,
        Err(error) => return failed(&error),
    };
    match request.check(&file, &volume) {
        Err(rejected) => (StatusCode::UNPROCESSABLE_ENTITY, Json(rejected)).into_response(),
        Ok(checked) => match cavatica.exports.start(&checked, ExportMode::Copy).await {
            Ok(job) => (StatusCode::ACCEPTED, Json(job.value)).into_response(),
            Err(error) => failed(&error),
        },
    }
}

/// What became of a start stands in the outcome: whoever asked must not ask again after `unknown`.
fn failed(error: &Error) -> Response {
    let told = json!({
        "outcome": error.outcome().to_string(),
        "code": error.code(),
        "message": error.to_string(),
    });
    (StatusCode::BAD_GATEWAY, Json(told)).into_response()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().start().await?;
    let token = Token::new(sandbox.token().to_owned())?;
    let cavatica = Cavatica::new(Client::builder(sandbox.endpoint().parse()?, token).build()?);
    let service = Router::new().route("/exports", post(export));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(axum::serve(listener, service.with_state(cavatica)).into_future());

    let file = sandbox.file_id("sandbox/demo", "README.txt");
    let file = file.ok_or("the sandbox has such a file")?;
    let mut request = json!({
        "source": {"file": file},
        "destination": {"volume": "sandbox/output", "location": "README.txt"},
    });
    let (status, job) = ask(address, &request).await?;
    println!("{status}: job {}", job["id"]);
    assert_eq!(status, 202);

    // A mistake that the platform would pass over without a word.
    request["overwrit"] = true.into();
    let (status, findings) = ask(address, &request).await?;
    println!("{status}: {findings}");
    assert_eq!(status, 422);
    assert_eq!(findings["objections"][0]["where"], "overwrit");
    assert_eq!(sandbox.ledger().starts, 1);
    Ok(())
}

/// Sends a request to the service, and reads the status and the body of its answer.
async fn ask(
    address: std::net::SocketAddr,
    request: &Value,
) -> Result<(u16, Value), Box<dyn std::error::Error>> {
    let body = request.to_string();
    let head = format!(
        "POST /exports HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all((head + &body).as_bytes()).await?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await?;
    let status = answer.split(' ').nth(1).ok_or("no status")?.parse()?;
    let (_, body) = answer.split_once("\r\n\r\n").ok_or("no body")?;
    Ok((status, serde_json::from_str(body)?))
}
