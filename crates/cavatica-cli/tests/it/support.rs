//! `cavatica support`: everything that helps, and nothing that identifies.

use crate::harness::World;

#[test]
fn names_and_secrets_are_left_out() {
    let world = World::new();
    world.sandbox.set_faults(
        "fail-jobs=9103,every=2"
            .parse::<cavatica_sandbox::FaultPlan>()
            .unwrap(),
    );
    let run = |args: &str| world.run(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(run("plan --out patient7.transfer --project sandbox/demo --folder results --volume sandbox/output --prefix patient7/ --label patient7 --copy").exit(), 0);
    assert_eq!(run("run patient7.transfer --yes --poll 50ms").exit(), 3);
    let written = run("support patient7.transfer --out support.json");
    assert_eq!(written.exit(), 0, "{}", written.snapshot());
    assert!(
        written.stderr().contains("no token"),
        "{}",
        written.stderr()
    );
    let named = run("support patient7.transfer --with-names").document();
    let said = named["failures"][0]["message"].as_str().unwrap().to_owned();
    assert!(!said.is_empty());
    let text = std::fs::read_to_string(world.home().join("support.json")).unwrap();
    let home = world.home().display().to_string();
    for hidden in [
        "patient7",
        "NA128",
        "calls.vcf",
        "reads.bam",
        &home,
        world.sandbox.token(),
        "sandbox/output",
        // What the platform says of the failures, which may hold any name in any form.
        said.as_str(),
    ] {
        assert!(!text.contains(hidden), "{hidden} is in\n{text}");
    }
    let bundle: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&bundle["state"], &bundle["files"]),
        (&"failed".into(), &4.into())
    );
    assert_eq!(bundle["failures"][0]["code"], 9103);
    assert_eq!(bundle["runs"].as_array().map(Vec::len), Some(1));
    assert_eq!(bundle["plan_is_unchanged"], true);

    assert_eq!(named["label"], "patient7");
    assert!(
        named["failures"][0]["location"]
            .as_str()
            .unwrap()
            .starts_with("patient7/results/")
    );
    assert_eq!(
        run("support patient7.transfer --out support.json").exit(),
        2
    );
}

/// What runs saw of the platform is in it, and stands by itself to be sent to the project; no name comes with it.
#[test]
fn what_was_observed_is_told_without_a_name() {
    let world = World::with(|builder| builder.quirk(cavatica_sandbox::Quirk::Created));
    let run = |args: &str| world.run(&args.split(' ').collect::<Vec<_>>());
    assert_eq!(run("plan --out patient7.transfer --project sandbox/demo --folder results --volume sandbox/prefixed --prefix patient7/ --label patient7 --copy").exit(), 0);
    assert_eq!(run("contract patient7.transfer").exit(), 4);
    assert_eq!(run("run patient7.transfer --yes --poll 50ms").exit(), 0);
    assert_eq!(run("verify patient7.transfer").exit(), 0);
    let page = run("contract patient7.transfer");
    assert_eq!(page.exit(), 0, "{}", page.snapshot());
    let row =
        "| 1: the HTTP status of a bulk start | inferred | 200 | **201**, 3 × | the body decides |";
    assert!(page.stdout().contains(row), "{}", page.stdout());
    let json = run("contract patient7.transfer patient7.transfer --json");
    let document = json.document();
    assert_eq!(
        (&document["transfers"], &document["platforms"]),
        (&2.into(), &serde_json::json!(["other"]))
    );
    let bundle = run("support patient7.transfer");
    assert_eq!(
        bundle.document()["observed"]["habits"]["start-status"]["201"],
        3
    );
    let home = world.home().display().to_string();
    for text in [
        page.stdout(),
        json.stdout(),
        bundle.document()["observed"].to_string(),
    ] {
        for hidden in [
            "patient7",
            "NA128",
            "calls.vcf",
            "sandbox",
            "cohort7",
            "127.0.0.1",
            &home,
            world.sandbox.token(),
        ] {
            assert!(!text.contains(hidden), "{hidden} is in\n{text}");
        }
    }
}
