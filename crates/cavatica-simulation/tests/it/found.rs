//! Scenarios that once showed a fault, of the engine as it is or of one that was put in by hand.

use cavatica_simulation::{Mode, Scenario, play};

fn check(text: &str, mode: Mode) {
    let scenario: Scenario = text.parse().expect("a scenario");
    let played = play(&scenario, mode, false);
    assert!(played.wrongs.is_empty(), "{text}: {:?}", played.wrongs);
}

fn holds(text: &str) {
    check(text, Mode::Safety);
}

fn ends(text: &str) {
    check(text, Mode::Liveness);
}

fn does_no_harm(text: &str) {
    check(text, Mode::Harm);
}

/// Lists are later than is believed, so the file is sent twice. Carrying `overwrite`, the second sending would delete what the
/// first one brought.
#[test]
fn seed_8() {
    does_no_harm(
        "seed 8, 1 files, move overwrite, jobs of 900 s; fault item-error=500/90004@bulk-start,nth=1; fault late-list=1357s@exports; quirk delete-before-check",
    );
}

/// A run that was taken up while the platform didn't answer span: what was due wasn't done, and was due at once again.
#[test]
fn seed_197() {
    ends("seed 197, 217 files, move, jobs of 1 s; kill 221 300; fault hang-before@exports,nth=2");
}

/// As many readings as there may be hung, and what was due besides was due at once again.
#[test]
fn seed_612() {
    ends(
        "seed 612, 241 files, move overwrite, jobs of 300 s; fault hang-before@bulk-files,every=2; earlier copies",
    );
}

/// Somebody deleted the alias before its lost call was looked up, and the file was said to have failed.
#[test]
fn seed_139() {
    holds(
        "seed 139, 5 files, move, jobs of 1 s; fault lose-file=8s@bulk-start,every=3; fault refuse-after=404/90003+take-every=2@bulk-start,nth=1",
    );
}

/// A run that was taken up counted jobs of its own that had ended, and so overlooked as many of others.
#[test]
fn seed_331() {
    holds("seed 331, 10 files, move, jobs of 900 s; kill 709 1; others same 0");
}

/// An item was refused though it was taken, and failed before a late list showed its job.
#[test]
fn seed_1889() {
    holds(
        "seed 1889, 154 files, move, jobs of 300 s; fault item-error=400/9006@bulk-start,nth=1; fault late-list=108s@exports; fault refuse=403/90002@bulk-start,nth=2",
    );
}

/// An answer of before a 429 raised what was left of the window again, so that the last file went as a witness at once.
#[test]
fn seed_149() {
    holds(
        "seed 149, 129 files, copy, jobs of 900 s; fault late-list=60s@exports; fault refuse-after=429/1000+spread=30s@bulk-start,nth=2",
    );
}

/// The same without a limit in the way: a call was still being carried out though it had been refused, and a file that was sent
/// meanwhile was listed before the first of its own.
#[test]
fn a_refused_call_that_is_carried_out_slowly() {
    holds(
        "seed 149, 129 files, copy, jobs of 900 s; fault late-list=60s@exports; fault refuse-after=400/90003+spread=30s@bulk-start,nth=2",
    );
}

/// Refusals had another date than all other answers, and a job of ours was taken for one of before: the platform had two
/// clocks, because the sandbox made only one of them wrong.
#[test]
fn seed_14024() {
    holds(
        "seed 14024, 25 files, copy, jobs of 300 s; fault refuse=429/1000@bulk-start,every=2; fault date=-900; fault refuse-after=400/90000@bulk-start,p=0.3",
    );
}

/// Jobs ended while the unfinished ones were listed, and some of others moved from the page that was next onto the one before.
#[test]
fn seed_15407() {
    holds(
        "seed 15407, 210 files, move, jobs of 10 s; others elsewhere 0; wire die-power start 2 2",
    );
}

/// Somebody's job of the same file to the same place, which had begun before our call and failed because of ours, was taken
/// for ours while the list didn't show that one.
#[test]
fn seed_1556() {
    holds(
        "seed 1556, 236 files, copy, jobs of 300 s; others same 0; fault omit=27@exports,p=0.8; fault drop-after@bulk-start,every=2",
    );
}

/// The first copy failed while another job of its file was under way; what that meant was to be asked when nothing else went
/// on, and all others waited for the first copy.
#[test]
fn seed_34139() {
    ends(
        "seed 34139, 5 files, copy overwrite, jobs of 900 s; others elsewhere 100; fault late-list=229s@exports; fault maintenance@bulk-start,nth=1",
    );
}

