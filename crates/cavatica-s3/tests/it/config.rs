//! Keys and region are found where the AWS tools find them, and shown nowhere.

use std::collections::BTreeMap;
use std::fs;

use cavatica_s3::{AwsConfig, AwsConfigError, Bucket};

struct Home {
    folder: tempfile::TempDir,
    variables: BTreeMap<&'static str, String>,
}

impl Home {
    fn new(credentials: &str, config: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let aws = folder.path().join(".aws");
        fs::create_dir(&aws).expect("a folder");
        fs::write(aws.join("credentials"), credentials).expect("a file");
        fs::write(aws.join("config"), config).expect("a file");
        let home = folder.path().display().to_string();
        Home {
            folder,
            variables: BTreeMap::from([("HOME", home)]),
        }
    }

    fn set(mut self, name: &'static str, value: &str) -> Self {
        self.variables.insert(name, value.to_owned());
        self
    }

    fn find(&self) -> Result<AwsConfig, AwsConfigError> {
        AwsConfig::find_in(&|name| self.variables.get(name).cloned())
    }

    fn region(&self) -> Option<String> {
        self.find().expect("there are keys").region
    }
}

const CREDENTIALS: &str = "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = s#cr;t=/+\n\n\
    [lab]\naws_access_key_id=AKIALAB\naws_secret_access_key=other\naws_session_token=token\n\n\
    [half]\naws_access_key_id=AKIAHALF\n";
const CONFIG: &str = "[default]\nregion = us-east-1\ns3 =\n  max_concurrent_requests = 20\n\n[profile lab]\nregion = eu-west-1\n\n\
    [profile login]\nsso_session = corp\nregion = us-west-2\n\n[profile role]\nrole_arn = arn:x\nsource_profile = default\n\n\
    [profile own]\naws_access_key_id = AKIAOWN\naws_secret_access_key = own\n\n[profile bare]\noutput = json\n";

#[test]
fn the_profile_decides_unless_the_environment_does() {
    let home = || Home::new(CREDENTIALS, CONFIG);
    assert_eq!(home().region().as_deref(), Some("us-east-1"));
    assert_eq!(
        home().set("AWS_PROFILE", "lab").region().as_deref(),
        Some("eu-west-1")
    );
    assert_eq!(home().set("AWS_PROFILE", "own").region(), None);
    let asked = home()
        .set("AWS_DEFAULT_REGION", "ap-1")
        .set("AWS_REGION", "sa-east-1");
    assert_eq!(asked.region().as_deref(), Some("sa-east-1"));
    let keys = home()
        .set("AWS_PROFILE", "bare")
        .set("AWS_ACCESS_KEY_ID", "AKIAENV")
        .set("AWS_SECRET_ACCESS_KEY", "env");
    assert!(keys.find().is_ok());
}

#[test]
fn other_files_can_be_named() {
    let home = Home::new("", "");
    let elsewhere = home.folder.path().join("keys");
    fs::write(&elsewhere, CREDENTIALS).expect("a file");
    let path = elsewhere.display().to_string();
    assert!(home.find().is_err());
    let home = home.set("AWS_SHARED_CREDENTIALS_FILE", &path);
    assert!(home.find().is_ok());
}

#[test]
fn what_is_missing_is_told_with_what_to_do() {
    let fault = |profile: &str| {
        let home = Home::new(CREDENTIALS, CONFIG).set("AWS_PROFILE", profile);
        home.find().expect_err(profile)
    };
    assert!(matches!(fault("nobody"), AwsConfigError::NoProfile { .. }));
    assert!(matches!(fault("half"), AwsConfigError::Half(_)));
    assert!(matches!(fault("bare"), AwsConfigError::NoKeys(_)));
    for (profile, entry) in [("login", "sso_session"), ("role", "role_arn")] {
        let fault = fault(profile);
        let told = fault.to_string();
        assert!(told.contains(entry) && told.contains(profile), "{told}");
        assert!(
            fault
                .advice()
                .contains("aws configure export-credentials --format env")
        );
    }
    let half = Home::new(CREDENTIALS, CONFIG).set("AWS_SECRET_ACCESS_KEY", "alone");
    let half = half.find().expect_err("half a key");
    assert_eq!(half, AwsConfigError::Half("AWS_ACCESS_KEY_ID".to_owned()));
    let nowhere = Home::new("", "").set("HOME", "/nowhere").find();
    assert!(matches!(nowhere, Err(AwsConfigError::NoProfile { .. })));
}

#[test]
fn no_secret_is_ever_shown() {
    let config = Home::new(CREDENTIALS, CONFIG)
        .set("AWS_PROFILE", "lab")
        .find();
    let config = config.expect("there are keys");
    let bucket = Bucket::builder("lab", config.clone());
    let shown = format!("{config:?} {bucket:?}");
    for secret in ["AKIALAB", "other", "token"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    let broken = Home::new("[default\naws_secret_access_key s#cr;t", "").find();
    let broken = format!("{broken:?}");
    assert!(
        broken.contains("File") && !broken.contains("s#cr"),
        "{broken}"
    );
}
