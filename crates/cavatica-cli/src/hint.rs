//! What to do next, chosen from what happened.

use std::borrow::Cow;
use std::path::Path;

use cavatica_exports::model::manifest::{Foreign, ManifestError};
use cavatica_exports::model::text::visible;
use cavatica_exports::transport::{BuildError, DialError, Effect, Error, Fault, Outcome};

/// What a manifest looks like.
const MANIFEST: &str = "a manifest begins with a header such as `file_id,location`, its columns parted by commas or tabs; `cavatica check --help` says more";

/// The arguments of `export`, which are easily swapped.
pub(crate) const PLACES: &str = "the order is `cavatica export FILE VOLUME LOCATION`";

/// Where to find a volume that can be written to.
pub(crate) const VOLUMES: &str = "`cavatica doctor` names the volumes that take exports";

/// What an endpoint looks like, and where it is named.
pub(crate) const ENDPOINT: &str = "look at what --endpoint, SB_API_ENDPOINT or the profile's `api_endpoint` says; CAVATICA's is https://cavatica-api.sbgenomics.com/v2";

/// A word of a command line that can be pasted into a shell as it is.
pub(crate) fn shell_word(text: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.into()
    } else if visible(text).to_string() == text {
        format!("'{}'", text.replace('\'', r"'\''")).into()
    } else {
        format!("$'{}'", spelt_out(text)).into()
    }
}

/// The inside of a word in `$'…'`, where what can't be shown is spelt out byte by byte.
fn spelt_out(text: &str) -> String {
    let mut word = String::new();
    for letter in text.chars() {
        let mut bytes = [0; 4];
        let shown: &str = letter.encode_utf8(&mut bytes);
        match letter {
            '\'' | '\\' => word.extend(['\\', letter]),
            _ if visible(shown).to_string() == shown => word.push(letter),
            _ => word.extend(shown.bytes().map(|byte| format!("\\x{byte:02x}"))),
        }
    }
    word
}

/// A path as a word of a command line, which no command takes for an option.
pub(crate) fn path_word(path: &Path) -> String {
    let text = path.to_string_lossy();
    match text.starts_with('-') {
        true => shell_word(&format!("./{text}")).into_owned(),
        false => shell_word(&text).into_owned(),
    }
}

/// What to do about a manifest that can't be read.
pub(crate) fn of_manifest(error: &ManifestError, path: &Path) -> Option<String> {
    Some(match error {
        ManifestError::Read { .. } | ManifestError::LineEndings { .. } => return None,
        ManifestError::Foreign { what, .. } => of_foreign(*what, path),
        ManifestError::Unclear { columns, .. } => {
            let columns: Vec<String> = columns
                .iter()
                .map(|column| format!("`{}`: {}", visible(&column.found), column.instead))
                .collect();
            format!("{}; passed over, what it asks for would be left out", columns.join("; "))
        }
        ManifestError::OwnReport { .. } => "its keys hold the prefixes already; `cavatica retry T.transfer` sends again what failed, and its column `file_id` alone makes a manifest of its files".to_owned(),
        _ => MANIFEST.to_owned(),
    })
}

/// How to read a file that isn't written as a manifest is.
fn of_foreign(what: Foreign, path: &Path) -> String {
    match (what.converter(), what) {
        (Some(converter), _) if path == Path::new("-") => {
            format!("convert it on the way: `... | {converter} | cavatica check -`")
        }
        (Some(converter), _) => format!(
            "convert it on the way: `{converter} {} | cavatica check -`; `plan --manifest -` reads standard input, too",
            shell_word(&path.to_string_lossy())
        ),
        (None, Foreign::Sqlite) => {
            "a transfer is run by `cavatica run`; a manifest lists the files for a new plan"
                .to_owned()
        }
        (None, Foreign::Html) => {
            "a page was saved in place of the file that it shows: download the file itself"
                .to_owned()
        }
        (None, Foreign::Parquet) => "write it as CSV with the program that made it".to_owned(),
        (None, _) => "save its sheet as `CSV UTF-8`".to_owned(),
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
    if *error.fault() == Fault::ProxyLogin {
        return vec![
            "write the proxy's address with name and password, as HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT, with special characters as %XX"
                .to_owned(),
        ];
    }
    if *error.fault() == Fault::OtherOrigin {
        return vec![
            "nothing was sent there; whoever answers may not be the platform: check the endpoint and the proxy, and tell the platform's support"
                .to_owned(),
        ];
    }
    let no_answer_of_the_api = matches!(error.fault(), Fault::Unreadable | Fault::Redirect { .. });
    if *error.fault() == Fault::NoSuchCall
        || (no_answer_of_the_api && error.effect() == Effect::Read)
    {
        return vec![ENDPOINT.to_owned()];
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
        BuildError::Dial(DialError::TrustStore { .. }) => Some(
            "the trusted certificates are the system's, or those that SSL_CERT_FILE and SSL_CERT_DIR name: see that they are there and hold certificates in PEM",
        ),
        BuildError::Dial(DialError::Proxy) => Some(
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
        3002 => "`cavatica projects list` shows those that you can see",
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{path_word, shell_word};

    #[test]
    fn a_word_can_be_pasted_whatever_it_is() {
        for (text, word) in [
            ("run1/a.transfer", "run1/a.transfer"),
            ("", "''"),
            ("a b", "'a b'"),
            ("it's $(x) `y`", r"'it'\''s $(x) `y`'"),
            ("a\n'\\\u{202e}é", r"$'a\x0a\'\\\xe2\x80\xaeé'"),
        ] {
            assert_eq!(shell_word(text), word);
        }
        assert_eq!(path_word(Path::new("-rf")), "./-rf");
        assert_eq!(path_word(Path::new("- x")), "'./- x'");
    }
}
