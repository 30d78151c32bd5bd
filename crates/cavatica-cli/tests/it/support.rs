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
