//! The platform's calls, with the credentials and the network that the flags name.

use std::time::Duration;

use cavatica_exports::model::File;
use cavatica_exports::model::file::FileRef;
use cavatica_exports::transport::{Client, ClientBuilder, RetryPolicy, Wait};
use cavatica_exports::{Cavatica, Followed};

use crate::args::{Global, Pace};
use crate::credentials::{self, Credentials, Environment};
use crate::failure::{Exit, Failure};
use crate::hint;
use crate::reporter::{ClientWaits, wait_words};
use crate::ui::{self, Ui};

/// The longest that bytes may live whose program died: a third of the usual settling time.
const LONGEST_BYTE_LIFE: Duration = Duration::from_secs(20);

/// What `--ca-cert` expects.
const CERTIFICATE: &str =
    "name a file with the authority's certificate in PEM, or leave --ca-cert out";

/// The platform, with the credentials that were found.
pub(crate) fn connect(global: &Global, ui: &Ui) -> Result<Cavatica, Failure> {
    let found = credentials(global, ui)?;
    tracing::info!(endpoint = %found.endpoint, token_from = %found.origin, "credentials found");
    client(global, found).map(Cavatica::new)
}

/// The same, for starts that are looked for after this time: their bytes die soon enough.
pub(crate) fn for_starts(global: &Global, settle: Duration, ui: &Ui) -> Result<Cavatica, Failure> {
    let builder = builder(global, credentials(global, ui)?)?;
    let life = LONGEST_BYTE_LIFE.min(settle);
    build(builder.longest_byte_life(life)).map(Cavatica::new)
}

/// The file or folder that the user named.
pub(crate) async fn look_up(api: &Cavatica, file: &FileRef) -> Result<File, Failure> {
    match (api.files.look_up(file).await?, file) {
        (Followed::To(file), _) => Ok(*file),
        (Followed::Lost(at), FileRef::Path(path)) => {
            Err(Failure::no_entry(path.project().clone(), at))
        }
        (Followed::Lost(_), FileRef::Id(id)) => {
            Err(Failure::usage(format!("there is no file `{id}`")))
        }
    }
}

/// The platform for what a failure wants to know: nothing is said a second time.
pub(crate) fn connect_quietly(global: &Global) -> Result<Cavatica, Failure> {
    let found = credentials::find(global, &Environment::read())?;
    Ok(Cavatica::new(client_without_retries(global, found)?))
}

/// Finds the credentials, and warns if others can get at them.
pub(crate) fn credentials(global: &Global, ui: &Ui) -> Result<Credentials, Failure> {
    let found = credentials::find(global, &Environment::read())?;
    if let Some((finding, remedy)) = found.exposed() {
        ui.warn(format_args!("{finding}; {remedy} ends that"));
    }
    Ok(found)
}

/// A client with these credentials and the network as the flags say.
pub(crate) fn client(global: &Global, found: Credentials) -> Result<Client, Failure> {
    build(builder(global, found)?)
}

/// A client that tries once: what keeps it from its work is to be told, not overcome.
pub(crate) fn client_without_retries(
    global: &Global,
    found: Credentials,
) -> Result<Client, Failure> {
    build(builder(global, found)?.retry(RetryPolicy::NEVER))
}

/// A client for a run: it leaves a share of the limit on requests to the account's other programs, and its bytes die within
/// a third of the settling time.
pub(crate) fn client_for_run(
    global: &Global,
    found: Credentials,
    pace: &Pace,
    waits: &ClientWaits,
    ui: &Ui,
) -> Result<Client, Failure> {
    // A screen has a line for it.
    let told = if pace.draws() {
        Told::OnScreen
    } else {
        Told::InLines
    };
    let builder = builder(global, found)?
        .on_wait(say_waits(waits.clone(), told))
        .reserve_percent(pace.reserve)
        .share_of(pace.share)
        .longest_byte_life(LONGEST_BYTE_LIFE.min(pace.settle / 3));
    let client = build(builder)?;
    if client.is_behind_proxy() {
        ui.warn(
            "behind a proxy nobody knows how long a lost request may still be under way: what is lost is waited for twice as long before it is sent again",
        );
    }
    Ok(client)
}

fn builder(global: &Global, found: Credentials) -> Result<ClientBuilder, Failure> {
    let mut builder = Client::builder(found.endpoint, found.token)
        .user_agent(concat!("cavatica/", env!("CARGO_PKG_VERSION")))
        .on_wait(say_waits(ClientWaits::default(), Told::InLines));
    if let (Some(pem), Some(file)) = (ca_certificates(global)?, &global.ca_cert) {
        builder = builder.ca_certificates(&pem).map_err(|error| {
            Failure::usage(format!("{} holds no certificate in PEM", file.display()))
                .caused_by(error)
                .hint(CERTIFICATE)
        })?;
    }
    Ok(builder)
}

fn build(builder: ClientBuilder) -> Result<Client, Failure> {
    builder.build().map_err(|error| {
        let hint = hint::of_build(&error);
        let failure = Failure::new(Exit::Other, "no connection can be made").caused_by(error);
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })
}

/// The text of the certificate authorities that the flags name.
pub(crate) fn ca_certificates(global: &Global) -> Result<Option<Vec<u8>>, Failure> {
    let Some(file) = &global.ca_cert else {
        return Ok(None);
    };
    let pem = std::fs::read(file).map_err(|error| {
        Failure::usage(format!(
            "the certificate file {} can't be read",
            file.display()
        ))
        .caused_by(error)
        .hint(CERTIFICATE)
    })?;
    Ok(Some(pem))
}

/// Where a wait is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    InLines,
    OnScreen,
}

/// Notes a longer wait, and says it once, so that nobody takes it for a hang: requests that wait for the same moment say it
/// together.
fn say_waits(waits: ClientWaits, told: Told) -> impl Fn(&Wait) + Send + Sync {
    move |wait: &Wait| {
        let is_long = wait.how_long >= Duration::from_secs(2);
        if is_long && waits.note(wait) && told == Told::InLines {
            ui::note(format_args!("waiting for {}", wait_words(wait)));
        }
    }
}
