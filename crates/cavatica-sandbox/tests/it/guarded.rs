//! Who gets in, and how much anybody can make the sandbox keep.

use cavatica_sandbox::{ProjectSeed, Sandbox, SandboxError};
use serde_json::json;

use crate::client::{Outcome, get, patch, post, request};

#[tokio::test]
async fn every_sandbox_has_a_token_of_its_own_and_keeps_it() -> Outcome {
    let (one, other) = (
        Sandbox::builder().start().await?,
        Sandbox::builder().start().await?,
    );
    assert_ne!(one.token(), other.token());

    let data = tempfile::tempdir()?;
    let open = || Sandbox::builder().data(data.path()).start();
    let sandbox = open().await?;
    let token = sandbox.token().to_owned();
    let log = std::fs::read_to_string(data.path().join("world.jsonl"))?;
    assert!(!log.contains(&token), "only the token's own files tell it");
    sandbox.stop().await;
    assert_eq!(open().await?.token(), token);
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn the_data_is_for_its_owner_alone() -> Outcome {
    use std::os::unix::fs::PermissionsExt;

    let home = tempfile::tempdir()?;
    let data = home.path().join("a/desk");
    // Somebody else's file, that a link in the folder leads to.
    std::fs::create_dir_all(&data)?;
    let victim = home.path().join("victim");
    std::fs::write(&victim, "precious")?;
    std::os::unix::fs::symlink(&victim, data.join("credentials"))?;
    let sandbox = Sandbox::builder().data(&data).start().await?;
    for name in ["token", "credentials", "world.jsonl", "projects", "volumes"] {
        let mode = std::fs::metadata(sandbox.data().join(name))?
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    assert_eq!(std::fs::read_to_string(victim)?, "precious");

    let new = home.path().join("new");
    let sandbox = Sandbox::builder().data(&new).start().await?;
    let mode = std::fs::metadata(sandbox.data())?.permissions().mode();
    assert_eq!(mode & 0o077, 0);
    Ok(())
}

/// What a page of another site can make a browser do: by a name of its own that leads here, or by ours.
#[tokio::test]
async fn other_sites_get_nothing() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let origin = sandbox.endpoint().trim_end_matches("/v2").to_owned();
    let port = origin.rsplit_once(':').map_or("", |(_, port)| port);
    let file = json!({"file": "sandbox/demo:README.txt", "archived": true});
    let calls = || {
        [
            get(&sandbox, "/user"),
            get(&sandbox, "/"),
            get(&sandbox, "/nowhere"),
            get(&sandbox, "/_sandbox/ledger"),
            get(&sandbox, "/_sandbox/page.js"),
            patch(&sandbox, "/_sandbox/files", &file),
            post(&sandbox, "/storage/exports", &json!({})),
        ]
    };
    for host in [
        "evil.example".to_owned(),
        format!("evil.example:{port}"),
        "localhost:1".to_owned(),
        "127.0.0.1".to_owned(),
        format!("127.0.0.1.evil.example:{port}"),
        String::new(),
    ] {
        for call in calls() {
            let answer = call.host(&host).send().await;
            assert_eq!((answer.status, &*answer.text), (421, ""), "{host}");
        }
    }
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Origin", "http://localhost:1"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        for call in calls() {
            let answer = call.header(name, value).send().await;
            assert_eq!((answer.status, &*answer.text), (421, ""), "{name}: {value}");
        }
    }
    assert_eq!(sandbox.ledger().requests.len(), 0);
    assert_eq!(sandbox.ledger().requests_elsewhere, 0);

    for name in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"] {
        let answer = get(&sandbox, "/user").host(&format!("{name}:{port}"));
        assert_eq!(answer.send().await.status, 200, "{name}");
    }
    let own = get(&sandbox, "/_sandbox/state")
        .header("Origin", &origin)
        .header("Sec-Fetch-Site", "same-origin");
    assert_eq!(own.send().await.status, 200);
    Ok(())
}

