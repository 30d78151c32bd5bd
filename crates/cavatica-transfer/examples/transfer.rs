//! Plans a transfer of a project, runs it and looks at the destination again, on a sandbox.
//!
//! `cargo run -p cavatica-transfer --example transfer`

#![expect(clippy::print_stdout, reason = "an example may speak")]

use cavatica_exports::model::Layout;
use cavatica_exports::model::destination::Template;
use cavatica_exports::transport::{Client, Token};
use cavatica_sandbox::{ProjectSeed, Sandbox};
use cavatica_transfer::journal::{SqliteJournal, TransferFile};
use cavatica_transfer::plan::{self, PlanOptions, PlanTarget, Selection};
use cavatica_transfer::{Destination, Event, Finding, Found, RunOptions, Stop, run, verify};
use jiff::Timestamp;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let project = ProjectSeed::new("lab/trio").synthetic("run1", 250, 1_000);
    let sandbox = Sandbox::builder().project(project).start().await?;
    let token = Token::new(sandbox.token().to_owned())?;
    let client = Client::builder(sandbox.endpoint().parse()?, token).build()?;

    let folder = tempfile::tempdir()?;
    let path = folder.path().join("trio.transfer");
    let mut options = PlanOptions::new(
        Selection::project("lab/trio".parse()?),
        PlanTarget::Volume("sandbox/output".parse()?),
    );
    options.layout = Layout::new("cohort7/".parse()?, Template::default());
    options.label = Some("the trio".to_owned());
    let planned = plan::plan(&path, &client, options, &mut |_| {}).await?;
    println!(
        "{} files, {} bytes, nothing sent yet",
        planned.files, planned.bytes
    );

    // Whatever stops this, the same lines go on: nothing is sent twice.
    let mut journal = SqliteJournal::open(&path, &client)?;
    let mut tell = |event: Event| {
        if let Event::BatchAnswered { accepted, .. } = event {
            println!("{accepted} exports were accepted");
        }
    };
    let options = RunOptions::default();
    run(&mut journal, &client, &options, &Stop::new(), &mut tell).await?;
    let tally = TransferFile::open(&path)?.tally()?;
    assert_eq!((tally.completed.files, tally.left()), (250, 0));
    println!("{} files arrived", tally.completed.files);

    // A look holds the transfer as a run does.
    drop(journal);
    let destination = Destination::Volume(client);
    let mut tell = |found: Found| {
        if found.finding != Finding::Same {
            println!("{} {}", found.finding.symbol(), found.location);
        }
    };
    let seen = verify(&[&path], &destination, Timestamp::now, &mut tell).await?;
    assert!(seen.is_all_the_same());
    println!("{} objects are as they were to be", seen.same);
    Ok(())
}
