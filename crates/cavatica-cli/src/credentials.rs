//! Where the token and the endpoint come from. No flag takes a token: it would stand in the process list.

use std::fmt;
use std::path::{Path, PathBuf};

use cavatica_exports::model::account::Platform;
use cavatica_exports::transport::{Endpoint, Token};
use cavatica_s3::ini::{Ini, decode};
use cavatica_s3::shown_address;

use crate::args::Global;
use crate::failure::{Exit, Failure};
use crate::hint;

mod secret_file;

pub(crate) use secret_file::Exposure;
use secret_file::{SecretFile, unreadable};

/// A token, and the only address that it may go to.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) endpoint: Endpoint,
    pub(crate) token: Token,
    pub(crate) origin: TokenSource,
    /// What others may do with the file that it stands in.
    pub(crate) exposure: Option<Exposure>,
}

impl Credentials {
    /// The file that others may read or write, what they may do, and how to end that.
    pub(crate) fn exposed(&self) -> Option<(String, String)> {
        let (file, exposure) = self.origin.file().zip(self.exposure)?;
        let finding = format!(
            "others on this machine can {exposure} {}, where the token stands",
            file.display()
        );
        Some((finding, make_private(file)))
    }
}

fn make_private(file: &Path) -> String {
    format!("`chmod 600 {}`", hint::path_word(file))
}

/// Where the token was found.
#[derive(Debug)]
pub(crate) enum TokenSource {
    TokenFile(PathBuf),
    Environment,
    Profile { name: String, file: PathBuf },
}

impl TokenSource {
    /// The file that the token stands in.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            TokenSource::TokenFile(file) | TokenSource::Profile { file, .. } => Some(file),
            TokenSource::Environment => None,
        }
    }
}

impl fmt::Display for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenSource::TokenFile(file) => write!(f, "the file {}", file.display()),
            TokenSource::Environment => f.write_str("the variable SB_AUTH_TOKEN"),
            TokenSource::Profile { name, file } => {
                write!(f, "the profile [{name}] of {}", file.display())
            }
        }
    }
}

/// The variables that matter here; read once, so that the rest can be tested.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    pub(crate) token: Option<String>,
    pub(crate) endpoint: Option<String>,
    pub(crate) home: Option<PathBuf>,
    /// Where programs keep what should outlast a restart and isn't worth a backup:
    /// <https://specifications.freedesktop.org/basedir-spec/latest/>.
    pub(crate) state: Option<PathBuf>,
}

