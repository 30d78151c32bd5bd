//! Collisions: found all, found exactly, in any order.

use std::collections::BTreeMap;

use cavatica_model::destination::{Census, Collision, Meeting, fold};
use cavatica_model::text::visible;
use proptest::collection::vec;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use crate::strategies;

fn collisions(keys: &[String]) -> Vec<Collision> {
    let mut census = Census::default();
    for key in keys {
        census.count(key);
    }
    let mut suspects = census.suspects();
    for (line, key) in (1..).zip(keys) {
        suspects.look(line, key);
    }
    assert_eq!(suspects.unlisted(), 0);
    suspects.collisions()
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[abAB]{1,2}",
        2 => "[abA](/[aB]){1,2}",
        2 => prop::sample::select(&["caf\u{e9}", "cafe\u{301}", "CAFE\u{301}", "stra\u{df}e", "STRASSE", "\u{3c3}", "\u{3c2}"][..])
            .prop_map(str::to_owned),
        1 => strategies::location(),
    ]
}

proptest! {
    #[test]
    fn folding_is_stable_and_ignores_letter_case(text in prop_oneof![key().boxed(), strategies::text()]) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded.clone());
        prop_assert_eq!(fold(&text.to_lowercase()), folded);
    }

    /// Folding takes a short cut through ASCII; it leads to the same place.
    #[test]
    fn folding_is_unicode_caseless_matching(text in prop_oneof![
        strategies::text(),
        "[aA\u{301}\u{e9}\u{df}\u{345}Z/]{0,8}",
        ".{0,12}",
    ]) {
        let is_seen = |letter: &char| visible(&letter.to_string()).to_string() == letter.to_string() || letter.is_control();
        let defined: String = text
            .chars()
            .filter(is_seen)
            .map(|letter| if letter.is_whitespace() && !letter.is_ascii() { ' ' } else { letter })
            .nfd()
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase)
            .nfc()
            .collect();
        prop_assert_eq!(fold(&text), defined);
    }

    /// The two passes find what a table of everything in memory finds.
    #[test]
    fn the_census_finds_what_a_full_table_finds(keys in vec(key(), 0..40)) {
        let mut same: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let mut folded: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for (line, key) in (1..).zip(&keys) {
            same.entry(key).or_default().push(line);
            let twins = folded.entry(fold(key)).or_default();
            if !twins.contains(&key.as_str()) {
                twins.push(key);
            }
        }
        let mut expected = Vec::new();
        for (key, lines) in &same {
            if lines.len() > 1 {
                let kept = lines.iter().copied().take(20).collect();
                expected.push((Meeting::Same, vec![*key], kept, lines.len() as u64));
            }
        }
        for twins in folded.values() {
            if twins.len() > 1 {
                let lines: Vec<u64> = twins.iter().map(|key| same[key][0]).collect();
                expected.push((Meeting::Twins, twins.clone(), lines, twins.len() as u64));
            }
        }
        for (folder, file) in folded.keys().flat_map(|folder| folded.keys().map(move |file| (folder, file))) {
            if file.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/')) {
                let first = |folded: &str| (1..).zip(&keys).find(|(_, key)| fold(key) == folded).expect("it is there");
                let is_below = |key: &&String| fold(key).strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
                let (line, key) = first(folder);
                let below = keys.iter().filter(is_below).count() as u64;
                let (first_line, first_key) = (1..).zip(&keys).find(|(_, key)| is_below(key)).expect("it is there");
                let nest = (Meeting::Nested, vec![key.as_str(), first_key.as_str()], vec![line, first_line], below + 1);
                if !expected.contains(&nest) {
                    expected.push(nest);
                }
            }
        }
        let found = collisions(&keys);
        let mut found: Vec<_> = found
            .iter()
            .map(|found| {
                let keys = found.keys.iter().map(String::as_str).collect::<Vec<_>>();
                (found.meeting, keys, found.lines.clone(), found.rows)
            })
            .collect();
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn no_more_than_ten_thousand_locations_are_kept() {
    let mut census = Census::default();
    let keys = || (0..12_000).map(|number| format!("{}/a", number / 2));
    keys().for_each(|key| census.count(&key));
    let mut suspects = census.suspects();
    (1..)
        .zip(keys())
        .for_each(|(line, key)| suspects.look(line, &key));
    assert_eq!(suspects.unlisted(), 0);

    let mut census = Census::default();
    let keys = || (0..22_000).map(|number| format!("{}/a", number / 2));
    keys().for_each(|key| census.count(&key));
    let mut suspects = census.suspects();
    (1..)
        .zip(keys())
        .for_each(|(line, key)| suspects.look(line, &key));
    assert_eq!(suspects.unlisted(), 2_000);
    assert_eq!(suspects.collisions().len(), 10_000);
}

#[test]
fn a_key_on_every_line_is_counted_but_not_kept() {
    let keys = vec!["a".to_owned(); 100_000];
    let found = collisions(&keys);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rows, found[0].lines.len()), (100_000, 20));
}