#[tokio::test]
async fn all_but_the_empty_page_needs_the_token() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let body = json!({});
    for (method, path) in [
        ("GET", "/_sandbox/ledger"),
        ("GET", "/_sandbox/state"),
        ("GET", "/_sandbox/faults"),
        ("GET", "/_sandbox/settings"),
        ("POST", "/_sandbox/faults"),
        ("DELETE", "/_sandbox/faults"),
        ("PATCH", "/_sandbox/settings"),
        ("POST", "/_sandbox/files"),
        ("PATCH", "/_sandbox/files"),
        ("DELETE", "/_sandbox/files?file=sandbox/demo:README.txt"),
        ("POST", "/_sandbox/objects"),
        (
            "DELETE",
            "/_sandbox/objects?volume=sandbox/output&location=earlier/exported.bam",
        ),
        ("POST", "/_sandbox/exports"),
        ("PATCH", "/_sandbox/volumes?volume=sandbox/output"),
        ("PUT", "/_sandbox/nothing"),
    ] {
        let call = || request(&sandbox, method, path).body(body.to_string());
        let answer = call().without_token().send().await;
        assert_eq!(answer.code(), (401, 90001), "{method} {path}");
        let wrong = call().without_token().header("X-SBG-Auth-Token", "x");
        assert_eq!(wrong.send().await.code(), (401, 90001), "{method} {path}");
    }
    assert!(sandbox.file_id("sandbox/demo", "README.txt").is_some());
    for path in ["/", "/_sandbox/page.js", "/_sandbox/page.css"] {
        let answer = get(&sandbox, path).without_token();
        assert_eq!(answer.send().await.status, 200, "{path}");
    }
    Ok(())
}

#[tokio::test]
async fn nothing_can_be_framed_or_taken_for_something_else() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    for path in ["/user", "/nowhere", "/_sandbox/ledger", "/_sandbox/page.js"] {
        let answer = get(&sandbox, path).send().await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        let policy = answer.header("content-security-policy").unwrap_or_default();
        assert!(policy.starts_with("default-src 'none';"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
    Ok(())
}

#[tokio::test]
async fn what_strangers_ask_for_is_not_kept() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let size = || serde_json::to_string(&sandbox.ledger()).map(|text| text.len());
    let methods: Vec<String> = (0..50).map(|number| format!("PURGE{number}")).collect();
    for method in &methods {
        // A test's requests name their methods for good.
        let method: &'static str = method.clone().leak();
        let answer = request(&sandbox, method, "/user").send().await;
        assert_eq!(answer.code(), (405, 90006));
        request(&sandbox, method, &format!("/{method}"))
            .send()
            .await;
    }
    let ledger = sandbox.ledger();
    assert!(ledger.requests.is_empty(), "{:?}", ledger.requests);
    assert_eq!(ledger.requests_elsewhere, 100);

    for number in 0..120 {
        let header = format!("X-Stray-{number}");
        let astray = get(&sandbox, "/user").header(&header, sandbox.token());
        astray.send().await;
    }
    let ledger = sandbox.ledger();
    assert_eq!(ledger.stray_tokens.len(), 101);
    assert_eq!(ledger.stray_tokens["elsewhere"], 20);
    assert!(size()? < 20_000);

    let long = format!("/files?project=sandbox/demo&name={}", "x".repeat(17 << 10));
    assert_eq!(get(&sandbox, &long).send().await.status, 414);
    let location = "x".repeat(20 << 10);
    let wish = json!({
        "source": {"file": sandbox.file_id("sandbox/demo", "README.txt")},
        "destination": {"volume": "sandbox/output", "location": location},
    });
    let refused = post(&sandbox, "/storage/exports", &wish).send().await;
    assert_eq!(refused.code(), (400, 9011));
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn links_out_of_a_folder_to_copy_are_refused_before_anything_is_made() -> Outcome {
    let home = tempfile::tempdir()?;
    let source = home.path().join("source");
    std::fs::create_dir_all(source.join("run1"))?;
    std::fs::write(source.join("run1/a.vcf"), "text")?;
    std::fs::write(home.path().join("secret"), "key")?;
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, source.join(at));
    link("run1/a.vcf", "same.vcf")?;
    let data = home.path().join("data");
    let start = || {
        let project = ProjectSeed::new("a/b").from_dir(&source);
        Sandbox::builder().project(project).data(&data).start()
    };
    link("../secret", "key")?;
    link("../../secret", "run1/key")?;
    link("/etc", "etc")?;
    let outcome = start().await;
    let Err(SandboxError::LinksOut(links)) = &outcome else {
        panic!("{outcome:?}");
    };
    let names = ["etc", "key", "run1/key"].map(|name| source.join(name));
    assert_eq!(*links, names);
    assert!(!data.exists());

    for name in names {
        std::fs::remove_file(name)?;
    }
    let sandbox = start().await?;
    let copied = sandbox.data().join("projects/a/b/same.vcf");
    assert_eq!(std::fs::read_to_string(copied)?, "text");
    Ok(())
}
