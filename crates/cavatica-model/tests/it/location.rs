//! Laws of ids, locations and prefixes.

use std::borrow::Borrow;

use cavatica_model::destination::{LocationFault, MAX_KEY_BYTES, Prefix};
use cavatica_model::{ExportId, FileId, Location, ProjectId, VolumeId};
use proptest::prelude::*;

use crate::strategies;

/// The rules for a location, said once more and in another way than the crate does.
fn is_location(text: &str) -> bool {
    text.len() <= 1024
        && !text.chars().any(char::is_control)
        && text
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | ".."))
}

fn any_key() -> impl Strategy<Value = String> {
    prop_oneof![
        strategies::location(),
        strategies::text(),
        "[./a]{0,8}",
        "(a/){300,600}b",
        "(é){505,520}",
    ]
}

proptest! {
    #[test]
    fn a_location_parses_if_and_only_if_it_keeps_the_rules(text in any_key()) {
        match text.parse::<Location>() {
            Ok(location) => {
                prop_assert!(is_location(&text));
                prop_assert_eq!(location.as_str(), &text);
                prop_assert_eq!(location.to_string().parse::<Location>(), Ok(location));
            }
            Err(error) => {
                prop_assert!(!is_location(&text));
                prop_assert!(!error.faults().is_empty());
                prop_assert_eq!(error.text(), &text);
            }
        }
    }

    #[test]
    fn a_name_is_what_follows_the_last_slash(folder in strategies::location(), name in strategies::segment()) {
        let location: Location = format!("{folder}/{name}").parse().expect("made of parts");
        prop_assert_eq!(location.name(), name);
    }

    #[test]
    fn a_prefix_is_read_with_and_without_its_slash(folders in strategies::location()) {
        let without: Prefix = folders.parse().expect("made of parts");
        let with: Prefix = format!("{folders}/").parse().expect("made of parts");
        prop_assert_eq!(&without, &with);
        prop_assert_eq!(with.as_str().parse::<Prefix>(), Ok(without));
        let read = serde_json::from_value::<Prefix>(serde_json::json!(folders)).expect("a prefix");
        prop_assert_eq!(read, with);
    }

    #[test]
    fn a_joined_location_lies_under_its_prefix(prefix in any_key(), key in any_key()) {
        let (Ok(prefix), Ok(location)) = (prefix.parse::<Prefix>(), key.parse::<Location>()) else {
            return Ok(());
        };
        match prefix.join(&location) {
            Ok(joined) => {
                prop_assert_eq!(joined.as_str().strip_prefix(prefix.as_str()), Some(location.as_str()));
                prop_assert!(is_location(joined.as_str()));
            }
            Err(error) => {
                let bytes = prefix.as_str().len() + key.len();
                prop_assert!(bytes > MAX_KEY_BYTES);
                prop_assert_eq!(error.faults(), [LocationFault::TooLong { bytes }]);
            }
        }
    }

    #[test]
    fn an_id_is_one_part_of_a_url(text in strategies::text()) {
        let fits = !text.is_empty()
            && !text.contains('/')
            && !text.chars().any(char::is_control)
            && text != "."
            && text != "..";
        prop_assert_eq!(text.parse::<FileId>().is_ok(), fits);
        prop_assert_eq!(text.parse::<ExportId>().is_ok(), fits);
    }

    #[test]
    fn a_volume_or_project_id_is_two(owner in strategies::text(), name in strategies::text()) {
        let text = format!("{owner}/{name}");
        let fits = owner.parse::<FileId>().is_ok() && name.parse::<FileId>().is_ok();
        prop_assert_eq!(text.parse::<ProjectId>().is_ok(), fits);
        match text.parse::<VolumeId>() {
            Ok(id) => {
                prop_assert!(fits);
                prop_assert_eq!((id.owner(), id.name()), (owner.as_str(), name.as_str()));
                prop_assert_eq!(id.as_str(), &text);
            }
            Err(error) => {
                prop_assert!(!fits);
                prop_assert_eq!(error.text(), text);
            }
        }
    }
}

