//! What a body says about a bucket to be mounted, or about how it is mounted. Secrets are looked at and forgotten.
//!
//! Sources: <https://docs.cavatica.org/reference/create-a-volume-v2>, <https://docs.cavatica.org/reference/update-a-volume-v2>.

use cavatica_model::export::{CannedAcl, SseAlgorithm, StorageClass};
use cavatica_model::volume::AccessMode;
use cavatica_model::wire::{Open, OpenName};
use cavatica_model::{ApiError, ExportProperties, Tri, UnknownKeys};
use serde_json::Value;

use super::request::boolean;
use crate::wire::refusal::Code;
use crate::world::seed::{VolumeChange, VolumeSeed};

/// The parts of credentials that answers show.
const SHOWN: [&str; 6] = [
    "access_key_id",
    "role_arn",
    "external_id",
    "client_email",
    "tenant_id",
    "client_id",
];

/// The parts of a service that are the volume's own matter.
const APART: [&str; 5] = ["type", "bucket", "prefix", "credentials", "properties"];

/// What a body asks for. Without an access mode the volume can be written to, as the page of this call says.
pub(super) fn seed(body: &Value, account: &str) -> Result<VolumeSeed, ApiError> {
    let name = text(body, "name").unwrap_or_default();
    check_name(name)?;
    let access_mode = access_mode(body)?.unwrap_or(AccessMode::ReadWrite);
    let service = body
        .get("service")
        .filter(|service| service.is_object())
        .ok_or_else(|| Code::NO_SERVICE.error())?;
    let kind = text(service, "type").map(str::to_lowercase);
    let kind = kind.ok_or_else(|| Code::BAD_SERVICE.error())?;
    check_writing(&kind, access_mode, service)?;
    let bucket = text(service, "bucket").or_else(|| text(service, "container"));
    let bucket = bucket.filter(|bucket| !bucket.is_empty());
    let bucket = bucket.ok_or_else(|| Code::BAD_SERVICE.because("service.bucket is missing."))?;
    let credentials = credentials(&kind, service.get("credentials"))?;
    let mut properties = properties(service)?;
    if kind == "s3" && properties.sse_algorithm.is_absent() {
        properties.sse_algorithm = Tri::Value(SseAlgorithm::Aes256.into());
    }
    let place = service.as_object().into_iter().flatten();
    let place = place.filter(|(key, value)| !APART.contains(&key.as_str()) && !value.is_null());
    Ok(VolumeSeed {
        id: format!("{account}/{name}"),
        service: kind,
        access_mode: access_mode.name().to_owned(),
        bucket: Some(bucket.to_owned()),
        prefix: text(service, "prefix").unwrap_or_default().to_owned(),
        description: text(body, "description").unwrap_or_default().to_owned(),
        place: place
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        credentials,
        properties: Some(properties),
        members: Some(vec![account.to_owned()]),
        ..VolumeSeed::default()
    })
}

/// What a body asks to become different; what it doesn't name stays, and so do parts of a `service` that it doesn't name.
pub(super) fn change(body: &Value, kind: &str) -> Result<VolumeChange, ApiError> {
    let active = match body.get("active") {
        None | Some(Value::Null) => None,
        Some(active) => Some(
            boolean(active)
                .ok_or_else(|| Code::INVALID_SYNTAX.because("active must be a boolean."))?,
        ),
    };
    let nothing = Value::Null;
    let service = body.get("service").unwrap_or(&nothing);
    if !service.is_null() && !service.is_object() {
        return Err(Code::BAD_SERVICE.error());
    }
    let new_credentials = match service.get("credentials") {
        None | Some(Value::Null) => None,
        given => Some(credentials(kind, given)?),
    };
    let access_mode = access_mode(body)?;
    if let Some(mode) = access_mode {
        check_writing(kind, mode, service)?;
    }
    Ok(VolumeChange {
        active,
        access_mode: access_mode.map(|mode| mode.name().to_owned()),
        description: text(body, "description").map(str::to_owned),
        credentials: new_credentials,
        properties: properties(service)?,
        ..VolumeChange::default()
    })
}

