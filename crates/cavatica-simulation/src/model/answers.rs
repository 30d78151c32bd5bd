//! What a run makes of answers, of what it follows, and of a person's wish to retry.

use std::collections::BTreeSet;

use cavatica_transfer::journal::Change;
use cavatica_transfer::proof::{self, Since, Where, Why};
use cavatica_transfer::state::{Answer, Doubt, Failure, Observation, SeenJob, Step, Verdict};

use super::action::{Shape, Sight};
use super::names::{export_id, item_id, job_of, shown, volume};
use super::setting::Setting;
use super::world::{
    Caution, Request, Sending, Snapshot, Stage, Taken, instant, now, planned, stamp, timing,
};

impl Snapshot {
    /// The platform answers for each file of a call.
    pub(super) fn answer(
        &mut self,
        call: u8,
        shape: Shape,
        setting: &Setting,
        met: &mut BTreeSet<Sight>,
    ) {
        let (owner, sent) = self.of_call(call);
        let Request { sent: began, .. } = self.calls.remove(usize::from(call));
        let mut answer: Vec<serde_json::Value> = Vec::new();
        for item in &sent {
            answer.push(match item.taken {
                Taken::Accepted(number) => {
                    let job = &self.jobs[usize::from(number)];
                    serde_json::json!({"resource": shown(job, number, Stage::Live, setting)})
                }
                Taken::Refused(code) => serde_json::json!({
                    "error": {"status": 409, "code": code, "message": "no"}
                }),
                Taken::NotYet => unreachable!("only whole calls are answered"),
            });
        }
        match shape {
            Shape::Whole => {}
            Shape::Reversed => answer.reverse(),
            Shape::Short => drop(answer.remove(0)),
            Shape::Stumbled => {
                answer[0] = serde_json::json!({"error": {"status": 500, "message": "oh"}});
            }
            Shape::Echoed => {
                answer[0] =
                    serde_json::json!({"error": {"status": 409, "code": 9006, "message": "no"}});
            }
        }
        let whole = answer.len() == sent.len();
        let answer = serde_json::from_value(serde_json::json!({"items": answer}));
        let answer = answer.expect("an answer");
        let rows = &self.owner(owner).rows;
        let row = |item: &Sending| rows[usize::from(item.file)].item(item.file, setting);
        let asked: Vec<_> = sent.iter().map(row).collect();
        let steps = proof::answers(&asked, &volume(), setting.mode, &answer);
        let mut newest = None;
        let mut lost = Vec::new();
        for (item, step) in sent.into_iter().zip(steps) {
            match step {
                None => lost.push(item),
                Some(Step::Answer(Answer::Refused(failure))) => {
                    self.refused(owner, item, failure, setting, met);
                }
                Some(step) => {
                    if let Step::Answer(Answer::Accepted(job)) = &step {
                        let job = job_of(&job.export);
                        self.learn(owner, item.file, job, setting);
                        newest = Some((job, item.file));
                    }
                    self.step(owner, item.file, step, met);
                }
            }
        }
        if !lost.is_empty() {
            met.insert(Sight::AnswerWithGaps);
        }
        self.lose(owner, lost, Why::Lost, 0, setting);
        let owner = self.owner(owner);
        if let Some((job, file)) = newest {
            let at = stamp(owner.rows[usize::from(file)].sent);
            owner.doubts.witness(export_id(job), instant(began), at);
        }
        if whole && owner.caution == Caution::First {
            owner.caution = Caution::None;
        }
    }

    /// The clock that jobs are dated by is measured on each that was answered.
    fn learn(&mut self, owner: u8, file: u8, job: u8, setting: &Setting) {
        if !setting.is_dated() {
            return;
        }
        let began = self.jobs[usize::from(job)].began;
        let started = self.dated(began, setting);
        let owner = self.owner(owner);
        let row = &mut owner.rows[usize::from(file)];
        row.dated = Some(began);
        owner.doubts.learn(started, stamp(row.sent), now());
    }

