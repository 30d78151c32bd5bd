//! Payloads of the shapes that pages, recorded answers and other people's programs show, with neutral values: each is read,
//! written again without loss, and judged. `verdicts.txt` beside them says how.

use std::fmt::Debug;
use std::path::Path;

use cavatica_model::bulk::{BulkAnswer, BulkItem};
use cavatica_model::error::classify;
use cavatica_model::project::Project;
use cavatica_model::volume::{Member, VolumeListing, VolumeObject};
use cavatica_model::wire::Page;
use cavatica_model::{ApiError, ExportJob, Volume};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::wire::{bytes, folder};

fn lossless<T: Serialize + DeserializeOwned + PartialEq + Debug>(bytes: &[u8]) -> T {
    let value: T = serde_json::from_slice(bytes).expect("it can be read");
    let original: Value = serde_json::from_slice(bytes).expect("fixtures are JSON");
    assert_eq!(
        serde_json::to_value(&value).expect("it can be written"),
        original
    );
    value
}

fn verdict(kind: &str, bytes: &[u8]) -> String {
    match kind {
        "volume" => volume(&lossless(bytes)),
        "listing" => listing(lossless(bytes)),
        "object" => {
            let object: VolumeObject = lossless(bytes);
            format!(
                "{} bytes, ETag {}",
                shown(object.size()),
                shown(object.etag())
            )
        }
        "members" => members(bytes),
        "error" => error(&lossless(bytes)),
        "job" => job(&lossless(bytes)),
        "project" => {
            let project: Project = lossless(bytes);
            format!("{} in {}", project.id, shown(project.location()))
        }
        "bulk" => {
            let answer: BulkAnswer<ExportJob> = lossless(bytes);
            let items: Vec<_> = answer.items.iter().map(item).collect();
            items.join("; ")
        }
        kind => panic!("nobody judges {kind}"),
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map_or("?".to_owned(), |value| value.to_string())
}

fn volume(volume: &Volume) -> String {
    let findings = volume.export_findings();
    let objections = findings.objections.iter().map(|one| one.name());
    let names: Vec<_> = objections
        .chain(findings.warnings.iter().map(|one| one.name()))
        .collect();
    if names.is_empty() {
        "takes exports".to_owned()
    } else {
        names.join(", ")
    }
}

fn listing(listing: VolumeListing) -> String {
    let asked = listing
        .unknown
        .get("prefix")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    let next = if listing.next().is_some() {
        "more"
    } else {
        "the end"
    };
    let listing = listing.below(&asked);
    let folders: Vec<_> = listing.folders().collect();
    format!(
        "{} objects, folders [{}], {next}",
        listing.items.len(),
        folders.join(" ")
    )
}

fn members(bytes: &[u8]) -> String {
    let text = std::str::from_utf8(bytes).expect("UTF-8");
    let page = Page::read_members(text).expect("a list of members");
    let original: Value = serde_json::from_slice(bytes).expect("fixtures are JSON");
    let items = serde_json::to_value(&page.items).expect("they can be written");
    let told = match &original {
        Value::Object(page) if page.contains_key("items") => page["items"].clone(),
        Value::Array(_) => original,
        single => Value::Array(vec![single.clone()]),
    };
    assert_eq!(items, told);
    let may = |member: &Member| {
        let permissions = member.permissions.value();
        let forbidden = permissions.is_some_and(|permissions| permissions.forbid_exports());
        let word = match permissions.and_then(|permissions| permissions.write.value()) {
            None => "isn't said to export",
            Some(true) => "may export",
            Some(false) => "may not export",
        };
        assert_eq!(forbidden, word == "may not export");
        format!("{} {word}", member.username)
    };
    page.items.iter().map(may).collect::<Vec<_>>().join("; ")
}

fn error(error: &ApiError) -> String {
    format!(
        "code {}, status {}, {}",
        shown(error.code()),
        shown(error.http_status()),
        classify(error)
    )
}

fn job(job: &ExportJob) -> String {
    let request = cavatica_model::ExportRequest::new(
        "5f0000000000000000000001".parse().expect("an id"),
        "ada/lab_out".parse().expect("an id"),
        "run1/a.vcf".parse().expect("a location"),
    );
    format!(
        "{}{}, ours: {}{}",
        job.state,
        if job.is_final() { " for good" } else { "" },
        shown(job.answers(&request)),
        job.error
            .value()
            .map_or(String::new(), |it| format!(", {}", error(it)))
    )
}

fn item(item: &BulkItem<ExportJob>) -> String {
    match item {
        BulkItem::Resource(resource, ..) => job(resource),
        BulkItem::Error(it, ..) => error(it),
        BulkItem::Unreadable { .. } => "unreadable".to_owned(),
    }
}

#[test]
fn every_payload_from_outside_is_kept_whole_and_judged_rightly() {
    let outside = folder().join("outside");
    let mut verdicts = Vec::new();
    for kind in names(&outside).iter().filter(|name| !name.contains('.')) {
        for file in names(&outside.join(kind)) {
            let bytes = bytes(&outside.join(kind).join(&file));
            let name = file.trim_end_matches(".json");
            verdicts.push(format!("{kind}/{name}: {}\n", verdict(kind, &bytes)));
        }
    }
    assert!(verdicts.len() >= 42, "{}", verdicts.len());
    let expected = String::from_utf8(bytes(&outside.join("verdicts.txt"))).expect("UTF-8");
    assert_eq!(verdicts.concat(), expected);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the fixtures are there");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry
            .expect("the folder can be read")
            .file_name()
            .to_string_lossy()
            .into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

#[test]
fn a_kms_key_that_was_passed_over_is_noticed() {
    let mut request = cavatica_model::ExportRequest::new(
        "5f0000000000000000000001".parse().expect("an id"),
        "ada/lab_out".parse().expect("an id"),
        "run1/a.vcf".parse().expect("a location"),
    );
    let job = |properties: Value| -> ExportJob {
        let job = serde_json::json!({"id": "j1", "state": "PENDING", "properties": properties});
        serde_json::from_value(job).expect("a job")
    };
    let without = job(serde_json::json!({"sse_algorithm": "aws:kms"}));
    assert!(!without.lost_kms_key(&request), "none was asked for");
    request = request.with_properties(
        serde_json::from_value(serde_json::json!({"sse_aws_kms_key_id": "k"})).expect("properties"),
    );
    assert!(without.lost_kms_key(&request));
    for spelling in ["sse_aws_kms_key_id", "sse_aws_kms_key_Id"] {
        assert!(!job(serde_json::json!({spelling: "k"})).lost_kms_key(&request));
    }
    let silent: ExportJob =
        serde_json::from_str(r#"{"id": "j1", "state": "PENDING"}"#).expect("a job");
    assert!(!silent.lost_kms_key(&request), "nothing is said");
}

/// An odd item spoils itself, and a list none of its neighbours.
#[test]
fn an_odd_job_of_a_list_spoils_only_itself() {
    let page: Page<cavatica_model::wire::Entry<ExportJob>> = Page::read(
        r#"{"items": [
            {"id": "AAAA0000bbbb1111CCCC2222dddd3333", "state": "PENDING", "destination": {"volume": "bucket", "location": ""}},
            {"id": "a/b", "state": "PENDING"},
            {"id": "AAAA0000bbbb1111CCCC2222dddd3334", "state": "RUNNING"}
        ]}"#,
    )
    .expect("a page");
    let read = page
        .items
        .iter()
        .map(|item| matches!(item, cavatica_model::wire::Entry::Read(_)));
    assert_eq!(read.collect::<Vec<_>>(), [true, false, true]);
}
