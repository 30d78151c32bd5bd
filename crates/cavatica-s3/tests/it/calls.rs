//! Objects go there and come back as they were.

use cavatica_s3::{AwsConfig, Bucket, Credentials, ErrorKind, Upload};
use cavatica_test_s3::{Kept, TestS3};

/// A server with the bucket `lab`, and that bucket.
pub(crate) async fn lab() -> (TestS3, Bucket) {
    let server = TestS3::start().await;
    server.create_bucket("lab");
    let bucket = open(&server, "lab");
    (server, bucket)
}

pub(crate) fn open(server: &TestS3, name: &str) -> Bucket {
    let config = AwsConfig::of(Credentials::new(TestS3::KEY_ID, TestS3::SECRET, None));
    let bucket = Bucket::builder(name, config).endpoint(server.endpoint());
    bucket.build().expect("an address on this machine is fine")
}

pub(crate) async fn put(bucket: &Bucket, key: &str, content: &[u8]) -> String {
    let upload = Upload::new(content.len() as u64, std::io::Cursor::new(content.to_vec()));
    bucket.put(key, upload).await.expect("it can be written")
}

async fn get(bucket: &Bucket, key: &str) -> Vec<u8> {
    let mut download = bucket.get(key).await.expect("it can be read");
    let mut content = Vec::new();
    while let Some(chunk) = download.chunk().await.expect("to the end") {
        content.extend_from_slice(&chunk);
    }
    assert_eq!(download.head.size, content.len() as u64);
    content
}

#[tokio::test]
async fn bytes_come_back_as_they_went() {
    let (_server, bucket) = lab().await;
    let long: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    for (key, content) in [
        ("run1/long.bam", &long[..]),
        ("empty", b""),
        ("cohort 7/NA#1 50%+é?&=.txt", b"odd name"),
    ] {
        let etag = put(&bucket, key, content).await;
        assert_eq!(get(&bucket, key).await, content, "{key}");
        let head = bucket.head(key).await.expect("it can be looked at");
        let head = head.expect("it is there");
        assert_eq!(head.size, content.len() as u64, "{key}");
        assert_eq!(head.etag.as_deref(), Some(etag.as_str()), "{key}");
    }
}

#[tokio::test]
async fn what_is_asked_for_arrives_and_is_shown_again() {
    let (server, bucket) = lab().await;
    let upload = Upload::new(3, &b"ACG"[..])
        .sse("aws:kms")
        .kms_key_id("arn:aws:kms:us-east-1:1:key/7")
        .storage_class("GLACIER")
        .canned_acl("bucket-owner-full-control");
    bucket
        .put("a.txt", upload)
        .await
        .expect("it can be written");
    put(&bucket, "plain.txt", b"ACG").await;

    let some = |text: &str| Some(text.to_owned());
    let kept = Kept {
        sse: some("aws:kms"),
        kms_key_id: some("arn:aws:kms:us-east-1:1:key/7"),
        storage_class: some("GLACIER"),
        acl: some("bucket-owner-full-control"),
    };
    assert_eq!(server.kept("lab", "a.txt"), Some(kept));
    assert_eq!(server.kept("lab", "plain.txt"), Some(Kept::default()));

    let head = bucket.head("a.txt").await.expect("it can be looked at");
    let head = head.expect("it is there");
    assert_eq!(head.encryption.as_deref(), Some("aws:kms"));
    assert_eq!(head.kms_key_id, some("arn:aws:kms:us-east-1:1:key/7"));
    assert_eq!(head.storage_class.as_deref(), Some("GLACIER"));
    let mut listing = bucket.list("");
    let page = listing.next().await.expect("it can be listed");
    let page = page.expect("there is a page");
    let classes = page
        .objects
        .iter()
        .map(|object| object.storage_class.as_deref());
    assert_eq!(
        classes.collect::<Vec<_>>(),
        [Some("GLACIER"), Some("STANDARD")]
    );
}

#[tokio::test]
async fn a_listing_has_every_key_once_and_in_order() {
    let (_server, bucket) = lab().await;
    let mut expected = Vec::new();
    for number in 0..25 {
        let key = format!("run{}/part {number:02}.txt", number % 3);
        put(&bucket, &key, key.as_bytes()).await;
        expected.push(key);
    }
    expected.sort();
    let mut found = Vec::new();
    let mut listing = bucket.list("").page_size(4);
    while let Some(page) = listing.next().await.expect("it can be listed") {
        assert_eq!(page.next.is_some(), found.len() + page.objects.len() < 25);
        for object in page.objects {
            assert_eq!(object.size, object.key.len() as u64);
            assert!(object.modified.is_some());
            found.push(object.key);
        }
    }
    assert_eq!(found, expected);

    let mut level = bucket.list("").one_level();
    let page = level.next().await.expect("it can be listed");
    let page = page.expect("there is a page");
    assert_eq!(page.folders, ["run0/", "run1/", "run2/"]);
    assert!(page.objects.is_empty());

    let first = bucket.list("run1/").page_size(3).next().await;
    let first = first.expect("it can be listed").expect("there is a page");
    let mut rest = bucket
        .list("run1/")
        .resume(first.next.expect("there is more"));
    let rest = rest.next().await.expect("it can be listed");
    let rest = rest.expect("there is a page").objects;
    let keys: Vec<_> = first.objects.iter().chain(&rest).map(|o| &o.key).collect();
    let wanted: Vec<_> = expected
        .iter()
        .filter(|key| key.starts_with("run1/"))
        .collect();
    assert_eq!(keys, wanted);

    let mut nothing = bucket.list("elsewhere/");
    assert_eq!(
        nothing.next().await.expect("a page"),
        Some(Default::default())
    );
    assert_eq!(nothing.next().await.expect("no more"), None);
}

#[tokio::test]
async fn a_deleted_object_is_gone() {
    let (_server, bucket) = lab().await;
    put(&bucket, "a.txt", b"a").await;
    bucket.delete("a.txt").await.expect("it can be deleted");
    assert_eq!(bucket.head("a.txt").await.expect("an answer"), None);
    bucket.delete("a.txt").await.expect("twice is no error");
    let error = bucket.get("a.txt").await.expect_err("it is gone");
    assert_eq!(error.code(), Some("NoSuchKey"));
}

#[tokio::test]
async fn a_source_that_ends_early_writes_nothing() {
    let (_server, bucket) = lab().await;
    let upload = Upload::new(1_000_000, &b"too few"[..]);
    let error = bucket.put("a.txt", upload).await.expect_err("it is short");
    assert_eq!(*error.kind(), ErrorKind::Source);
    assert_eq!(bucket.head("a.txt").await.expect("an answer"), None);
}

#[tokio::test]
async fn a_key_never_reaches_another_bucket() {
    let (server, bucket) = lab().await;
    server.create_bucket("other");
    for key in ["", "../other/a.txt", "a/./b", "a/..", "."] {
        let upload = Upload::new(1, &b"x"[..]);
        let error = bucket.put(key, upload).await.expect_err(key);
        assert_eq!(*error.kind(), ErrorKind::Key, "{key}");
        assert!(bucket.delete(key).await.is_err(), "{key}");
    }
    assert_eq!(server.requests(), 0);
}
