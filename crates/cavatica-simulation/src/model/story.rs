//! A way through the model in words that a person can follow.

use std::collections::BTreeSet;

use cavatica_transfer::proof::Where;
use cavatica_transfer::state::State;

use super::action::{Action, Pick, Shape};
use super::checker::System;
use super::setting::Setting;
use super::world::{Broken, Owner, Record, Snapshot, Stage, Tick};

/// What happens on the way, a sentence each, and what is wrong in the end.
pub(super) fn tell(setting: &Setting, way: &[Action], broken: Option<&Broken>) -> Vec<String> {
    let mut teller = Teller {
        sentences: Vec::new(),
    };
    let mut world = setting.begin();
    for action in way {
        let next = setting.next(&world, *action, &mut BTreeSet::new());
        teller.tell(*action, &world, &next);
        world = next;
    }
    teller.sentences.extend(broken.map(verdict));
    teller.sentences
}

fn verdict(broken: &Broken) -> String {
    match broken {
        Broken::Doubled {
            file,
            had_succeeded,
        } => {
            let before = if *had_succeeded {
                "had succeeded"
            } else {
                "lives"
            };
            format!("**{} is sent twice**: its first job {before}.", name(*file))
        }
        Broken::NotCompleted(file) => {
            format!("**{} counts as completed and isn't**.", name(*file))
        }
        Broken::NotFailed(file) => format!(
            "**{} counts as failed**, though its job lives or has succeeded.",
            name(*file)
        ),
        Broken::Dangling(file) => {
            format!(
                "**{} is an alias of nothing**: its only copy is gone.",
                name(*file)
            )
        }
        Broken::Robbed(file) => format!(
            "**What lay at the place of {} is gone**, and nobody had asked for it.",
            name(*file)
        ),
        Broken::Illegal(step) => format!("**The state machine refuses**: {step}."),
    }
}

struct Teller {
    sentences: Vec<String>,
}

impl Teller {
    fn tell(&mut self, action: Action, before: &Snapshot, after: &Snapshot) {
        let sentence = self.sentence(action, before, after);
        let mut sentence = match sentence {
            Some(sentence) => sentence,
            None => match self.sentences.pop() {
                Some(last) => last.trim_end_matches('.').to_owned(),
                None => String::new(),
            },
        };
        for change in self.changes(action, before, after) {
            sentence.push_str(&format!("; {change}"));
        }
        sentence.push('.');
        self.sentences.push(sentence);
    }

    /// What happens; `None` where it only goes on with what was told last.
    fn sentence(&self, action: Action, before: &Snapshot, after: &Snapshot) -> Option<String> {
        Some(match action {
            Action::Start(owner) | Action::TakeOver(owner, _) => {
                let mut sentence = format!("{} begins", run(owner, after));
                if matches!(action, Action::TakeOver(..)) {
                    sentence += &format!(" while {} lives", run(1 - owner, before).to_lowercase());
                }
                sentence
            }
            Action::Intend(owner, pick) => {
                let files = match pick {
                    Pick::One(file) => name(file),
                    Pick::All => "A and B".to_owned(),
                };
                format!("{} commits its intent to send {files}", run(owner, before))
            }
            Action::Check(call) => {
                format!("{} reads where the files lie", run_of(call, before))
            }
            Action::Send(call) => format!("{} sends", run_of(call, before)),
            Action::Ask(owner) => {
                format!("{} asks for what is in doubt", run(owner, before))
            }
            Action::AskOn(_) => return self.goes_on(),
            Action::Follow(owner, file) => {
                format!("{} looks at {}", run(owner, before), name(file))
            }
            Action::Answer(_, Shape::Whole) => "The answer comes".to_owned(),
            Action::Answer(_, Shape::Reversed) => "The answer comes in another order".to_owned(),
            Action::Answer(_, Shape::Short) => "The answer comes without its first item".to_owned(),
            Action::Answer(_, Shape::Stumbled) => {
                "The answer says of its first item that the server failed".to_owned()
            }
            Action::Answer(_, Shape::Echoed) => {
                "The answer says of its first item that it can't be exported".to_owned()
            }
            Action::GiveUp(call) => {
                format!(
                    "No answer comes; {} gives up",
                    run_of(call, before).to_lowercase()
                )
            }
            Action::SayNo(_) => "The answer is 429".to_owned(),
            Action::Unsent(call) => {
                format!("{} can't connect: nothing is sent", run_of(call, before))
            }
            Action::Leave(owner) => format!(
                "{} sees that it isn't the newest, and ends",
                run(owner, before)
            ),
            Action::Die(owner, _) => format!("{} is killed", run(owner, before)),
            Action::LosePower(owner) => format!(
                "The power fails: {} is gone, and so is its last commit",
                run(owner, before).to_lowercase()
            ),
            Action::Retry(owner, file) => {
                format!(
                    "Somebody has {} retry {}",
                    run(owner, before).to_lowercase(),
                    name(file)
                )
            }
            Action::LeaveUnmoved(owner, file) => format!(
                "{} has waited long enough for {} to show that it moved",
                run(owner, before),
                name(file)
            ),
            _ => return Some(platform(action, before, after)),
        })
    }

