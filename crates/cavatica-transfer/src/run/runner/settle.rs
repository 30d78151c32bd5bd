//! Settling what answers left open.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{LOOK, LOOKS, Runner, told};
use crate::event::Event;
use crate::item::{Doubt, ItemId, Observation, Step};
use crate::journal::Move;
use crate::reconcile::{Moments, Question, judge};
use crate::run::look::{ListState, Reach, Seen};
use crate::run::{AskError, RunError, tasks};

impl Runner<'_> {
    pub(super) fn look(&mut self, now: Instant) {
        if self.looking || self.hold.is_some_and(|hold| hold > now) {
            return;
        }
        let whole = self.only_questions();
        let mut questions = Vec::new();
        for echo in &self.echoes {
            if questions.len() < LOOK {
                questions.push(Question {
                    item: echo.item.clone(),
                    intended: Timestamp::MIN,
                    export: None,
                    earlier: echo.export.iter().cloned().collect(),
                });
            }
        }
        for pending in &self.questions {
            let due = pending.due.map_or(whole, |due| due <= now);
            if due && questions.len() < LOOK {
                questions.push(pending.question.clone());
            }
        }
        if questions.is_empty() {
            return;
        }
        self.looking = true;
        let skew =
            SignedDuration::try_from(self.options.timing.clock_skew).unwrap_or(SignedDuration::MAX);
        self.tasks.spawn(tasks::look(
            self.platform.clone(),
            self.terms.mode,
            self.terms.volume.clone(),
            skew,
            questions,
            if whole { Reach::Whole } else { Reach::Cheap },
        ));
    }

    pub(super) fn looked(
        &mut self,
        asked: Vec<Question>,
        reach: Reach,
        result: Result<Seen, AskError>,
    ) -> Result<(), RunError> {
        self.looking = false;
        let now = Instant::now();
        let seen = match result {
            Ok(seen) => seen,
            Err(error) => return self.troubled(error),
        };
        self.reached();
        let look = seen.look();
        let (mut found, mut absent, mut unknown) = (0, 0, 0);
        let mut moves = Vec::new();
        let asked: HashMap<ItemId, Question> = asked
            .into_iter()
            .map(|question| (question.id(), question))
            .collect();

        let mut moments = Moments::default();
        for echo in std::mem::take(&mut self.echoes) {
            let Some(question) = asked.get(&echo.item.id) else {
                self.echoes.push(echo);
                continue;
            };
            let observed = judge(question, &look);
            let own = match (observed, &echo.export) {
                (Some((Observation::AliasAtDestination, _)), _) => Some(Move::new(
                    echo.item.id,
                    Step::Observation(Observation::AliasAtDestination),
                )),
                (Some((observation @ Observation::Job(_), Some(job))), None) => Some(told(
                    echo.item.id,
                    Step::Observation(observation),
                    moments.of(&job.clone().into()),
                )),
                _ => None,
            };
            found += usize::from(own.is_some());
            moves.push(own.unwrap_or(echo.told));
        }

        for mut pending in std::mem::take(&mut self.questions) {
            let Some(question) = asked.get(&pending.question.id()) else {
                self.questions.push(pending);
                continue;
            };
            let Some((observation, job)) = judge(question, &look) else {
                pending.looks += u32::from(seen.list != ListState::NotRead);
                if pending.looks >= LOOKS {
                    unknown += 1;
                    let doubt = Observation::Unclear(Doubt::ListIncomplete);
                    moves.push(Move::new(pending.question.id(), Step::Observation(doubt)));
                    continue;
                }
                pending.due = match (seen.list, reach) {
                    (ListState::NotRead, Reach::Cheap | Reach::Unfinished) => None,
                    (ListState::NotRead | ListState::Whole | ListState::Incomplete, _) => {
                        Some(now + self.options.timing.settle)
                    }
                };
                self.questions.push(pending);
                continue;
            };
            match &observation {
                Observation::Job(_) | Observation::AliasAtDestination => found += 1,
                Observation::Absent => absent += 1,
                Observation::Unclear(_) => unknown += 1,
            }
            let step = Step::Observation(observation);
            moves.push(match job {
                Some(job) => told(question.id(), step, moments.of(&job.clone().into())),
                None => Move::new(question.id(), step),
            });
        }
        if found + absent + unknown > 0 {
            self.reconciled += (found + absent + unknown) as u64;
            (self.report)(Event::Reconciled {
                found,
                absent,
                unknown,
            });
        }
        self.record(moves)
    }
}
