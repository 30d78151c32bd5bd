//! `cavatica doctor`: what stands between this machine and an export, each with a remedy.

use std::path::Path;
use std::time::Duration;

use cavatica_exports::model::account::{RateLimit, User};
use cavatica_exports::transport::{Call, Client};
use cavatica_exports::{Account, Cavatica};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::api;
use crate::args::{self, Global};
use crate::credentials::{self, Credentials, Environment};
use crate::failure::{Exit, Failure};
use crate::ui::{self, Ui};

mod rehearsal;

/// A clock that is further off than this makes times in reports doubtful.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(60);

/// The most volumes whose permissions are asked for.
const VOLUMES_ASKED: usize = 20;

/// Where findings begin.
const INDENT: usize = 22;

/// The variables that change the way to the platform.
const NETWORK_VARIABLES: [&str; 5] = [
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Grade {
    Ok,
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Check {
    name: &'static str,
    verdict: Grade,
    finding: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

impl Check {
    fn ok(name: &'static str, finding: impl Into<String>) -> Self {
        Check {
            name,
            verdict: Grade::Ok,
            finding: finding.into(),
            remedy: None,
        }
    }

    fn bad(
        name: &'static str,
        verdict: Grade,
        finding: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Check {
            name,
            verdict,
            finding: finding.into(),
            remedy: Some(remedy.into()),
        }
    }
}

/// Checks as they come, and the worst exit so far.
struct Doctor<'a> {
    ui: &'a Ui,
    checks: Vec<Check>,
    exit: Exit,
}

pub(crate) async fn run(args: &args::Doctor, global: &Global, ui: &Ui) -> Result<Exit, Failure> {
    if let (Some(file), Some(volume)) = (&args.rehearse, &args.volume) {
        return rehearsal::run(file, volume, args, global, ui).await;
    }
    let mut doctor = Doctor {
        ui,
        checks: Vec::new(),
        exit: Exit::Done,
    };
    doctor.tell(journal_folder(Path::new(".")))?;
    doctor.tell(network())?;
    match credentials::find(global, &Environment::read()) {
        Ok(found) => {
            doctor.tell(found_token(&found))?;
            match api::client_without_retries(global, found) {
                Ok(client) => doctor.platform(&client).await?,
                Err(failure) => doctor.blame("connection", &failure)?,
            }
        }
        Err(failure) => doctor.blame("credentials", &failure)?,
    }
    if ui.is_json() {
        ui.json(&json!({"checks": doctor.checks}))?;
    }
    Ok(doctor.exit)
}

impl Doctor<'_> {
    fn tell(&mut self, check: Check) -> Result<(), Failure> {
        if !self.ui.is_json() {
            let word = match check.verdict {
                Grade::Ok => "ok",
                Grade::Warning => "warning",
                Grade::Failed => "FAILED",
            };
            let lead = format_args!("{word:<7}  {:<11}  ", check.name);
            self.ui.hanging(lead, &check.finding, INDENT)?;
            if let Some(remedy) = &check.remedy {
                let lead = format_args!("{:INDENT$}", "");
                self.ui.hanging(lead, remedy, INDENT)?;
            }
        }
        if check.verdict == Grade::Failed && self.exit == Exit::Done {
            self.exit = Exit::Other;
        }
        self.checks.push(check);
        Ok(())
    }

    fn blame(&mut self, name: &'static str, failure: &Failure) -> Result<(), Failure> {
        self.exit = failure.exit;
        // The nearest cause says what was tried, the last one why it came to nothing.
        let causes = ui::causes(failure);
        let cause = match &causes[..] {
            [] => String::new(),
            [only] => format!(": {only}"),
            [first, .., last] => format!(": {first}: {last}"),
        };
        let remedy = failure
            .hints
            .first()
            .cloned()
            .unwrap_or_else(|| "try again later, or ask the platform's support".to_owned());
        self.tell(Check::bad(
            name,
            Grade::Failed,
            format!("{}{cause}", failure.message),
            remedy,
        ))
    }

    async fn platform(&mut self, client: &Client) -> Result<(), Failure> {
        let username = match client.send(Call::get("/user")).await {
            Ok(answer) => {
                let user: User = serde_json::from_slice(answer.body()).unwrap_or_default();
                let username = user.username.into_value();
                let name = username.as_deref().unwrap_or("an account without a name");
                self.tell(Check::ok("account", name))?;
                self.tell(clock(answer.header("date"), Timestamp::now()))?;
                username.unwrap_or_default()
            }
            Err(error) => return self.blame("account", &error.into()),
        };
        match Account::new(client.clone()).rate_limit().await {
            Ok(limit) => self.tell(requests_left(&limit.value))?,
            Err(error) => self.blame("requests", &error.into())?,
        }
        let api = Cavatica::new(client.clone());
        let all = match api.volumes.list().collect().await {
            Ok(all) => all,
            Err(error) => return self.blame("volumes", &error.into()),
        };
        let (mut open, mut forbidden) = (Vec::new(), Vec::new());
        for volume in &all {
            if !volume.export_findings().objections.is_empty() {
                continue;
            }
            // So many are asked about; a division may have hundreds.
            let asked = open.len() + forbidden.len() < VOLUMES_ASKED;
            if asked && api.volumes.forbids_exports(&volume.id, &username).await {
                forbidden.push(volume.id.as_str());
            } else {
                open.push(volume.id.as_str());
            }
        }
        self.tell(writable(all.len(), &open, &forbidden))
    }
}

/// A transfer is a file in a folder that can be written and locked.
fn journal_folder(folder: &Path) -> Check {
    let place = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    match tempfile::tempfile_in(folder) {
        Ok(file) => match file.try_lock() {
            Ok(()) => Check::ok(
                "folder",
                format!("transfers can be kept in {}", place.display()),
            ),
            Err(error) => Check::bad(
                "folder",
                Grade::Warning,
                format!("files in {} can't be locked: {error}", place.display()),
                "keep transfers on a local disk: without locks nothing would keep a second run out",
            ),
        },
        Err(error) => Check::bad(
            "folder",
            Grade::Warning,
            format!("nothing can be written to {}: {error}", place.display()),
            "change to a folder of your own before you plan a transfer",
        ),
    }
}

/// Where the token was found, and whether others can get at it there.
fn found_token(found: &Credentials) -> Check {
    let finding = format!("{} for {}", found.origin, found.endpoint);
    match found.exposed() {
        None => Check::ok("credentials", finding),
        Some((exposed, remedy)) => Check::bad(
            "credentials",
            Grade::Warning,
            format!("{finding}; {exposed}"),
            remedy,
        ),
    }
}

fn network() -> Check {
    let set = network_variables();
    Check::ok(
        "network",
        if set.is_empty() {
            "no proxy and no own certificates set".to_owned()
        } else {
            format!("{} set", set.join(", "))
        },
    )
}

/// Those of the variables that are set.
pub(crate) fn network_variables() -> Vec<&'static str> {
    let set = |name: &&str| {
        std::env::var_os(name)
            .or_else(|| std::env::var_os(name.to_lowercase()))
            .is_some_and(|value| !value.is_empty())
    };
    NETWORK_VARIABLES.into_iter().filter(set).collect()
}

