//! Checking: every objection at once, none hidden by another, no panic on anything.

use cavatica_model::account::Platform;
use cavatica_model::bulk::ExportBatchError;
use cavatica_model::export::SseAlgorithm;
use cavatica_model::finding::{Findings, Kind, Objection, Reason, Warning};
use cavatica_model::{
    CheckedExport, ExportBatch, ExportProperties, ExportRequest, File, FileId, Location, Tri,
    Volume, VolumeId,
};
use proptest::prelude::*;
use proptest::sample::subsequence;
use serde_json::json;

use crate::strategies;

fn request() -> ExportRequest {
    ExportRequest::new(
        "567890abc8a5639cc6722063".parse().expect("an id"),
        "rfranklin/output".parse().expect("an id"),
        "run1/output.vcf".parse().expect("a location"),
    )
}

fn file() -> File {
    serde_json::from_value(json!({
        "id": "567890abc8a5639cc6722063", "name": "output.vcf", "type": "file", "size": 1024,
        "project": "rfranklin/cohort-7",
        "storage": {"type": "PLATFORM", "hosted_on_locations": ["aws:us-east-1"]},
        "metadata": {}
    }))
    .expect("a file")
}

fn volume() -> Volume {
    serde_json::from_value(json!({
        "id": "rfranklin/output", "access_mode": "RW", "active": true,
        "service": {"type": "S3", "bucket": "franklin-lab", "prefix": "", "properties": {}}
    }))
    .expect("a volume")
}

type Fault = fn(&mut ExportRequest, &mut File, &mut Volume);

fn service(volume: &mut Volume) -> &mut cavatica_model::volume::VolumeService {
    match &mut volume.service {
        Tri::Value(service) => service,
        Tri::Absent | Tri::Null => panic!("the volume has a service"),
    }
}

fn asked(request: &mut ExportRequest) -> &mut ExportProperties {
    if request.properties.is_absent() {
        request.properties = Tri::Value(ExportProperties::default());
    }
    match &mut request.properties {
        Tri::Value(properties) => properties,
        Tri::Absent | Tri::Null => unreachable!("they were just set"),
    }
}

/// One way each to earn an objection, in the order in which objections are reported.
const OBJECTIONS: &[(&str, Fault)] = &[
    ("other-file", |request, _, _| {
        request.source.file = "other".parse().expect("an id")
    }),
    ("other-volume", |request, _, _| {
        request.destination.volume = "o/v".parse().expect("an id")
    }),
    ("alias", |_, file, _| {
        file.storage =
            serde_json::from_value(json!({"type": "volume", "volume": "o/v"})).expect("a storage");
    }),
    ("public", |_, file, _| {
        file.project = Tri::Value("admin/sbg-public-data".parse().expect("an id"))
    }),
    ("too-large", |_, file, _| {
        file.size = Tri::Value((5 << 40) + 1)
    }),
    ("volume-read-only", |_, _, volume| {
        volume.top_level_access_mode = Tri::Value("ro".into())
    }),
    ("volume-inactive", |_, _, volume| {
        volume.active = Tri::Value(false)
    }),
    ("service-without-exports", |_, _, volume| {
        service(volume).kind = Tri::Value("GCS".into())
    }),
    ("location", |_, _, volume| {
        service(volume).prefix = Tri::Value("p/".repeat(510))
    }),
    ("unknown-key", |request, _, _| {
        request.unknown.insert("overwrit".to_owned(), json!(true));
    }),
    ("copy-only-in-body", |request, _, _| {
        request
            .destination
            .unknown
            .insert("copy_only".to_owned(), json!(true));
    }),
    ("kms-key-without-kms", |request, _, _| {
        asked(request).sse_aws_kms_key_id = Tri::Value("1234abcd".to_owned());
    }),
    ("unknown-property", |request, _, _| {
        asked(request)
            .unknown
            .insert("aws_canned_ac1".to_owned(), json!("private"));
    }),
];

const WARNINGS: &[(&str, Fault)] = &[
    ("maybe-public-copy", |_, file, _| {
        file.metadata =
            serde_json::from_value(json!({"sbg_public_files_category": "x"})).expect("metadata");
    }),
    ("maybe-duplicate", |_, file, _| {
        file.name = Tri::Value("_12_output.vcf".to_owned());
    }),
    ("odd-storage", |_, file, _| {
        file.storage = serde_json::from_value(json!({"type": "DRS"})).expect("a storage");
    }),
    ("prefix-with-slash", |_, _, volume| {
        service(volume).prefix = Tri::Value("p/".to_owned())
    }),
    ("exports-disabled", |_, _, volume| {
        service(volume).export_enabled = Tri::Value(false)
    }),
    ("overwrites", |request, _, _| {
        request.overwrite = Tri::Value(true)
    }),
    ("public-acl", |request, _, _| {
        asked(request).aws_canned_acl = Tri::Value("PUBLIC-READ".into())
    }),
    ("unknown-value", |request, _, _| {
        asked(request).sse_algorithm = Tri::Value("aes512".into())
    }),
    ("storage-class-undocumented", |request, _, _| {
        asked(request).aws_storage_class = Tri::Value("GLACIER".into());
    }),
];

