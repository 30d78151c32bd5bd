//! Answers that are not what they should be.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use crate::control::fault::Form;
use crate::wire::answer::Reply;

/// Puts the items of an answer in another order.
pub(crate) fn shuffle(answer: &mut Reply) {
    change_items(answer, |items| {
        let mut chance = fastrand::Rng::with_seed(items.len() as u64);
        chance.shuffle(items);
    });
}

/// Leaves the last items of an answer out.
pub(crate) fn omit(answer: &mut Reply, count: usize) {
    change_items(answer, |items| {
        items.truncate(items.len().saturating_sub(count))
    });
}

/// Makes the first items of an answer such as no page describes.
pub(crate) fn spoil(answer: &mut Reply, count: usize) {
    change_items(answer, |items| {
        for item in items.iter_mut().take(count) {
            item["href"] = 7.into();
        }
    });
}

/// Shows another state wherever the answer shows a job's.
pub(crate) fn disguise(answer: &mut Reply, state: &str) {
    each_job(answer, |job| {
        if let Some(shown) = job.get_mut("state") {
            *shown = state.into();
        }
    });
}

/// Takes the source and the destination from all jobs.
pub(crate) fn unname(answer: &mut Reply) {
    each_job(answer, |job| {
        if let Some(job) = job.as_object_mut() {
            job.remove("source");
            job.remove("destination");
        }
    });
}

/// Shows the times of jobs as another clock has them.
pub(crate) fn shift_times(answer: &mut Reply, seconds: i64) {
    each_time(answer, |at| {
        Some(
            at.checked_add(SignedDuration::from_secs(seconds))
                .ok()?
                .to_string(),
        )
    });
}

/// Shows the times of jobs as a clock on a wall so far east of Greenwich.
pub(crate) fn strip_zone(answer: &mut Reply, hours: i64) {
    each_time(answer, |at| {
        let local = at.checked_add(SignedDuration::from_hours(hours)).ok()?;
        let local = local.to_zoned(TimeZone::UTC).datetime();
        Some(local.strftime("%Y-%m-%dT%H:%M:%S").to_string())
    });
}

/// Takes the times from all jobs.
pub(crate) fn drop_times(answer: &mut Reply) {
    each_time(answer, |_| None);
}

/// Spells the locations of jobs and aliases otherwise.
pub(crate) fn respell(answer: &mut Reply, form: Form) {
    answer.alter(|body| respell_within(body, form));
}

fn respell_within(value: &mut Value, form: Form) {
    match value {
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| respell_within(value, form)),
        Value::Object(object) => {
            for (key, value) in object {
                let place = (key == "destination" || key == "storage")
                    .then(|| value.get_mut("location"))
                    .flatten();
                match place {
                    Some(Value::String(location)) => *location = spelled(location, form),
                    _ => respell_within(value, form),
                }
            }
        }
        _ => {}
    }
}

fn spelled(location: &str, form: Form) -> String {
    const KEY: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'.')
        .remove(b'_')
        .remove(b'~');
    match form {
        Form::Nfc => location.nfc().collect(),
        Form::Nfd => location.nfd().collect(),
        Form::Percent => utf8_percent_encode(location, KEY).to_string(),
    }
}

/// Changes the times of all jobs, or takes them away.
fn each_time(answer: &mut Reply, change: impl Fn(Timestamp) -> Option<String>) {
    each_job(answer, |job| {
        let Some(job) = job.as_object_mut() else {
            return;
        };
        for key in ["started_on", "finished_on"] {
            let at = job.get(key).and_then(Value::as_str);
            let Some(at) = at.and_then(|text| text.parse().ok()) else {
                continue;
            };
            match change(at) {
                Some(text) => job.insert(key.to_owned(), text.into()),
                None => job.remove(key),
            };
        }
    });
}

/// Every job that an answer may hold: itself, the items of a list, the resources of a bulk answer.
fn each_job(answer: &mut Reply, change: impl Fn(&mut Value)) {
    answer.alter(|body| {
        change(body);
        for item in items(body).into_iter().flatten() {
            change(item);
            if let Some(resource) = item.get_mut("resource") {
                change(resource);
            }
        }
    });
}

fn change_items(answer: &mut Reply, change: impl FnOnce(&mut Vec<Value>)) {
    answer.alter(|body| {
        if let Some(items) = items(body) {
            change(items);
        }
    });
}

fn items(body: &mut Value) -> Option<&mut Vec<Value>> {
    body.get_mut("items")?.as_array_mut()
}
