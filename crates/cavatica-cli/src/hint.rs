//! What to do next, chosen from what happened.

use cavatica_exports::transport::{Effect, Error, Fault, Outcome};

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
    let hint = match (error.outcome(), error.status(), error.api_error()) {
        (Outcome::NotSent, _, _) => {
            "nothing was sent; check the endpoint, the network and the proxy"
        }
        (Outcome::Unknown, _, _) if error.effect() == Effect::Start => {
            "look for it with `cavatica jobs list` before you send it again"
        }
        (Outcome::Refused, Some(401), _) => {
            "get a new token from the platform's Developer page, and put it where the old one was found (`-v` says where)"
        }
        (Outcome::Refused, _, Some(refusal)) => refusal.advice(),
        _ => return Vec::new(),
    };
    vec![hint.to_owned()]
}
