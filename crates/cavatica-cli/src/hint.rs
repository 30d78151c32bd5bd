//! What to do next, chosen from what happened.

use cavatica_exports::model::Platform;
use cavatica_exports::transport::{BuildError, Effect, Error, Fault, Outcome};

/// What a manifest looks like.
pub(crate) const MANIFEST: &str = "a manifest begins with a header such as `file_id,location`, its columns parted by commas or tabs; `cavatica check --help` says more";

/// What to do about a column that nearly has a name.
pub(crate) const COLUMN: &str =
    "rename the column: as it is called, what it asks for would be passed over";

/// The arguments of `export`, which are easily swapped.
pub(crate) const PLACES: &str = "the order is `cavatica export FILE_ID VOLUME LOCATION`";

/// Where to find a volume that can be written to.
pub(crate) const VOLUMES: &str = "`cavatica doctor` names the volumes that take exports";

/// A word of a command line that can be pasted into a shell as it is.
pub(crate) fn shell_word(text: &str) -> std::borrow::Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.into()
    } else {
        format!("'{}'", text.replace('\'', r"'\''")).into()
    }
}

/// Advice after a call that came to nothing.
pub(crate) fn of_call(error: &Error) -> Vec<String> {
    if *error.fault() == Fault::Certificate {
        return vec![
            "if you trust the server, name its certificate authority with `--ca-cert FILE`"
                .to_owned(),
        ];
    }
    if *error.fault() == Fault::NoSuchCall {
        return vec![format!(
            "the endpoint may be wrong: it ends in `/v2`, as in {}",
            Platform::Cavatica.api()
        )];
    }
    let hint = match (error.outcome(), error.status(), error.api_error()) {
        (Outcome::NotSent, _, _) => {
            "nothing was sent; check the endpoint, the network and the proxy"
        }
        (Outcome::Unknown, _, _) if error.effect() == Effect::Start => {
            "look for it with `cavatica jobs list` before you send it again"
        }
        (Outcome::Refused, Some(401), _) => {
            "this one may have expired: get a new token from the platform's Developer page, and put it where `cavatica doctor` found this one"
        }
        (Outcome::Refused, _, Some(refusal)) => {
            let look = refusal.code().and_then(of_code);
            let hints = [Some(refusal.advice()), look];
            return hints.into_iter().flatten().map(str::to_owned).collect();
        }
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}

/// Advice where no client can be built.
pub(crate) fn of_build(error: &BuildError) -> Option<&'static str> {
    match error {
        BuildError::TrustStore { .. } => Some(
            "the trusted certificates are the system's, or those that SSL_CERT_FILE and SSL_CERT_DIR name: see that they are there and hold certificates in PEM",
        ),
        BuildError::Proxy => Some(
            "set HTTPS_PROXY or ALL_PROXY to an address such as http://proxy.example.org:3128, or unset it",
        ),
        _ => None,
    }
}

/// The command that shows what there is instead of what was named.
fn of_code(code: i64) -> Option<&'static str> {
    Some(match code {
        5002 | 9009 | 9106 => {
            "`cavatica files list --project OWNER/NAME --recursive` shows files with their ids"
        }
        9007 | 9104 => "`cavatica volumes list` shows each volume with its bucket",
        9008 => "`cavatica jobs list` shows the jobs that you started",
        // A volume doesn't tell what its members may do, so `doctor` can't know this one.
        9020 => {
            "`cavatica volumes list` shows the others that you can see; then give the same command again"
        }
        9026 | 9101 => VOLUMES,
        _ => return None,
    })
}