fn names<'a>(faults: &[&'a (&'a str, Fault)]) -> Vec<&'a str> {
    faults.iter().map(|(name, _)| *name).collect()
}

/// A folder has nothing else to speak against, and a key that is given twice takes the place of one without KMS.
const ALONE: &[&str] = &["folder", "kms-key-twice"];

#[test]
fn there_is_a_way_to_earn_each_objection() {
    let earned =
        |name: &str| OBJECTIONS.iter().any(|(earned, _)| *earned == name) || ALONE.contains(&name);
    let all = Reason::all().iter();
    let objections = all.filter(|reason| reason.kind == Kind::Objection);
    let not_earned: Vec<_> = objections
        .map(|reason| reason.name)
        .filter(|name| !earned(name))
        .collect();
    assert!(not_earned.is_empty(), "{not_earned:?}");
}

#[test]
fn the_largest_object_that_s3_takes_is_exported() {
    let mut file = file();
    file.size = Tri::Value(5 << 40);
    assert!(request().check(&file, &volume()).is_ok());
}

#[test]
fn nothing_speaks_against_an_ordinary_export() {
    let findings = request().findings(&file(), &volume());
    assert_eq!(findings, cavatica_model::finding::Findings::default());
    let checked = request()
        .check(&file(), &volume())
        .expect("nothing speaks against it");
    assert_eq!(checked.warnings(), []);
    assert_eq!(checked.into_request(), request());
}

proptest! {
    /// Each fault is reported whatever others there are, in the same order however they came about.
    #[test]
    fn no_objection_hides_another(
        faults in subsequence(OBJECTIONS.iter().collect::<Vec<_>>(), 0..=OBJECTIONS.len()),
        order in any::<prop::sample::Index>(),
    ) {
        let (mut request, mut file, mut volume) = (request(), file(), volume());
        let start = if faults.is_empty() { 0 } else { order.index(faults.len()) };
        for (_, fault) in faults[start..].iter().chain(&faults[..start]) {
            fault(&mut request, &mut file, &mut volume);
        }
        let findings = request.findings(&file, &volume);
        let found: Vec<_> = findings.objections.iter().map(Objection::name).collect();
        prop_assert_eq!(&found, &names(&faults));

        match request.clone().check(&file, &volume) {
            Ok(checked) => {
                prop_assert!(found.is_empty());
                prop_assert_eq!(checked.request(), &request);
            }
            Err(rejected) => {
                prop_assert!(!found.is_empty());
                prop_assert_eq!(rejected.findings(), &findings);
                prop_assert_eq!(rejected.into_request(), request);
            }
        }
    }

    #[test]
    fn no_warning_hides_another(
        faults in subsequence(WARNINGS.iter().collect::<Vec<_>>(), 0..=WARNINGS.len()),
    ) {
        let (mut request, mut file, mut volume) = (request(), file(), volume());
        for (_, fault) in faults.iter().rev() {
            fault(&mut request, &mut file, &mut volume);
        }
        let checked = request.check(&file, &volume).expect("warnings are no objections");
        let mut found: Vec<_> = checked.warnings().iter().map(Warning::name).collect();
        let mut expected = names(&faults);
        found.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(found, expected);
    }

}

proptest! {
    #![proptest_config(strategies::few())]

    /// Whatever the platform answers and whatever is asked: no panic, the same answer twice, and words for everything.
    #[test]
    fn checking_never_panics(
        request in strategies::value::<ExportRequest>(strategies::export_request()),
        file in strategies::value::<File>(strategies::file()),
        volume in strategies::value::<Volume>(strategies::volume()),
    ) {
        let findings = request.findings(&file, &volume);
        prop_assert_eq!(&findings, &request.findings(&file, &volume));
        for objection in &findings.objections {
            prop_assert!(!objection.name().is_empty() && !objection.to_string().is_empty() && !objection.advice().is_empty());
        }
        for warning in &findings.warnings {
            prop_assert!(!warning.name().is_empty() && !warning.to_string().is_empty() && !warning.advice().is_empty());
        }
        for reason in findings.objections.iter().map(Objection::reason).chain(findings.warnings.iter().map(Warning::reason)) {
            prop_assert_eq!(cavatica_model::finding::Reason::lookup(reason.name), Some(reason));
        }
        // The file's and the volume's own findings are part of the whole.
        for part in [file.export_findings(), volume.export_findings()] {
            prop_assert!(part.objections.iter().all(|objection| findings.objections.contains(objection)));
            prop_assert!(part.warnings.iter().all(|warning| findings.warnings.contains(warning)));
        }
        prop_assert_eq!(findings.objections.is_empty(), request.check(&file, &volume).is_ok());
    }
}

#[test]
fn only_a_number_between_underscores_makes_a_duplicate() {
    for (name, duplicate) in [
        ("_1_a", true),
        ("_a_1", false),
        ("__a", false),
        ("1_a", false),
        ("_1a", false),
        ("_1", false),
    ] {
        let mut file = file();
        file.name = Tri::Value(name.to_owned());
        let warned = file
            .export_findings()
            .warnings
            .iter()
            .any(|warning| warning.name() == "maybe-duplicate");
        assert_eq!(warned, duplicate, "{name}");
    }
}

#[test]
fn a_folder_is_refused_without_talk_of_its_storage() {
    let mut folder = file();
    folder.kind = Tri::Value("FOLDER".into());
    folder.storage = Tri::Absent;
    let findings = folder.export_findings();
    assert_eq!(findings.objections, [Objection::Folder]);
    assert_eq!(findings.warnings, []);
}

#[test]
fn the_kms_key_may_rely_on_the_volumes_encryption() {
    let mut request = request();
    asked(&mut request).sse_aws_kms_key_id = Tri::Value("1234abcd".to_owned());
    let mut volume = volume();
    let mut properties = ExportProperties::default();
    properties.sse_algorithm = Tri::Value(SseAlgorithm::AwsKms.into());
    service(&mut volume).properties = Tri::Value(properties);
    assert!(request.clone().check(&file(), &volume).is_ok());

    // Asking for none overrides the volume's.
    asked(&mut request).sse_algorithm = Tri::Null;
    let objections = request
        .check(&file(), &volume)
        .expect_err("a key without aws:kms");
    assert_eq!(
        objections.to_string(),
        "a KMS key is named, but the server-side encryption is none, not `aws:kms`"
    );
}

#[test]
fn a_kms_key_serves_only_aws_kms() {
    for algorithm in ["AES256", "aes512"] {
        let mut request = request();
        asked(&mut request).sse_aws_kms_key_id = Tri::Value("1234abcd".to_owned());
        asked(&mut request).sse_algorithm = Tri::Value(algorithm.into());
        let objections = request
            .check(&file(), &volume())
            .expect_err("a key without aws:kms");
        assert_eq!(
            objections.to_string(),
            format!(
                "a KMS key is named, but the server-side encryption is `{algorithm}`, not `aws:kms`"
            )
        );
    }
}

#[test]
fn properties_are_judged_without_a_file_too() {
    let mut volume = volume();
    service(&mut volume).properties = Tri::Value(ExportProperties::default());
    let mut properties = ExportProperties::default();
    assert_eq!(properties.findings_on(&volume), Findings::default());
    properties.sse_aws_kms_key_id = Tri::Value("1234abcd".to_owned());
    let alone = properties.findings_on(&volume);
    assert_eq!(
        alone.objections,
        [Objection::KmsKeyWithoutKms {
            algorithm: "the default `AES256`".to_owned()
        }]
    );
    let mut defaults = ExportProperties::default();
    defaults.sse_algorithm = Tri::Value(SseAlgorithm::AwsKms.into());
    service(&mut volume).properties = Tri::Value(defaults);
    assert_eq!(properties.findings_on(&volume), Findings::default());
}

#[test]
fn the_kms_key_in_two_spellings_is_refused() {
    let mut request = request();
    let properties = asked(&mut request);
    properties.sse_algorithm = Tri::Value(SseAlgorithm::AwsKms.into());
    properties
        .unknown
        .insert("sse_aws_kms_key_Id".to_owned(), json!("1234abcd"));
    assert!(request.clone().check(&file(), &volume()).is_ok());
    asked(&mut request).sse_aws_kms_key_id = Tri::Value("1234abcd".to_owned());
    let objections = request
        .check(&file(), &volume())
        .expect_err("the key is given twice");
    assert_eq!(objections.objections(), [Objection::KmsKeyTwice]);
}

#[test]
fn a_public_default_of_the_volume_is_told() {
    let mut volume = volume();
    service(&mut volume).properties =
        serde_json::from_value(json!({"aws_canned_acl": "public-read"})).expect("properties");
    let findings = request().findings(&file(), &volume);
    assert_eq!(
        findings.warnings,
        [Warning::PublicAcl {
            acl: "public-read".to_owned(),
            by_default: true
        }]
    );
    let mut own = request();
    asked(&mut own).aws_canned_acl = Tri::Null;
    assert_eq!(own.findings(&file(), &volume).warnings, []);
}

#[test]
fn what_a_short_answer_leaves_out_is_told() {
    let id: FileId = request().source.file;
    let volume_id: VolumeId = request().destination.volume;
    let findings = request().findings(&File::new(id), &Volume::new(volume_id));
    let names: Vec<_> = findings.warnings.iter().map(Warning::name).collect();
    assert_eq!(names, ["file-unclear", "volume-unclear", "volume-unclear"]);
    assert_eq!(findings.objections, []);
}

#[test]
fn skipping_the_checks_is_possible_and_said() {
    let mut alias = file();
    alias.storage = serde_json::from_value(json!({"volume": "o/v"})).expect("a storage");
    assert!(request().check(&alias, &volume()).is_err());
    assert_eq!(request().skip_checks().request(), &request());
}

#[test]
fn a_checked_export_is_written_as_its_request() {
    let request = ExportRequest::new(
        "567890abc8a5639cc6722063".parse().expect("an id"),
        "rfranklin/output".parse().expect("an id"),
        "a b/ü.vcf".parse::<Location>().expect("a location"),
    );
    assert_eq!(
        serde_json::to_value(request.clone().skip_checks()).ok(),
        serde_json::to_value(&request).ok()
    );
}

/// Which platform a volume belongs to says its own address.
#[test]
fn googles_buckets_are_for_those_platforms_whose_pages_say_so() {
    for platform in Platform::ALL.iter().copied() {
        let volume: Volume = serde_json::from_value(json!({
            "href": format!("{}/storage/volumes/o/v", platform.api()),
            "id": "o/v", "access_mode": "RW", "active": true,
            "service": {"type": "GCS", "bucket": "b", "prefix": ""},
        }))
        .expect("a volume");
        let objections = volume.export_findings().objections;
        if platform == Platform::BioDataCatalyst {
            assert_eq!(objections, []);
        } else {
            let told = objections[0].to_string();
            assert!(told.contains(&platform.to_string()), "{told}");
            assert!(told.starts_with("the volume is on `gcs`"), "{told}");
        }
    }
}

#[test]
fn every_misspelt_key_of_a_request_is_refused_where_it_stands() {
    let request: ExportRequest = serde_json::from_value(json!({
        "source": {"file": "567890abc8a5639cc6722063", "copyOnly": true},
        "destination": {"volume": "rfranklin/output", "location": "run1/output.vcf", "prefix": "x"},
        "property": {"sse_algorithm": "aws:kms"},
        "overwrit": true,
    }))
    .expect("a request");
    let rejected = request.check(&file(), &volume()).expect_err("it isn't one");
    let places: Vec<_> = rejected.objections().iter().map(Objection::place).collect();
    assert_eq!(
        places,
        [
            "overwrit",
            "property",
            "source.copyOnly",
            "destination.prefix"
        ]
    );
    assert!(
        rejected
            .objections()
            .iter()
            .all(|objection| objection.name() == "unknown-key")
    );
}

#[test]
fn requests_that_meet_go_into_no_batch_and_into_no_two() {
    let to = |file: usize, place: usize| {
        let file = format!("{file:024x}").parse().expect("an id");
        let location = format!("{place}.bam").parse().expect("a location");
        let request = ExportRequest::new(file, "lab/output".parse().expect("an id"), location);
        request.overwriting().skip_checks()
    };
    let met = |exports: Vec<CheckedExport>| match ExportBatch::new(exports) {
        Err(ExportBatchError::Meet(met)) => (met.first, met.second),
        other => panic!("{other:?}"),
    };
    assert_eq!(met(vec![to(1, 1), to(2, 2), to(3, 1)]), (0, 2));
    assert_eq!(met(vec![to(1, 1), to(1, 1)]), (0, 1), "the same twice");

    // Other batches are sent as well.
    let mut many: Vec<_> = (0..150).map(|number| to(number, number)).collect();
    let batches = ExportBatch::chunks(many.clone()).expect("none meet");
    let sizes: Vec<_> = batches.iter().map(ExportBatch::len).collect();
    assert_eq!(sizes, [100, 50]);
    many.push(to(999, 0));
    let met = ExportBatch::chunks(many).expect_err("the first and the last meet");
    assert_eq!((met.first, met.second), (0, 150));
}

#[test]
fn a_finding_as_json_says_what_and_where_and_what_to_do() {
    let mut asked_away = request();
    asked(&mut asked_away).sse_algorithm = Tri::Null;
    let findings = serde_json::to_value(asked_away.findings(&file(), &volume())).expect("JSON");
    let warning = &findings["warnings"][0];
    assert_eq!(
        (&warning["name"], &warning["where"]),
        (&json!("no-encryption"), &json!("properties.sse_algorithm"))
    );
    assert!(warning["message"].is_string() && warning["advice"].is_string());
    assert_eq!(findings["objections"], json!([]));
}
