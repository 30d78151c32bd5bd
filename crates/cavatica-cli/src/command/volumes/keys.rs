//! The credentials for a bucket: from the AWS tools' own places, or from a file, never from the command line.

use std::path::Path;

use cavatica_exports::model::mount::{AccessKey, Secret, VolumeCredentials};
use cavatica_s3::AwsConfig;
use serde_json::{Map, Value};

use crate::args::VolumeKeys;
use crate::failure::Failure;

/// What the flags name; the AWS tools' own keys only with `--aws-keys`.
pub(super) fn named(keys: &VolumeKeys) -> Result<Option<VolumeCredentials>, Failure> {
    if let Some(arn) = &keys.role_arn {
        return Ok(Some(VolumeCredentials::Role {
            arn: arn.clone(),
            external_id: keys.external_id.clone(),
        }));
    }
    if let Some(file) = &keys.key_file {
        return of_file(file).map(Some);
    }
    if let Some(profile) = &keys.aws_profile {
        return of_aws(&AwsConfig::of_profile(profile)?).map(Some);
    }
    if keys.aws_keys {
        return of_aws(&AwsConfig::find()?).map(Some);
    }
    Ok(None)
}

/// What the flags name, else the AWS tools' own keys.
pub(super) fn found(keys: &VolumeKeys) -> Result<VolumeCredentials, Failure> {
    match named(keys)? {
        Some(credentials) => Ok(credentials),
        None => of_aws(&AwsConfig::find()?),
    }
}

fn of_aws(config: &AwsConfig) -> Result<VolumeCredentials, Failure> {
    let key = &config.credentials;
    if key.is_temporary() {
        return Err(Failure::usage(
            "the AWS keys are temporary, and a volume needs some that stay good",
        )
        .hint("use the keys of an IAM user, or better a role: `--role-arn ARN`"));
    }
    let secret = Secret::new(key.secret());
    Ok(VolumeCredentials::Key(AccessKey::new(key.key_id(), secret)))
}

/// Nothing of the file is repeated: it is all secret.
fn of_file(file: &Path) -> Result<VolumeCredentials, Failure> {
    let shown = file.display();
    let text = std::fs::read_to_string(file).map_err(|error| {
        Failure::usage(format!("the key file {shown} can't be read")).caused_by(error)
    })?;
    let keys: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|_| Failure::usage(format!("the key file {shown} holds no JSON object")))?;
    let get = |name: &str| keys.get(name).and_then(Value::as_str).map(str::to_owned);
    let secret = |name: &str| get(name).map(Secret::new);
    if get("type").as_deref() == Some("external_account") {
        return Ok(VolumeCredentials::GoogleFederation(Secret::new(text)));
    }
    if let (Some(client_email), Some(private_key)) = (get("client_email"), secret("private_key")) {
        return Ok(VolumeCredentials::GoogleKey {
            client_email,
            private_key,
        });
    }
    if let (Some(tenant_id), Some(client_id), Some(client_secret)) =
        (get("tenant_id"), get("client_id"), secret("client_secret"))
    {
        return Ok(VolumeCredentials::Azure {
            tenant_id,
            client_id,
            client_secret,
        });
    }
    if let (Some(id), Some(secret)) = (get("access_key_id"), secret("secret_access_key")) {
        return Ok(VolumeCredentials::Key(AccessKey::new(id, secret)));
    }
    Err(
        Failure::usage(format!("the key file {shown} holds no keys that are known"))
            .hint("`cavatica volumes create --help` says what it may hold"),
    )
}
