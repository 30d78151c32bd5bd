//! Lists volumes and files, starts three exports in one call and follows them, on a sandbox.
//!
//! `cargo run -p cavatica-exports --example list_and_follow`

#![expect(clippy::print_stdout, reason = "an example may speak")]

use cavatica_exports::model::{ExportBatch, ExportMode, ExportRequest, Fate};
use cavatica_exports::transport::{Client, Token};
use cavatica_exports::{Cavatica, Parent};
use cavatica_sandbox::{ProjectSeed, Sandbox};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let project = ProjectSeed::new("lab/trio").synthetic("", 3, 1_000);
    let sandbox = Sandbox::builder().project(project).start().await?;
    let token = Token::new(sandbox.token().to_owned())?;
    let cavatica = Cavatica::new(Client::builder(sandbox.endpoint().parse()?, token).build()?);

    let volumes = cavatica.volumes.list().collect().await?;
    let takes_exports = |volume: &&_| takes_exports(volume);
    let volume = volumes.iter().find(takes_exports).ok_or("no volume")?;

    // Pages come one by one, so that a million files fit.
    let mut pages = cavatica.files.list(&Parent::Project("lab/trio".parse()?));
    let mut requests = Vec::new();
    while let Some(page) = pages.next_page().await? {
        for file in page.items.iter().filter(|file| !file.is_folder()) {
            let name = file.name.value().ok_or("a file without a name")?;
            let request = ExportRequest::new(file.id.clone(), volume.id.clone(), name.parse()?);
            requests.push(request.check(file, volume)?);
        }
    }

    let mut started = Vec::new();
    for batch in ExportBatch::chunks(requests)? {
        let answer = cavatica.exports.start_each(&batch, ExportMode::Move);
        for (export, fate) in batch.iter().zip(answer.await?.by_request(&batch)) {
            let location = &export.request().destination.location;
            match fate {
                Fate::Accepted(job) => started.push(job.id),
                Fate::Refused(error) => println!("{location} was refused: {error}"),
                Fate::Missing => println!("{location}: look before you send it again"),
            }
        }
    }
    let mut watch = cavatica.exports.watch(started);
    while let Some(jobs) = watch.next().await? {
        for job in jobs {
            println!("{} is {}", job.id, job.state);
        }
    }
    Ok(())
}

fn takes_exports(volume: &cavatica_exports::model::Volume) -> bool {
    volume.export_findings().objections.is_empty()
}
