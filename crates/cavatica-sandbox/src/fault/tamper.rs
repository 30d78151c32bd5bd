//! Answers that are not what they should be.

use crate::answer::{Answer, Body};

/// Puts the items of an answer in another order.
pub(crate) fn shuffle(answer: &mut Answer) {
    if let Some(items) = items(answer) {
        let mut chance = fastrand::Rng::with_seed(items.len() as u64);
        chance.shuffle(items);
    }
}

/// Leaves the last items of an answer out.
pub(crate) fn omit(answer: &mut Answer, count: usize) {
    if let Some(items) = items(answer) {
        items.truncate(items.len().saturating_sub(count));
    }
}

/// Makes the first items of an answer such as no page describes.
pub(crate) fn spoil(answer: &mut Answer, count: usize) {
    for item in items(answer).into_iter().flatten().take(count) {
        item["href"] = 7.into();
    }
}

/// Shows another state wherever the answer shows a job's.
pub(crate) fn disguise(answer: &mut Answer, state: &str) {
    let show = |job: &mut serde_json::Value| {
        if let Some(shown) = job.get_mut("state") {
            *shown = state.into();
        }
    };
    if let Body::Json(body) = &mut answer.body {
        show(body);
    }
    for item in items(answer).into_iter().flatten() {
        show(item);
        if let Some(resource) = item.get_mut("resource") {
            show(resource);
        }
    }
}

fn items(answer: &mut Answer) -> Option<&mut Vec<serde_json::Value>> {
    match &mut answer.body {
        Body::Json(body) => body.get_mut("items")?.as_array_mut(),
        Body::Html(_) | Body::Empty => None,
    }
}
