//! The screen of a run as people see it, on terminals of 40, 80 and 200 columns: what it waits for, how it is stopped and
//! taken up again, and that no number is contradicted by a later one. `snapshots/` holds the screens.

use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use cavatica_sandbox::{FaultPlan, ProjectSeed, Route, SandboxBuilder, VolumeSeed};

use crate::harness::World;
use crate::pty::{Ended, Terminal};

const RUN: [&str; 5] = ["run", "t.transfer", "--yes", "--poll", "100ms"];

/// How often somebody asks in a second terminal.
const ASK_EVERY: Duration = Duration::from_millis(200);

/// Longer than any test.
const FOR_EVER: Duration = Duration::from_secs(24 * 3600);

fn planned(mode: &str, change: impl FnOnce(SandboxBuilder) -> SandboxBuilder) -> World {
    let project = (1..=4).fold(ProjectSeed::new("lab/trio"), |project, number| {
        project.file(format!("results/sample {number}.vcf"), "##fileformat=VCF")
    });
    let world = World::with(|builder| {
        change(
            builder
                .project(project)
                .volume(VolumeSeed::s3("lab/output")),
        )
    });
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trio",
        "--volume",
        "lab/output",
        mode,
    ];
    let run = world.run(&plan);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    world
}

fn run_on(world: &World, columns: u16) -> Terminal {
    Terminal::start(&world.command(&RUN), 24, columns)
}

fn jobs_take(how_long: Duration) -> impl FnOnce(SandboxBuilder) -> SandboxBuilder {
    move |builder| builder.job_duration(how_long..=how_long)
}

/// The screen with a 9 for every number, which differ from run to run.
fn masked(screen: &str) -> String {
    let mut text = String::new();
    for letter in screen.chars() {
        match letter {
            '0'..='9' if text.ends_with('9') => {}
            '0'..='9' => text.push('9'),
            letter => text.push(letter),
        }
    }
    text
}

#[test]
fn the_screen_says_what_it_waits_for_at_every_width() {
    let world = planned("--move", jobs_take(FOR_EVER));
    for columns in [40, 80, 200] {
        let mut terminal = run_on(&world, columns);
        terminal.shows("waiting for the end of 4");
        terminal.types("\u{3}");
        let ended = terminal.ends();
        assert_eq!(ended.exit, Some(6), "{}", ended.text);
        let screen = ended
            .frames
            .iter()
            .find(|frame| frame.contains("the end of 4"));
        insta::assert_snapshot!(format!("jobs_{columns}"), masked(screen.unwrap()));
        insta::assert_snapshot!(format!("stopped_{columns}"), masked(&ended.text));
        fits(&ended, columns);
    }
}

/// No line is longer than the terminal, so that none is broken in the middle of a word by it.
fn fits(ended: &Ended, columns: u16) {
    let widest = ended.text.lines().map(|line| line.chars().count()).max();
    assert!(
        widest.unwrap_or(0) <= usize::from(columns),
        "{}",
        ended.text
    );
}

#[test]
fn the_first_copy_goes_alone_and_the_screen_says_so() {
    let world = planned("--copy", jobs_take(FOR_EVER));
    let mut terminal = run_on(&world, 80);
    let screen = terminal.shows("waiting for the first copy");
    insta::assert_snapshot!("first_copy", masked(&screen));
    terminal.types("\u{3}");
    assert_eq!(terminal.ends().exit, Some(6));
}

#[test]
fn the_limit_is_named_with_its_end() {
    let world = planned("--move", |builder| {
        jobs_take(FOR_EVER)(builder).rate_limit(12, Duration::from_secs(300))
    });
    let mut terminal = run_on(&world, 80);
    let screen = terminal.shows("waiting for the limit on requests, until ");
    let (_, until) = screen.split_once("until ").unwrap();
    assert_eq!(masked(&until[..8]), "9:9:9", "{screen}");
    terminal.types("\u{3}");
    assert_eq!(terminal.ends().exit, Some(6));
}