/// The answer's `Date` against this machine's clock.
fn clock(date: Option<&str>, now: Timestamp) -> Check {
    let Some(theirs) = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok()) else {
        return Check::ok("clock", "the platform doesn't tell its time");
    };
    let off =
        Duration::try_from(now.duration_since(theirs.timestamp()).abs()).unwrap_or(Duration::MAX);
    if off <= CLOCK_TOLERANCE {
        return Check::ok(
            "clock",
            format!("within {} s of the platform's", off.as_secs().max(1)),
        );
    }
    Check::bad(
        "clock",
        Grade::Warning,
        format!("{} s off the platform's", off.as_secs()),
        "set this machine's clock; waiting for the limit on requests relies on it",
    )
}

fn requests_left(limit: &RateLimit) -> Check {
    let rate = limit.rate.value();
    let number = |value: Option<&i64>| value.map_or_else(|| "?".to_owned(), ToString::to_string);
    let left = rate.and_then(|rate| rate.remaining.value());
    let all = rate.and_then(|rate| rate.limit.value());
    Check::ok(
        "requests",
        format!("{} of {} left in this window", number(left), number(all)),
    )
}

/// What is known of all volumes: those that take exports, and those that would if the account had the permission.
fn writable(all: usize, open: &[&str], forbidden: &[&str]) -> Check {
    let missing = match forbidden {
        [] => String::new(),
        ids => format!("; you have no permission to write to {}", ids.join(", ")),
    };
    if open.is_empty() {
        let finding = match all {
            0 => "you can see none".to_owned(),
            1 => format!("the only one takes no exports{missing}"),
            count => format!("none of {count} takes exports{missing}"),
        };
        return Check::bad(
            "volumes",
            Grade::Warning,
            finding,
            "`cavatica volumes get V` says what is wrong with one; `cavatica volumes set V --access-mode RW` opens one of your own that is read-only, `cavatica volumes create` mounts an S3 bucket, and for others' volumes ask their owner for write permission",
        );
    }
    Check::ok(
        "volumes",
        format!(
            "{} of {all} take exports: {}{missing}",
            open.len(),
            open.join(", ")
        ),
    )
}
