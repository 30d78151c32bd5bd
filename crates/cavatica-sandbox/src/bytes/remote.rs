//! Volumes that are real buckets: who signs, what is asked of S3, and what its refusals mean to the platform.

use std::collections::BTreeMap;
use std::io::Read;

use cavatica_model::export::SseAlgorithm;
use cavatica_model::{ExportProperties, Tri};
use cavatica_s3::{AwsConfig, Bucket, Error, ErrorKind, Upload};

use crate::bytes::store::Written;
use crate::error::SandboxError;
use crate::wire::refusal::{Code, JobFailure};
use crate::world::{StoreKind, World};

/// The real buckets of a world, by the numbers of their volumes. The keys to them are kept here alone.
#[derive(Debug, Default)]
pub(crate) struct Buckets(BTreeMap<u32, Bucket>);

impl Buckets {
    /// Addresses the bucket of every volume that is one, with these keys or with those that the AWS tools would find.
    pub(crate) fn open(world: &World, config: Option<AwsConfig>) -> Result<Self, SandboxError> {
        let mut config = config;
        let mut buckets = BTreeMap::new();
        for (number, volume) in world.mounted() {
            let StoreKind::Bucket { endpoint } = &volume.store else {
                continue;
            };
            let fault = |source: Box<dyn std::error::Error + Send + Sync>| SandboxError::Bucket {
                volume: volume.id.to_string(),
                source,
            };
            let config = match &config {
                Some(config) => config,
                None => config.insert(AwsConfig::find().map_err(|error| fault(error.into()))?),
            };
            let mut bucket = Bucket::builder(&volume.bucket, config.clone());
            if let Some(endpoint) = endpoint {
                bucket = bucket.endpoint(endpoint);
            }
            let bucket = bucket.build().map_err(|error| fault(error.into()))?;
            buckets.insert(number, bucket);
        }
        Ok(Buckets(buckets))
    }

    /// None for a volume that lies in the data folder.
    pub(crate) fn get(&self, volume: u32) -> Option<&Bucket> {
        self.0.get(&volume)
    }
}

/// Writes an object with all that the job asks for. To be called on a thread for blocking work.
pub(crate) fn put(
    bucket: &Bucket,
    key: &str,
    size: u64,
    source: impl Read + Send + 'static,
    properties: &ExportProperties,
) -> Result<Written, JobFailure> {
    let mut upload = Upload::new(size, source);
    if let Tri::Value(algorithm) = &properties.sse_algorithm {
        upload = upload.sse(algorithm.as_str());
        // A volume's key is of no use to a job that asks for another algorithm.
        let kms = algorithm.known() == Some(SseAlgorithm::AwsKms);
        if let Some(id) = kms_key(properties).filter(|_| kms) {
            upload = upload.kms_key_id(id);
        }
    }
    if let Tri::Value(class) = &properties.aws_storage_class {
        upload = upload.storage_class(class.as_str());
    }
    if let Tri::Value(acl) = &properties.aws_canned_acl {
        upload = upload.canned_acl(acl.as_str());
    }
    match wait(bucket.put(key, upload)) {
        Ok(etag) => Ok(Written { size, etag }),
        Err(error) => Err(of_job(&error)),
    }
}

/// The documentation spells the property in two ways.
fn kms_key(properties: &ExportProperties) -> Option<&str> {
    let other = || properties.unknown.get("sse_aws_kms_key_Id")?.as_str();
    match &properties.sse_aws_kms_key_id {
        Tri::Value(id) => Some(id),
        Tri::Null | Tri::Absent => other(),
    }
}

/// Whether an object lies there. To be called on a thread for blocking work.
pub(crate) fn holds(bucket: &Bucket, key: &str) -> Result<bool, JobFailure> {
    let head = wait(bucket.head(key));
    head.map(|head| head.is_some())
        .map_err(|error| of_job(&error))
}

/// Takes an object away. To be called on a thread for blocking work.
pub(crate) fn remove(bucket: &Bucket, key: &str) -> Result<(), JobFailure> {
    wait(bucket.delete(key)).map_err(|error| of_job(&error))
}

fn wait<T>(call: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(call)
}

/// A refusal is final: the volume isn't configured for it. Everything else is the storage's trouble.
fn of_job(error: &Error) -> JobFailure {
    let code = match error.kind() {
        ErrorKind::Key => Code::JOB_LOCATION_NOT_ACCESSIBLE,
        ErrorKind::Refused { .. } | ErrorKind::NotS3(_) if !error.is_transient() => {
            Code::JOB_LOCATION_NOT_ACCESSIBLE
        }
        _ => Code::JOB_STORAGE_ERROR,
    };
    JobFailure {
        code,
        why: Some(error.to_string()),
    }
}

/// The same for a call that looks into a volume.
pub(crate) fn of_call(error: &Error) -> cavatica_model::ApiError {
    let code = match error.kind() {
        ErrorKind::Refused { .. } | ErrorKind::NotS3(_) if !error.is_transient() => {
            Code::NO_READ_ACCESS
        }
        _ => Code::STORAGE_ERROR,
    };
    JobFailure {
        code,
        why: Some(error.to_string()),
    }
    .error()
}