/// What was accepted goes on at the platform, and that is said while it is away.
#[test]
fn a_platform_that_is_away_is_named_with_what_goes_on_there_and_the_next_try() {
    let world = planned("--move", jobs_take(FOR_EVER));
    let mut terminal = run_on(&world, 200);
    terminal.shows("waiting for the end of 4 jobs");
    world
        .sandbox
        .set_faults("drop-before".parse::<FaultPlan>().unwrap());
    let screen = terminal.shows("waiting for the platform; next try ");
    assert!(
        screen.contains("; 4 exports go on there; next try "),
        "{screen}"
    );
    world.sandbox.set_faults(FaultPlan::default());
    terminal.types("\u{3}");
    assert_eq!(terminal.ends().exit, Some(6));
}

/// The same before the run has begun, where nothing is tried again by itself.
#[test]
fn a_run_that_can_not_begin_says_what_goes_on_there() {
    let world = planned("--move", jobs_take(FOR_EVER));
    let mut terminal = run_on(&world, 80);
    terminal.shows("waiting for the end of 4 jobs");
    terminal.types("\u{3}");
    assert_eq!(terminal.ends().exit, Some(6));
    world
        .sandbox
        .set_faults("drop-before".parse::<FaultPlan>().unwrap());
    let run = world.run(&RUN);
    assert_eq!(run.exit(), 1, "{}", run.snapshot());
    let error = run.stderr();
    assert!(
        error.contains("; 4 exports go on there; the run has not begun"),
        "{error}"
    );
    assert!(error.contains("`cavatica run t.transfer --yes`"), "{error}");
}

#[test]
fn a_run_that_was_stopped_goes_on_and_says_its_last_word_once() {
    let world = planned("--move", jobs_take(Duration::from_millis(300)));
    world
        .sandbox
        .set_faults("maintenance@bulk-get".parse::<FaultPlan>().unwrap());
    let mut terminal = run_on(&world, 80);
    terminal.shows("4 running");
    terminal.types("\u{3}");
    let stopped = terminal.ends();
    assert_eq!(stopped.exit, Some(6), "{}", stopped.text);
    assert!(
        stopped.text.contains("stopping: nothing more is sent"),
        "{}",
        stopped.text
    );
    assert!(
        stopped.text.contains("goes on from here"),
        "{}",
        stopped.text
    );

    world.sandbox.set_faults(FaultPlan::default());
    let done = run_on(&world, 80).ends();
    assert_eq!(done.exit, Some(0), "{}", done.text);
    assert!(
        done.text.contains("going on: 0 of 4 files done"),
        "{}",
        done.text
    );
    assert_eq!(done.text.matches("4 completed").count(), 1, "{}", done.text);
    assert!(
        !done.text.contains("requests left"),
        "the screen stays: {}",
        done.text
    );
    assert_eq!(world.accepted(), 4, "something was sent twice");
    insta::assert_snapshot!("done", masked(&done.text));
}

#[test]
fn a_second_ctrl_c_quits_at_once() {
    let hang = "hang-before@bulk-start".parse::<FaultPlan>().unwrap();
    let world = planned("--move", |builder| builder.faults(hang));
    let mut terminal = run_on(&world, 80);
    let sent = || world.sandbox.ledger().requests_to(Route::BulkStart) > 0;
    assert!(terminal.reads_until(|_| sent()), "nothing was sent");
    terminal.types("\u{3}");
    terminal.shows("waiting for the answers that are due");
    terminal.types("\u{3}");
    let ended = terminal.ends();
    assert_eq!(ended.exit, Some(6), "{}", ended.text);
    assert!(!ended.text.contains("goes on from here"), "{}", ended.text);
}

#[test]
fn a_terminal_may_change_its_size() {
    let world = planned("--move", jobs_take(FOR_EVER));
    let mut terminal = run_on(&world, 120);
    terminal.shows("waiting for the end of 4 jobs");
    terminal.resizes(24, 40);
    terminal.shows("waiting for the end of 4 jobs at the\n");
    terminal.resizes(24, 100);
    terminal.shows("waiting for the end of 4 jobs at the platform");
    terminal.types("\u{3}");
    let ended = terminal.ends();
    assert_eq!(ended.exit, Some(6), "{}", ended.text);
}

#[test]
fn a_run_is_followed_from_a_second_terminal() {
    let world = planned("--move", jobs_take(FOR_EVER));
    let mut run = run_on(&world, 80);
    run.shows("waiting for the end of 4 jobs");
    let watch = world.command(&["status", "t.transfer", "--watch"]);
    let mut beside = Terminal::start(&watch, 24, 80);
    beside.shows("4 running");
    run.types("\u{3}");
    assert_eq!(run.ends().exit, Some(6));
    let ended = beside.ends();
    assert_eq!(ended.exit, Some(0), "{}", ended.text);
    assert!(
        ended.text.contains("unfinished, last run"),
        "{}",
        ended.text
    );
}

