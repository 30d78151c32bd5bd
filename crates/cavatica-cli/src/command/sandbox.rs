//! `cavatica sandbox`: the platform on one's own desk, until interrupted.

use std::path::Path;

use cavatica_sandbox::{ProjectSeed, Sandbox, Scenario, ScenarioError, VolumeSeed};
use serde::Serialize;

use crate::args;
use crate::failure::{Exit, Failure};
use crate::interrupt::StopRequests;
use crate::ui::Ui;
use crate::value::S3Volume;

/// Whose the sandbox's volumes are.
const OWNER: &str = "sandbox";

/// The project that is filled with the user's files.
const PROJECT: &str = "sandbox/demo";

pub(crate) async fn run(args: &args::Sandbox, ui: &Ui) -> Result<Exit, Failure> {
    let mut builder = Sandbox::builder().port(args.port);
    if let Some(path) = &args.scenario {
        builder = builder.scenario(scenario(path)?);
    }
    if let Some(seed) = args.seed {
        builder = builder.seed(seed);
    }
    if let Some((requests, window)) = args.rate_limit {
        builder = builder.rate_limit(requests, window);
    }
    if let Some((shortest, longest)) = args.job_duration {
        builder = builder.job_duration(shortest..=longest);
    }
    if let Some(share) = args.fail_share {
        builder = builder.fail_share(share);
    }
    for volume in &args.s3_volumes {
        builder = builder.further_volume(real_volume(volume, args.s3_endpoint.as_deref()));
    }
    if let Some(plan) = &args.faults {
        builder = builder.faults(plan.clone());
    }
    for quirk in &args.quirks {
        builder = builder.quirk(*quirk);
    }
    if let Some(data) = &args.data {
        builder = builder.data(data);
    }
    for username in &args.accounts {
        builder = builder.account(username);
    }
    if let Some(token) = &args.fixed_token {
        builder = builder.token(token);
    }
    if args.tls {
        builder = builder.tls();
    }
    if let Some(source) = &args.project_from {
        builder = builder.project(ProjectSeed::new(PROJECT).from_dir(source));
    }
    let sandbox = builder.start().await.map_err(|error| {
        let failure = Failure::new(Exit::Other, "the sandbox could not be started");
        match error.advice() {
            Some(advice) => failure.hint(advice).caused_by(error),
            None => failure.caused_by(error),
        }
    })?;
    // Before anybody knows that it runs, and may end it.
    let mut stop = StopRequests::listen()?;
    announce(&sandbox, ui)?;
    stop.next().await;
    sandbox.stop().await;
    Ok(Exit::Done)
}

/// A name alone is a volume of the sandbox's own account.
fn real_volume(volume: &S3Volume, endpoint: Option<&str>) -> VolumeSeed {
    let id = if volume.name.contains('/') {
        volume.name.clone()
    } else {
        format!("{OWNER}/{}", volume.name)
    };
    VolumeSeed::s3(id)
        .bucket(&volume.bucket)
        .prefix(&volume.prefix)
        .real_s3(endpoint)
}

fn scenario(path: &Path) -> Result<Scenario, Failure> {
    let refuse = || {
        let text = format!("the scenario `{}` can't be used", path.display());
        Failure::new(Exit::Refused, text)
    };
    let text = std::fs::read_to_string(path).map_err(|error| refuse().caused_by(error))?;
    text.parse()
        .map_err(|error: ScenarioError| refuse().caused_by(error))
}

#[derive(Serialize)]
struct Ready<'a> {
    endpoint: &'a str,
    token: &'a str,
    accounts: Vec<AccountJson<'a>>,
    project: &'a str,
    volumes: Vec<String>,
    credentials: &'a Path,
    ca_cert: Option<&'a Path>,
    data: &'a Path,
}

#[derive(Serialize)]
struct AccountJson<'a> {
    username: &'a str,
    token: &'a str,
}

/// Says where to find it. The tokens are made up and open nothing else.
fn announce(sandbox: &Sandbox, ui: &Ui) -> Result<(), Failure> {
    let credentials = sandbox.credentials();
    let projects = sandbox.projects();
    let project = projects.first().map_or(PROJECT, String::as_str);
    let ready = Ready {
        endpoint: sandbox.endpoint(),
        token: sandbox.token(),
        accounts: sandbox
            .accounts()
            .map(|(username, token)| AccountJson { username, token })
            .collect(),
        project,
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
    let origin = ready.endpoint.trim_end_matches("/v2");
    ui.note(format_args!("  page         {origin}/#{}", ready.token));
    if let Some(file) = ready.ca_cert {
        ui.note(format_args!("  CA           {}", file.display()));
    }
    for account in ready.accounts.iter().skip(1) {
        ui.note(format_args!(
            "  account      {}, by the profile of its name",
            account.username
        ));
    }
    ui.note("in another terminal:");
    ui.note(format_args!(
        "  export SB_API_ENDPOINT={} SB_AUTH_TOKEN={}",
        ready.endpoint, ready.token
    ));
    ui.note(format_args!(
        "  cavatica files list --project {project} --recursive"
    ));
    ui.note("Ctrl-C ends it");
    Ok(())
}
