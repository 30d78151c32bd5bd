//! Every shape that the documentation shows or a client has recorded, the contradictory ones included. The fixtures are
//! named after their documentation page; the two of `start-an-export-job` are the page's own, word for word.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};

use cavatica_model::account::{RateLimit, User, reset_moment};
use cavatica_model::bulk::{
    BulkAnswer, BulkExportRequest, BulkFilesRequest, BulkGetRequest, BulkItem,
};
use cavatica_model::error::{Class, classify};
use cavatica_model::export::SseAlgorithm;
use cavatica_model::file::FileKind;
use cavatica_model::task::Task;
use cavatica_model::volume::{AccessMode, ServiceType, VolumeListing, VolumeObject};
use cavatica_model::wire::Page;
use cavatica_model::{ApiError, ExportJob, ExportRequest, ExportState, File, Tri, Volume};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

#[expect(
    clippy::disallowed_methods,
    reason = "fixtures are files; the crate itself opens none"
)]
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a fixture, and proves that nothing of it is lost when it is written again.
fn read<T: Serialize + DeserializeOwned + PartialEq + Debug>(name: &str) -> T {
    let bytes = bytes(&folder().join(format!("{name}.json")));
    let original: Value = serde_json::from_slice(&bytes).expect("fixtures are JSON");
    let value: T = serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(
        serde_json::to_value(&value).expect("it can be written"),
        original,
        "{name}"
    );
    let written = serde_json::to_string(&value).expect("it can be written");
    assert_eq!(
        serde_json::from_str::<T>(&written).expect("it can be read"),
        value,
        "{name}"
    );
    value
}