/// `NO_COLOR` (<https://no-color.org>) takes the colours, and nothing else.
#[test]
fn no_color_takes_the_colours_and_leaves_the_screen() {
    let world = planned("--move", jobs_take(FOR_EVER));
    let colours =
        |ended: &Ended| ended.raw.contains("\u{1b}[1m") || ended.raw.contains("\u{1b}[31m");
    for no_color in [false, true] {
        let command = |args: &[&str]| {
            let mut command: Command = world.command(args);
            if no_color {
                command.env("NO_COLOR", "1");
            }
            command
        };
        let refused = Terminal::start(&command(&["status", "nowhere.transfer"]), 24, 80).ends();
        assert_eq!(colours(&refused), !no_color, "{:?}", refused.raw);
        let mut terminal = Terminal::start(&command(&RUN), 24, 80);
        terminal.shows("waiting for the end of 4 jobs");
        terminal.types("\u{3}");
        let ended = terminal.ends();
        assert!(
            ended.frames.iter().any(|frame| frame.contains("[----")),
            "{}",
            ended.text
        );
        if no_color {
            assert!(!colours(&ended), "{:?}", ended.raw);
        }
    }
}

/// The terminal's window is closed: what was sent goes on at the platform, and the next run goes on with it.
#[test]
fn a_closed_terminal_ends_a_run_that_the_next_one_takes_up() {
    let world = planned("--move", jobs_take(Duration::from_millis(100)));
    world
        .sandbox
        .set_faults("maintenance@bulk-get".parse::<FaultPlan>().unwrap());
    let mut terminal = run_on(&world, 80);
    terminal.shows("4 running");
    let ended = terminal.closes().wait().unwrap();
    assert_eq!(ended.code(), None, "a hang-up ends it");
    world.sandbox.set_faults(FaultPlan::default());
    let run = world.run(&RUN);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert_eq!(world.accepted(), 4, "something was sent twice");
}

/// Under `nohup` or behind a `trap` the run outlives its terminal, and does its work to the end.
#[test]
fn a_run_that_ignores_the_hang_up_outlives_its_terminal() {
    let world = planned("--move", jobs_take(Duration::from_millis(100)));
    world
        .sandbox
        .set_faults("maintenance@bulk-get".parse::<FaultPlan>().unwrap());
    let run = world.command(&RUN);
    let mut shell = Command::new("/bin/sh");
    let words: Vec<&str> = run.get_args().filter_map(|arg| arg.to_str()).collect();
    shell.arg("-c").arg(format!(
        "trap '' HUP; exec {} {}",
        env!("CARGO_BIN_EXE_cavatica"),
        words.join(" ")
    ));
    shell.env("HOME", world.home()).current_dir(world.home());
    let mut terminal = Terminal::start(&shell, 24, 80);
    terminal.shows("4 running");
    let mut program = terminal.closes();
    world.sandbox.set_faults(FaultPlan::default());
    assert_eq!(program.wait().unwrap().code(), Some(0));
    assert_eq!(
        world.run(&["status", "t.transfer", "--json"]).document()["completed"],
        4
    );
}

