//! Where the token and the endpoint come from. No flag takes a token: it would stand in the process list.

use std::fmt;
use std::path::{Path, PathBuf};

use cavatica_exports::transport::{Endpoint, Token};
use configparser::ini::Ini;

use crate::args::Global;
use crate::exit::{Exit, Failure};

/// A token, and the only address that it may go to.
#[derive(Debug)]
pub(crate) struct Credentials {
    pub(crate) endpoint: Endpoint,
    pub(crate) token: Token,
    pub(crate) origin: Origin,
}

/// Where the token was found.
#[derive(Debug)]
pub(crate) enum Origin {
    TokenFile(PathBuf),
    Environment,
    Profile { name: String, file: PathBuf },
}

impl Origin {
    /// The file that the token stands in.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Origin::TokenFile(file) | Origin::Profile { file, .. } => Some(file),
            Origin::Environment => None,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::TokenFile(file) => write!(f, "the file {}", file.display()),
            Origin::Environment => f.write_str("the variable SB_AUTH_TOKEN"),
            Origin::Profile { name, file } => {
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
    if let Some(file) = &global.token_file {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Failure::new(
                Exit::Denied,
                format!("the token file {} can't be read", file.display()),
            )
            .caused_by(error)
        })?;
        let endpoint = global
            .endpoint
            .as_deref()
            .or(environment.endpoint.as_deref());
        return assemble(endpoint, &text, Origin::TokenFile(file.clone()));
    }
    if let (None, Some(token)) = (&global.profile, &environment.token) {
        let endpoint = global
            .endpoint
            .as_deref()
            .or(environment.endpoint.as_deref());
        return assemble(endpoint, token, Origin::Environment);
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

fn from_profile(global: &Global, file: &Path) -> Result<Credentials, Failure> {
    if !file.exists() {
        return Err(nothing_found(&format!("there is no {}", file.display())));
    }
    let mut profiles = Ini::new_cs();
    profiles.load(file).map_err(|error| {
        Failure::new(
            Exit::Denied,
            format!("the credentials file {} can't be read", file.display()),
        )
        .caused_by(error)
    })?;
    let known = profiles.sections();
    let name = match &global.profile {
        Some(name) => name.clone(),
        None if known.iter().any(|section| section == "cavatica") => "cavatica".to_owned(),
        None => "default".to_owned(),
    };
    if !known.contains(&name) {
        return Err(Failure::new(
            Exit::Denied,
            format!("{} has no profile [{name}]", file.display()),
        )
        .hint(format!(
            "it has [{}]; choose one with `--profile`",
            known.join("], [")
        )));
    }
    let token = profiles.get(&name, "auth_token").ok_or_else(|| {
        Failure::new(
            Exit::Denied,
            format!(
                "the profile [{name}] of {} has no `auth_token`",
                file.display()
            ),
        )
        .hint("below its name, write `auth_token = ` and the token")
    })?;
    let endpoint = profiles.get(&name, "api_endpoint");
    if let (Some(asked), Some(own)) = (&global.endpoint, &endpoint)
        && asked.trim_end_matches('/') != own.trim_end_matches('/')
    {
        return Err(Failure::usage(format!(
            "the profile [{name}] is for {own}, not for {asked}"
        ))
        .hint("a token goes to its own platform only; name another profile or a `--token-file`"));
    }
    let endpoint = global.endpoint.clone().or(endpoint);
    assemble(
        endpoint.as_deref(),
        &token,
        Origin::Profile {
            name,
            file: file.to_owned(),
        },
    )
}

/// Where people work in a browser; the API has an address of its own.
const WEB_PAGES: [&str; 3] = [
    "cavatica.sbgenomics.com",
    "igor.sbgenomics.com",
    "cgc.sbgenomics.com",
];

fn api_address() -> String {
    format!(
        "CAVATICA's API is at {}, where the program looks if no endpoint is named",
        Endpoint::CAVATICA
    )
}

fn host(address: &str) -> &str {
    let behind = address.split_once("://").map_or(address, |(_, rest)| rest);
    behind.split(['/', ':']).next().unwrap_or_default()
}

fn assemble(endpoint: Option<&str>, token: &str, origin: Origin) -> Result<Credentials, Failure> {
    let endpoint = endpoint.unwrap_or(Endpoint::CAVATICA);
    if endpoint.contains("/u/") || WEB_PAGES.contains(&host(endpoint)) {
        return Err(
            Failure::usage(format!("`{endpoint}` is a page's address, not the API's"))
                .hint(api_address()),
        );
    }
    let endpoint = endpoint.parse().map_err(|error| {
        Failure::usage(format!("`{endpoint}` can't be the API's address"))
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
    })
}

fn nothing_found(why: &str) -> Failure {
    Failure::new(Exit::Denied, format!("no token found: SB_AUTH_TOKEN is not set, and {why}"))
        .hint("get a token from the platform's Developer page and put it into a file, then `--token-file FILE`")
        .hint("to try things without an account: `cavatica demo`")
}
