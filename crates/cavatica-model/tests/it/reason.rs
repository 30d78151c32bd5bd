//! The names of everything that can speak against an export or a manifest.

use std::collections::HashSet;

use cavatica_model::finding::Reason;

#[test]
fn names_are_unique_and_every_one_is_explained() {
    let mut names = HashSet::new();
    for reason in Reason::all() {
        assert!(names.insert(reason.name), "{} twice", reason.name);
        assert!(
            reason
                .name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
            "{}",
            reason.name
        );
        for text in [reason.meaning, reason.advice] {
            assert!(
                !text.is_empty() && !text.ends_with('.'),
                "{}: {text}",
                reason.name
            );
        }
        assert_eq!(Reason::lookup(reason.name), Some(*reason));
    }
    assert_eq!(Reason::lookup("9107"), None);
}
