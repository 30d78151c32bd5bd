use cavatica_exports::model::bulk::{BulkAnswer, ExportKey};
use cavatica_exports::model::job::StartedJob;
use cavatica_exports::model::volume::VolumeObject;
use cavatica_exports::model::{ExportJob, FileId, Location, VolumeId};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::evidence::Whereabouts;

fn answers() -> impl Strategy<Value = Habits> {
    let counts = prop::collection::vec((prop::sample::select(Habit::ALL), 1..1_000_u64), 0..40);
    let ranges = prop::collection::vec((prop::sample::select(Measure::ALL), any::<i64>()), 0..20);
    (counts, ranges).prop_map(|(counts, ranges)| {
        let mut seen = Habits::default();
        for (answer, times) in counts {
            seen.saw_often(answer, times);
        }
        for (measure, value) in ranges {
            seen.measured(measure, value);
        }
        seen
    })
}

fn volume() -> VolumeId {
    "lab/results".parse().expect("a volume")
}

fn planned(number: u64) -> (FileId, Location) {
    let file = format!("{number:024x}").parse().expect("a file id");
    (
        file,
        format!("run/{number}.bam").parse().expect("a location"),
    )
}

/// A text that the platform writes, or a name of somebody's.
fn foreign() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z]{8,20}", "PATIENT-[0-9]{6}", any::<String>()]
}

/// Every text in a document.
fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| {
            into.push(key.clone());
            texts(value, into);
        }),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::String(text) => into.push(text.clone()),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The names of answers and measures: nothing else may stand in a document.
fn is_ours(text: &str) -> bool {
    ["habits", "measures", "count", "least", "greatest"].contains(&text)
        || OpenQuestion::ALL
            .iter()
            .any(|question| question.name() == text)
        || Habit::ALL.iter().any(|answer| answer.name() == text)
        || Measure::ALL.iter().any(|measure| measure.name() == text)
}

proptest! {
    #[test]
    fn what_was_written_is_read(seen in answers()) {
        let text = serde_json::to_string(&seen).expect("plain data");
        prop_assert_eq!(serde_json::from_str::<Habits>(&text).expect("a document"), seen);
        prop_assert!(text.len() < 8_000, "{} bytes", text.len());
    }

    /// Whatever a platform writes, wherever it writes it, nothing of it is kept: no name, no id, no key.
    #[test]
    fn nothing_that_the_platform_wrote_is_kept(
        name in foreign(), other in foreign(), state in foreign(), time in foreign(), status in any::<u16>(),
        message in foreign(),
    ) {
        let mut seen = Habits::default();
        let id = "5f1c3f3ae4b0a1d2c3b4a596";
        let job = json!({
            "id": id, "state": state, "source": {"file": id}, "started_on": time,
            "destination": {"volume": "lab/results", "location": name}, "error": {"code": 9107, "message": message},
        });
        if let Ok(answer) = serde_json::from_value::<BulkAnswer<StartedJob>>(
            json!({"items": [{"resource": job}, {"resource": job}]}),
        ) {
            let volume = volume();
            let items = [1, 2, 3].map(planned);
            let keys = items.iter().map(|(file, location)| ExportKey::new(file, &volume, location));
            bulk(&mut seen, status, &answer.items, keys);
        }
        if let Ok(job) = serde_json::from_value::<ExportJob>(job) {
            states(&mut seen, &[job.into()]);
        }
        let metadata = json!({"location": name, "metadata": {other.as_str(): message, name.as_str(): 1}});
        if let Ok(object) = serde_json::from_value::<VolumeObject>(metadata) {
            super::metadata(&mut seen, &object);
        }
        let place = Whereabouts::Volume { volume: Some(volume()), location: Some(other) };
        alias(&mut seen, &place, &planned(1).1);
        prop_assert!(!seen.is_empty());

        let mut written = Vec::new();
        texts(&serde_json::to_value(&seen).expect("plain data"), &mut written);
        let strange: Vec<_> = written.iter().filter(|text| !is_ours(text)).collect();
        prop_assert!(strange.is_empty(), "{strange:?}");
    }

    /// A transfer is data, whoever it comes from: what somebody put into its document isn't shown.
    #[test]
    fn nothing_that_somebody_wrote_into_a_transfer_is_kept(name in foreign(), other in foreign(), times in any::<u64>()) {
        let document = json!({
            "habits": {name.as_str(): {other.as_str(): times}, "start-status": {name.as_str(): times}},
            "measures": {other.as_str(): {"count": 1, "least": 2, "greatest": 3}},
        });
        let read: Habits = serde_json::from_value(document).expect("a document");
        let mut written = Vec::new();
        texts(&serde_json::to_value(&read).expect("plain data"), &mut written);
        prop_assert!(written.iter().all(|text| is_ours(text)), "{written:?}");
    }

    #[test]
    fn adding_up_forgets_nothing(one in answers(), other in answers()) {
        let mut sum = one.clone();
        sum.add(&other);
        for answer in Habit::ALL {
            prop_assert_eq!(sum.count(*answer), one.count(*answer) + other.count(*answer));
        }
        for measure in Measure::ALL {
            let bounds = [one.range(*measure), other.range(*measure)];
            let greatest = bounds.iter().flatten().map(|range| range.greatest).max();
            prop_assert_eq!(sum.range(*measure).map(|range| range.greatest), greatest);
        }
    }
}

