//! What was seen of the platform's contract, as it may be sent to anybody: no name, id or key is in it.

use std::fmt::Write;

use cavatica_model::account::Platform;
use cavatica_transfer::journal::{JournalError, TransferFile};
use cavatica_transfer::observe::{Accord, Habit, Habits, Measure, OpenQuestion};
use serde::Serialize;

/// The observations of some transfers, or of a rehearsal, in the shape that the program prints as JSON.
#[derive(Debug, Serialize)]
pub struct Contract {
    /// The platforms by their names, each once; `other` for any other address.
    pub platforms: Vec<&'static str>,
    /// How many transfers were read.
    pub transfers: u64,
    /// Every question, with the habits that were seen.
    pub questions: Vec<QuestionLine>,
    /// What was measured.
    pub measures: Vec<MeasureLine>,
}

/// A question, and what was seen.
#[derive(Debug, Serialize)]
pub struct QuestionLine {
    /// Its name; it doesn't change.
    pub name: &'static str,
    /// Its number among the open questions of `docs/api.md`.
    pub row: Option<u8>,
    /// What is asked.
    pub asks: &'static str,
    /// `documented` or `inferred`.
    pub basis: &'static str,
    /// What is expected on that basis.
    pub expected: Vec<&'static str>,
    /// What was seen; empty where nothing was.
    pub observed: Vec<HabitLine>,
}

/// A habit that was seen.
#[derive(Debug, Serialize)]
pub struct HabitLine {
    /// Its name; it doesn't change.
    pub habit: &'static str,
    /// How often it was seen.
    pub times: u64,
    /// Whether it is one that was expected.
    pub expected: bool,
    /// What the program does about it.
    pub follows: &'static str,
}

/// Something that was measured.
#[derive(Debug, Serialize)]
pub struct MeasureLine {
    /// Its name, with its unit at the end; it doesn't change.
    pub name: &'static str,
    /// What is measured.
    pub words: &'static str,
    /// How often it was.
    pub count: u64,
    /// The least.
    pub least: i64,
    /// The greatest.
    pub greatest: i64,
}

impl Contract {
    /// What was seen on a platform, told of these questions.
    pub fn new(endpoint: &str, seen: &Habits, questions: &[OpenQuestion]) -> Self {
        Contract {
            platforms: vec![platform(endpoint)],
            transfers: 0,
            questions: questions.iter().map(|asked| line(seen, *asked)).collect(),
            measures: measures(seen),
        }
    }

    /// What these transfers saw, added up.
    ///
    /// # Errors
    ///
    /// If one of them can't be read.
    pub fn of<'t>(
        transfers: impl IntoIterator<Item = &'t TransferFile>,
    ) -> Result<Self, JournalError> {
        let mut seen = Habits::default();
        let (mut platforms, mut count) = (Vec::new(), 0);
        for transfer in transfers {
            seen.add(&transfer.observations()?);
            platforms.push(platform(&transfer.terms().endpoint));
            count += 1;
        }
        platforms.sort_unstable();
        platforms.dedup();
        Ok(Contract {
            platforms,
            transfers: count,
            ..Contract::new("", &seen, OpenQuestion::ALL)
        })
    }

    /// The questions that were answered otherwise than was expected.
    pub fn otherwise(&self) -> impl Iterator<Item = &QuestionLine> {
        self.questions
            .iter()
            .filter(|line| line.observed.iter().any(|habit| !habit.expected))
    }

    /// A page to be sent to the project, in Markdown.
    pub fn page(&self, program: &str) -> String {
        let mut page = format!(
            "# Observed on {}\n\nBy cavatica {program}, in {} transfer{}. It holds counts alone: no name, id or key.\n",
            self.platforms.join(", "),
            self.transfers,
            if self.transfers == 1 { "" } else { "s" },
        );
        page += "\n| question | basis | expected | observed | what the program does |\n|---|---|---|---|---|\n";
        for line in self
            .questions
            .iter()
            .filter(|line| !line.observed.is_empty())
        {
            let row = line.row.map_or_else(String::new, |row| format!("{row}: "));
            for habit in &line.observed {
                let mark = if habit.expected { "" } else { "**" };
                writeln!(
                    page,
                    "| {row}{} | {} | {} | {mark}{}{mark}, {} × | {} |",
                    line.asks,
                    line.basis,
                    line.expected.join(", "),
                    habit.habit,
                    habit.times,
                    habit.follows,
                )
                .expect("a text takes any text");
            }
        }
        if !self.measures.is_empty() {
            page += "\n| measured | times | least | greatest |\n|---|--:|--:|--:|\n";
        }
        for line in &self.measures {
            let MeasureLine {
                words,
                count,
                least,
                greatest,
                ..
            } = line;
            writeln!(page, "| {words} | {count} | {least} | {greatest} |")
                .expect("a text takes any text");
        }
        let open = self
            .questions
            .iter()
            .filter(|line| line.observed.is_empty());
        let open: Vec<_> = open.map(|line| line.name).collect();
        if !open.is_empty() {
            writeln!(page, "\nNot seen: {}.", open.join(", ")).expect("a text takes any text");
        }
        page
    }
}

fn platform(endpoint: &str) -> &'static str {
    Platform::of_address(endpoint).map_or("other", Platform::name)
}

fn line(seen: &Habits, question: OpenQuestion) -> QuestionLine {
    let is_expected = |habit: &Habit| habit.accord() == Accord::Expected;
    let expected = question.habits().iter().filter(|habit| is_expected(habit));
    QuestionLine {
        name: question.name(),
        row: question.row(),
        asks: question.asks(),
        basis: question.basis().name(),
        expected: expected.map(|habit| habit.name()).collect(),
        observed: seen
            .habits(question)
            .map(|(habit, times)| HabitLine {
                habit: habit.name(),
                times,
                expected: is_expected(&habit),
                follows: habit.follows(),
            })
            .collect(),
    }
}

fn measures(seen: &Habits) -> Vec<MeasureLine> {
    let measured = |measure: &Measure| {
        let range = seen.range(*measure)?;
        Some(MeasureLine {
            name: measure.name(),
            words: measure.words(),
            count: range.count,
            least: range.least,
            greatest: range.greatest,
        })
    };
    Measure::ALL.iter().filter_map(measured).collect()
}
