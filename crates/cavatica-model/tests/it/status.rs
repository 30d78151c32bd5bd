//! The table of error codes, and what follows from it.

use cavatica_model::error::{Class, StatusCode, classify};
use cavatica_model::{ApiError, Tri};
use proptest::prelude::*;

use crate::strategies;

#[test]
fn the_table_is_sorted_and_complete_in_each_row() {
    let table = StatusCode::all();
    assert!(table.windows(2).all(|pair| pair[0].code < pair[1].code));
    for entry in table {
        assert_eq!(StatusCode::lookup(entry.code), Some(entry));
        assert!((400..600).contains(&entry.http), "{}", entry.code);
        assert!(StatusCode::area(entry.code).is_some(), "{}", entry.code);
        for text in [entry.meaning, entry.cause, entry.advice] {
            assert!(
                !text.is_empty() && !text.ends_with('.'),
                "{}: {text}",
                entry.code
            );
        }
    }
}

#[test]
fn codes_that_the_table_lacks_belong_somewhere_all_the_same() {
    for (code, area) in [
        (4_001, Some("billing")),
        (6_001, Some("apps")),
        (8_001, Some("uploads")),
        (9_004, Some("volumes, imports and exports")),
        (9_199, Some("import and export jobs")),
        (9_200, Some("the buckets behind volumes")),
        (0, Some("the platform as a whole")),
        (-1, None),
        (99_999, None),
    ] {
        assert_eq!(StatusCode::area(code), area, "{code}");
    }
}

#[test]
fn a_class_has_the_same_name_in_json() {
    for entry in StatusCode::all() {
        let json = serde_json::to_value(entry).expect("it can be written");
        assert_eq!(json["class"], entry.class.as_str());
        assert_eq!(json["code"], entry.code);
    }
}

/// The fixture holds the registry's codes and statuses, nothing else.
#[test]
fn the_table_is_the_registry_of_codes() {
    let bytes = crate::wire::bytes(&crate::wire::folder().join("status-codes.csv"));
    let registry = String::from_utf8(bytes).expect("digits");
    let table: String = StatusCode::all()
        .iter()
        .map(|entry| format!("{},{}\n", entry.code, entry.http))
        .collect();
    assert_eq!(table, registry);
}

#[test]
fn the_checks_of_a_bucket_name_what_is_missing_where() {
    for (code, right, on) in [
        (9204, "s3:ListBucket", "arn:aws:s3:::BUCKET "),
        (9205, "s3:GetObject", "arn:aws:s3:::BUCKET/PREFIX/*"),
        (9206, "s3:PutObject", "arn:aws:s3:::BUCKET/PREFIX/*"),
        (9206, "s3:PutObjectAcl", "arn:aws:s3:::BUCKET/PREFIX/*"),
        (9207, "s3:GetObjectAcl", "arn:aws:s3:::BUCKET/PREFIX/*"),
        (9208, "s3:GetObject", "the platform's buckets"),
        (9203, "sts:AssumeRole", "external id"),
    ] {
        let advice = StatusCode::lookup(code).expect("it is in the table").advice;
        assert!(
            advice.contains(right) && advice.contains(on),
            "{code}: {advice}"
        );
    }
}

/// The failures that are sent again without asking anybody, and no others.
#[test]
fn only_trouble_that_passes_is_worth_waiting_for() {
    let by_class = |class| -> Vec<i64> {
        StatusCode::all()
            .iter()
            .filter(|entry| entry.class == class)
            .map(|entry| entry.code)
            .collect()
    };
    assert_eq!(by_class(Class::Maintenance), [0]);
    assert_eq!(by_class(Class::Throttled), [1000, 10371]);
    assert_eq!(
        by_class(Class::Transient),
        [
            2000, 3000, 5000, 5010, 7000, 9100, 10215, 10220, 13000, 13004, 90004, 90005
        ]
    );
}

#[test]
fn the_class_agrees_with_the_http_status() {
    for entry in StatusCode::all() {
        match entry.http {
            503 => assert!(entry.class.passes_by_waiting(), "{}", entry.code),
            // Its status says that the platform is at fault, its text that the request is.
            500 if entry.code == 90009 => assert_eq!(entry.class, Class::CallersMistake),
            401 | 403 | 404 | 409 | 500 => {
                assert_eq!(entry.class, Class::Permanent, "{}", entry.code)
            }
            429 => assert_eq!(entry.class, Class::Throttled),
            _ => assert!(!entry.class.passes_by_waiting(), "{}", entry.code),
        }
    }
}

#[test]
fn a_zero_code_is_maintenance_only_with_503() {
    assert_eq!(classify(&ApiError::new(503, 0, "")), Class::Maintenance);
    assert_eq!(classify(&ApiError::new(404, 0, "")), Class::Permanent);
    assert_eq!(classify(&ApiError::new(502, 0, "")), Class::Transient);
    let mut without_status = ApiError::default();
    without_status.code = Tri::Value(0);
    assert_eq!(classify(&without_status), Class::Maintenance);
    assert_eq!(
        ApiError::new(404, 0, "").advice(),
        Class::Permanent.advice()
    );
}

proptest! {
    #[test]
    fn every_error_has_a_class_and_advice(error in strategies::value::<ApiError>(strategies::api_error())) {
        prop_assert!(!error.advice().is_empty());
        match (error.known(), error.http_status()) {
            (Some(entry), _) if entry.code != 0 => {
                prop_assert_eq!(classify(&error), entry.class);
                prop_assert_eq!(error.advice(), entry.advice);
            }
            (None, Some(status)) => prop_assert_eq!(classify(&error), Class::of_http(status)),
            (None, _) => prop_assert_eq!(classify(&error), Class::Permanent),
            (Some(_), _) => {}
        }
    }
}