    /// A refusal that may be the echo of our own success is looked into before it is recorded.
    fn refused(
        &mut self,
        owner: u8,
        item: Sending,
        failure: Failure,
        setting: &Setting,
        met: &mut BTreeSet<Sight>,
    ) {
        let file = item.file;
        let attempt = self.owner(owner).rows[usize::from(file)].attempt;
        if !may_be_echo(&failure, attempt, setting) {
            let step = Step::Answer(Answer::Refused(failure));
            self.step(owner, file, step, met);
        } else if setting.is_move() {
            self.lose(owner, vec![item], Why::Denied(failure), 0, setting);
        } else {
            let step = Step::Answer(Answer::Refused(failure));
            self.ask_for_echo(owner, file, step, Vec::new(), setting);
        }
    }

    fn ask_for_echo(
        &mut self,
        owner: u8,
        file: u8,
        step: Step,
        and_not: Vec<u8>,
        setting: &Setting,
    ) {
        let owner = self.owner(owner);
        let mut row = owner.rows[usize::from(file)].clone();
        row.past.extend(and_not);
        let mut sent = row.as_sent(file, setting);
        // Any job since the plan may be the one that is echoed.
        let since_plan = planned() - jiff::SignedDuration::from_mins(15);
        sent.at = since_plan.min(sent.at);
        let since = Since {
            dead: instant(0),
            earlier_run: false,
        };
        let why = Why::Echo(Change::new(item_id(file), step));
        let earlier = row.earlier();
        owner
            .doubts
            .ask(sent, why, since, !setting.overwrite, earlier, &timing());
    }

    /// Reads a file that is followed, or its job.
    pub(super) fn follow(
        &mut self,
        owner: u8,
        file: u8,
        setting: &Setting,
        met: &mut BTreeSet<Sight>,
    ) {
        let row = &self.owner(owner).rows[usize::from(file)];
        let (attempt, export) = (row.attempt, row.state.export().cloned());
        let number = job_of(&export.expect("it was accepted"));
        let place = self.files[usize::from(file)].shown;
        if setting.is_move() && place == Where::Planned {
            let alias = Step::Observation(Observation::AliasAtDestination);
            return self.step(owner, file, alias, met);
        }
        let job = self.jobs[usize::from(number)];
        let mut seen = proof::standing(&shown(&job, number, job.stage, setting), setting.mode);
        if let Verdict::Failed(failure) = &seen.verdict
            && may_be_echo(failure, attempt, setting)
        {
            let step = Step::Observation(Observation::Job(seen));
            return self.ask_for_echo(owner, file, step, vec![number], setting);
        }
        if setting.is_move() && job.stage == Stage::Completed {
            // Somebody deleted the alias since.
            seen = SeenJob {
                verdict: Verdict::Completed,
                ..seen
            };
        }
        self.step(owner, file, Step::Observation(Observation::Job(seen)), met);
    }

    /// A job has completed long ago, and its file doesn't show it.
    pub(super) fn leave_unmoved(&mut self, owner: u8, file: u8, met: &mut BTreeSet<Sight>) {
        let unclear = Observation::Unclear(Doubt::NotMoved);
        self.step(owner, file, Step::Observation(unclear), met);
    }

    /// A person asks to send what failed. Its job and its file are read first.
    pub(super) fn retry(
        &mut self,
        owner: u8,
        file: u8,
        setting: &Setting,
        met: &mut BTreeSet<Sight>,
    ) {
        self.retries -= 1;
        let export = self.owner(owner).rows[usize::from(file)]
            .state
            .export()
            .cloned();
        let place = self.files[usize::from(file)].shown;
        let step = if setting.is_move() && place == Where::Planned {
            Step::Observation(Observation::AliasAtDestination)
        } else if let Some(seen) = export.and_then(|export| {
            let number = job_of(&export);
            let job = self.jobs[usize::from(number)];
            let seen = proof::standing(&shown(&job, number, job.stage, setting), setting.mode);
            (!matches!(seen.verdict, Verdict::Failed(_))).then_some(seen)
        }) {
            Step::Observation(Observation::Job(seen))
        } else {
            let in_flight = self.jobs.iter().any(|job| {
                job.file == file && job.listed && !job.forgotten && job.stage == Stage::Live
            });
            let there = !setting.is_move() || place == Where::Platform;
            if in_flight || !there {
                return;
            }
            met.insert(Sight::RetriedByAPerson);
            Step::Retry
        };
        self.step(owner, file, step, met);
    }
}

fn may_be_echo(failure: &Failure, attempt: u32, setting: &Setting) -> bool {
    failure.may_be_own_success() && (setting.is_move() || attempt > 1)
}
