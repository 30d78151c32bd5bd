//! The cases of `tests/aws`: what is made of them here, and what boto3 makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{AwsConfig, AwsConfigError};

/// One file of `tests/aws`, with the home folder that it describes.
struct Case {
    name: String,
    home: tempfile::TempDir,
    variables: BTreeMap<String, String>,
    expected: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws")
}

fn cases() -> Vec<Case> {
    let entries = fs::read_dir(folder()).expect("the cases are there");
    let paths = entries.map(|entry| entry.expect("a case").path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|e| e == "txt"))
        .collect();
    paths.sort();
    paths.iter().map(|path| Case::read(path)).collect()
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a case is text");
        let part = |name: &str| {
            let (_, behind) = text
                .split_once(&format!("--- {name}\n"))
                .expect("it has all parts");
            behind.split("--- ").next().unwrap_or_default().to_owned()
        };
        let home = tempfile::tempdir().expect("a temporary folder");
        let write =
            |name: &str, text: &str| fs::write(home.path().join(name), text).expect("a file");
        fs::create_dir(home.path().join(".aws")).expect("a folder");
        write(".aws/credentials", &part("credentials"));
        write(".aws/config", &part("config"));
        // For the case that names other files.
        write(
            "keys",
            "[default]\naws_access_key_id = AKIAELSE\naws_secret_access_key = else\n",
        );
        write("conf", "[default]\nregion = sa-east-1\n");
        let mut variables: BTreeMap<String, String> = part("variables")
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        variables.insert("HOME".to_owned(), home.path().display().to_string());
        Case {
            name: path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            home,
            variables,
            expected: part("expected"),
        }
    }
}

/// What was found, in the words of the cases.
fn found(case: &Case) -> String {
    match AwsConfig::find_in(&|name| case.variables.get(name).cloned()) {
        Ok(config) => {
            let keys = config.credentials;
            let token = keys.session_token().map(|token| format!(" {token}"));
            let mut text = format!(
                "keys {} {}{}\n",
                keys.key_id(),
                keys.secret(),
                token.unwrap_or_default()
            );
            let ca_bundle = config.ca_bundle.map(|file| file.display().to_string());
            let further = [
                ("region", config.region),
                ("endpoint", config.endpoint),
                ("ca", ca_bundle),
            ];
            for (word, value) in further {
                text.extend(value.map(|value| format!("{word} {value}\n")));
            }
            text
        }
        Err(error) => match error {
            AwsConfigError::Half(_) => "half\n",
            AwsConfigError::NoProfile { .. } | AwsConfigError::NoKeys(_) => "none\n",
            AwsConfigError::Indirect { .. } => "indirect\n",
            AwsConfigError::File { .. } => "file\n",
        }
        .to_owned(),
    }
}

#[test]
fn each_case_is_read_as_it_says() {
    let cases = cases();
    assert!(cases.len() >= 30, "cases are lost");
    for case in cases {
        assert_eq!(found(&case), case.expected, "{}", case.name);
    }
}

/// A Python that has boto3: the one that `cargo xtask stores` made, or the computer's own.
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn python() -> Option<PathBuf> {
    let target = option_env!("CARGO_TARGET_DIR").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target"),
        PathBuf::from,
    );
    let kept = std::fs::read_dir(target.join("venv"));
    let kept = kept.into_iter().flatten().flatten();
    let kept = kept.map(|venv| venv.path().join("bin/python"));
    let found = kept.chain(["python3".into()]).find(|python| {
        let mut command = Command::new(python);
        // As it will be asked: with nothing in its environment.
        command.args(["-c", "import boto3"]).env_clear();
        command.output().is_ok_and(|output| output.status.success())
    });
    if found.is_none() {
        eprintln!("skipped: there is no Python with boto3; `cargo xtask stores` installs one");
    }
    found
}

#[test]
fn boto3_reads_each_case_in_the_same_way() {
    let Some(python) = python() else { return };
    for case in cases() {
        let output = Command::new(&python)
            .arg(folder().join("oracle.py"))
            .env_clear()
            .envs(&case.variables)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .current_dir(case.home.path())
            .output()
            .expect("Python starts");
        let said = String::from_utf8_lossy(&output.stdout);
        let why = String::from_utf8_lossy(&output.stderr);
        assert_eq!(said, case.expected, "{}: {why}", case.name);
    }
}