impl Environment {
    pub(crate) fn read() -> Self {
        let set = |name| {
            std::env::var(name)
                .ok()
                .filter(|value| !value.trim().is_empty())
        };
        let home = std::env::home_dir();
        // A relative path there is to be ignored, as that page says.
        let state = set("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
            .or_else(|| Some(home.as_ref()?.join(".local/state")));
        Environment {
            token: set("SB_AUTH_TOKEN"),
            endpoint: set("SB_API_ENDPOINT"),
            home,
            state,
        }
    }
}

/// Finds token and endpoint: `--token-file`, else the environment, else a profile. A profile that is named wins over
/// the environment.
pub(crate) fn find(global: &Global, environment: &Environment) -> Result<Credentials, Failure> {
    let asked = global.endpoint.as_deref();
    let named = asked.or(environment.endpoint.as_deref());
    if let Some(file) = &global.token_file {
        let secret = SecretFile::read(file, "token file")?;
        let text = decode(&secret.bytes).map_err(|error| unreadable(file, "token file", error))?;
        let origin = TokenSource::TokenFile(file.clone());
        return assemble(named, text, origin, secret.exposure);
    }
    if let (None, Some(token)) = (&global.profile, &environment.token) {
        return assemble(named, token, TokenSource::Environment, None);
    }
    let Some(file) = environment
        .home
        .as_ref()
        .map(|home| home.join(".sevenbridges/credentials"))
    else {
        return Err(nothing_found("this machine names no home folder"));
    };
    from_profile(global, &file)
}

/// The names of the profiles, as far as they can be read.
pub(crate) fn profiles(environment: &Environment) -> Vec<String> {
    let file = environment
        .home
        .as_ref()
        .map(|home| home.join(".sevenbridges/credentials"));
    let bytes = file
        .and_then(|file| std::fs::read(file).ok())
        .unwrap_or_default();
    let profiles = Ini::read(&bytes);
    profiles.map_or_else(
        |_| Vec::new(),
        |profiles| profiles.sections().map(str::to_owned).collect(),
    )
}

fn from_profile(global: &Global, file: &Path) -> Result<Credentials, Failure> {
    const WHAT: &str = "credentials file";
    if !file.exists() {
        return Err(nothing_found(&format!("there is no {}", file.display())));
    }
    let secret = SecretFile::read(file, WHAT)?;
    let profiles = Ini::read(&secret.bytes).map_err(|error| unreadable(file, WHAT, error))?;
    let name = match &global.profile {
        Some(name) => name.as_str(),
        None if profiles.section("cavatica").is_some() => "cavatica",
        None => "default",
    };
    if profiles.section(name).is_none() {
        let known: Vec<_> = profiles.sections().collect();
        return Err(Failure::new(
            Exit::Denied,
            format!("{} has no profile [{name}]", file.display()),
        )
        .hint(format!(
            "it has [{}]; choose one with `--profile`",
            known.join("], [")
        )));
    }
    let token = profiles.get(name, "auth_token").ok_or_else(|| {
        Failure::new(
            Exit::Denied,
            format!(
                "the profile [{name}] of {} has no `auth_token`",
                file.display()
            ),
        )
        .hint("below its name, write `auth_token = ` and the token")
    })?;
    let own = profiles
        .get(name, "api_endpoint")
        .filter(|own| !own.is_empty());
    if own.is_some() && secret.exposure == Some(Exposure::Writable) {
        return Err(Failure::new(
            Exit::Denied,
            format!(
                "others on this machine can write to {}, so its `api_endpoint` may be theirs: nothing was sent",
                file.display()
            ),
        )
        .hint(format!("look at what it says, then {}", make_private(file))));
    }
    let asked = global.endpoint.as_deref();
    let credentials = assemble(
        asked.or(own),
        token,
        TokenSource::Profile {
            name: name.to_owned(),
            file: file.to_owned(),
        },
        secret.exposure,
    )?;
    check_destination(&credentials.endpoint, asked, own, name)?;
    Ok(credentials)
}

/// A profile's token goes where the profile says; if it says nothing, to the platforms only.
fn check_destination(
    endpoint: &Endpoint,
    asked: Option<&str>,
    own: Option<&str>,
    profile: &str,
) -> Result<(), Failure> {
    match (asked, own) {
        (Some(_), Some(own)) if own.parse().ok().as_ref() != Some(endpoint) => Err(Failure::usage(
            format!("the profile [{profile}] is for {}, not for {endpoint}", shown_address(own)),
        )
        .hint("a token goes to its own platform only; name another profile or a `--token-file`")),
        (Some(_), None) if !endpoint.is_platform() => Err(Failure::usage(format!(
            "{endpoint} is none of the platform's own addresses, and the profile [{profile}] doesn't name it"
        ))
        .hint(format!(
            "if the token may go there, write `api_endpoint = {endpoint}` into the profile"
        ))),
        _ => Ok(()),
    }
}

fn api_address() -> String {
    format!(
        "CAVATICA's API is at {}, where the program looks if no endpoint is named",
        Endpoint::CAVATICA
    )
}

fn assemble(
    endpoint: Option<&str>,
    token: &str,
    origin: TokenSource,
    exposure: Option<Exposure>,
) -> Result<Credentials, Failure> {
    let endpoint = endpoint.unwrap_or(Endpoint::CAVATICA);
    let shown = shown_address(endpoint);
    let page = Platform::of_page(endpoint);
    if endpoint.contains("/u/") || page.is_some() {
        let hint = match page {
            Some(platform) => format!("the API of this platform is at {}", platform.api()),
            None => api_address(),
        };
        return Err(
            Failure::usage(format!("`{shown}` is a page's address, not the API's")).hint(hint),
        );
    }
    let endpoint = endpoint.parse().map_err(|error| {
        Failure::usage(format!("`{shown}` can't be the API's address"))
            .caused_by(error)
            .hint(api_address())
    })?;
    let token = token.trim();
    if token.starts_with(['"', '\'']) {
        return Err(
            Failure::new(Exit::Denied, format!("{origin} holds a token in quotes"))
                .hint("take the quotes away"),
        );
    }
    let token = Token::new(token.to_owned()).map_err(|error| {
        Failure::new(Exit::Denied, format!("{origin} holds no token"))
            .caused_by(error)
            .hint("nothing but the token may stand there, on one line, without a word before it")
    })?;
    Ok(Credentials {
        endpoint,
        token,
        origin,
        exposure,
    })
}

fn nothing_found(why: &str) -> Failure {
    Failure::new(Exit::Denied, format!("no token found: SB_AUTH_TOKEN is not set, and {why}"))
        .hint("get a token from the platform's Developer page and put it into a file, then `--token-file FILE`")
        .hint("to try things without an account: `cavatica demo`")
}