fn text<'a>(of: &'a Value, key: &str) -> Option<&'a str> {
    of.get(key).and_then(Value::as_str)
}

/// Two codes have a rule for names each; the pages add that a name has three characters.
fn check_name(name: &str) -> Result<(), ApiError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() {
        Err(Code::VOLUME_NAME_EMPTY.error())
    } else if !(3..=32).contains(&name.len()) || !name.chars().all(plain) {
        Err(Code::BAD_VOLUME_NAME.error())
    } else if name.split('_').any(str::is_empty) {
        Err(Code::BAD_UNDERSCORES.error())
    } else {
        Ok(())
    }
}

fn access_mode(body: &Value) -> Result<Option<AccessMode>, ApiError> {
    match body.get("access_mode") {
        None | Some(Value::Null) => Ok(None),
        Some(mode) => {
            let mode = mode.as_str().and_then(AccessMode::from_name);
            mode.map(Some).ok_or_else(|| Code::BAD_ACCESS_MODE.error())
        }
    }
}

/// The environment writes to Amazon S3 only.
fn check_writing(kind: &str, mode: AccessMode, service: &Value) -> Result<(), ApiError> {
    let elsewhere = text(service, "endpoint").is_some_and(|at| !at.contains("amazonaws.com"));
    let refusal = match kind {
        "s3" if elsewhere => Code::S3_IS_READ_ONLY,
        "s3" => return Ok(()),
        "gcs" => Code::GCS_IS_READ_ONLY,
        "oss" => Code::OSS_IS_READ_ONLY,
        "azure" => Code::AZURE_IS_READ_ONLY,
        _ => return Err(Code::BAD_SERVICE.error()),
    };
    match mode {
        AccessMode::ReadOnly => Ok(()),
        _ => Err(refusal.error()),
    }
}

/// What answers show of credentials, if they are of a kind that the service has.
fn credentials(kind: &str, given: Option<&Value>) -> Result<UnknownKeys, ApiError> {
    let (kinds, refusal): (&[&[&str]], Code) = match kind {
        "gcs" => (
            &[&["client_email", "private_key"], &["configuration"]],
            Code::BAD_GOOGLE_CREDENTIALS,
        ),
        "azure" => (
            &[&["tenant_id", "client_id", "client_secret"]],
            Code::BAD_AZURE_CREDENTIALS,
        ),
        "oss" => (
            &[&["access_key_id", "secret_access_key"]],
            Code::BAD_ACCESS_CONFIGURATION,
        ),
        _ => (
            &[&["access_key_id", "secret_access_key"], &["role_arn"]],
            Code::BAD_S3_CREDENTIALS,
        ),
    };
    let given = given.and_then(Value::as_object);
    let has = |key: &&str| {
        let value = given
            .and_then(|given| given.get(*key))
            .and_then(Value::as_str);
        value.is_some_and(|value| !value.is_empty())
    };
    if !kinds.iter().any(|keys| keys.iter().all(has)) {
        return Err(refusal.error());
    }
    let shown = given.into_iter().flatten();
    let shown = shown.filter(|(key, value)| SHOWN.contains(&key.as_str()) && !value.is_null());
    Ok(shown
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect())
}

fn properties(service: &Value) -> Result<ExportProperties, ApiError> {
    let properties: ExportProperties = match service.get("properties") {
        None | Some(Value::Null) => return Ok(ExportProperties::default()),
        Some(properties) => serde_json::from_value(properties.clone())
            .map_err(|_| Code::BAD_SERVICE.because("service.properties can't be understood."))?,
    };
    fn known<K: OpenName>(value: &Tri<Open<K>>, refusal: Code) -> Result<(), ApiError> {
        match value.value() {
            Some(value) if value.known().is_none() => Err(refusal.error()),
            _ => Ok(()),
        }
    }
    known::<SseAlgorithm>(&properties.sse_algorithm, Code::BAD_SSE)?;
    known::<CannedAcl>(&properties.aws_canned_acl, Code::BAD_ACL)?;
    known::<StorageClass>(&properties.aws_storage_class, Code::BAD_STORAGE_CLASS)?;
    Ok(properties)
}
