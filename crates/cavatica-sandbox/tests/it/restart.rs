use std::fs;
use std::io::Write;
use std::time::Duration;

use cavatica_sandbox::{ProjectSeed, Sandbox, SandboxError, VolumeSeed};

use crate::client::{Outcome, ended, export, file, get, started};

#[tokio::test]
async fn the_same_folder_brings_the_same_world_back() -> Outcome {
    let data = tempfile::tempdir()?;
    let open = || Sandbox::builder().data(data.path()).seed(3).start();
    let sandbox = open().await?;
    let moved = file(&sandbox, "README.txt");
    let job = started(&sandbox, "", &export(&moved, "sandbox/output", "a")).await;
    ended(&sandbox, &job).await;
    let refused = export(
        &file(&sandbox, "reference/genome.fa"),
        "sandbox/output",
        "b",
    );
    crate::client::post(&sandbox, "/storage/exports", &refused)
        .send()
        .await;
    let (before, token) = (sandbox.ledger(), sandbox.token().to_owned());
    let seen = get(&sandbox, &format!("/files/{moved}?fields=!href"))
        .send()
        .await;
    sandbox.stop().await;

    // Another seed and other projects don't count any more.
    let sandbox = Sandbox::builder()
        .data(data.path())
        .seed(4)
        .project(ProjectSeed::new("other/project"))
        .start()
        .await?;
    let after = sandbox.ledger();
    assert_eq!(after.jobs, before.jobs);
    assert_eq!(after.objects, before.objects);
    assert_eq!(sandbox.token(), token);
    let again = get(&sandbox, &format!("/files/{moved}?fields=!href"))
        .send()
        .await;
    assert_eq!(again.json(), seen.json());
    assert_eq!(again.json()["storage"]["type"], "VOLUME");
    Ok(())
}

#[tokio::test]
async fn unfinished_jobs_are_taken_up_again() -> Outcome {
    let data = tempfile::tempdir()?;
    let open = || {
        Sandbox::builder()
            .data(data.path())
            .job_duration(Duration::from_millis(300)..=Duration::from_millis(300))
            .start()
    };
    let sandbox = open().await?;
    let id = file(&sandbox, "README.txt");
    let job = started(&sandbox, "", &export(&id, "sandbox/output", "a/b")).await;
    let place = sandbox.object_path("sandbox/output", "a/b");
    sandbox.stop().await;

    // What a kill could leave: an object that nobody was told of, a temporary file, a line cut short.
    fs::create_dir_all(place.parent().expect("a folder"))?;
    fs::write(&place, "not yet told")?;
    fs::write(data.path().join("tmp/half"), "half")?;
    let mut log = fs::OpenOptions::new()
        .append(true)
        .open(data.path().join("world.jsonl"))?;
    log.write_all(b"{\"running\":{\"jo")?;
    drop(log);

    let sandbox = open().await?;
    assert_eq!(ended(&sandbox, &job).await["state"], "COMPLETED");
    assert_eq!(fs::read(&place)?, b"Files to try exports with.\n");
    assert_eq!(fs::read_dir(data.path().join("tmp"))?.count(), 0);
    assert_eq!(sandbox.ledger().starts, 1);
    sandbox.stop().await;

    // A copy of the platform's that a kill kept from being deleted.
    let left = data.path().join("projects/sandbox/demo/README.txt");
    fs::write(&left, "Files to try exports with.\n")?;
    let sandbox = open().await?;
    assert!(!left.exists());
    sandbox.stop().await;
    Ok(())
}

#[tokio::test]
async fn one_sandbox_at_a_time_uses_a_folder() -> Outcome {
    let data = tempfile::tempdir()?;
    let sandbox = Sandbox::builder().data(data.path()).start().await?;
    let second = Sandbox::builder().data(data.path()).start().await;
    assert!(matches!(second, Err(SandboxError::Busy(_))), "{second:?}");
    sandbox.stop().await;
    Sandbox::builder().data(data.path()).start().await?;
    Ok(())
}

#[tokio::test]
async fn a_temporary_folder_goes_with_its_sandbox() -> Outcome {
    let sandbox = Sandbox::builder().start().await?;
    let data = sandbox.data().to_owned();
    sandbox.stop().await;
    assert!(!data.exists());
    Ok(())
}

#[tokio::test]
async fn a_log_of_something_else_is_refused() -> Outcome {
    let data = tempfile::tempdir()?;
    fs::write(
        data.path().join("world.jsonl"),
        "{\"running\":{\"job\":0}}\n",
    )?;
    let error = Sandbox::builder().data(data.path()).start().await;
    assert!(
        matches!(error, Err(SandboxError::Log { line: 1, .. })),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn worlds_that_contradict_themselves_are_refused() -> Outcome {
    let project = |id: &str| ProjectSeed::new(id).file("x", "");
    let bad = [
        Sandbox::builder().project(project("noslash")),
        Sandbox::builder()
            .project(project("a/b"))
            .project(project("a/b")),
        Sandbox::builder().project(project("a/b").file("x", "")),
        Sandbox::builder().project(project("a/b").file("x/y", "")),
        Sandbox::builder().project(project("a/b").file("y//z", "")),
        Sandbox::builder().volume(VolumeSeed::s3("v")),
        Sandbox::builder().token(""),
        Sandbox::builder().token("two words"),
    ];
    for builder in bad {
        let shown = format!("{builder:?}");
        let outcome = builder.start().await;
        assert!(
            matches!(outcome, Err(SandboxError::World(_))),
            "{shown}: {outcome:?}"
        );
    }
    Ok(())
}
