//! What is told when S3 refuses or isn't there, and how often it is asked.

use cavatica_s3::{AwsConfig, Bucket, BuildError, Credentials, ErrorKind, Upload};
use cavatica_test_s3::TestS3;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::calls::{lab, open, put};

fn config(key_id: &str, secret: &str, region: Option<&str>) -> AwsConfig {
    let mut config = AwsConfig::of(Credentials::new(key_id, secret, None));
    config.region = region.map(str::to_owned);
    config
}

/// A server that gives this answer to everything.
async fn always(answer: &'static str) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("a port is free");
    let address = listener.local_addr().expect("it has an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _read = socket.read(&mut request).await;
            let _written = socket.write_all(answer.as_bytes()).await;
        }
    });
    format!("http://{address}")
}

#[tokio::test]
async fn each_refusal_says_what_and_what_to_do() {
    let (server, bucket) = lab().await;
    server.close("lab");
    let denied = bucket.put("a.txt", Upload::new(1, &b"a"[..])).await;
    let denied = denied.expect_err("the bucket is closed");
    let nowhere = open(&server, "nowhere");
    let missing = nowhere.list("").next().await.expect_err("no such bucket");
    let with = |key_id, secret| {
        let bucket = Bucket::builder("lab", config(key_id, secret, None));
        bucket.endpoint(server.endpoint()).build().expect("fine")
    };
    let stranger = with("AKIANOBODY", TestS3::SECRET);
    let stranger = stranger.list("").next().await.expect_err("an unknown key");
    let liar = with(TestS3::KEY_ID, "wrong/secret");
    let liar = liar.list("").next().await.expect_err("a wrong secret");

    for (error, code, subject, advice) in [
        (
            &denied,
            "AccessDenied",
            "can't write `a.txt` of the bucket lab: ",
            "owner",
        ),
        (
            &missing,
            "NoSuchBucket",
            "can't list the bucket nowhere: ",
            "bucket's name",
        ),
        (
            &stranger,
            "InvalidAccessKeyId",
            "can't list the bucket lab: ",
            "AWS_PROFILE",
        ),
        (
            &liar,
            "SignatureDoesNotMatch",
            "can't list the bucket lab: ",
            "AWS_SECRET_ACCESS_KEY",
        ),
    ] {
        assert_eq!(error.code(), Some(code));
        let text = error.to_string();
        assert!(text.starts_with(&format!("{subject}{code}")), "{text}");
        let told = error.advice().expect("there is something to do");
        assert!(told.contains(advice), "{told}");
        assert!(!error.is_transient());
        let shown = format!("{text} {error:?} {bucket:?}");
        for secret in [TestS3::SECRET, "wrong/secret", "Signature="] {
            assert!(!shown.contains(secret), "{shown}");
        }
    }
}

#[tokio::test]
async fn reads_are_tried_again_and_writes_are_not() {
    let (server, bucket) = lab().await;
    put(&bucket, "a.txt", b"a").await;
    let before = server.requests();
    server.slow_down(2);
    assert!(bucket.head("a.txt").await.expect("the third try").is_some());
    assert_eq!(server.requests() - before, 3);

    server.slow_down(1);
    let before = server.requests();
    let error = bucket.delete("a.txt").await.expect_err("it is sent once");
    assert!(error.is_transient());
    assert_eq!(server.requests() - before, 1);

    server.slow_down(100);
    let before = server.requests();
    let error = bucket.list("").next().await.expect_err("it gives up");
    assert_eq!(error.code(), Some("SlowDown"));
    assert_eq!(server.requests() - before, 4);
}

#[tokio::test]
async fn another_region_is_named() {
    let endpoint = always(
        "HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: eu-west-1\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n\
         <Error><Code>PermanentRedirect</Code><Message>elsewhere</Message><Endpoint>e</Endpoint></Error>",
    )
    .await;
    let bucket = Bucket::builder("lab", config("id", "secret", None)).endpoint(endpoint);
    let bucket = bucket.build().expect("fine");
    let error = bucket.list("").next().await.expect_err("it isn't followed");
    assert_eq!(error.code(), Some("PermanentRedirect"));
    let advice = error.advice().expect("there is something to do");
    assert!(advice.contains("AWS_REGION=eu-west-1"), "{advice}");
}

#[tokio::test]
async fn an_answer_of_something_else_is_told_as_such() {
    let page = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n<html>Please log in</html>";
    let bucket = Bucket::builder("lab", config("id", "secret", None)).endpoint(always(page).await);
    let bucket = bucket.build().expect("fine");
    let error = bucket.list("").next().await.expect_err("no listing");
    assert!(matches!(error.kind(), ErrorKind::NotS3(_)), "{error}");

    let page = "HTTP/1.1 403 Forbidden\r\nconnection: close\r\n\r\n<html>Blocked</html>";
    let bucket = Bucket::builder("lab", config("id", "secret", None)).endpoint(always(page).await);
    let bucket = bucket.build().expect("fine");
    let error = bucket.delete("a").await.expect_err("a proxy's page");
    assert!(matches!(error.kind(), ErrorKind::NotS3(_)), "{error}");
}

