//! Where the AWS tools keep keys and region, read as they read it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::profiles::{AwsConfigError, ConfigFiles, Profile};

#[cfg(test)]
mod tests;

/// An access key with its secret, and the session token of temporary keys. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Credentials {
    key_id: String,
    secret: String,
    session_token: Option<String>,
}

impl Credentials {
    /// Takes the three parts of a key; temporary keys have a session token.
    pub fn new(key_id: &str, secret: &str, session_token: Option<&str>) -> Self {
        Credentials {
            key_id: key_id.to_owned(),
            secret: secret.to_owned(),
            session_token: session_token.map(str::to_owned),
        }
    }

    /// The public half of the key.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The secret half, for handing the key on to somebody who is to use it.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Whether the key is good for hours only.
    pub fn is_temporary(&self) -> bool {
        self.session_token.is_some()
    }

    pub(crate) fn session_token(&self) -> Option<&str> {
        self.session_token.as_deref()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// What this computer's AWS configuration says.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AwsConfig {
    /// The keys to sign with.
    pub credentials: Credentials,
    /// The region, if the configuration names one.
    pub region: Option<String>,
    /// The S3 service, if the configuration names another than AWS's.
    pub endpoint: Option<String>,
    /// A file of certificate authorities to trust as well, if the configuration names one.
    pub ca_bundle: Option<PathBuf>,
}

/// Entries by which the AWS tools get keys before they look for those of the profile itself.
///
/// Source: the order in
/// <https://boto3.amazonaws.com/v1/documentation/api/latest/guide/credentials.html#configuring-credentials>.
const INDIRECT: [&str; 6] = [
    "role_arn",
    "web_identity_token_file",
    "sso_session",
    "sso_start_url",
    "sso_account_id",
    "login_session",
];

/// The entry that counts only where the credentials file itself has no keys.
const PROCESS: &str = "credential_process";

impl AwsConfig {
    /// Keys alone: no region, AWS itself.
    pub fn of(credentials: Credentials) -> Self {
        AwsConfig {
            credentials,
            region: None,
            endpoint: None,
            ca_bundle: None,
        }
    }

    /// Looks in the environment, then in the profile that `AWS_DEFAULT_PROFILE` or `AWS_PROFILE` names (`default`
    /// otherwise) of the credentials and configuration files.
    ///
    /// # Errors
    ///
    /// [`AwsConfigError`] if there are no keys.
    pub fn find() -> Result<Self, AwsConfigError> {
        Self::find_in(&|name| std::env::var(name).ok())
    }

    /// Looks in this profile alone, whatever keys the environment has.
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find).
    pub fn of_profile(profile: &str) -> Result<Self, AwsConfigError> {
        Self::find_in(&|name| match name {
            "AWS_DEFAULT_PROFILE" | "AWS_PROFILE" => Some(profile.to_owned()),
            "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN" => None,
            name => std::env::var(name).ok(),
        })
    }

    /// As [`find`](Self::find), with these variables.
    ///
    /// # Errors
    ///
    /// As for [`find`](Self::find).
    pub fn find_in(variable: &dyn Fn(&str) -> Option<String>) -> Result<Self, AwsConfigError> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let files = ConfigFiles::named_by(&set);
        let profile = files.read();
        let credentials = match from_environment(&set)? {
            Some(credentials) => credentials,
            None => from_profile(&files, profile.as_ref().map_err(Clone::clone)?)?,
        };
        // With keys in the environment, a file that can't be read is no matter.
        let profile = profile.unwrap_or_default();
        let entry = |name: &str| profile.get(name).map(str::to_owned);
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        Ok(AwsConfig {
            credentials,
            region: region.or_else(|| entry("region")),
            endpoint: endpoint(&set, &profile),
            ca_bundle: set("AWS_CA_BUNDLE")
                .or_else(|| entry("ca_bundle"))
                .map(PathBuf::from),
        })
    }
}

/// The S3 service that is named, the most special word first.
///
/// Source: <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.
fn endpoint(set: &dyn Fn(&str) -> Option<String>, profile: &Profile) -> Option<String> {
    let is_true = |value: String| value.eq_ignore_ascii_case("true");
    if set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(is_true) {
        return None;
    }
    set("AWS_ENDPOINT_URL_S3")
        .or_else(|| set("AWS_ENDPOINT_URL"))
        .or_else(|| profile.s3_endpoint().map(str::to_owned))
}

/// Keys in the environment. Half a key is refused even where the AWS tools would pass over it.
fn from_environment(
    set: &dyn Fn(&str) -> Option<String>,
) -> Result<Option<Credentials>, AwsConfigError> {
    let half = |name: &str| AwsConfigError::Half(name.to_owned());
    let (id, secret) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
    match (set(id), set(secret)) {
        (None, None) => Ok(None),
        (None, Some(_)) => Err(half(id)),
        (Some(_), None) => Err(half(secret)),
        (Some(id), Some(secret)) => {
            let token = set("AWS_SESSION_TOKEN").or_else(|| set("AWS_SECURITY_TOKEN"));
            let token = token.as_deref().map(str::trim);
            Ok(Some(Credentials::new(id.trim(), secret.trim(), token)))
        }
    }
}

/// The profile's keys. One with a role and keys of its own means the role: signing with the keys would be somebody else.
fn from_profile(files: &ConfigFiles, profile: &Profile) -> Result<Credentials, AwsConfigError> {
    let indirect = |by: &str| AwsConfigError::Indirect {
        profile: files.profile.clone(),
        by: by.to_owned(),
    };
    if !profile.is_there() {
        return Err(AwsConfigError::NoProfile {
            profile: files.profile.clone(),
            credentials: files.credentials.clone(),
            config: files.config.clone(),
        });
    }
    if let Some(by) = INDIRECT.iter().find(|name| profile.get(name).is_some()) {
        return Err(indirect(by));
    }
    let keys = |file: &Path, entry: &dyn Fn(&str) -> Option<String>| {
        let id = entry("aws_access_key_id")?;
        let Some(secret) = entry("aws_secret_access_key") else {
            return Some(Err(AwsConfigError::Half(format!(
                "`aws_secret_access_key` of the profile [{}] in {}",
                files.profile,
                file.display()
            ))));
        };
        let token = entry("aws_session_token").or_else(|| entry("aws_security_token"));
        Some(Ok(Credentials::new(&id, &secret, token.as_deref())))
    };
    let own = keys(&files.credentials, &|name| profile.in_credentials(name));
    if own.is_none() && profile.get(PROCESS).is_some() {
        return Err(indirect(PROCESS));
    }
    own.or_else(|| keys(&files.config, &|name| profile.in_config(name)))
        .unwrap_or_else(|| Err(AwsConfigError::NoKeys(files.profile.clone())))
}
