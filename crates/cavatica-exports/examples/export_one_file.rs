//! Exports one file and waits for it, on a sandbox.
//!
//! `cargo run -p cavatica-exports --example export_one_file`

#![expect(clippy::print_stdout, reason = "an example may speak")]

use std::time::Duration;

use cavatica_exports::model::{ExportMode, ExportRequest, ExportState};
use cavatica_exports::transport::{Client, Token};
use cavatica_exports::{Cavatica, Started};
use cavatica_sandbox::Sandbox;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sandbox = Sandbox::builder().start().await?;
    let token = Token::new(sandbox.token().to_owned())?;
    let cavatica = Cavatica::new(Client::builder(sandbox.endpoint().parse()?, token).build()?);

    let file = sandbox.file_id("sandbox/demo", "README.txt");
    let file = file.ok_or("the sandbox has such a file")?.parse()?;
    let file = cavatica.files.get(&file).await?;
    let volume = cavatica.volumes.get(&"sandbox/output".parse()?).await?;
    let request = ExportRequest::new(file.id.clone(), volume.id.clone(), "README.txt".parse()?);
    // All objections at once, or an export that may be sent.
    let checked = request.check(&file, &volume)?;

    // Sent once, whatever becomes of the answer; if it is lost, the platform is asked what became of the export.
    let settle = Duration::from_secs(60);
    let start = cavatica
        .exports
        .start_once(&checked, ExportMode::Copy, settle);
    let (Started::Answered(job) | Started::Found(job)) = start.await? else {
        println!("the answer was lost, and the object is there");
        return Ok(());
    };
    let limit = Duration::from_secs(60);
    let job = cavatica.exports.wait(&job.id, limit).await?;
    assert!(job.state.is(ExportState::Completed));
    println!("{} is {}", job.id, job.state);
    Ok(())
}