async fn lab_at(answer: &'static str) -> Bucket {
    let bucket = Bucket::builder("lab", config("id", "secret", None));
    bucket.endpoint(always(answer).await).build().expect("fine")
}

#[tokio::test]
async fn what_a_store_does_not_know_is_told_at_once() {
    let bucket = lab_at(
        "HTTP/1.1 501 Not Implemented\r\nconnection: close\r\n\r\n\
         <Error><Code>NotImplemented</Code><Message>A header you provided</Message></Error>",
    );
    let error = bucket.await.list("").next().await.expect_err("501");
    assert_eq!(error.code(), Some("NotImplemented"));
    assert!(!error.is_transient());
    let advice = error.advice().expect("there is something to do");
    assert!(advice.contains("--sse-algorithm none"), "{advice}");
}

#[tokio::test]
async fn a_clock_that_is_wrong_is_named() {
    let bucket = lab_at(
        "HTTP/1.1 403 Forbidden\r\ndate: Sun, 06 Nov 1994 08:49:37 GMT\r\nconnection: close\r\n\r\n\
         <Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>",
    );
    let error = bucket.await.list("").next().await.expect_err("403");
    let advice = error.advice().expect("there is something to do");
    assert!(
        advice.ends_with("set this computer's clock right"),
        "{advice}"
    );
}

#[tokio::test]
async fn a_listing_may_have_any_namespace_or_none() {
    const KEY: &str = "<IsTruncated>false</IsTruncated><Contents><Key>a</Key><Size>1</Size></Contents></ListBucketResult>";
    for root in [
        "<ListBucketResult>",
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">",
        "<?xml version=\"1.0\"?><!-- s3rver -->\n<ListBucketResult xmlns='http://doc.s3.amazonaws.com/2006-03-01'>",
        "<ListBucketResult xmlns=\"https://s3.amazonaws.com/doc/2006-03-01/\" >",
    ] {
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
        let bucket = lab_at(format!("{head}{root}{KEY}").leak()).await;
        let page = bucket.list("").next().await.expect(root).expect("a page");
        assert_eq!(page.objects[0].key, "a", "{root}");
    }
    let refusal = lab_at(
        "HTTP/1.1 404 Not Found\r\nconnection: close\r\n\r\n\
         <Error xmlns=\"http://elsewhere/\"><Code>NoSuchBucket</Code></Error>",
    );
    let error = refusal.await.list("").next().await.expect_err("404");
    assert_eq!(error.code(), Some("NoSuchBucket"));
}

#[test]
fn no_bucket_is_addressed_carelessly() {
    let build = |name: &str, region, endpoint: Option<&str>| {
        let bucket = Bucket::builder(name, config("id", "secret", region));
        match endpoint {
            Some(endpoint) => bucket.endpoint(endpoint).build(),
            None => bucket.build(),
        }
    };
    let plain = build("lab", None, Some("http://store.example:9000"));
    assert!(matches!(plain, Err(BuildError::PlainText(_))));
    assert!(matches!(
        build("lab", None, None),
        Err(BuildError::NoRegion)
    ));
    assert!(matches!(
        build("lab", Some("evil.example/"), None),
        Err(BuildError::Region(_))
    ));
    for name in ["", "..", "a/b", "a@b", "a b"] {
        assert!(
            matches!(
                build(name, Some("us-east-1"), None),
                Err(BuildError::Name(_))
            ),
            "{name}"
        );
    }
    for endpoint in [
        "",
        "s3.example",
        "ftp://s3.example",
        "https://a:b@s3.example",
        "https://",
    ] {
        let built = build("lab", None, Some(endpoint));
        assert!(matches!(built, Err(BuildError::Endpoint(_))), "{endpoint}");
    }
    for endpoint in [
        "https://s3.example/lab",
        "https://s3.example/any/path",
        "https://lab.s3.eu-west-1.amazonaws.com",
    ] {
        let built = build("lab", None, Some(endpoint));
        assert!(matches!(built, Err(BuildError::Path(_))), "{endpoint}");
    }
    let secret = build("lab", None, Some("https://u:pa ss@s3.example"));
    let told = secret.expect_err("no address").to_string();
    assert!(!told.contains("ss@"), "{told}");
    let shown = |name, region| format!("{:?}", build(name, Some(region), None).expect("fine"));
    assert_eq!(
        shown("lab", "eu-west-1"),
        "Bucket(https://lab.s3.eu-west-1.amazonaws.com)"
    );
    assert_eq!(
        shown("lab.x", "cn-north-1"),
        "Bucket(https://s3.cn-north-1.amazonaws.com.cn/lab.x)"
    );
}
