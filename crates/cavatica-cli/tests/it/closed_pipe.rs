//! A reader that goes away ends the output, never the work, and never changes the exit code.

use std::io::{BufRead, BufReader, PipeReader, Read, pipe};
use std::process::{Command, Stdio};

use cavatica_sandbox::{ProjectSeed, VolumeSeed};

use crate::harness::World;

const VOLUME: &str = "lab/output";

/// How often each is tried: where in its work the program notices is up to the scheduler.
const TIMES: usize = 10;

/// The least that a pipe holds, so that the program is still writing when its reader goes.
const PIPE_SIZE: usize = 4096;

/// How much is read before the reader goes.
#[derive(Clone, Copy, Debug)]
enum Until {
    Nothing,
    ALine,
    /// This many bytes.
    Part(usize),
}

#[derive(Clone, Copy, Debug)]
enum Stream {
    Stdout,
    Stderr,
}

/// A finished transfer of many files, one of which failed, and one of whose objects is gone.
fn world() -> World {
    let name = "x".repeat(150);
    let project = (0..60).fold(ProjectSeed::new("lab/trio"), |project, number| {
        project.file(format!("{number:02}-{name}.txt"), format!("file {number}"))
    });
    let volume = VolumeSeed::s3(VOLUME);
    let world = World::with(|builder| builder.project(project).volume(volume));
    let plan = "plan --out t.transfer --project lab/trio --volume lab/output --copy";
    assert_eq!(world.run(&words(plan)).exit(), 0);
    let occupied = format!("00-{name}.txt");
    world
        .sandbox
        .put_object(VOLUME, &occupied, b"somebody else's")
        .unwrap();
    let run = world.run(&words("run t.transfer --yes --poll 50ms --no-progress"));
    assert_eq!(run.exit(), 3, "{}", run.snapshot());
    let gone = format!("01-{name}.txt");
    world.sandbox.remove_object(VOLUME, &gone).unwrap();
    let whole = std::fs::read(world.home().join("t.transfer")).unwrap();
    std::fs::write(world.home().join("cut.transfer"), &whole[..whole.len() / 2]).unwrap();
    let rows: String = (0..60)
        .map(|number| format!(",{name}/{number}\n"))
        .collect();
    std::fs::write(
        world.home().join("bad.csv"),
        format!("file_id,location\n{rows}"),
    )
    .unwrap();
    world
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// Reads some of the pipe and closes it.
fn read_and_go(pipe: PipeReader, until: Until) {
    let mut pipe = BufReader::with_capacity(1, pipe);
    match until {
        Until::Nothing => {}
        Until::ALine => drop(pipe.read_line(&mut String::new()).unwrap()),
        Until::Part(bytes) => drop(
            pipe.take(bytes as u64)
                .read_to_end(&mut Vec::new())
                .unwrap(),
        ),
    }
}

fn code(mut command: Command, stream: Stream, until: Until) -> Option<i32> {
    let (reader, writer) = pipe().unwrap();
    rustix::pipe::fcntl_setpipe_size(&writer, PIPE_SIZE).unwrap();
    match stream {
        Stream::Stdout => command.stdout(writer).stderr(Stdio::null()),
        Stream::Stderr => command.stderr(writer).stdout(Stdio::null()),
    };
    let mut child = match until {
        // Nobody reads from the very beginning.
        Until::Nothing => {
            drop(reader);
            command.spawn().unwrap()
        }
        _ => {
            let child = command.spawn().unwrap();
            drop(command);
            read_and_go(reader, until);
            child
        }
    };
    child.wait().unwrap().code()
}

fn holds(world: &World, line: &str, expected: i32) {
    let whole = world.run(&words(line));
    assert_eq!(whole.exit(), expected, "{line}: {}", whole.snapshot());
    let streams = [
        (Stream::Stdout, whole.stdout().len()),
        (Stream::Stderr, whole.stderr().len()),
    ];
    for (stream, length) in streams {
        for until in [Until::Nothing, Until::ALine, Until::Part(length / 2)] {
            for _ in 0..TIMES {
                let code = code(world.command(&words(line)), stream, until);
                assert_eq!(code, Some(expected), "{line}, {stream:?} {until:?}");
            }
        }
    }
}

#[test]
fn a_failed_transfer_ends_with_its_own_code() {
    let world = world();
    holds(&world, "run t.transfer --yes --no-progress", 3);
    holds(&world, "run t.transfer --yes --json -v", 3);
    holds(&world, "retry t.transfer --yes", 3);
}

#[test]
fn a_difference_is_found_without_a_reader() {
    let world = world();
    holds(&world, "verify t.transfer --all", 3);
    holds(&world, "verify t.transfer --all --json -vv", 3);
}

#[test]
fn whatever_judges_keeps_its_verdict() {
    let world = world();
    holds(&world, "check bad.csv", 2);
    holds(&world, "check bad.csv --json", 2);
    holds(&world, "transfers", 1);
    let plan = "plan --out u.transfer --project lab/trio --volume lab/output --copy";
    holds(&world, plan, 2);
    holds(&world, &format!("{plan} --json"), 2);
    holds(&world, "volumes get lab/none", 2);
    holds(&world, "plan --nonsense", 2);
}

#[test]
fn what_was_done_stays_done() {
    let world = world();
    for line in [
        "files list --project lab/trio",
        "files list --project lab/trio --json",
        "files list --project lab/trio --tsv",
        "volumes ls lab/output",
        "jobs list",
        "report t.transfer",
        "report t.transfer --json",
        "status t.transfer -v",
        "support t.transfer",
        "doctor",
        "completions bash",
        "explain 9107",
        "help",
        "plan --help",
    ] {
        holds(&world, line, 0);
    }
}

#[test]
fn a_run_that_nobody_watches_sends_everything() {
    for stream in [Stream::Stdout, Stream::Stderr] {
        let world = world();
        let plan =
            "plan --out v.transfer --project lab/trio --volume lab/output --prefix v/ --copy";
        assert_eq!(world.run(&words(plan)).exit(), 0);
        let before = world.accepted();
        let run = world.command(&words("run v.transfer --yes --poll 50ms -v"));
        assert_eq!(code(run, stream, Until::Nothing), Some(0));
        assert_eq!(world.accepted(), before + 60);
    }
}
