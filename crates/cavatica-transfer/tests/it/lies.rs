//! A platform that lies, and what a transfer makes of it; the sandbox's ledger is the judge. The same as a table of
//! `docs/reliability.md`.
//!
//! One test plays all of them side by side and prints what it found (`lies:: -- --nocapture`). Each is an ignored test of its
//! own besides, to work on one: `cargo test -p cavatica-transfer --test it lies::late_list -- --ignored`.

mod judge;
mod lie;
mod scene;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cavatica_sandbox::{OtherExport, Quirk, Sandbox, VolumeChange};
use tokio::sync::Semaphore;

use crate::bench::{PROJECT, VOLUME};
use judge::Found;
use lie::{HEAD, Lie, VARYING};
use scene::{FILES, path};

// What is believed.
const NO_MEANS_NO: &str = "a no to a call means no";
const ERRORS_MEAN_NO: &str = "an item's error means no";
const LOST_CALLS_END: &str = "a lost call has ended";
const LISTS_ARE_WHOLE: &str = "lists are whole and in time";
const ECHOES_ARE_EXACT: &str = "jobs tell time and place exactly";
const COMPLETED_IS_COMPLETED: &str = "COMPLETED tells all";
const OVERWRITES_LOOK: &str = "an overwrite looks first";
const COPIES_STAY: &str = "`copy_only` counts";
const VOLUMES_STAY: &str = "volumes stay as they are";
const NOBODY_ELSE: &str = "nobody else is at work";

/// Declares the lies: each is a row of the table, and a test.
macro_rules! lies {
    ($($name:ident: $lie:expr,)+) => {
        fn all() -> Vec<Lie> {
            vec![$($lie,)+]
        }

        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        #[ignore = "a row of the table, which is played as a whole"]
        async fn $name() {
            let lie = $lie;
            let found = scene::play(&lie).await;
            lie.check(&found).unwrap_or_else(|wrong| panic!("{wrong}"));
        })+
    };
}

