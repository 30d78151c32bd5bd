//! Every step from every state, as a table.

use super::*;

fn export(id: &str) -> ExportId {
    id.parse().expect("an id")
}

fn failure(code: i64) -> Failure {
    Failure {
        code: Some(code),
        status: Some(409),
        message: "no".to_owned(),
        request_id: None,
    }
}

fn job(id: &str, verdict: Verdict) -> SeenJob {
    SeenJob {
        export: export(id),
        verdict,
    }
}

/// Every state that differs in what may follow. Ours is the job `a`.
fn states() -> Vec<State> {
    let failed = |id: Option<&str>, code| State::Failed {
        export: id.map(export),
        failure: failure(code),
    };
    let unknown = |id: Option<&str>| State::Unknown {
        export: id.map(export),
        doubt: Doubt::JobGone,
    };
    vec![
        State::Planned,
        State::Intended,
        State::Accepted {
            export: export("a"),
        },
        State::Completed {
            export: Some(export("a")),
            proof: Proof::File,
        },
        failed(Some("a"), 9100),
        failed(Some("a"), 9107),
        failed(None, 9100),
        failed(None, 9006),
        unknown(Some("a")),
        unknown(None),
    ]
}

fn steps() -> Vec<Step> {
    let verdicts = [
        Verdict::Unfinished,
        Verdict::Completed,
        Verdict::Failed(failure(9020)),
    ];
    let answers = verdicts
        .iter()
        .map(|verdict| Answer::Accepted(job("a", verdict.clone())))
        .chain([Answer::Refused(failure(9020)), Answer::NotSent])
        .map(Step::Answer);
    let jobs = ["a", "b"].into_iter().flat_map(|id| {
        let of_job = |verdict: &Verdict| Observation::Job(job(id, verdict.clone()));
        verdicts.iter().map(of_job).collect::<Vec<_>>()
    });
    let observations = jobs
        .chain([
            Observation::AliasAtDestination,
            Observation::Absent,
            Observation::NotTaken,
            Observation::MovedAway(failure(9020)),
            Observation::Unclear(Doubt::NotMoved),
        ])
        .map(Step::Observation);
    let words = [Word::Completed, Word::Failed(failure(9020)), Word::NotSent];
    [Step::Intend]
        .into_iter()
        .chain(answers)
        .chain(observations)
        .chain([Step::Retry, Step::Release])
        .chain(words.map(Step::Word))
        .collect()
}

fn verdict(job: &SeenJob) -> String {
    let how = match &job.verdict {
        Verdict::Unfinished => "unfinished",
        Verdict::Completed => "completed",
        Verdict::Failed(_) => "failed",
    };
    format!("{} {how}", job.export)
}

fn described(step: &Step) -> String {
    match step {
        Step::Answer(Answer::Accepted(job)) => format!("accepted: {}", verdict(job)),
        Step::Observation(Observation::Job(job)) => format!("job: {}", verdict(job)),
        Step::Word(Word::Completed) => "word: completed".to_owned(),
        Step::Word(Word::Failed(_)) => "word: failed".to_owned(),
        Step::Word(Word::NotSent) => "word: not sent".to_owned(),
        Step::Intend | Step::Answer(_) | Step::Observation(_) | Step::Retry | Step::Release => {
            step.name().to_owned()
        }
    }
}

/// The state with all that distinguishes it.
fn shown(state: &State) -> String {
    let id = state.export().map_or("-", ExportId::as_str);
    match state {
        State::Planned | State::Intended => state.name().to_owned(),
        State::Accepted { .. } => format!("accepted {id}"),
        State::Completed { proof, .. } => format!("completed {id} {}", proof.name()),
        State::Failed { failure, .. } => {
            format!("failed {id} {}", failure.code.expect("a code"))
        }
        State::Unknown { doubt, .. } => format!("unknown {id} {}", doubt.name()),
    }
}

/// What isn't in the table is refused.
#[test]
fn every_step_from_every_state() {
    let mut table = String::new();
    for state in states() {
        table += &format!("{}\n", shown(&state));
        for step in steps() {
            match state.clone().step(step.clone()) {
                Ok(after) => table += &format!("  {}: {}\n", described(&step), shown(&after)),
                Err(refused) => {
                    let (state, step) = (state.name(), step.name());
                    let words = format!("a file that is {state} can't take the step `{step}`");
                    assert_eq!(refused.to_string(), words);
                }
            }
        }
    }
    assert_eq!(table, include_str!("steps.txt"));
}

#[test]
fn a_file_is_shown_by_its_number() {
    assert_eq!(ItemId(7).to_string(), "7");
}

#[test]
fn a_failure_that_passes_is_sent_again_up_to_so_many_times() {
    let failed = |code| State::Failed {
        export: None,
        failure: failure(code),
    };
    for (state, attempt, again) in [
        (failed(9100), 1, true),
        (failed(9100), 2, true),
        (failed(9100), 3, false),
        (failed(9006), 1, false),
        (State::Planned, 1, false),
    ] {
        assert_eq!(
            state.is_sent_again(attempt, 3),
            again,
            "{state:?} {attempt}"
        );
    }
}
