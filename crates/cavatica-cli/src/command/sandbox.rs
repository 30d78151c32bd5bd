//! `cavatica sandbox`: the platform on one's own desk, until interrupted.

use std::path::Path;

use cavatica_sandbox::{ProjectSeed, Sandbox};
use serde::Serialize;

use crate::args;
use crate::exit::{Exit, Failure};
use crate::ui::Ui;

/// The project that is filled with the user's files.
const PROJECT: &str = "sandbox/demo";

pub(crate) async fn run(args: &args::Sandbox, ui: &Ui) -> Result<Exit, Failure> {
    let (requests, window) = args.rate_limit;
    let mut builder = Sandbox::builder()
        .port(args.port)
        .seed(args.seed)
        .rate_limit(requests, window);
    if let Some(data) = &args.data {
        builder = builder.data(data);
    }
    if args.tls {
        builder = builder.tls();
    }
    if let Some(source) = &args.project_from {
        builder = builder.project(ProjectSeed::new(PROJECT).from_dir(source));
    }
    let sandbox = builder.start().await.map_err(|error| {
        Failure::new(Exit::Other, "the sandbox could not be started").caused_by(error)
    })?;
    announce(&sandbox, ui)?;
    tokio::signal::ctrl_c().await?;
    sandbox.stop().await;
    Ok(Exit::Done)
}

#[derive(Serialize)]
struct Ready<'a> {
    endpoint: &'a str,
    token: &'a str,
    project: &'a str,
    volumes: Vec<String>,
    credentials: &'a Path,
    ca_cert: Option<&'a Path>,
    data: &'a Path,
}

/// Says where to find it. The token is made up and opens nothing else.
fn announce(sandbox: &Sandbox, ui: &Ui) -> Result<(), Failure> {
    let credentials = sandbox.credentials();
    let ready = Ready {
        endpoint: sandbox.endpoint(),
        token: sandbox.token(),
        project: PROJECT,
        volumes: sandbox.volumes(),
        credentials: &credentials,
        ca_cert: sandbox.ca_cert(),
        data: sandbox.data(),
    };
    if ui.is_json() {
        ui.json(&ready)?;
        return Ok(());
    }
    ui.line(format_args!("the sandbox is ready at {}", ready.endpoint))?;
    ui.note(format_args!("  project      {}", ready.project));
    ui.note(format_args!("  volumes      {}", ready.volumes.join(", ")));
    ui.note(format_args!("  data         {}", ready.data.display()));
    ui.note(format_args!(
        "  credentials  {}",
        ready.credentials.display()
    ));
    if let Some(file) = ready.ca_cert {
        ui.note(format_args!("  CA           {}", file.display()));
    }
    ui.note("in another terminal:");
    ui.note(format_args!(
        "  export SB_API_ENDPOINT={} SB_AUTH_TOKEN={}",
        ready.endpoint, ready.token
    ));
    ui.note(format_args!(
        "  cavatica files list --project {PROJECT} --recursive"
    ));
    ui.note("Ctrl-C ends it");
    Ok(())
}
