//! What a run sees of the platform that no page tells: kept with the transfer, at no request more.
//!
//! The accumulator is pure and small: counts of fixed [`Habit`]s, and the least and greatest of fixed [`Measure`]s. It has no
//! room for a text, so it can't hold the name of a file, an id or a key, whatever a platform writes.

mod look;
mod question;

pub(crate) use look::{
    Came, alias, bulk, failed, limits, metadata, order_of, page, sent_again, states,
};
pub use question::{Accord, Basis, Belief, Habit, Measure, NoBelief, OpenQuestion};

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How often something was measured, and between which bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Range {
    /// How often.
    pub count: u64,
    /// The least.
    pub least: i64,
    /// The greatest.
    pub greatest: i64,
}

/// What was seen. Those of several runs and transfers can be added up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Habits {
    habits: BTreeMap<Habit, u64>,
    ranges: BTreeMap<Measure, Range>,
}

impl Habits {
    /// A habit was seen.
    pub fn saw(&mut self, habit: Habit) {
        self.saw_often(habit, 1);
    }

    /// A habit was seen so often.
    pub fn saw_often(&mut self, habit: Habit, times: u64) {
        if times > 0 {
            let count = self.habits.entry(habit).or_default();
            *count = count.saturating_add(times);
        }
    }

    /// Something was measured.
    pub fn measured(&mut self, measure: Measure, value: i64) {
        let one = Range {
            count: 1,
            least: value,
            greatest: value,
        };
        self.widen(measure, one);
    }

    /// A span was measured.
    pub(crate) fn lasted(&mut self, measure: Measure, span: Duration) {
        self.measured(measure, i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    }

    fn widen(&mut self, measure: Measure, by: Range) {
        let range = self
            .ranges
            .entry(measure)
            .or_insert(Range { count: 0, ..by });
        range.count = range.count.saturating_add(by.count);
        range.least = range.least.min(by.least);
        range.greatest = range.greatest.max(by.greatest);
    }

    /// Adds what was seen elsewhere.
    pub fn add(&mut self, others: &Habits) {
        for (habit, times) in &others.habits {
            self.saw_often(*habit, *times);
        }
        for (measure, range) in &others.ranges {
            self.widen(*measure, *range);
        }
    }

    /// How often a habit was seen.
    pub fn count(&self, habit: Habit) -> u64 {
        self.habits.get(&habit).copied().unwrap_or_default()
    }

    /// What answered a question, and how often.
    pub fn habits(&self, question: OpenQuestion) -> impl Iterator<Item = (Habit, u64)> {
        let given = question.habits().iter();
        given
            .map(|habit| (*habit, self.count(*habit)))
            .filter(|(_, times)| *times > 0)
    }

    /// Between which bounds something was measured, if it was.
    pub fn range(&self, measure: Measure) -> Option<Range> {
        self.ranges.get(&measure).copied()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.habits.is_empty() && self.ranges.is_empty()
    }

    /// The first belief that was contradicted, of those that aren't accepted all the same.
    pub fn contradicted(&self, accepted: &[Belief]) -> Option<Belief> {
        Belief::ALL
            .into_iter()
            .find(|belief| !accepted.contains(belief) && self.count(belief.contradicted()) > 0)
    }

    /// How long a job took to be listed, if one took any time.
    pub(crate) fn listed_after(&self) -> Duration {
        let range = self.range(Measure::ListedAfter);
        let greatest = range.map_or(0, |range| u64::try_from(range.greatest).unwrap_or(0));
        Duration::from_millis(greatest)
    }
}

/// As it is written: `{"habits": {"QUESTION": {"HABIT": times}}, "measures": {"MEASURE": {...}}}`.
#[derive(Default, Serialize, Deserialize)]
struct StoredHabits<K: Ord> {
    habits: BTreeMap<K, BTreeMap<K, u64>>,
    measures: BTreeMap<K, Range>,
}

impl Serialize for Habits {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut habits: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
        for (habit, times) in &self.habits {
            let question = habits.entry(habit.question().name()).or_default();
            question.insert(habit.name(), *times);
        }
        let measures = self.ranges.iter();
        let measures = measures.map(|(measure, range)| (measure.name(), *range));
        let document = StoredHabits {
            habits,
            measures: measures.collect(),
        };
        document.serialize(serializer)
    }
}

/// Names that this version doesn't know are passed over: what is read holds as little as what was seen.
impl<'de> Deserialize<'de> for Habits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let document = StoredHabits::<String>::deserialize(deserializer)?;
        let mut read = Habits::default();
        for habit in Habit::ALL {
            let question = document.habits.get(habit.question().name());
            let times = question.and_then(|question| question.get(habit.name()));
            read.saw_often(*habit, times.copied().unwrap_or_default());
        }
        for measure in Measure::ALL {
            let range = document.measures.get(measure.name());
            if let Some(range) =
                range.filter(|range| range.count > 0 && range.least <= range.greatest)
            {
                read.widen(*measure, *range);
            }
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests;