/// Watches a run with failures from its beginning to its end.
fn watch(files: u32) {
    let project = ProjectSeed::new("lab/trio").synthetic("results", files, 1_000);
    let world = World::with(|builder| {
        builder
            .project(project)
            .volume(VolumeSeed::s3("lab/output"))
            .fail_share(0.03)
            .faults("fail-jobs=9103,every=20".parse::<FaultPlan>().unwrap())
            .job_duration(Duration::from_millis(20)..=Duration::from_secs(2))
    });
    let plan = [
        "plan",
        "--out",
        "t.transfer",
        "--project",
        "lab/trio",
        "--volume",
        "lab/output",
        "--move",
    ];
    assert_eq!(world.run(&plan).exit(), 0);
    let (runs, is_over) = mpsc::channel();
    let ended = std::thread::scope(|scope| {
        let beside = scope.spawn(|| a_second_terminal(&world, files, is_over));
        let ended = run_on(&world, 120).ends();
        drop(runs);
        beside.join().unwrap();
        ended
    });
    assert_eq!(ended.exit, Some(3), "{}", ended.text);
    let mut before = Counts::default();
    let mut seen = 0;
    for frame in &ended.frames {
        let Some(now) = Counts::of(frame) else {
            continue;
        };
        seen += 1;
        assert_eq!(now.total, u64::from(files), "{frame}");
        assert_eq!(
            now.done + now.failed + now.again + now.running + now.left,
            now.total,
            "{frame}"
        );
        assert_eq!(now.ended, now.done + now.failed, "{frame}");
        assert_eq!(now.percent, now.ended * 100 / now.total, "{frame}");
        let contradicted = now.percent < before.percent
            || now.ended < before.ended
            || now.done < before.done
            || now.failed < before.failed;
        assert!(
            seen == 1 || !contradicted,
            "{before:?}, then {now:?} in\n{frame}"
        );
        assert!(
            !frame.contains(" 0 seconds left") && !frame.contains(" 0 min left"),
            "{frame}"
        );
        before = now;
    }
    assert!(seen > 5, "only {seen} screens were seen");
    let named = ended
        .text
        .lines()
        .filter(|line| line.starts_with("failed: "));
    assert!(named.count() <= 20, "{}", ended.text);
    assert!(
        ended.text.contains("further failures aren't named here"),
        "{}",
        ended.text
    );
    let last = world.run(&["status", "t.transfer", "--json"]).document();
    assert!(last["completed"].as_u64().unwrap() >= before.done, "{last}");
    assert!(last["failed"].as_u64().unwrap() >= before.failed, "{last}");
}

/// Asks for the status while the run is on: its counts go one way, too.
fn a_second_terminal(world: &World, files: u32, is_over: mpsc::Receiver<()>) {
    let (mut before, mut running) = ([0; 3], 0);
    while is_over.recv_timeout(ASK_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
        let status = world.run(&["status", "t.transfer", "--json"]).document();
        let count = |key: &str| status[key].as_u64().unwrap();
        let now = ["completed", "failed", "unknown"].map(count);
        assert_eq!(
            now.iter().sum::<u64>() + count("left"),
            u64::from(files),
            "{status}"
        );
        let troubles = status["troubles"].as_array().unwrap().iter();
        let told: u64 = troubles.map(|group| group["files"].as_u64().unwrap()).sum();
        assert!(told >= now[1], "each is told with its code: {status}");
        assert!(
            before.iter().zip(&now).all(|(before, now)| before <= now),
            "{before:?}, then {status}"
        );
        before = now;
        running += u64::from(status["state"] == "running");
    }
    assert!(running > 5, "it was seen to run {running} times");
}

/// What a screen says.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    percent: u64,
    ended: u64,
    total: u64,
    done: u64,
    failed: u64,
    again: u64,
    running: u64,
    left: u64,
}

impl Counts {
    /// The numbers of the bar and of the line below it, if the screen has both.
    fn of(frame: &str) -> Option<Self> {
        let bar = frame
            .lines()
            .position(|line| line.contains("] ") && line.contains(" %, "))?;
        let mut lines = frame.lines().skip(bar);
        let (_, bar) = lines.next()?.split_once("] ")?;
        let counts = lines.next()?;
        let (percent, rest) = bar.split_once(" %, ")?;
        let (ended, total) = rest.split_once(" of ")?;
        let number = |word: &str| {
            let (before, _) = counts.split_once(&format!(" {word}"))?;
            before.rsplit([' ', '(']).next()?.parse().ok()
        };
        Some(Counts {
            percent: percent.parse().ok()?,
            ended: ended.parse().ok()?,
            total: total.trim().parse().ok()?,
            done: number("done")?,
            failed: number("failed")?,
            again: number("to be tried again").unwrap_or(0),
            running: number("running")?,
            left: number("left")?,
        })
    }
}

#[test]
fn no_number_is_contradicted_by_a_later_one() {
    watch(2_000);
}

/// The same at the size of a night's run: some minutes.
#[test]
#[ignore = "takes minutes; the ordinary test is the same with fewer files"]
fn no_number_is_contradicted_by_a_later_one_in_a_large_run() {
    watch(20_000);
}
