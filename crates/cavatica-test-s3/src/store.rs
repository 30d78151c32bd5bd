//! `s3s-fs`, and what it leaves out.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result, s3_error};
use s3s_fs::FileSystem;

use crate::notes::{Kept, Notes, lock};

pub(crate) const KEY_ID: &str = "AKIATESTTESTTESTTEST";
pub(crate) const SECRET: &str = "test/secret+of=the.server";

pub(crate) struct Store {
    folder: PathBuf,
    files: FileSystem,
    notes: Arc<Mutex<Notes>>,
}

impl Store {
    pub(crate) fn new(folder: &Path, notes: Arc<Mutex<Notes>>) -> Self {
        Store {
            folder: folder.to_owned(),
            files: FileSystem::new(folder).expect("the folder is there"),
            notes,
        }
    }

    /// Counts a request, and refuses it if so told.
    fn admit(&self) -> S3Result<()> {
        let mut notes = lock(&self.notes);
        notes.requests += 1;
        if notes.slow_downs > 0 {
            notes.slow_downs -= 1;
            return Err(s3_error!(SlowDown));
        }
        Ok(())
    }

    fn admit_writing(&self, bucket: &str) -> S3Result<()> {
        self.admit()?;
        // The file system's server would make the folder.
        if !self.folder.join(bucket).is_dir() {
            return Err(s3_error!(NoSuchBucket));
        }
        if lock(&self.notes).closed.contains(bucket) {
            return Err(s3_error!(AccessDenied));
        }
        Ok(())
    }

    fn kept(&self, bucket: &str, key: &str) -> Kept {
        let name = (bucket.to_owned(), key.to_owned());
        let notes = lock(&self.notes);
        notes.kept.get(&name).cloned().unwrap_or_default()
    }
}

/// Knows one key, and refuses others in AWS's words.
pub(crate) struct Keys;

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, key_id: &str) -> S3Result<SecretKey> {
        if key_id == KEY_ID {
            Ok(SecretKey::from(SECRET))
        } else {
            Err(s3_error!(InvalidAccessKeyId))
        }
    }
}

#[async_trait::async_trait]
impl S3 for Store {
    async fn put_object(
        &self,
        mut request: S3Request<PutObjectInput>,
    ) -> S3Result<S3Response<PutObjectOutput>> {
        let input = &mut request.input;
        self.admit_writing(&input.bucket)?;
        // Taken out, because the file system's server refuses most classes.
        let kept = Kept {
            sse: text(&input.server_side_encryption),
            kms_key_id: input.ssekms_key_id.clone(),
            storage_class: text(&input.storage_class.take()),
            acl: text(&input.acl),
        };
        let name = (input.bucket.clone(), input.key.clone());
        let answer = self.files.put_object(request).await?;
        let mut notes = lock(&self.notes);
        if let Some(etag) = &answer.output.e_tag {
            notes.etags.insert(name.clone(), etag.value().to_owned());
        }
        notes.kept.insert(name, kept);
        drop(notes);
        Ok(answer)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        self.admit()?;
        let kept = self.kept(&request.input.bucket, &request.input.key);
        let mut answer = self.files.head_object(request).await?;
        let output = &mut answer.output;
        output.server_side_encryption = kept.sse.map(Into::into);
        output.ssekms_key_id = kept.kms_key_id;
        output.storage_class = kept.storage_class.map(Into::into);
        Ok(answer)
    }

    async fn get_object(
        &self,
        request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        self.admit()?;
        self.files.get_object(request).await
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        self.admit()?;
        let bucket = request.input.bucket.clone();
        let mut answer = self.files.list_objects_v2(request).await?;
        // It would say that keys are encoded, and not do so.
        answer.output.encoding_type = None;
        for object in answer.output.contents.iter_mut().flatten() {
            let kept = self.kept(&bucket, object.key.as_deref().unwrap_or_default());
            let class = kept.storage_class.unwrap_or_else(|| "STANDARD".to_owned());
            object.storage_class = Some(class.into());
            let name = (bucket.clone(), object.key.clone().unwrap_or_default());
            let etag = lock(&self.notes).etags.get(&name).cloned();
            object.e_tag = etag.map(ETag::Strong);
        }
        Ok(answer)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        self.admit_writing(&request.input.bucket)?;
        let name = (request.input.bucket.clone(), request.input.key.clone());
        let answer = self.files.delete_object(request).await?;
        lock(&self.notes).kept.remove(&name);
        Ok(answer)
    }
}

/// An open name of S3's as text.
fn text<T: Clone + Into<std::borrow::Cow<'static, str>>>(name: &Option<T>) -> Option<String> {
    name.clone().map(|name| name.into().into_owned())
}