/// However long runs go on and whatever they see: every habit so often as can be counted, every measure as wide as can be.
#[test]
fn there_is_an_end_to_what_is_kept() {
    let mut seen = Habits::default();
    for habit in Habit::ALL {
        seen.saw_often(*habit, u64::MAX);
        seen.saw(*habit);
    }
    for measure in Measure::ALL {
        seen.measured(*measure, i64::MIN);
        seen.measured(*measure, i64::MAX);
    }
    let text = serde_json::to_string(&seen).expect("plain data");
    assert!(text.len() < 4_096, "{} bytes", text.len());
    assert_eq!(
        serde_json::from_str::<Habits>(&text).expect("a document"),
        seen
    );
}

#[test]
fn keys_of_metadata_are_known_by_their_names() {
    for (key, habit) in [
        ("Content-Length", Habit::ContentLength),
        ("size", Habit::SizeKey),
        ("e_tag", Habit::EtagKey),
        ("last_modified", Habit::LastModified),
        ("x-amz-meta-patient", Habit::OtherKey),
    ] {
        let object = json!({"location": "a", "metadata": {key: "1"}});
        let object: VolumeObject = serde_json::from_value(object).expect("an object");
        let mut seen = Habits::default();
        super::metadata(&mut seen, &object);
        let keys: Vec<_> = seen.habits(OpenQuestion::ObjectMetadata).collect();
        assert_eq!(keys, [(habit, 1)], "{key}");
    }
}

#[test]
fn an_alias_elsewhere_is_told() {
    let (_, planned) = planned(1);
    for (location, habit) in [
        ("run/1.bam", Habit::AliasAsPlanned),
        ("run/%31.bam", Habit::AliasRespelled),
        ("elsewhere/1.bam", Habit::AliasElsewhere),
    ] {
        let mut seen = Habits::default();
        let place = Whereabouts::Volume {
            volume: Some(volume()),
            location: Some(location.to_owned()),
        };
        alias(&mut seen, &place, &planned);
        let shown: Vec<_> = seen.habits(OpenQuestion::AliasLocation).collect();
        assert_eq!(shown, [(habit, 1)], "{location}");
    }
}

#[test]
fn every_name_is_said_once() {
    let mut names: Vec<&str> = OpenQuestion::ALL
        .iter()
        .map(|question| question.name())
        .collect();
    names.extend(Measure::ALL.iter().map(|measure| measure.name()));
    let mut distinct = names.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), names.len());
    for question in OpenQuestion::ALL {
        let names: std::collections::BTreeSet<_> = question
            .habits()
            .iter()
            .map(|answer| answer.name())
            .collect();
        assert_eq!(names.len(), question.habits().len(), "{}", question.name());
    }
}

#[test]
fn a_belief_that_was_contradicted_is_told_unless_it_is_accepted() {
    let mut seen = Habits::default();
    assert_eq!(seen.contradicted(&[]), None);
    seen.saw(Habit::JobForgotten);
    assert_eq!(seen.contradicted(&[]), Some(Belief::JobsKept));
    assert_eq!(
        seen.contradicted(&[Belief::AliasIsTrue]),
        Some(Belief::JobsKept)
    );
    assert_eq!(seen.contradicted(&[Belief::JobsKept]), None);
}

/// A question that has a number among the open questions of the API's page has a row there, with a column for what was
/// observed.
#[test]
fn every_numbered_question_has_its_row() {
    let page = include_str!("../../../../docs/api.md");
    let (_, open) = page.split_once("## Open questions").expect("the section");
    assert!(open.contains("| # | question | what we do | observed |"));
    for row in OpenQuestion::ALL
        .iter()
        .filter_map(|question| question.row())
    {
        let line = open
            .lines()
            .find(|line| line.starts_with(&format!("| {row} |")));
        let cells = line.map(|line| line.split('|').count());
        assert_eq!(cells, Some(6), "row {row}");
    }
}
