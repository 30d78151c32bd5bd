//! `cavatica doctor`.

use cavatica_sandbox::{SandboxBuilder, VolumeSeed};

use crate::harness::{World, set_mode};

#[test]
fn a_healthy_account() {
    let world = World::new();
    let run = world.run(&["doctor", "--json"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let document = run.document();
    let checks = document["checks"].as_array().unwrap();
    let names: Vec<_> = checks
        .iter()
        .map(|check| check["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "folder",
            "network",
            "credentials",
            "account",
            "clock",
            "requests",
            "volumes"
        ]
    );
    assert!(
        checks.iter().all(|check| check["verdict"] == "ok"),
        "{document}"
    );
    let volumes = checks.last().unwrap()["finding"].as_str().unwrap();
    assert_eq!(
        volumes,
        "2 of 5 take exports: sandbox/output, sandbox/prefixed"
    );
}

#[test]
fn volumes_of_others_are_asked_about() {
    let finding = |more: &[VolumeSeed]| {
        let theirs = VolumeSeed::s3("lab/theirs").browse_only();
        let world = World::with(|builder| {
            let volumes = more.iter().cloned().chain([theirs]);
            volumes.fold(builder, SandboxBuilder::volume)
        });
        let run = world.run(&["doctor", "--json"]);
        assert_eq!(run.exit(), 0, "{}", run.snapshot());
        let volumes = run.document()["checks"]
            .as_array()
            .unwrap()
            .last()
            .unwrap()
            .clone();
        (volumes["verdict"].clone(), volumes["finding"].clone())
    };
    let none = "the only one takes no exports; you have no permission to write to lab/theirs";
    assert_eq!(finding(&[]), ("warning".into(), none.into()));
    let one = "1 of 2 take exports: lab/ours; you have no permission to write to lab/theirs";
    let ours = VolumeSeed::s3("lab/ours");
    assert_eq!(finding(&[ours]), ("ok".into(), one.into()));
}

#[test]
fn a_bad_token() {
    let world = World::new();
    world.write_credentials("default", "0123456789abcdef0123456789abcdef");
    let run = world.run(&["doctor", "--json"]);
    assert_eq!(run.exit(), 5, "{}", run.snapshot());
    let account = run.document()["checks"][3].clone();
    assert_eq!(
        (account["name"].as_str(), account["verdict"].as_str()),
        (Some("account"), Some("failed"))
    );
    assert!(
        account["remedy"].as_str().unwrap().contains("new token"),
        "{account}"
    );
}

#[test]
fn a_token_that_others_can_read() {
    let world = World::new();
    set_mode(&world.home().join(".sevenbridges/credentials"), 0o644);
    let run = world.run(&["doctor", "--json"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let credentials = run.document()["checks"][2].clone();
    assert_eq!(credentials["verdict"], "warning", "{credentials}");
    let remedy = credentials["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("`chmod 600 "), "{credentials}");
}

#[test]
fn what_is_wrong_on_this_machine_has_its_own_remedy() {
    let world = World::new();
    for (variable, value, finding, remedy) in [
        (
            "SSL_CERT_FILE",
            "/nowhere.pem",
            "the trusted certificates can't be loaded",
            "SSL_CERT_FILE",
        ),
        (
            "HTTPS_PROXY",
            ":::",
            "the proxy's address is no http or https URL",
            "HTTPS_PROXY",
        ),
    ] {
        let mut command = world.command(&["doctor", "--json"]);
        command
            .env(variable, value)
            .env("SB_API_ENDPOINT", "https://cavatica.invalid/v2")
            .env("SB_AUTH_TOKEN", "0123456789abcdef0123456789abcdef");
        let run = world.finish(command);
        assert_eq!(run.exit(), 1, "{}", run.snapshot());
        let connection = run.document()["checks"][3].clone();
        assert_eq!(connection["name"], "connection");
        assert!(
            connection["finding"].as_str().unwrap().contains(finding),
            "{connection}"
        );
        assert!(
            connection["remedy"].as_str().unwrap().contains(remedy),
            "{connection}"
        );
    }
}
