//! What a shell completes: transfers, volumes, projects, profiles and codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::World;
use crate::pty::Terminal;

fn planned() -> World {
    let world = World::new();
    let plan = "plan --out c7.transfer --project sandbox/demo --volume sandbox/output --copy";
    let plan: Vec<&str> = plan.split(' ').collect();
    assert_eq!(world.run(&plan).exit(), 0);
    fs::create_dir(world.home().join("old")).unwrap();
    fs::copy(
        world.home().join("c7.transfer"),
        world.home().join("old/c6.transfer"),
    )
    .unwrap();
    fs::write(world.home().join("notes.txt"), "").unwrap();
    world
}

#[test]
fn a_value_is_completed_by_what_is_there() {
    let world = planned();
    for (typed, expected) in [
        ("cavatica run ", "c7.transfer old/"),
        ("cavatica run --yes c", "c7.transfer"),
        ("cavatica status old/", "old/c6.transfer"),
        ("cavatica --json report --format csv ", "c7.transfer old/"),
        ("cavatica volumes get sandbox/r", "sandbox/readonly"),
        ("cavatica plan --copy --project sandbox/d", "sandbox/demo"),
        ("cavatica jobs list --volume sandbox/o", "sandbox/output"),
        ("cavatica volumes list --profile ", "cavatica"),
        (
            "cavatica retry c7.transfer --code 910",
            "9100 9101 9102 9103 9104 9105 9106 9107 9108 9109",
        ),
        ("cavatica explain volume-r", "volume-read-only"),
        // What the scripts know themselves is left to them.
        ("cavatica ru", ""),
        ("cavatica run --", ""),
        ("cavatica plan --out ", ""),
    ] {
        let words: Vec<&str> = typed.split(' ').collect();
        let index = (words.len() - 1).to_string();
        let args: Vec<&str> = ["complete", &index].into_iter().chain(words).collect();
        let run = world.run(&args);
        assert_eq!(run.exit(), 0, "{}", run.snapshot());
        let stdout = run.stdout();
        let values: Vec<&str> = stdout.lines().collect();
        assert_eq!(values.join(" "), expected, "{typed}");
    }
    // Without the platform there is nothing to complete, and nothing to complain about.
    let run = world.run(&[
        "complete",
        "3",
        "--token-file",
        "none",
        "cavatica",
        "volumes",
        "get",
        "",
    ]);
    assert_eq!(
        (run.exit(), run.stdout().as_str()),
        (0, ""),
        "{}",
        run.snapshot()
    );
}

/// Loads the script as people do, types the beginning of a line and a tab, and looks at what the shell makes of it.
#[expect(clippy::print_stderr, reason = "a test that was skipped says so")]
fn completes(shell: &str, arguments: &[&str], script: &str, settings: (&str, &str)) {
    if Command::new(shell).arg("--version").output().is_err() {
        eprintln!("skipped: there is no {shell} here");
        return;
    }
    let world = planned();
    let write = |path: &str, text: &str| {
        let path = world.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write(script, &world.run(&["completions", shell]).stdout());
    write(settings.0, settings.1);
    let program = Path::new(env!("CARGO_BIN_EXE_cavatica"));
    let mut command = Command::new(shell);
    command
        .args(arguments)
        .env("HOME", world.home())
        .env(
            "PATH",
            format!("{}:/usr/bin:/bin", program.parent().unwrap().display()),
        )
        .current_dir(world.home());
    let mut terminal = Terminal::start(&command, 24, 100);
    terminal.shows("ready>");
    for (typed, completed) in [
        ("cavatica run c", "cavatica run c7.transfer"),
        ("cavatica run --yes ol", "cavatica run --yes old/"),
        (
            "cavatica volumes get sandbox/o",
            "cavatica volumes get sandbox/output",
        ),
        (
            "cavatica volumes list --prof",
            "cavatica volumes list --profile",
        ),
        ("cavatica transf", "cavatica transfers"),
    ] {
        terminal.types(&format!("{typed}\t"));
        terminal.shows(completed);
        // Ctrl-U empties the line.
        terminal.types("\u{15}");
    }
    terminal.types("exit 0\r");
    assert_eq!(terminal.ends().exit, Some(0));
}

#[test]
fn bash_completes() {
    let settings = "PS1='ready> '; . ./cavatica.bash\n";
    completes(
        "bash",
        &["--noprofile", "--rcfile", "settings", "-i"],
        "cavatica.bash",
        ("settings", settings),
    );
}

#[test]
fn zsh_completes() {
    let settings =
        "PS1='ready> '; fpath=(~/functions $fpath); autoload -Uz compinit && compinit -u -D\n";
    completes("zsh", &["-i"], "functions/_cavatica", (".zshrc", settings));
}

#[test]
fn fish_completes() {
    let settings = "set fish_greeting; function fish_prompt; echo 'ready> '; end\n";
    completes(
        "fish",
        &["-i"],
        ".config/fish/completions/cavatica.fish",
        (".config/fish/config.fish", settings),
    );
}
