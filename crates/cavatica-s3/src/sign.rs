//! Version 4 of AWS's signatures, in headers: an address that is logged on the way opens nothing.
//!
//! Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use http::header::{AUTHORIZATION, HOST, InvalidHeaderValue};
use http::{HeaderName, HeaderValue, Request};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::credentials::Credentials;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

const CONTENT_HASH: HeaderName = HeaderName::from_static("x-amz-content-sha256");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SESSION_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// What the signature says of the body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Payload {
    /// There is none.
    Empty,
    /// It is read while it is sent, once: TLS protects it.
    Unsigned,
}

/// Adds the headers that say who asks. Of those that are there already, the `x-amz-` headers are signed.
pub(crate) fn sign<B>(
    request: &mut Request<B>,
    payload: Payload,
    keys: &Credentials,
    region: &str,
    now: Timestamp,
) -> Result<(), InvalidHeaderValue> {
    let now = now.to_zoned(TimeZone::UTC);
    let (day, moment) = (
        now.strftime("%Y%m%d").to_string(),
        now.strftime("%Y%m%dT%H%M%SZ").to_string(),
    );
    let content = match payload {
        Payload::Empty => hex(&Sha256::digest([])),
        Payload::Unsigned => "UNSIGNED-PAYLOAD".to_owned(),
    };
    let host = request.uri().authority().map_or("", |host| host.as_str());
    let host = HeaderValue::from_str(host)?;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(CONTENT_HASH, HeaderValue::from_str(&content)?);
    headers.insert(DATE, HeaderValue::from_str(&moment)?);
    if let Some(token) = keys.session_token() {
        let mut token = HeaderValue::from_str(token)?;
        token.set_sensitive(true);
        headers.insert(SESSION_TOKEN, token);
    }

    let (names, canonical) = canonical(request, &content);
    let scope = format!("{day}/{region}/s3/aws4_request");
    let to_sign = format!(
        "{ALGORITHM}\n{moment}\n{scope}\n{}",
        hex(&Sha256::digest(canonical))
    );
    let secret = format!("AWS4{}", keys.secret());
    let key = [day.as_str(), region, "s3", "aws4_request"]
        .iter()
        .fold(secret.into_bytes(), |key, part| mac(&key, part));
    let signature = hex(&mac(&key, &to_sign));
    let mut value = HeaderValue::from_str(&format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
        keys.key_id()
    ))?;
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}

/// The names of the signed headers, and the request in the one form that both sides reckon with. The address is in that
/// form already.
fn canonical<B>(request: &Request<B>, content: &str) -> (String, String) {
    let mut headers: Vec<_> = request
        .headers()
        .iter()
        .filter(|(name, _)| *name == HOST || name.as_str().starts_with("x-amz-"))
        .map(|(name, value)| (name.as_str(), value.as_bytes().trim_ascii()))
        .collect();
    headers.sort_unstable();
    let names: Vec<_> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let lines: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{}\n", String::from_utf8_lossy(value)))
        .collect();
    let (method, path) = (request.method(), request.uri().path());
    let query = request.uri().query().unwrap_or_default();
    let text = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{content}");
    (names, text)
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        write!(text, "{byte:02x}").expect("text takes text");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documentation's own examples.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>.
    #[test]
    fn the_examples_of_the_documentation_are_signed_alike() {
        let keys = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            None,
        );
        let now: Timestamp = "2013-05-24T00:00:00Z".parse().unwrap();
        for (query, signature) in [
            (
                "lifecycle=",
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "max-keys=2&prefix=J",
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let mut request =
                Request::get(format!("https://examplebucket.s3.amazonaws.com/?{query}"))
                    .body(())
                    .unwrap();
            sign(&mut request, Payload::Empty, &keys, "us-east-1", now).unwrap();
            let value = request.headers()[AUTHORIZATION].to_str().unwrap();
            assert_eq!(
                value,
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                     SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={signature}"
                )
            );
        }
    }

    #[test]
    fn the_address_holds_no_secret_and_the_session_token_is_signed() {
        let keys = Credentials::new("AKIA", "secret", Some("session"));
        let address = "https://lab.s3.eu-west-1.amazonaws.com/a%20b";
        let mut request = Request::put(address)
            .header("x-amz-acl", "private")
            .body(())
            .unwrap();
        sign(
            &mut request,
            Payload::Unsigned,
            &keys,
            "eu-west-1",
            Timestamp::UNIX_EPOCH,
        )
        .unwrap();
        assert_eq!(request.uri(), address);
        let value = request.headers()[AUTHORIZATION].to_str().unwrap();
        assert!(value.contains(
            "SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-security-token,"
        ));
        let shown = format!("{request:?}");
        assert!(!shown.contains("session"), "{shown}");
    }
}