    fn goes_on(&self) -> Option<String> {
        let asking = self.sentences.last();
        let asking = asking.is_some_and(|last| last.contains("asks for what is in doubt"));
        (!asking).then(|| "It reads on".to_owned())
    }

    /// What is recorded otherwise than before.
    fn changes(&self, action: Action, before: &Snapshot, after: &Snapshot) -> Vec<String> {
        if matches!(
            action,
            Action::Start(_) | Action::TakeOver(..) | Action::Intend(..)
        ) {
            return Vec::new();
        }
        let both = before
            .owners
            .iter()
            .flatten()
            .zip(after.owners.iter().flatten());
        both.flat_map(|(before, after)| changed(before, after))
            .collect()
    }
}

fn run(owner: u8, world: &Snapshot) -> String {
    let owner = world.owners[usize::from(owner)].as_ref();
    format!("Run {}", owner.map_or(0, |owner| owner.number.0))
}

fn run_of(call: u8, world: &Snapshot) -> String {
    let owner = world.calls[usize::from(call)].owner;
    owner.map_or("Somebody".to_owned(), |owner| run(owner, world))
}

fn changed(before: &Owner, after: &Owner) -> Vec<String> {
    let rows = (0..).zip(before.rows.iter().zip(&after.rows));
    let changed = rows.filter(|(_, (before, after))| before.state != after.state);
    changed
        .map(|(file, (_, after))| format!("{} is {}", name(file), state(after)))
        .collect()
}

fn state(row: &Record) -> String {
    match &row.state {
        State::Planned => "to be sent again".to_owned(),
        State::Failed { failure, .. } => format!("failed ({failure})"),
        other => other.name().to_owned(),
    }
}

/// What the platform does, or what happens to it.
fn platform(action: Action, before: &Snapshot, after: &Snapshot) -> String {
    match action {
        Action::Take(call, place) => {
            let item = before.calls[usize::from(call)].items[usize::from(place)];
            let file = name(item.file);
            let late = before.calls[usize::from(call)].given_up.is_some();
            let late = if late { ", late," } else { "" };
            match after.jobs.len() > before.jobs.len() {
                true => format!("The platform{late} takes {file}: job {}", after.jobs.len()),
                false => format!("The platform{late} refuses {file}"),
            }
        }
        Action::Succeed(job) => {
            let number = job + 1;
            match after.jobs[usize::from(job)].stage {
                Stage::Failed(code) => format!("Job {number} fails with {code}"),
                _ => format!("Job {number} completes"),
            }
        }
        Action::Fail(job) => format!("Job {} fails", job + 1),
        Action::List(job) => format!("The list shows job {}", job + 1),
        Action::Show(file) => match after.files[usize::from(file)].shown {
            Where::Gone => format!("{} is another file now, under another id", name(file)),
            _ => format!("{} shows that it is an alias", name(file)),
        },
        Action::ShowTooMuch(file) => {
            format!(
                "{} shows that it is an alias, though nothing is there",
                name(file)
            )
        }
        Action::Wait(by) => format!("{} pass", seconds(by)),
        Action::Restore => "A backup of the plan is put in the transfer's place".to_owned(),
        Action::TakeAway(file, Where::Planned) => {
            format!("Somebody else moves {} to the planned place", name(file))
        }
        Action::TakeAway(file, _) => format!("Somebody else moves {} elsewhere", name(file)),
        Action::Forget(job) => format!("The list loses job {}", job + 1),
        _ => unreachable!("the run's own steps are told elsewhere"),
    }
}

/// With the settling time that people have.
fn seconds(by: Tick) -> String {
    format!("{} s", by * 20)
}

fn name(file: u8) -> String {
    char::from(b'A' + file).to_string()
}