lies! {
    // A no after a yes.
    refused_429_after_acceptance: lie(NO_MEANS_NO, "429 after acceptance").slow()
        .faults("refuse-after=429/1000@bulk-start,every=2"),
    refused_503_after_acceptance: lie(NO_MEANS_NO, "503 with code 0 after acceptance").slow()
        .faults("refuse-after=503/0@bulk-start,every=2"),
    refused_401_after_acceptance: lie(NO_MEANS_NO, "401 after acceptance").slow()
        .faults("refuse-after=401/90001@bulk-start,nth=2"),
    refused_403_after_acceptance: lie(NO_MEANS_NO, "403 after acceptance").slow()
        .faults("refuse-after=403/90002@bulk-start,nth=2"),
    refused_404_after_acceptance: lie(NO_MEANS_NO, "404 after acceptance").slow()
        .faults("refuse-after=404/90003@bulk-start,nth=2"),
    refused_400_after_acceptance: lie(NO_MEANS_NO, "400 after acceptance").slow()
        .faults("refuse-after=400/90000@bulk-start,nth=2"),
    refused_409_after_acceptance: lie(NO_MEANS_NO, "409 after acceptance").slow()
        .faults("refuse-after=409/90007@bulk-start,nth=2"),
    refused_500_after_acceptance: lie(NO_MEANS_NO, "500 after acceptance").slow()
        .faults("refuse-after=500/90004@bulk-start,every=2"),
    copies_refused_429_after_acceptance: lie(NO_MEANS_NO, "429 after acceptance").copies()
        .faults("refuse-after=429/1000@bulk-start,every=2"),
    copies_refused_503_after_acceptance: lie(NO_MEANS_NO, "503 with code 0 after acceptance").copies()
        .faults("refuse-after=503/0@bulk-start,every=2"),
    copies_refused_and_occupied_at_start: lie(NO_MEANS_NO, "503 with code 0 after acceptance; an occupied key is refused at once")
        .copies().quirk(Quirk::OccupiedAtStart).faults("refuse-after=503/0@bulk-start,every=2"),

    // Half-taken calls, and calls that are still being carried out.
    half_taken_then_503: lie(NO_MEANS_NO, "the first 50 of a call are taken, then 503 with code 0").slow()
        .faults("refuse-after=503/0+take=50@bulk-start,nth=2"),
    half_taken_then_429: lie(NO_MEANS_NO, "every second item is taken, then 429").slow()
        .faults("refuse-after=429/1000+take-every=2@bulk-start,nth=2"),
    half_taken_then_400: lie(NO_MEANS_NO, "every second item is taken, then 400").slow()
        .faults("refuse-after=400/90000+take-every=2@bulk-start,nth=2"),
    half_taken_then_dropped: lie(LOST_CALLS_END, "every second item is taken, the answer is lost").slow()
        .faults("drop-after+take-every=2@bulk-start,nth=2"),
    carried_out_late_then_dropped: lie(LOST_CALLS_END, "the answer is lost, items are taken over 3 s").slow()
        .faults("drop-after+spread=3s@bulk-start,nth=2"),
    carried_out_late_then_429: lie(NO_MEANS_NO, "429 at once, items are taken over 3 s").slow()
        .faults("refuse-after=429/1000+spread=3s@bulk-start,nth=2"),
    carried_out_late_then_hanging: lie(LOST_CALLS_END, "no answer, items are taken over 3 s").slow()
        .faults("hang-after+spread=3s@bulk-start,nth=2"),
    copies_carried_out_late: lie(LOST_CALLS_END, "the answer is lost, items are taken over 3 s").copies()
        .faults("drop-after+spread=3s@bulk-start,nth=3"),

    // Items that are errors although their jobs were made.
    item_500_after_acceptance: lie(ERRORS_MEAN_NO, "an item says 500 after acceptance").slow()
        .faults("item-error=500/90004@bulk-start,every=7"),
    item_503_after_acceptance: lie(ERRORS_MEAN_NO, "an item says 503 after acceptance").slow()
        .faults("item-error=503/90005@bulk-start,every=7"),
    item_408_after_acceptance: lie(ERRORS_MEAN_NO, "an item says 408 after acceptance").slow()
        .faults("item-error=408/90000@bulk-start,every=7"),
    item_429_after_acceptance: lie(ERRORS_MEAN_NO, "an item says 429 after acceptance").slow()
        .faults("item-error=429/1000@bulk-start,every=7"),
    item_9006_after_acceptance: lie(ERRORS_MEAN_NO, "an item says 9006 after acceptance").slow()
        .faults("item-error=400/9006@bulk-start,every=7"),
    item_9107_after_acceptance: lie(ERRORS_MEAN_NO, "an item says 9107 after acceptance").slow()
        .faults("item-error=409/9107@bulk-start,every=7"),
    item_9006_after_acceptance_and_late_lists: lie(ERRORS_MEAN_NO, "an item says 9006 after acceptance; lists lag by 3 s").slow()
        .faults("item-error=400/9006@bulk-start,every=7; late-list=3s@exports"),
    every_item_9006_after_acceptance_and_late_lists: lie(ERRORS_MEAN_NO, "all items say 9006 after acceptance; lists lag by 3 s").slow()
        .faults("item-error=400/9006@bulk-start; late-list=3s@exports"),
    copies_item_500_after_acceptance: lie(ERRORS_MEAN_NO, "an item says 500 after acceptance").copies()
        .faults("item-error=500/90004@bulk-start,every=7"),

    // Lists.
    late_list: lie(LISTS_ARE_WHOLE, "lists lag by 3 s, answers are lost").slow()
        .faults("late-list=3s@exports; drop-after@bulk-start,nth=2"),
    copies_late_list: lie(LISTS_ARE_WHOLE, "lists lag by 3 s, answers are lost").copies()
        .faults("late-list=3s@exports; drop-after@bulk-start,nth=3"),
    capped_list: lie(LISTS_ARE_WHOLE, "lists end after 20 jobs, answers are lost").slow()
        .faults("cap-list=20@exports; drop-after@bulk-start,nth=2").may_stay_unknown(),
    copies_capped_list: lie(LISTS_ARE_WHOLE, "lists end after 20 jobs, answers are lost").copies()
        .faults("cap-list=20@exports; drop-after@bulk-start,nth=3").may_stay_unknown(),
    copies_disordered_list: lie(LISTS_ARE_WHOLE, "pages of lists overlap, answers are lost").copies()
        .faults("disorder@exports; drop-after@bulk-start,nth=3").may_stay_unknown(),
    copies_forgotten_jobs: lie(LISTS_ARE_WHOLE, "jobs are forgotten after 1 s, answers are lost").copies()
        .faults("forget=1s; drop-after@bulk-start,nth=3").may_stay_unknown(),

    // Times and echoes.
    job_clock_behind: lie(ECHOES_ARE_EXACT, "jobs' times are 15 min behind, answers are lost")
        .slow().faults("job-clock=-900; drop-after@bulk-start,nth=2"),
    copies_job_clock_behind: lie(ECHOES_ARE_EXACT, "jobs' times are 15 min behind, answers are lost").copies()
        .faults("job-clock=-900; drop-after@bulk-start,nth=3"),
    copies_job_clock_ahead: lie(ECHOES_ARE_EXACT, "jobs' times are 15 min ahead, answers are lost").copies()
        .faults("job-clock=900; drop-after@bulk-start,nth=3"),
    copies_zoneless_times: lie(ECHOES_ARE_EXACT, "jobs' times are local, five hours behind, and don't say so").copies()
        .faults("zoneless=-5; drop-after@bulk-start,nth=3"),
    copies_no_times: lie(ECHOES_ARE_EXACT, "jobs have no times, answers are lost").copies()
        .faults("no-times; drop-after@bulk-start,nth=3"),
    copies_date_and_jobs_behind: lie(ECHOES_ARE_EXACT, "`Date` and jobs' times are 15 min behind, answers are lost")
        .copies().faults("date=-900; job-clock=-900; drop-after@bulk-start,nth=3"),
    copies_date_alone_behind: lie(ECHOES_ARE_EXACT, "`Date` is 15 min behind, answers are lost").copies()
        .faults("date=-900; drop-after@bulk-start,nth=3"),
    decomposed_locations: lie(ECHOES_ARE_EXACT, "locations come back decomposed, answers are lost").accented()
        .faults("respell=nfd; drop-after@bulk-start,nth=2"),
    copies_decomposed_locations: lie(ECHOES_ARE_EXACT, "locations come back decomposed, answers are lost")
        .copies().accented().faults("respell=nfd; drop-after@bulk-start,nth=3"),
    copies_percent_encoded_locations: lie(ECHOES_ARE_EXACT, "locations come back percent-encoded, answers are lost")
        .copies().accented().faults("respell=percent; drop-after@bulk-start,nth=3"),

    // What COMPLETED means.
    completed_without_alias: lie(COMPLETED_IS_COMPLETED, "every third job completes, its file stays on the platform")
        .faults("keep-file@bulk-start,every=3").may_stay_unknown(),
    completed_without_object: lie(COMPLETED_IS_COMPLETED, "every third job completes without an object")
        .faults("hollow@bulk-start,every=3").may_stay_unknown(),
    late_aliases: lie(COMPLETED_IS_COMPLETED, "files become aliases 2 s after their jobs completed")
        .faults("late-alias=2s@bulk-start"),
    deleted_aliases: lie(COMPLETED_IS_COMPLETED, "people delete the aliases after completion")
        .faults("lose-file@bulk-start,every=3"),
    nameless_jobs: lie(COMPLETED_IS_COMPLETED, "jobs come back without names, in another order")
        .faults("nameless+shuffle@bulk-start; nameless+shuffle@bulk-get"),
    copies_nameless_jobs: lie(COMPLETED_IS_COMPLETED, "jobs come back without names, in another order").copies()
        .faults("nameless+shuffle@bulk-start; nameless+shuffle@bulk-get"),
    nameless_jobs_of_which_some_fail: lie(COMPLETED_IS_COMPLETED, "jobs come back without names, and some fail")
        .faults("nameless+shuffle@bulk-start; nameless+shuffle@bulk-get; fail-jobs=9103@bulk-start,every=10")
        .may_fail(),
    earlier_copies: lie(COMPLETED_IS_COMPLETED, "copies of a minute ago lie at the keys, calls are lost")
        .overwriting().already(|seed, number| seed.export(earlier(number)))
        .faults("drop-before@bulk-start,every=2,times=2").may_fail(),

    // Overwriting.
    overwrite_and_429: lie(OVERWRITES_LOOK, "429 after acceptance; an overwrite deletes first").slow().overwriting()
        .quirk(Quirk::DeleteBeforeCheck).faults("refuse-after=429/1000@bulk-start,every=2"),
    overwrite_and_lost_answers: lie(OVERWRITES_LOOK, "late lists, lost answers; an overwrite deletes first").slow()
        .overwriting().quirk(Quirk::DeleteBeforeCheck)
        .faults("late-list=3s@exports; drop-after@bulk-start,nth=2"),
    overwrite_in_jobs: lie(OVERWRITES_LOOK, "503 after acceptance; an overwrite deletes first, in its job").slow()
        .overwriting().quirk(Quirk::DeleteBeforeCheck).quirk(Quirk::RefuseInJob)
        .faults("refuse-after=503/0@bulk-start,every=2"),
    copies_overwrite_and_503: lie(OVERWRITES_LOOK, "503 with code 0 after acceptance").copies().overwriting()
        .faults("refuse-after=503/0@bulk-start,every=2"),
    overwrite_of_what_others_moved: lie(OVERWRITES_LOOK, "others moved the files to the keys since the plan; an overwrite deletes first")
        .overwriting().quirk(Quirk::DeleteBeforeCheck)
        .before(|sandbox| each(sandbox, 1..=FILES, &|number| theirs(number, &path(number)))),

    // Copies that move.
    copy_only_ignored: lie(COPIES_STAY, "`copy_only` is ignored").copies()
        .quirk(Quirk::IgnoreCopyOnly).refuses(1),

    // The volume since the plan.
    another_bucket: lie(VOLUMES_STAY, "the volume leads to another bucket since the plan").refuses(0)
        .before(|sandbox| change(sandbox, VolumeChange { bucket: Some("other".to_owned()), ..VolumeChange::default() })),
    another_prefix: lie(VOLUMES_STAY, "the volume has another prefix since the plan").refuses(0)
        .before(|sandbox| change(sandbox, VolumeChange { prefix: Some("other/".to_owned()), ..VolumeChange::default() })),
    read_only_since_the_plan: lie(VOLUMES_STAY, "the volume is read-only since the plan").refuses(0)
        .before(|sandbox| change(sandbox, VolumeChange { access_mode: Some("RO".to_owned()), ..VolumeChange::default() })),
    inactive_since_the_plan: lie(VOLUMES_STAY, "the volume is inactive since the plan").refuses(0)
        .before(|sandbox| change(sandbox, VolumeChange { active: Some(false), ..VolumeChange::default() })),

    // Somebody else.
    moved_elsewhere_before_the_run: lie(NOBODY_ELSE, "somebody moved every tenth file elsewhere since the plan")
        .before(|sandbox| each(sandbox, tenths(), &|number| theirs(number, &format!("theirs/{number}")))).may_fail(),
    moved_elsewhere_during_the_run: lie(NOBODY_ELSE, "somebody moves every tenth file elsewhere during the run")
        .during(|sandbox| each(sandbox, tenths(), &|number| theirs(number, &format!("theirs/{number}")))).may_fail(),
    in_flight_to_another_place: lie(NOBODY_ELSE, "the account's other jobs carry every tenth file elsewhere")
        .before(|sandbox| each(sandbox, tenths(), &|number| ours(number, &format!("elsewhere/{number}")))).may_fail(),
    in_flight_to_the_same_place: lie(NOBODY_ELSE, "the account's other jobs carry every tenth file to its key")
        .before(|sandbox| each(sandbox, tenths(), &|number| ours(number, &path(number)))),
    in_flight_for_another_account: lie(NOBODY_ELSE, "another account's jobs carry every tenth file to its key")
        .before(|sandbox| each(sandbox, tenths(), &|number| ours(number, &path(number)).account("colleague"))).may_fail(),
    in_flight_for_another_account_elsewhere: lie(NOBODY_ELSE, "another account's jobs carry every tenth file elsewhere")
        .before(|sandbox| each(sandbox, tenths(), &|number| ours(number, &format!("theirs/{number}")).account("colleague"))).may_fail(),
    colleagues_at_work: lie(NOBODY_ELSE, "colleagues export other files to the volume")
        .before(|sandbox| others(sandbox, &|number| ours_of_others(number).account("colleague")))
        .faults("drop-after@bulk-start,nth=2"),
    others_of_the_account_at_work: lie(NOBODY_ELSE, "the account's other jobs export other files to the volume")
        .before(|sandbox| others(sandbox, &ours_of_others)).faults("drop-after@bulk-start,nth=2"),
}