#[test]
fn every_fault_is_told_at_once() {
    let error = "/a/..//\n/".parse::<Location>().unwrap_err();
    let names: Vec<_> = error.faults().iter().map(|fault| fault.name()).collect();
    assert_eq!(
        names,
        [
            "leading-slash",
            "trailing-slash",
            "empty-part",
            "dot-part",
            "control-character",
        ]
    );
    assert!(error.to_string().ends_with(
        "is no location on a volume: it begins with `/`, it ends with `/`, it has an empty part (`//`), \
         it has a part `.` or `..`, it has a control character"
    ));
    let error = "".parse::<Location>().unwrap_err();
    assert_eq!(error.faults(), [LocationFault::Empty]);
    let error = "é\u{85}".parse::<Location>().unwrap_err();
    assert_eq!(error.faults(), [LocationFault::ControlCharacter]);
}

#[test]
fn a_windows_path_has_a_drive_or_backslashes_alone() {
    for (text, key) in [
        (r"C:\results\calls.vcf", Some("results/calls.vcf")),
        ("c:/results/calls.vcf", Some("results/calls.vcf")),
        (r"results\calls.vcf", Some("results/calls.vcf")),
        (r"\\server\calls.vcf", Some("server/calls.vcf")),
        (r"1:\calls.vcf", Some("1:/calls.vcf")),
        ("C:calls.vcf", None),
        (r"run1/odd\name.vcf", None),
        ("run1/calls.vcf", None),
    ] {
        assert_eq!(Location::of_windows_path(text).as_deref(), key, "{text}");
    }
}

/// What was sent may come back in another form of Unicode, or percent-encoded.
#[test]
fn a_location_is_known_again_by_its_echo() {
    for (sent, echo, same) in [
        ("run 1/a.bam", "run 1/a.bam", true),
        ("run 1/a.bam", "run%201/a.bam", true),
        ("run 1/a.bam", "run 1/b.bam", false),
        ("run%201/a.bam", "run%201/a.bam", true),
        ("caf\u{e9}.bam", "cafe\u{301}.bam", true),
        ("caf\u{e9}.bam", "caf%C3%A9.bam", true),
        ("caf\u{e9}.bam", "cafe.bam", false),
    ] {
        let sent: Location = sent.parse().expect("a location");
        assert_eq!(sent.is_echoed_as(echo), same, "{sent} as {echo}");
    }
}

#[test]
fn locations_and_prefixes_are_shown_and_read_as_texts() {
    let location: Location = "run/1.bam".parse().expect("a location");
    assert_eq!(
        format!("{location:>10} {location:?}"),
        " run/1.bam \"run/1.bam\""
    );
    let (lent, text): (&str, &str) = (location.borrow(), location.as_ref());
    assert_eq!((lent, text), ("run/1.bam", "run/1.bam"));
    assert_eq!(Location::try_from("run/1.bam".to_owned()), Ok(location));

    let prefix: Prefix = "run".parse().expect("a prefix");
    assert_eq!(format!("{prefix:>5} {prefix:?}"), " run/ \"run/\"");
}

#[test]
fn the_volumes_prefix_and_a_slash_count_towards_the_length() {
    let location: Location = "a".repeat(1000).parse().expect("short enough");
    assert_eq!(
        location
            .key_with_prefix(&"p".repeat(23))
            .map(|key| key.len()),
        Ok(1024)
    );
    assert!(location.key_with_prefix(&"p".repeat(24)).is_err());
}

#[test]
fn a_location_has_1024_bytes_at_the_most() {
    // A letter of two bytes, and one of one.
    let longest = format!("{}a", "é".repeat(511));
    assert_eq!(longest.len(), 1023);
    assert!(format!("{longest}b").parse::<Location>().is_ok());
    let error = format!("{longest}bc").parse::<Location>().unwrap_err();
    assert_eq!(error.faults(), [LocationFault::TooLong { bytes: 1025 }]);
}
