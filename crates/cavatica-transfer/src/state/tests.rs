use super::*;

fn seen(export: &str, verdict: Verdict) -> Step {
    Step::Observation(Observation::Job(SeenJob {
        export: export.parse().expect("an id"),
        verdict,
    }))
}

fn failure(code: i64) -> Failure {
    Failure {
        code: Some(code),
        status: Some(409),
        message: "no".to_owned(),
        request_id: None,
    }
}

/// Every state that knows the job `a`.
fn with_a_job(code: i64) -> [State; 3] {
    let export: ExportId = "a".parse().expect("an id");
    [
        State::Accepted {
            export: export.clone(),
        },
        State::Unknown {
            export: Some(export.clone()),
            doubt: Doubt::NotMoved,
        },
        State::Failed {
            export: Some(export),
            failure: failure(code),
        },
    ]
}

#[test]
fn no_other_job_stands_in_for_the_one_that_is_known() {
    for verdict in [
        Verdict::Unfinished,
        Verdict::Completed,
        Verdict::Failed(failure(9020)),
    ] {
        for state in with_a_job(9020) {
            assert!(state.clone().step(seen("a", verdict.clone())).is_ok());
            assert!(state.step(seen("b", verdict.clone())).is_err());
        }
    }
}

#[test]
fn a_failure_is_an_echo_only_of_a_job_that_has_completed() {
    for code in [9006, 9107] {
        let [_, _, failed] = with_a_job(code);
        let after = failed.clone().step(seen("b", Verdict::Completed));
        assert!(matches!(
            after,
            Ok(State::Completed {
                proof: Proof::Job,
                ..
            })
        ));
        assert!(failed.step(seen("b", Verdict::Unfinished)).is_err());
    }
}

#[test]
fn nothing_leads_out_of_completed_and_nothing_but_a_plan_is_intended() {
    let completed = State::Completed {
        export: None,
        proof: Proof::File,
    };
    for step in [
        Step::Intend,
        Step::Retry,
        Step::Release,
        Step::Word(Word::NotSent),
        Step::Answer(Answer::NotSent),
        Step::Observation(Observation::Absent),
        Step::Observation(Observation::NotTaken),
        Step::Observation(Observation::MovedAway(failure(1))),
        seen("a", Verdict::Unfinished),
    ] {
        assert!(completed.clone().step(step).is_err());
    }
    assert_eq!(State::Planned.step(Step::Intend), Ok(State::Intended));
    for state in [State::Intended].into_iter().chain(with_a_job(9020)) {
        assert!(state.step(Step::Intend).is_err());
    }
}

#[test]
fn what_has_a_job_is_never_absent() {
    for state in with_a_job(9020) {
        for observation in [Observation::Absent, Observation::NotTaken] {
            assert!(state.clone().step(Step::Observation(observation)).is_err());
        }
    }
}