fn lie(belief: &'static str, name: &'static str) -> Lie {
    Lie::new(belief, name)
}

fn named(number: u32) -> String {
    format!("{PROJECT}:{}", path(number))
}

fn tenths() -> impl Iterator<Item = u32> {
    (1..=FILES).step_by(10)
}

/// The copy of a file to the key that it is planned for, a minute before the plan.
fn earlier(number: u32) -> OtherExport {
    let minute = Duration::from_secs(60);
    OtherExport::new(named(number), VOLUME, path(number))
        .copy()
        .ago(minute)
}

/// Another account's move, done at once.
fn theirs(number: u32, location: &str) -> OtherExport {
    OtherExport::new(named(number), VOLUME, location).account("colleague")
}

/// Our own account's move, from another computer, that is still under way.
fn ours(number: u32, location: &str) -> OtherExport {
    let soon = Duration::from_secs(2);
    OtherExport::new(named(number), VOLUME, location).lasting(soon)
}

/// Likewise of a file that isn't planned.
fn ours_of_others(number: u32) -> OtherExport {
    let soon = Duration::from_secs(2);
    let name = format!("{}:others/file-{number:07}.dat", scene::OTHERS);
    OtherExport::new(name, VOLUME, format!("others/{number}")).lasting(soon)
}

