//! Every row of `docs/exit-codes.md`, and the other places that list the codes.

use cavatica_sandbox::{ProjectSeed, VolumeSeed};
use cavatica_test_s3::TestS3;

use crate::harness::{Run, World, set_mode};

const PAGE: &str = include_str!("../../../../docs/exit-codes.md");
const VOLUME: &str = "lab/output";

/// The cells of the page's rows, header and line left out.
fn rows(columns: usize) -> Vec<Vec<&'static str>> {
    let tables = PAGE.lines().filter_map(|line| line.strip_prefix("| "));
    let cells = tables.map(|row| {
        row.trim_end_matches('|')
            .split('|')
            .map(str::trim)
            .collect()
    });
    let is_row = |cells: &Vec<&str>| {
        cells
            .last()
            .is_some_and(|code| !matches!(*code, "code" | "meaning"))
    };
    cells
        .filter(|cells: &Vec<&str>| cells.len() == columns && is_row(cells))
        .collect()
}

#[test]
fn the_codes_are_the_same_on_every_page() {
    let codes = rows(2);
    assert_eq!(codes.len(), 8);
    let help = World::new().run(&["help"]).stdout();
    for (number, cells) in codes.iter().enumerate() {
        assert_eq!(cells[0], number.to_string());
        let line = format!("  {}  {}\n", cells[0], cells[1]);
        assert!(help.contains(&line), "`cavatica help` lacks {line}");
    }
}

/// A world with all that the page speaks of.
fn world() -> World {
    let project = ["a.txt", "b.txt"]
        .iter()
        .fold(ProjectSeed::new("lab/trio"), |project, name| {
            project.file(*name, "x")
        });
    let world = World::with(|builder| {
        builder
            .project(project)
            .volume(VolumeSeed::s3(VOLUME).bucket("bucket-that-is-nowhere"))
            .volume(VolumeSeed::s3("lab/readonly").read_only())
    });
    let file = world.home().join(".sevenbridges/credentials");
    let mut profiles = std::fs::read_to_string(&file).unwrap();
    let endpoint = world.sandbox.endpoint();
    profiles += &format!("[stranger]\napi_endpoint = {endpoint}\nauth_token = unknown\n");
    profiles += "[silent]\napi_endpoint = https://127.0.0.1:1/v2\nauth_token = unknown\n";
    std::fs::write(&file, profiles).unwrap();
    set_mode(&file, 0o600);
    std::fs::write(world.home().join("bad.csv"), "file_id,location\n,a\n").unwrap();
    world
        .sandbox
        .put_object(VOLUME, "taken/file", b"x")
        .unwrap();
    for name in ["new", "done", "failed", "gone"] {
        let (out, prefix) = (format!("{name}.transfer"), format!("{name}/"));
        let plan = [
            "plan",
            "--out",
            &out,
            "--project",
            "lab/trio",
            "--volume",
            VOLUME,
            "--prefix",
            &prefix,
            "--copy",
        ];
        assert_eq!(world.run(&plan).exit(), 0);
    }
    world
        .sandbox
        .put_object(VOLUME, "failed/a.txt", b"y")
        .unwrap();
    for (name, exit) in [("done", 0), ("failed", 3), ("gone", 0)] {
        let run = world.run(&[
            "run",
            &format!("{name}.transfer"),
            "--yes",
            "--poll",
            "50ms",
        ]);
        assert_eq!(run.exit(), exit, "{}", run.snapshot());
    }
    world.sandbox.remove_object(VOLUME, "gone/a.txt").unwrap();
    world
}

/// The id of a job in this state.
fn job(world: &World, state: &str) -> String {
    let run = world.run(&["jobs", "list", "--json", "--state", state]);
    run.documents()[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn each_command_ends_as_the_page_says() {
    let world = world();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = runtime.block_on(TestS3::start());
    let values = [
        ("FILE", world.sandbox.file_id("lab/trio", "a.txt").unwrap()),
        ("JOB", job(&world, "COMPLETED")),
        ("FAILED_JOB", job(&world, "FAILED")),
    ];
    let run = |line: &str| -> Run {
        let words = line.split(' ').skip(1).map(|word| {
            let value = values.iter().find(|(name, _)| *name == word);
            value.map_or(word, |(_, value)| value)
        });
        let mut words: Vec<&str> = words.collect();
        if words.contains(&"bucket") {
            words.extend(["--s3-endpoint", store.endpoint()]);
        }
        let mut command = world.command(&words);
        command
            .env("AWS_ACCESS_KEY_ID", TestS3::KEY_ID)
            .env("AWS_SECRET_ACCESS_KEY", TestS3::SECRET);
        world.finish(command)
    };
    let rows = rows(3);
    assert!(rows.len() > 50, "the page has lost its table");
    for cells in rows {
        let (line, code) = (cells[1].trim_matches('`'), cells[2]);
        let run = run(line);
        assert_eq!(run.exit().to_string(), code, "{line}: {}", run.snapshot());
    }
}