/// Another program copied the same files to the same places, both might overwrite, and jobs of ours failed after they had
/// deleted what the other's had brought: those files counted as completed by the other's jobs.
#[test]
fn seed_38857() {
    holds(
        "seed 38857, 80 files, copy overwrite, jobs of 900 s; fault fail-jobs=9006@bulk-start,every=3; others same 5",
    );
}

/// A backup was put back in which a job goes on that has failed since, and whose file was sent again after the backup was
/// taken: it was sent once more while that job was under way.
#[test]
fn seed_46919() {
    ends(
        "seed 46919, 5 files, move, jobs of 900 s; backup 92; wire die start 4 2; fault fail-jobs=9100@bulk-start,every=3",
    );
}

/// The same where the first of many calls had the file.
#[test]
fn seed_46746() {
    ends(
        "seed 46746, 185 files, move, jobs of 900 s; wire die start 4 20; backup 44; fault fail-jobs=9100@bulk-start,nth=1",
    );
}

/// Another program's job, which may have brought the file that ours was refused for, showed a state that nobody knows with
/// every look, and the run never ended.
#[test]
fn seed_87410() {
    holds(
        "seed 87410, 43 files, copy, jobs of 300 s; kill 404 5; wire slow-down start 1 70; fault odd-state=ABORTED@exports,every=3; others same 5; past 3114",
    );
}

/// A call was carried out most of a settling time after its bytes were dead, and its job was listed almost four settling
/// times later: by then its absence counted as proven, and it was sent twice.
#[test]
fn seed_130588() {
    holds(
        "seed 130588, 1 files, copy, jobs of 60 s; fault throttle@bulk-start,nth=1; fault html-after=200+spread=46s@bulk-start,every=2; fault late-list=237s@exports",
    );
}

/// No job of a run had told the clock that jobs are dated by, which was a quarter of an hour ahead: a job that had failed
/// earlier was taken for the next sending's, which was under way or had succeeded.
#[test]
fn seed_138558() {
    holds(
        "seed 138558, 19 files, copy overwrite, jobs of 1 s; limit 7; fault error-after=503@bulk-start,p=0.3; fault job-clock=900; fault late-list=123s@exports; fault fail-jobs=9103@bulk-start,every=10; retry 3 overwrite",
    );
}

/// A file that had failed in an earlier run was held back for its own job, which a list showed in a state that nobody knows
/// with every look, and the run never ended.
#[test]
fn seed_150222() {
    ends(
        "seed 150222, 2 files, copy, jobs of 1 s; fault odd-state=ABORTED@exports,every=2; wire die start 2 5; fault fail-jobs=9100@bulk-start,nth=1",
    );
}

/// Another run had taken the transfer over, and the one before it kept it from writing: it had begun to write, had nothing to
/// write, and so never committed.
#[test]
fn seed_58091() {
    ends(
        "seed 58091, 2 files, move, jobs of 300 s; fault hang-before@exports,every=2; fault hang-after@bulk-files,nth=1; owner 10",
    );
}

/// Where the whole list is too dear, a move whose answer was lost, and whose alias was deleted before it was looked up, was
/// said to have failed.
#[test]
fn seed_193798() {
    holds(
        "seed 193798, 38 files, move, jobs of 300 s; fault fail-jobs=9100@bulk-start,every=3; fault late-list=233s@exports,p=0.5; fault truncate@bulk-start,p=0.3; fault item-error=500/90004@bulk-start,every=10; fault lose-file=7s@bulk-start,p=0.2; past 3628",
    );
}

/// Calls waited for the limit's next five minutes after their intents were written, and the next run took that for the clock
/// that jobs are dated by: what had been carried out counted as earlier copies, and was sent twice.
#[test]
fn seed_64959() {
    ends(
        "seed 64959, 162 files, copy, jobs of 300 s; kill 753 300; fault job-clock=900; others elsewhere 5; fault refuse-after=429/1000@bulk-start,every=2; fault refuse=500/90004@bulk-start,p=0.3",
    );
}

/// A run died within a commit, and others went on by another hard link, beside which no journal lies.
#[test]
fn seed_6374() {
    for step in (40..130).step_by(3) {
        holds(&format!(
            "seed 6374, 101 files, move, jobs of 900 s; link 44; kill {step} 300"
        ));
    }
}

#[test]
fn nothing_happens() {
    ends("seed 1, 250 files, move, jobs of 30 s");
}