/// The fixtures of every kind, by what their names begin with. A fixture that no line here covers fails the test.
#[test]
fn every_fixture_is_read_and_written_without_loss() {
    let mut names: Vec<String> = fs::read_dir(folder())
        .expect("the fixtures are there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| {
            path.file_stem()
                .expect("it has a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert!(names.len() >= 50, "only {} fixtures", names.len());
    for name in &names {
        match name
            .split_once('.')
            .map_or((name.as_str(), ""), |(page, case)| (page, case))
        {
            ("start-an-export-job", "response") => drop(read::<ExportJob>(name)),
            ("start-an-export-job", _) => drop(read::<ExportRequest>(name)),
            ("get-details-of-an-export-job-v2", _) => drop(read::<ExportJob>(name)),
            ("list-export-jobs-v2", _) => drop(read::<Page<ExportJob>>(name)),
            ("start-a-bulk-export-job", "request") => drop(read::<BulkExportRequest>(name)),
            ("get-details-of-a-bulk-export-job", "request") => drop(read::<BulkGetRequest>(name)),
            ("start-a-bulk-export-job" | "get-details-of-a-bulk-export-job", _) => {
                drop(read::<BulkAnswer<ExportJob>>(name));
            }
            ("get-details-of-multiple-files", "request") => drop(read::<BulkFilesRequest>(name)),
            ("get-details-of-multiple-files", _) => drop(read::<BulkAnswer<File>>(name)),
            ("get-details-of-a-volume-v2", _) => drop(read::<Volume>(name)),
            ("list-volumes-v2", _) => drop(read::<Page<Volume>>(name)),
            ("list-the-contents-of-a-volume", _) => drop(read::<VolumeListing>(name)),
            ("get-details-of-an-object", _) => drop(read::<VolumeObject>(name)),
            ("get-file-details", _) => drop(read::<File>(name)),
            (
                "list-files-primary-method"
                | "list-files-secondary-method"
                | "list-folder-contents",
                _,
            ) => {
                drop(read::<Page<File>>(name));
            }
            ("get-details-of-a-task", _) => drop(read::<Task>(name)),
            ("get-my-information", _) => drop(read::<User>(name)),
            ("get-your-current-rate-limit-status", _) => drop(read::<RateLimit>(name)),
            ("api-status-codes", _) => drop(read::<ApiError>(name)),
            _ => panic!("no test reads {name}.json"),
        }
    }
}

#[test]
fn the_pages_own_examples() {
    let request: ExportRequest = read("start-an-export-job.request");
    let made = ExportRequest::new(
        "567890abc8a5639cc6722063".parse().expect("an id"),
        "rfranklin/output".parse().expect("an id"),
        "output.vcf".parse().expect("a location"),
    );
    assert_eq!(request, made);

    let job: ExportJob = read("start-an-export-job.response");
    assert!(job.state.is(ExportState::Pending) && !job.is_final());
    assert_eq!(job.answers(&request), Some(true));
    let other = |file: &str, volume: &str, location: &str| {
        let (file, volume) = (file.parse().expect("an id"), volume.parse().expect("an id"));
        job.answers(&ExportRequest::new(
            file,
            volume,
            location.parse().expect("a location"),
        ))
    };
    let file = "567890abc8a5639cc6722063";
    assert_eq!(other(file, "rfranklin/output", "output.vcf"), Some(true));
    assert_eq!(
        other("567890abc8a5639cc6722064", "rfranklin/output", "output.vcf"),
        Some(false)
    );
    assert_eq!(other(file, "rfranklin/other", "output.vcf"), Some(false));
    assert_eq!(other(file, "rfranklin/output", "Output.vcf"), Some(false));
    assert_eq!(job.overwrite, Tri::Value(false));
    let started = job.started_on.value().and_then(|moment| moment.timestamp());
    assert_eq!(started, "2016-06-15T19:17:39Z".parse().ok());
    assert_eq!(
        (job.finished_on, job.result, job.error),
        (Tri::Absent, Tri::Absent, Tri::Absent)
    );
}

#[test]
fn absent_null_and_empty_properties_are_three_things() {
    let properties =
        |case| read::<ExportRequest>(&format!("start-an-export-job.{case}")).properties;
    assert_eq!(properties("request"), Tri::Absent);
    assert_eq!(properties("request-null-properties"), Tri::Null);
    assert_eq!(
        properties("request-empty-properties"),
        Tri::Value(Default::default())
    );
    let unencrypted = properties("request-no-encryption")
        .into_value()
        .expect("there are some");
    assert_eq!(unencrypted.sse_algorithm, Tri::Null);
    assert_eq!(unencrypted.sse_aws_kms_key_id, Tri::Absent);
}

#[test]
fn the_other_spelling_of_the_kms_key_is_kept_and_never_doubled() {
    let request: ExportRequest = read("start-an-export-job.request-kms-other-spelling");
    let properties = request.properties.into_value().expect("there are some");
    assert_eq!(
        properties.sse_algorithm,
        Tri::Value(SseAlgorithm::AwsKms.into())
    );
    assert_eq!(properties.sse_aws_kms_key_id, Tri::Absent);
    assert!(properties.unknown.contains_key("sse_aws_kms_key_Id"));
}

#[test]
fn a_failed_job_tells_why() {
    let job: ExportJob = read("get-details-of-an-export-job-v2.failed");
    assert!(job.is_final());
    let error = job.error.value().expect("it failed");
    assert_eq!(
        (error.code(), classify(error)),
        (Some(9107), Class::Permanent)
    );
    // The date has no `Z`.
    let finished = job
        .finished_on
        .value()
        .and_then(|moment| moment.timestamp());
    assert_eq!(finished, "2024-05-01T10:01:30Z".parse().ok());
}

#[test]
fn a_completed_job_holds_the_file_which_is_now_an_alias() {
    let job: ExportJob = read("get-details-of-an-export-job-v2.completed");
    assert!(job.result.value().expect("it is completed").is_alias());
    // The date has a fraction.
    let finished = job
        .finished_on
        .value()
        .and_then(|moment| moment.timestamp());
    assert_eq!(finished, "2024-05-01T10:01:30.25Z".parse().ok());
}

#[test]
fn an_unknown_state_is_neither_final_nor_lost() {
    let job: ExportJob = read("get-details-of-an-export-job-v2.unknown-state");
    assert_eq!(
        (job.state.known(), job.state.as_str(), job.is_final()),
        (None, "ABORTED", false)
    );
    // Letter case doesn't matter.
    let job: ExportJob = read("get-details-of-an-export-job-v2.storage-class");
    assert!(job.state.is(ExportState::Running));
}

#[test]
fn a_location_that_we_would_refuse_can_be_read() {
    let job: ExportJob = read("get-details-of-an-export-job-v2.foreign-location");
    assert_eq!(
        job.destination.value().expect("it has one").location,
        "/Demo//old export.vcf"
    );
}

#[test]
fn bulk_items_are_resources_or_errors() {
    let answer: BulkAnswer<ExportJob> = read("start-a-bulk-export-job.response");
    let codes: Vec<_> = answer
        .items
        .iter()
        .map(|item| match item {
            BulkItem::Resource(..) => None,
            BulkItem::Error(error, _) => error.code(),
            BulkItem::Unreadable { reason, .. } => panic!("{reason}"),
        })
        .collect();
    assert_eq!(codes, [None, Some(9006), Some(9009)]);
}

#[test]
fn a_null_beside_the_key_that_matters_means_nothing_and_is_kept() {
    let sent = serde_json::json!({"items": [
        {"resource": {"id": "567890abc8a5639cc6722063"}, "error": null},
        {"resource": null, "error": {"status": 404, "code": 5002, "message": ""}},
        {"resource": null, "error": null},
    ]});
    let answer: BulkAnswer<File> = serde_json::from_value(sent.clone()).expect("it is an answer");
    assert_eq!(
        serde_json::to_value(&answer).expect("it can be written"),
        sent
    );
    assert!(matches!(&answer.items[0], BulkItem::Resource(..)));
    assert!(matches!(&answer.items[1], BulkItem::Error(error, _) if error.code() == Some(5002)));
    assert!(matches!(&answer.items[2], BulkItem::Unreadable { .. }));
}

#[test]
fn the_access_mode_is_found_in_either_place() {
    for case in ["s3", "role"] {
        let volume: Volume = read(&format!("get-details-of-a-volume-v2.{case}"));
        assert!(
            volume
                .access_mode()
                .is_some_and(|mode| mode.is(AccessMode::ReadWrite))
        );
        assert!(
            volume
                .service_type()
                .is_some_and(|service| service.is(ServiceType::S3))
        );
        assert_eq!(volume.export_findings().objections, []);
    }
    let volume: Volume = read("get-details-of-a-volume-v2.access-mode-in-service");
    assert!(
        volume
            .access_mode()
            .is_some_and(|mode| mode.is(AccessMode::ReadOnly))
    );
    let volume: Volume = read("get-details-of-a-volume-v2.gcs");
    assert!(
        volume
            .access_mode()
            .is_some_and(|mode| mode.is(AccessMode::ReadOnly))
    );
    assert!(
        volume
            .service_type()
            .is_some_and(|service| service.is(ServiceType::Gcs))
    );
}

#[test]
fn a_page_knows_its_neighbours() {
    let page: Page<ExportJob> = read("list-export-jobs-v2.second-page");
    assert_eq!(
        page.next(),
        Some("https://cavatica-api.sbgenomics.com/v2/storage/exports?offset=2&limit=1")
    );
    assert_eq!(read::<Page<ExportJob>>("list-export-jobs-v2").next(), None);

    let listing: VolumeListing = read("list-the-contents-of-a-volume");
    assert!(
        listing
            .next()
            .is_some_and(|next| next.contains("continuation_token=AbC%3D"))
    );
    assert_eq!(
        read::<VolumeListing>("list-the-contents-of-a-volume.last-page").next(),
        None
    );
}

#[test]
fn kinds_are_recognised_in_any_letter_case() {
    for name in ["list-files-primary-method", "list-folder-contents"] {
        let page: Page<File> = read(name);
        let kinds: Vec<_> = page
            .items
            .iter()
            .map(|file| file.kind.value().and_then(|kind| kind.known()))
            .collect();
        assert_eq!(
            kinds,
            [Some(FileKind::File), Some(FileKind::Folder)],
            "{name}"
        );
    }
}

#[test]
fn secondary_files_are_found_under_both_names() {
    for case in ["secondary-files", "underscored-secondary-files"] {
        let file: File = read(&format!("get-file-details.{case}"));
        let either = [&file.secondary_files, &file.underscored_secondary_files];
        let files = either.into_iter().filter_map(Tri::value).flatten();
        let names: Vec<_> = files.map(|file| file.name.clone()).collect();
        assert_eq!(names, [Tri::Value("a.cram.crai".to_owned())]);
    }
}

#[test]
fn files_that_cannot_be_exported_show_it() {
    let findings = |case: &str| read::<File>(&format!("get-file-details.{case}")).export_findings();
    let objections = |case| -> Vec<_> {
        findings(case)
            .objections
            .iter()
            .map(cavatica_model::finding::Objection::name)
            .collect()
    };
    assert_eq!(objections("platform"), [""; 0]);
    assert_eq!(objections("alias"), ["alias"]);
    assert_eq!(objections("public"), ["public"]);
    assert_eq!(objections("huge"), ["too-large"]);
    assert_eq!(
        findings("archived").warnings,
        [cavatica_model::finding::Warning::MaybeArchived]
    );
}

#[test]
fn numbers_of_64_bits_and_resets_in_milliseconds() {
    let limit: RateLimit = read("get-your-current-rate-limit-status");
    let instances = limit.instance_limit.into_value().expect("it is told");
    assert_eq!(
        (instances.limit, instances.remaining),
        (Tri::Value(-1), Tri::Value(i64::MAX))
    );

    let reset = |name| {
        let limit: RateLimit = read(name);
        limit
            .rate
            .into_value()
            .and_then(|rate| rate.reset.into_value())
            .and_then(reset_moment)
    };
    assert_eq!(
        reset("get-your-current-rate-limit-status"),
        "2017-03-16T21:34:53Z".parse().ok()
    );
    assert_eq!(
        reset("get-your-current-rate-limit-status.milliseconds"),
        "2015-10-24T13:48:26.797Z".parse().ok()
    );
}

#[test]
fn errors_say_what_they_mean() {
    let class = |case: &str| classify(&read(&format!("api-status-codes.{case}")));
    assert_eq!(class("maintenance"), Class::Maintenance);
    assert_eq!(class("rate-limit"), Class::Throttled);
    assert_eq!(class("without-more-info"), Class::Permanent);
    let odd: ApiError = read("api-status-codes.nulls");
    assert_eq!(odd.to_string(), "no message (code 90004)");
}