fn each(
    sandbox: &Sandbox,
    numbers: impl Iterator<Item = u32>,
    export: &dyn Fn(u32) -> OtherExport,
) {
    for number in numbers {
        // A file that was sent already can be moved by nobody else any more.
        if let Err(error) = sandbox.export_elsewhere(&export(number)) {
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput, "{error}");
        }
    }
}

fn others(sandbox: &Sandbox, export: &dyn Fn(u32) -> OtherExport) {
    each(sandbox, 1..=FILES, export);
}

fn change(sandbox: &Sandbox, change: VolumeChange) {
    sandbox
        .change_volume(VOLUME, &change)
        .expect("the volume is there");
}

const BEGIN: &str = "<!-- lies: begin -->";
const END: &str = "<!-- lies: end -->";

/// How many lies are played at a time: most of it is waiting, but a computer that is too busy answers late by itself.
const AT_ONCE: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_platform_lies_and_nothing_is_doubled_destroyed_or_false() {
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let played = all().into_iter().map(|lie| {
        let places = Arc::clone(&places);
        tokio::spawn(async move {
            let _place = places.acquire_owned().await;
            let found = scene::play(&lie).await;
            (lie, found)
        })
    });
    let played: Vec<_> = played.collect();
    let mut table = HEAD.to_owned();
    let (mut measured, mut wrong) = (Vec::new(), Vec::new());
    for row in played {
        let (lie, found): (Lie, Found) = row.await.expect("no row panics");
        table += &format!("\n{}", lie.row(&found));
        measured.push(format!("{}: {found}", lie.title()));
        wrong.extend(lie.check(&found).err());
    }
    tell(&measured.join("\n"));
    compare_with_docs(&table);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[expect(
    clippy::print_stdout,
    reason = "numbers for the one who works on a lie"
)]
fn tell(measured: &str) {
    println!("{measured}");
}

/// What of a table must be the same each time.
fn steady(table: &str) -> Vec<String> {
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').collect();
        cells[..cells.len().saturating_sub(VARYING)].join("|")
    };
    table.trim().lines().map(row).collect()
}

/// The table stands in the documentation as it was measured, but for how many are unknown and asked, which the rows' own
/// checks bound. `UPDATE_DOCS=1` writes it there.
fn compare_with_docs(table: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reliability.md");
    let text = std::fs::read_to_string(&path).expect("the page");
    let (before, rest) = text
        .split_once(BEGIN)
        .expect("the begin of the table is marked");
    let (stands, after) = rest
        .split_once(END)
        .expect("the end of the table is marked");
    let updates = std::env::var_os("UPDATE_DOCS").is_some();
    if !updates && steady(stands) == steady(table) {
        return;
    }
    assert!(
        updates,
        "the table in {} is not what was measured; run with UPDATE_DOCS=1 to write it:\n{table}",
        path.display()
    );
    let text = format!("{before}{BEGIN}\n\n{table}\n\n{END}{after}");
    std::fs::write(&path, text).expect("the page can be written");
}
