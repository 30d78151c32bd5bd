//! Where the AWS tools keep keys and region, read as they read it.

use std::fmt;
use std::path::{Path, PathBuf};

use configparser::ini::Ini;

/// An access key with its secret, and the session token of temporary keys. `Debug` shows nothing of them.
#[derive(Clone)]
pub struct Credentials(rusty_s3::Credentials);

impl Credentials {
    /// Takes the three parts of a key; temporary keys have a session token.
    pub fn new(key_id: &str, secret: &str, session_token: Option<&str>) -> Self {
        Credentials(match session_token {
            Some(token) => rusty_s3::Credentials::new_with_token(key_id, secret, token),
            None => rusty_s3::Credentials::new(key_id, secret),
        })
    }

    /// The public half of the key.
    pub fn key_id(&self) -> &str {
        self.0.key()
    }

    /// The secret half, for handing the key on to somebody who is to use it.
    pub fn secret(&self) -> &str {
        self.0.secret()
    }

    /// Whether the key is good for hours only.
    pub fn is_temporary(&self) -> bool {
        self.0.token().is_some()
    }

    pub(crate) fn signing(&self) -> &rusty_s3::Credentials {
        &self.0
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(..)")
    }
}

/// What this computer's AWS configuration says.
#[derive(Clone, Debug)]
pub struct AwsConfig {
    /// The keys to sign with.
    pub credentials: Credentials,
    /// The region, if the configuration names one.
    pub region: Option<String>,
}

/// No keys in the AWS configuration. It never repeats what a file says, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AwsConfigError {
    /// One half of a key is there, the other isn't.
    #[error("{0} is not set, though the other half of the key is")]
    Half(String),
    /// Neither the environment nor a profile has keys.
    #[error("there are no AWS keys: AWS_ACCESS_KEY_ID is not set, and the profile [{profile}] is in neither {} nor {}", .credentials.display(), .config.display())]
    NoProfile {
        /// The profile that was looked for.
        profile: String,
        /// The credentials file.
        credentials: PathBuf,
        /// The configuration file.
        config: PathBuf,
    },
    /// The profile is there, but its keys have to be fetched first.
    #[error("the AWS profile [{profile}] has no keys of its own, but `{by}`")]
    Indirect {
        /// The profile.
        profile: String,
        /// The entry by which the AWS tools get keys.
        by: String,
    },
    /// The profile has neither keys nor a way to them.
    #[error("the AWS profile [{0}] has no `aws_access_key_id`")]
    NoKeys(String),
    /// A file that is there can't be read, or is no such file.
    #[error("{} can't be read: {why}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// Why not.
        why: String,
    },
}

impl AwsConfigError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            AwsConfigError::Half(_) => {
                "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither"
            }
            AwsConfigError::NoProfile { .. } | AwsConfigError::NoKeys(_) => {
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, name another profile with AWS_PROFILE, or run `aws configure`"
            }
            AwsConfigError::Indirect { .. } => {
                "let the AWS tools fetch the keys: `eval \"$(aws configure export-credentials --format env)\"`, then try again in the same shell"
            }
            AwsConfigError::File { .. } => {
                "correct the file, or name another with AWS_SHARED_CREDENTIALS_FILE or AWS_CONFIG_FILE"
            }
        }
    }
}

/// Entries by which the AWS tools get keys from elsewhere.
const INDIRECT: [&str; 6] = [
    "sso_session",
    "sso_start_url",
    "role_arn",
    "credential_process",
    "web_identity_token_file",
    "login_session",
];

