//! What is sent to mount a bucket, and to change how it is mounted.

use cavatica_model::export::SseAlgorithm;
use cavatica_model::mount::{
    AccessKey, BucketPlace, IamPolicy, NewVolume, Secret, VolumeChange, VolumeCredentials,
    VolumeName,
};
use cavatica_model::project::Regions;
use cavatica_model::volume::AccessMode;
use cavatica_model::{File, Tri};
use proptest::prelude::*;
use serde_json::{Value, json};

const HIDDEN: &str = "never-to-be-seen";

fn key() -> VolumeCredentials {
    VolumeCredentials::Key(AccessKey::new("EXAMPLE-ID", Secret::new(HIDDEN)))
}

fn volume(place: BucketPlace, credentials: VolumeCredentials) -> NewVolume {
    let name = "lab_out".parse().expect("a name");
    NewVolume::new(name, AccessMode::ReadOnly, place, credentials)
}

fn text(text: &str) -> String {
    text.to_owned()
}

/// As the pages and the official clients write them.
#[test]
fn each_kind_of_bucket_has_its_own_body() {
    let azure = VolumeCredentials::Azure {
        tenant_id: text("T"),
        client_id: text("C"),
        client_secret: Secret::new(HIDDEN),
    };
    let google = VolumeCredentials::GoogleKey {
        client_email: text("svc@example.test"),
        private_key: Secret::new(HIDDEN),
    };
    let role = |external_id: Option<&str>| VolumeCredentials::Role {
        arn: text("arn:aws:iam::000000000000:role/example"),
        external_id: external_id.map(text),
    };
    let s3 = || BucketPlace::S3 {
        bucket: text("b"),
        endpoint: None,
    };
    let cases: Vec<(NewVolume, Value)> = vec![
        (
            volume(s3(), key()),
            json!({"type": "s3", "bucket": "b", "prefix": "",
                "credentials": {"access_key_id": "EXAMPLE-ID", "secret_access_key": HIDDEN}}),
        ),
        (
            volume(s3(), role(Some("example"))),
            json!({"type": "s3", "bucket": "b", "prefix": "",
                "credentials": {"role_arn": "arn:aws:iam::000000000000:role/example", "external_id": "example"}}),
        ),
        (
            volume(s3(), role(None)),
            json!({"type": "s3", "bucket": "b", "prefix": "",
                "credentials": {"role_arn": "arn:aws:iam::000000000000:role/example"}}),
        ),
        (
            volume(BucketPlace::Google { bucket: text("b") }, google),
            json!({"type": "gcs", "bucket": "b", "prefix": "",
                "credentials": {"client_email": "svc@example.test", "private_key": HIDDEN}}),
        ),
        (
            volume(
                BucketPlace::Azure {
                    storage_account: text("exampleacct"),
                    container: text("data"),
                    endpoint: None,
                    resource_id: Some(text("R")),
                },
                azure,
            ),
            json!({"type": "azure", "storage_account": "exampleacct", "container": "data", "prefix": "",
                "credentials": {"tenant_id": "T", "client_id": "C", "client_secret": HIDDEN},
                "properties": {"resource_id": "R"}}),
        ),
        (
            volume(
                BucketPlace::Oss {
                    bucket: text("b"),
                    endpoint: text("oss.example.test"),
                },
                key(),
            ),
            json!({"type": "OSS", "bucket": "b", "prefix": "", "endpoint": "oss.example.test",
                "credentials": {"access_key_id": "EXAMPLE-ID", "secret_access_key": HIDDEN}}),
        ),
    ];
    for (volume, service) in cases {
        let body = volume.to_body();
        assert_eq!(
            body,
            json!({"name": "lab_out", "access_mode": "RO", "service": service})
        );
        assert!(!format!("{volume:?}").contains(HIDDEN));
    }
}

#[test]
fn a_change_sends_what_changes_and_nothing_else() {
    assert!(VolumeChange::default().is_empty());
    assert_eq!(VolumeChange::default().to_body(), json!({}));
    let mut change = VolumeChange::default();
    change.active = Some(false);
    change.credentials = Some(key());
    change.properties.sse_algorithm = Tri::Value(SseAlgorithm::AwsKms.into());
    change.properties.aws_canned_acl = Tri::Null;
    assert_eq!(
        change.to_body(),
        json!({"active": false, "service": {
            "credentials": {"access_key_id": "EXAMPLE-ID", "secret_access_key": HIDDEN},
            "properties": {"sse_algorithm": "aws:kms", "aws_canned_acl": null},
        }})
    );
    assert!(!format!("{change:?}").contains(HIDDEN));
}

#[test]
fn a_policy_has_the_least_rights_below_the_prefix() {
    let policy = |mode| serde_json::to_value(IamPolicy::new("lab", "run1", mode)).expect("JSON");
    let reading = policy(AccessMode::ReadOnly).to_string();
    assert!(reading.contains("arn:aws:s3:::lab/run1/*") && !reading.contains("Put"));
    let writing = policy(AccessMode::ReadWrite).to_string();
    for right in [
        "s3:ListBucket",
        "s3:GetObject",
        "s3:PutObject",
        "s3:PutObjectAcl",
        "s3:GetObjectAcl",
    ] {
        assert!(writing.contains(right), "{right}");
    }
    for too_much in ["Delete", "s3:*", "PutBucket", r#""Resource":"*""#] {
        assert!(!writing.contains(too_much), "{too_much}");
    }
}

#[test]
fn a_file_of_another_region_is_noticed() {
    let file = |hosts: Value| -> File {
        let storage = json!({"type": "PLATFORM", "hosted_on_locations": hosts});
        let file = json!({"id": "5f0000000000000000000001", "storage": storage});
        serde_json::from_value(file).expect("a file")
    };
    let mut regions = Regions::default();
    assert_eq!(
        regions.note(&file(Value::Null)),
        None,
        "nobody says where it is"
    );
    assert_eq!(
        regions.note(&file(json!(["aws:us-east-1", "google:us"]))),
        None
    );
    assert_eq!(
        regions.note(&file(json!(["google:us"]))),
        None,
        "one is shared"
    );
    let other = regions
        .note(&file(json!(["aws:us-west-2"])))
        .expect("a warning");
    assert_eq!(other.name(), "other-region");
}

proptest! {
    /// Each of the three documented rules by itself.
    #[test]
    fn a_volumes_name_meets_all_three_rules(text in "[A-Za-z0-9_\\-é]{0,34}|[a-z]_{0,2}[a-z]_?") {
        let letters = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        let single = !text.contains("__") && !text.starts_with('_') && !text.ends_with('_');
        let length = (3..=32).contains(&text.chars().count());
        prop_assert_eq!(text.parse::<VolumeName>().is_ok(), letters && single && length);
    }
}
