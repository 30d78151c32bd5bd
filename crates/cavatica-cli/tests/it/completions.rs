//! What a shell completes: transfers, volumes, projects, profiles and codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::harness::World;

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

#[test]
fn bash_asks_the_program() {
    let world = planned();
    let script = world.run(&["completions", "bash"]).stdout();
    fs::write(world.home().join("cavatica.bash"), script).unwrap();
    let program = Path::new(env!("CARGO_BIN_EXE_cavatica"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let completed = |typed: &str| {
        let output = Command::new("bash")
            .env_clear()
            .env("HOME", world.home())
            .env("PATH", &path)
            .current_dir(world.home())
            .arg("-c")
            .arg(format!(
                "compopt() {{ :; }}; . ./cavatica.bash; COMP_WORDS=({typed}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
                 _cavatica_values cavatica \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
                 printf '%s\\n' \"${{COMPREPLY[@]}}\""
            ))
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(completed("cavatica run c"), "c7.transfer\n");
    assert_eq!(
        completed("cavatica volumes get sandbox/o"),
        "sandbox/output\n"
    );
    assert!(completed("cavatica r").contains("run\n"));
}
