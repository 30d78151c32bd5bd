//! What the platform shows to an inquiry.

use std::time::Duration;

use cavatica_exports::evidence::{
    Asked, Clocks, Effort, Extent, JobClock, Question, SentBy, gather,
};
use cavatica_exports::model::ExportMode;
use cavatica_sandbox::{FaultPlan, Sandbox};

use crate::world::World;

/// A witness counts where the same list would show the job that is looked for.
#[tokio::test]
async fn a_whole_list_shows_what_is_on_it_and_not_what_another_list_showed() {
    let hour = Duration::from_secs(3600);
    let builder = Sandbox::builder().seed(3).job_duration(hour..=hour);
    let world = World::with(builder).await;
    let export = world.checked("README.txt", "docs/README.txt").await;
    let job = world.exports.start(&export, ExportMode::Copy).await;
    let job = job.unwrap().value;
    let now = "2026-01-01T10:00:00Z".parse().unwrap();
    let asked = Asked {
        mode: ExportMode::Copy,
        volume: "sandbox/output".parse().unwrap(),
        questions: vec![Question {
            file: world.file("already/archived.tar"),
            location: "elsewhere".parse().unwrap(),
            sent: now,
            run: SentBy::ThisRun,
            planned_free: true,
            earlier: Vec::new(),
        }],
        effort: Effort::Whole,
        in_flight: Vec::new(),
        clocks: Clocks {
            this_run: JobClock::default(),
            earlier_runs: JobClock::default(),
            now,
        },
    };
    // The list of unfinished jobs comes first, and shows it.
    for (late, shown) in [("late-list=3600s@exports,nth=2", false), ("", true)] {
        let faults: FaultPlan = late.parse().unwrap();
        world.sandbox.set_faults(faults);
        let evidence = gather(&world, &asked).await.unwrap();
        assert_eq!(evidence.extent, Extent::Whole);
        assert_eq!(evidence.shows(job.id.as_str()), shown, "{late}");
    }
}
