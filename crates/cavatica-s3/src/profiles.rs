//! The two files of the AWS tools, and a profile as both tell it.
//!
//! Read as botocore reads them, which the AWS tools are made of; a test puts it beside this.

use std::path::{Path, PathBuf};

use crate::ini::Ini;

/// No keys in the AWS configuration. It never repeats what a file says, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
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
        /// Why not; it never repeats a line of the file.
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

/// Where the files are, and which profile of them is meant.
pub(crate) struct ConfigFiles {
    pub(crate) profile: String,
    pub(crate) credentials: PathBuf,
    pub(crate) config: PathBuf,
}

/// A profile as both files tell it; empty options are none.
#[derive(Debug, Default)]
pub(crate) struct Profile {
    credentials: Option<KeyValues>,
    config: Option<KeyValues>,
    /// What the profile's `services` say of S3.
    s3: KeyValues,
}

type KeyValues = Vec<(String, String)>;

impl ConfigFiles {
    /// The files and the profile that these variables name.
    pub(crate) fn named_by(set: &dyn Fn(&str) -> Option<String>) -> Self {
        let home = set("HOME").or_else(|| set("USERPROFILE"));
        let home = home.as_deref().unwrap_or("~");
        let file = |name: &str, usual: &str| match set(name) {
            Some(path) => expanded(&path, home, set),
            None => Path::new(home).join(usual),
        };
        let profile = set("AWS_DEFAULT_PROFILE").or_else(|| set("AWS_PROFILE"));
        ConfigFiles {
            profile: profile.unwrap_or_else(|| "default".to_owned()),
            credentials: file("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"),
            config: file("AWS_CONFIG_FILE", ".aws/config"),
        }
    }

    pub(crate) fn read(&self) -> Result<Profile, AwsConfigError> {
        let credentials = load(&self.credentials)?;
        let config = load(&self.config)?;
        let section = config
            .sections()
            .filter(|section| profile_name(section).as_deref() == Some(&self.profile))
            .last();
        let mut profile = Profile {
            credentials: credentials.section(&self.profile).map(<[_]>::to_vec),
            config: section
                .and_then(|section| config.section(section))
                .map(<[_]>::to_vec),
            s3: KeyValues::new(),
        };
        if let Some(services) = profile.get("services") {
            let wanted = ["services", services];
            let section = config.sections().find(|section| words(section) == wanted);
            let s3 = section.and_then(|section| config.get(section, "s3"));
            profile.s3 = s3.map(nested).unwrap_or_default();
        }
        Ok(profile)
    }
}

impl Profile {
    pub(crate) fn is_there(&self) -> bool {
        self.credentials.is_some() || self.config.is_some()
    }

    /// An option; the credentials file has the last word.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        of(self.credentials.as_ref(), name).or_else(|| of(self.config.as_ref(), name))
    }

    /// An option of the credentials file alone.
    pub(crate) fn in_credentials(&self, name: &str) -> Option<String> {
        of(self.credentials.as_ref(), name).map(str::to_owned)
    }

    /// An option of the configuration file alone.
    pub(crate) fn in_config(&self, name: &str) -> Option<String> {
        of(self.config.as_ref(), name).map(str::to_owned)
    }

    /// The S3 service that is named here.
    pub(crate) fn s3_endpoint(&self) -> Option<&str> {
        of(Some(&self.s3), "endpoint_url").or_else(|| self.get("endpoint_url"))
    }
}

fn of<'o>(options: Option<&'o KeyValues>, name: &str) -> Option<&'o str> {
    let (_, value) = options?.iter().find(|(known, _)| known == name)?;
    (!value.is_empty()).then_some(value)
}

/// The configuration file calls its profiles `profile NAME`, and one of them `default` as well.
fn profile_name(section: &str) -> Option<String> {
    if section == "default" {
        return Some(section.to_owned());
    }
    match words(section).as_slice() {
        [first, name] if first.starts_with("profile") => Some(name.clone()),
        _ => None,
    }
}

/// Options that stand, indented, in the value of another.
fn nested(value: &str) -> KeyValues {
    let lines = value.lines().filter_map(|line| line.split_once('='));
    lines
        .map(|(name, value)| (name.trim().to_lowercase(), value.trim().to_owned()))
        .collect()
}

/// The words of a section's name, as a shell would read them.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut quote) = (Vec::new(), None);
    let mut word: Option<String> = None;
    for letter in text.chars() {
        match (quote, letter) {
            (Some(open), _) if letter == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (None, _) if letter.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    words
}

/// A path with `~` and variables put in.
fn expanded(path: &str, home: &str, set: &dyn Fn(&str) -> Option<String>) -> PathBuf {
    let (mut text, mut rest) = (String::new(), path);
    while let Some((before, behind)) = rest.split_once('$') {
        text.push_str(before);
        let (name, after) = match behind
            .strip_prefix('{')
            .and_then(|name| name.split_once('}'))
        {
            Some(braced) => braced,
            None => {
                let part = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
                let end = behind.find(|letter| !part(letter));
                behind.split_at(end.unwrap_or(behind.len()))
            }
        };
        match set(name) {
            Some(value) => text.push_str(&value),
            None => text.push_str(&rest[before.len()..rest.len() - after.len()]),
        }
        rest = after;
    }
    text.push_str(rest);
    match text.strip_prefix('~') {
        Some("") => home.into(),
        Some(below) if below.starts_with('/') => Path::new(home).join(&below[1..]),
        _ => text.into(),
    }
}

/// A file that isn't there is an empty one.
fn load(file: &Path) -> Result<Ini, AwsConfigError> {
    let fault = |why: String| AwsConfigError::File {
        file: file.to_owned(),
        why,
    };
    match std::fs::read(file) {
        Ok(bytes) => Ini::read(&bytes).map_err(|error| fault(error.to_string())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Ini::default()),
        Err(error) => Err(fault(error.to_string())),
    }
}
