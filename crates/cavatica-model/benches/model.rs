//! What the words cost. A bulk answer is read beside the same bytes read as untyped JSON, which is the measure for it.

use cavatica_model::bulk::{Batch, BulkAnswer, BulkExportRequest};
use cavatica_model::destination::FileFacts;
use cavatica_model::manifest::Manifest;
use cavatica_model::{ExportJob, ExportRequest, File, Layout, Volume};
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use serde_json::{Value, json};

/// The most items of a bulk call.
const ITEMS: usize = 100;

fn main() {
    divan::main();
}

/// A hundred completed jobs, as the platform documents them.
fn bulk_answer() -> String {
    let page = include_str!("../tests/fixtures/get-details-of-a-bulk-export-job.response.json");
    let answer: Value = serde_json::from_str(page).expect("a fixture");
    let items: Vec<&Value> = std::iter::repeat_n(&answer["items"][0], ITEMS).collect();
    json!({ "items": items }).to_string()
}

fn request(number: usize) -> ExportRequest {
    ExportRequest::new(
        format!("{number:024x}").parse().expect("an id"),
        "rfranklin/output".parse().expect("an id"),
        format!("cohort 7/run{}/sample-{number}.bam", number % 7)
            .parse()
            .expect("a location"),
    )
}

#[divan::bench]
fn decode_untyped(bencher: Bencher) {
    let text = bulk_answer();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| serde_json::from_str::<Value>(black_box(&text)));
}

#[divan::bench]
fn decode(bencher: Bencher) {
    let text = bulk_answer();
    bencher
        .counter(BytesCount::of_str(&text))
        .bench(|| BulkAnswer::<ExportJob>::read(black_box(&text)));
}

#[divan::bench]
fn encode(bencher: Bencher) {
    let requests = Batch::new((0..ITEMS).map(request).collect());
    let body = BulkExportRequest::new(requests.expect("a batch"));
    bencher
        .counter(ItemsCount::new(ITEMS))
        .bench(|| serde_json::to_vec(black_box(&body)));
}

#[divan::bench]
fn check(bencher: Bencher) {
    let file = include_str!("../tests/fixtures/get-file-details.platform.json");
    let file: File = serde_json::from_str(file).expect("a fixture");
    let volume = include_str!("../tests/fixtures/get-details-of-a-volume-v2.s3.json");
    let volume: Volume = serde_json::from_str(volume).expect("a fixture");
    let request = request(1);
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench(|| black_box(&request).findings(black_box(&file), black_box(&volume)));
}

#[divan::bench]
fn template(bencher: Bencher) {
    let layout = Layout::new(
        "archive/".parse().expect("a prefix"),
        "{project}/{path}/{name}".parse().expect("a template"),
    );
    let project = "rfranklin/cohort-7".parse().expect("an id");
    let mut facts = FileFacts::default();
    facts.name = Some("NA12878 #2.bam");
    facts.path = Some("run1/aligned");
    facts.project = Some(&project);
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench(|| black_box(&layout).location(black_box(&facts)));
}

#[divan::bench]
fn manifest(bencher: Bencher) {
    let rows = 1000_usize;
    let mut text = "file_id,project,name,location\n".to_owned();
    for row in 0..rows {
        text += &format!("{row:024x},lab/cohort,sample-{row}.bam,run1/sample-{row}.bam\n");
    }
    bencher.counter(ItemsCount::new(rows)).bench(|| {
        let manifest = Manifest::open("files.csv", black_box(text.as_bytes()));
        manifest.expect("a header").filter(Result::is_ok).count()
    });
}