impl AwsConfig {
    /// Looks in the environment, then in the profile that `AWS_PROFILE` names (`default` otherwise) of the credentials
    /// and configuration files.
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
            "AWS_PROFILE" => Some(profile.to_owned()),
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
        let region = set("AWS_REGION").or_else(|| set("AWS_DEFAULT_REGION"));
        let profile = set("AWS_PROFILE").unwrap_or_else(|| "default".to_owned());
        let home = set("HOME").or_else(|| set("USERPROFILE"));
        let file = |name: &str, usual: &str| match set(name) {
            Some(path) => PathBuf::from(path),
            None => Path::new(home.as_deref().unwrap_or("~")).join(usual),
        };
        let files = Files {
            profile,
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            config: file("AWS_CONFIG_FILE", ".aws/config"),
        };
        let key_id = set("AWS_ACCESS_KEY_ID");
        let secret = set("AWS_SECRET_ACCESS_KEY");
        if key_id.is_none() && secret.is_none() {
            return files.read(region);
        }
        let half = |name: &str| AwsConfigError::Half(name.to_owned());
        let key_id = key_id.ok_or_else(|| half("AWS_ACCESS_KEY_ID"))?;
        let secret = secret.ok_or_else(|| half("AWS_SECRET_ACCESS_KEY"))?;
        let token = set("AWS_SESSION_TOKEN");
        // A profile without keys, or a file that can't be read, is no matter here.
        let region = region.or_else(|| files.region());
        Ok(AwsConfig {
            credentials: Credentials::new(key_id.trim(), secret.trim(), token.as_deref()),
            region,
        })
    }
}

struct Files {
    profile: String,
    credentials: PathBuf,
    config: PathBuf,
}

impl Files {
    fn read(self, region: Option<String>) -> Result<AwsConfig, AwsConfigError> {
        let credentials = load(&self.credentials)?;
        let config = load(&self.config)?;
        let section = self.config_section();
        // The credentials file has the last word.
        let entry = |key: &str| {
            let first = credentials.get(&self.profile, key);
            let value = first.or_else(|| config.get(&section, key));
            value.filter(|value| !value.is_empty())
        };
        let known = |ini: &Ini, name: &String| ini.sections().contains(name);
        if !known(&credentials, &self.profile) && !known(&config, &section) {
            return Err(AwsConfigError::NoProfile {
                profile: self.profile,
                credentials: self.credentials,
                config: self.config,
            });
        }
        let Some(key_id) = entry("aws_access_key_id") else {
            return Err(match INDIRECT.iter().find(|key| entry(key).is_some()) {
                Some(by) => AwsConfigError::Indirect {
                    profile: self.profile,
                    by: (*by).to_owned(),
                },
                None => AwsConfigError::NoKeys(self.profile),
            });
        };
        let secret = entry("aws_secret_access_key").ok_or_else(|| {
            AwsConfigError::Half(format!(
                "`aws_secret_access_key` of the profile [{}]",
                self.profile
            ))
        })?;
        let token = entry("aws_session_token");
        Ok(AwsConfig {
            credentials: Credentials::new(&key_id, &secret, token.as_deref()),
            region: region.or_else(|| entry("region")),
        })
    }

    fn region(&self) -> Option<String> {
        load(&self.config)
            .ok()?
            .get(&self.config_section(), "region")
    }

    /// The configuration file calls all profiles but one `profile NAME`.
    fn config_section(&self) -> String {
        match self.profile.as_str() {
            "default" => "default".to_owned(),
            name => format!("profile {name}"),
        }
    }
}

/// A file that isn't there is an empty one.
fn load(file: &Path) -> Result<Ini, AwsConfigError> {
    let mut ini = Ini::new_cs();
    // Secrets and tokens hold any character but white space.
    ini.set_inline_comment_symbols(Some(&[]));
    let fault = |why: &str| AwsConfigError::File {
        file: file.to_owned(),
        why: why.to_owned(),
    };
    let text = match std::fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(ini),
        Err(error) => return Err(fault(&error.to_string())),
    };
    match ini.read(text) {
        Ok(_) => Ok(ini),
        // The parser's own message may quote the line.
        Err(_) => Err(fault("it is no file of `[profile]` sections")),
    }
}
