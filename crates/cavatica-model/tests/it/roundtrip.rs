//! What was read can be written again without loss, and what was written reads as the same value.

use std::fmt::Debug;

use cavatica_model::account::{RateLimit, User};
use cavatica_model::bulk::{
    Batch, BulkAnswer, BulkExportRequest, BulkFilesRequest, BulkGetRequest,
};
use cavatica_model::job::{JobStanding, StartedJob};
use cavatica_model::task::Task;
use cavatica_model::volume::{VolumeListing, VolumeObject, VolumePermissions};
use cavatica_model::wire::{DateTime, Entry, Page};
use cavatica_model::{ApiError, ExportJob, ExportProperties, ExportRequest, File, Layout, Volume};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::strategies;

/// Object → value → the same object; value → text → the same value; by every way in.
fn both_ways<T: Serialize + DeserializeOwned + PartialEq + Debug>(object: &Value) {
    let value: T = serde_json::from_value(object.clone()).expect("the object is well-formed");
    assert_eq!(
        &serde_json::to_value(&value).expect("values can be written"),
        object
    );

    let text = serde_json::to_string(&value).expect("values can be written");
    let from_text: T = serde_json::from_str(&text).expect("what was written can be read");
    let from_bytes: T =
        serde_json::from_slice(text.as_bytes()).expect("what was written can be read");
    let from_reader: T =
        serde_json::from_reader(text.as_bytes()).expect("what was written can be read");
    assert_eq!(from_text, value);
    assert_eq!(from_bytes, value);
    assert_eq!(from_reader, value);
    assert_eq!(
        &serde_json::from_str::<Value>(&text).expect("it is JSON"),
        object
    );
}

macro_rules! both_ways {
    ($($name:ident: $Type:ty = $object:expr;)+) => {
        proptest! {
            #![proptest_config(strategies::few())]
            $(
                #[test]
                fn $name(object in $object) {
                    both_ways::<$Type>(&object);
                }
            )+
        }
    };
}

both_ways! {
    api_errors: ApiError = strategies::api_error();
    properties: ExportProperties = strategies::properties();
    export_requests: ExportRequest = strategies::export_request();
    export_jobs: ExportJob = strategies::export_job();
    files: File = strategies::file();
    volumes: Volume = strategies::volume();
    volume_permissions: VolumePermissions = strategies::volume_permissions();
    pages_of_jobs: Page<ExportJob> = strategies::page(strategies::export_job());
    pages_of_anything: Page<Entry<File>> = strategies::page(strategies::json());
    volume_listings: VolumeListing = strategies::volume_listing();
    volume_objects: VolumeObject = strategies::volume_object();
    bulk_answers_with_jobs: BulkAnswer<ExportJob> = strategies::bulk_answer(strategies::export_job());
    bulk_answers_with_files: BulkAnswer<File> = strategies::bulk_answer(strategies::file());
    bulk_answers_with_anything: BulkAnswer<File> = strategies::bulk_answer(strategies::json());
    tasks: Task = strategies::task();
    users: User = strategies::user();
    rate_limits: RateLimit = strategies::rate_limit();
    moments: DateTime = strategies::text().prop_map(Value::from);
}

proptest! {
    #[test]
    fn bulk_answers_are_read_as_they_deserialize(
        jobs in strategies::bulk_answer(strategies::export_job()),
        anything in strategies::bulk_answer(strategies::json()),
    ) {
        for object in [jobs, anything] {
            let text = object.to_string();
            let read: BulkAnswer<ExportJob> = BulkAnswer::read(&text).expect("the object is well-formed");
            prop_assert_eq!(read, serde_json::from_str(&text).expect("the object is well-formed"));
        }
    }

    #[test]
    fn pages_are_read_as_they_deserialize(
        files in strategies::page(strategies::file()),
        anything in strategies::page(strategies::json()),
    ) {
        for object in [files, anything] {
            let text = object.to_string();
            let read: Page<Entry<File>> = Page::read(&text).expect("the object is well-formed");
            prop_assert_eq!(read, serde_json::from_str(&text).expect("the object is well-formed"));
        }
    }

    #[test]
    fn less_of_a_job_says_what_the_whole_job_says(job in strategies::export_job()) {
        let whole: ExportJob = serde_json::from_value(job.clone()).expect("a job");
        let started: StartedJob = serde_json::from_value(job.clone()).expect("a job");
        let standing: JobStanding = serde_json::from_value(job).expect("a job");
        prop_assert_eq!((&started.source, &started.destination), (&whole.source, &whole.destination));
        prop_assert_eq!(&JobStanding::from(started), &standing);
        prop_assert_eq!(standing, JobStanding::from(whole));
    }

    #[test]
    fn bulk_requests(
        exports in vec(strategies::export_request(), 1..4),
        ids in vec(strategies::id(), 1..4),
    ) {
        both_ways::<BulkExportRequest>(&json!({ "items": exports }));
        both_ways::<BulkGetRequest>(&json!({ "export_ids": ids }));
        both_ways::<BulkFilesRequest>(&json!({ "file_ids": ids }));
    }

    #[test]
    fn layouts(prefix in strategies::location(), template in crate::template::template()) {
        both_ways::<Layout>(&json!({ "prefix": format!("{prefix}/"), "template": template }));
    }
}

#[test]
fn a_batch_holds_one_to_a_hundred() {
    for (count, fits) in [(0, false), (1, true), (100, true), (101, false)] {
        assert_eq!(Batch::new(vec![(); count]).is_ok(), fits, "{count}");
        let read = serde_json::from_value::<Batch<u8>>(json!(vec![0; count]));
        assert_eq!(read.is_ok(), fits, "{count}");
    }
}
