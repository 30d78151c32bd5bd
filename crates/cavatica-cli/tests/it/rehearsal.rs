//! `cavatica doctor --rehearse`: one file that can be spared settles open questions, on a platform that answers them either
//! way.

mod either_way;
mod interrupted;

use std::collections::BTreeMap;

use cavatica_sandbox::{FaultPlan, Quirk};
use serde_json::Value;

use crate::harness::{Run, World};

const FILE: &str = "sandbox/demo:results/NA12878/calls.vcf";

fn world(quirks: &[Quirk]) -> World {
    World::with(|builder| {
        quirks
            .iter()
            .fold(builder, |builder, quirk| builder.quirk(*quirk))
    })
}

fn rehearse(world: &World, more: &[&str]) -> Run {
    rehearse_at(world, "50ms", more)
}

fn rehearse_at(world: &World, poll: &str, more: &[&str]) -> Run {
    let args = [
        "doctor",
        "--rehearse",
        FILE,
        "--volume",
        "sandbox/output",
        "--poll",
        poll,
    ];
    world.run(&[&args[..], more].concat())
}

/// What was observed of each question.
fn observed(document: &Value) -> BTreeMap<String, Vec<String>> {
    let questions = document["questions"].as_array().unwrap().iter();
    let answers = |question: &Value| {
        let observed = question["observed"].as_array().unwrap().iter();
        observed
            .map(|habit| habit["habit"].as_str().unwrap().to_owned())
            .collect()
    };
    questions
        .map(|question| {
            (
                question["name"].as_str().unwrap().to_owned(),
                answers(question),
            )
        })
        .collect()
}

/// Nothing that was there before is gone, and nothing was sent twice to one place but what had to fail.
fn nothing_is_harmed(world: &World) {
    let ledger = world.sandbox.ledger();
    assert_eq!(ledger.destroyed().count(), 0);
    assert!(ledger.dangling.is_empty(), "{:?}", ledger.dangling);
    let requests: u64 = ledger.requests.values().sum();
    assert!(requests <= 30, "{requests} requests: {:?}", ledger.requests);
}

#[test]
fn without_a_yes_nothing_is_sent() {
    let world = world(&[]);
    for more in [&[][..], &["--move"]] {
        let run = rehearse(&world, more);
        assert_eq!(run.exit(), 2, "{}", run.snapshot());
        assert!(
            run.stderr().contains("30 requests at most"),
            "{}",
            run.stderr()
        );
    }
    assert_eq!(world.sandbox.ledger().requests.values().sum::<u64>(), 0);
}

#[test]
fn a_copy_answers_what_it_can_and_leaves_one_object() {
    let world = world(&[]);
    let run = rehearse(&world, &["--yes", "--json"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let document = run.document();
    let seen = observed(&document);
    for (question, answer) in [
        ("start-status", "200"),
        ("copy-only", "kept"),
        ("list-order", "newest-first"),
        ("list-delay", "at-once"),
        ("occupied", "in-the-job"),
        ("failed-job", "200"),
        ("reset-unit", "seconds"),
        ("job-names", "named"),
        ("job-times", "with-zone"),
    ] {
        assert_eq!(seen[question], [answer], "{question}: {document}");
    }
    assert!(seen["alias-location"].is_empty(), "nothing was moved");
    assert_eq!(document["ended"], "done");
    let left = document["left_behind"].as_array().unwrap();
    assert_eq!(left.len(), 1, "{document}");
    let command = left[0]["command"].as_str().unwrap();
    assert!(command.starts_with("aws s3 rm s3://"), "{command}");
    assert!(command.contains("/cavatica-rehearsal/"), "{command}");
    nothing_is_harmed(&world);
}

#[test]
fn with_five_quirks_turned_round_all_five_are_named_with_what_follows() {
    let world = world(&[
        Quirk::Created,
        Quirk::OldestFirst,
        Quirk::RefuseInJob,
        Quirk::FailedAsError,
        Quirk::ResetInMilliseconds,
    ]);
    let run = rehearse(&world, &["--yes", "--move"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    let text = run.stdout();
    for otherwise in [
        "the HTTP status of a bulk start (inferred 200): observed 201; the body decides",
        "the order of the list of jobs (inferred newest-first): observed oldest-first; all pages are read in any case",
        "where 9006 comes (inferred at-once): observed in-the-job; the file has failed, unless our own success is the reason",
        "the HTTP status under which a failed job is read (documented 200): observed its-error's; the job is read from there too",
        "the unit of `X-RateLimit-Reset` (documented seconds): observed milliseconds; it is told from seconds by its size, and obeyed",
    ] {
        assert!(
            text.contains(&format!("OTHERWISE   {otherwise}")),
            "{otherwise}\nin\n{text}"
        );
    }
    assert_eq!(text.matches("OTHERWISE").count(), 5, "{text}");
    assert!(
        text.contains("the file's only copy, of which it is an alias now"),
        "{text}"
    );
    nothing_is_harmed(&world);
}

#[test]
fn a_platform_that_moves_what_is_to_be_copied_is_remembered() {
    let world = world(&[Quirk::IgnoreCopyOnly]);
    let run = rehearse(&world, &["--yes"]);
    assert_eq!(run.exit(), 0, "{}", run.snapshot());
    assert!(run.stdout().contains("observed moved"), "{}", run.stdout());
    assert!(
        run.stdout().contains("the file's only copy"),
        "{}",
        run.stdout()
    );
    let args = "export FILE sandbox/output a --copy";
    let file = world.file("results/NA12878/metrics.tsv");
    let args: Vec<&str> = args
        .split(' ')
        .map(|arg| if arg == "FILE" { &file } else { arg })
        .collect();
    assert_eq!(world.run(&args).exit(), 2, "copies are refused from now on");
}

/// Whatever is lost: it ends there, nothing is sent again, and what may lie there is told.
#[test]
fn an_answer_that_is_lost_ends_it() {
    for (plan, starts) in [
        ("drop-after@bulk-start,nth=1", 1),
        ("drop-after@bulk-start,nth=2", 2),
        ("drop-after@bulk-start,nth=3", 3),
        ("omit=1@bulk-start,nth=1", 1),
        ("throttle@bulk-start,nth=1", 0),
        // The copy is under way when the list of jobs is refused.
        ("refuse=403/9026@exports", 1),
    ] {
        let world = world(&[]);
        world.sandbox.set_faults(plan.parse::<FaultPlan>().unwrap());
        let run = rehearse(&world, &["--yes", "--move", "--json"]);
        assert_eq!(run.exit(), 7, "{plan}: {}", run.snapshot());
        assert_eq!(world.accepted(), starts, "{plan}");
        let documents = run.documents();
        assert_eq!(documents[0]["ended"], "no-answer", "{plan}");
        let left = documents[0]["left_behind"].as_array().unwrap();
        assert!(
            left.iter().any(|left| left["what"] == "perhaps an object"),
            "{plan}: {left:?}"
        );
        for left in left
            .iter()
            .filter(|left| left["what"] == "perhaps an object")
        {
            let command = left["command"].as_str().unwrap();
            assert!(command.starts_with("aws s3 ls "), "{plan}: {command}");
        }
        nothing_is_harmed(&world);
    }
}

#[test]
fn what_cannot_be_exported_is_refused_before_anything_is_sent() {
    let world = World::new();
    let args = [
        "doctor",
        "--rehearse",
        FILE,
        "--volume",
        "sandbox/readonly",
        "--yes",
    ];
    let run = world.run(&args);
    assert_eq!(run.exit(), 2, "{}", run.snapshot());
    assert_eq!(world.accepted(), 0);
}
