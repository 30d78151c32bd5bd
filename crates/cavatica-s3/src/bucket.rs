//! The calls.

use cavatica_connect::BoxError;
use http::{Method, StatusCode, Uri};
use http_body_util::BodyExt;

use crate::error::{Error, ErrorKind};
use crate::list::Listing;
use crate::object::{Download, Head, unquoted};
use crate::send::{ANSWER_LIMIT, Access, Call, nothing, text};
use crate::sign::Payload;
use crate::upload::Upload;

/// One bucket, and the keys to it.
#[derive(Debug)]
pub struct Bucket(pub(crate) Access);

impl Bucket {
    /// The bucket's name.
    pub fn name(&self) -> &str {
        &self.0.place.bucket
    }

    /// Writes an object, replacing the one that may be there; returns its ETag. Sent once.
    ///
    /// It may take a minute, and another for each 16 MiB.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>.
    ///
    /// # Errors
    ///
    /// [`Error`]. After `Broken` and `TimedOut` the object may be there all the same, always whole.
    pub async fn put(&self, key: &str, upload: Upload) -> Result<String, Error> {
        let (call, address) = self.object_call("write", key)?;
        let limit = ANSWER_LIMIT * u32::try_from(1 + (upload.size >> 24)).unwrap_or(u32::MAX);
        let mut request =
            call.request(Method::PUT, &address, &upload.headers, Payload::Unsigned)?;
        request
            .headers_mut()
            .insert(http::header::CONTENT_LENGTH, upload.size.into());
        let request = request.map(|()| upload.into_body().map_err(BoxError::from).boxed_unsync());
        let answer = call.send_once(request, limit).await?;
        let etag = answer.headers().get(http::header::ETAG);
        let etag = etag.and_then(|etag| etag.to_str().ok()).map(unquoted);
        let status = answer.status();
        // To the end, so that the connection can be used again.
        drop(text(answer, &call).await?);
        etag.ok_or_else(|| call.error(ErrorKind::NotS3(status)))
    }

    /// Goes through the objects whose keys begin with a prefix; all of them with an empty one.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>.
    pub fn list(&self, prefix: &str) -> Listing<'_> {
        Listing::new(&self.0, prefix)
    }

    /// Looks at one object; none if it isn't there. S3 doesn't say here whether the bucket is.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>.
    ///
    /// # Errors
    ///
    /// [`Error`]. Without the permission to list, S3 answers 403 for an object that isn't there.
    pub async fn head(&self, key: &str) -> Result<Option<Head>, Error> {
        let (call, address) = self.object_call("look at", key)?;
        let ask_checksums = [("x-amz-checksum-mode", "ENABLED".to_owned())];
        match call
            .send_reading(Method::HEAD, &address, &ask_checksums)
            .await
        {
            Ok(answer) => match Head::read(answer.headers()) {
                Some(head) => Ok(Some(head)),
                None => Err(call.error(ErrorKind::NotS3(answer.status()))),
            },
            Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads an object.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>.
    ///
    /// # Errors
    ///
    /// [`Error`]; with code `NoSuchKey` if there is no such object.
    pub async fn get(&self, key: &str) -> Result<Download, Error> {
        let (call, address) = self.object_call("read", key)?;
        let answer = call.send_reading(Method::GET, &address, &[]).await?;
        let Some(head) = Head::read(answer.headers()) else {
            return Err(call.error(ErrorKind::NotS3(answer.status())));
        };
        Ok(Download {
            head,
            body: answer.into_body(),
            bucket: self.name().to_owned(),
            key: key.to_owned(),
            patience: ANSWER_LIMIT,
        })
    }

    /// Takes an object away; one that isn't there is no error. Sent once. In a bucket with versions the object is hidden,
    /// not gone.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>.
    ///
    /// # Errors
    ///
    /// [`Error`]. After `Broken` and `TimedOut` the object may be gone all the same.
    pub async fn delete(&self, key: &str) -> Result<(), Error> {
        let (call, address) = self.object_call("delete", key)?;
        let request = call.request(Method::DELETE, &address, &[], Payload::Empty)?;
        let request = request.map(|()| nothing());
        let answer = call.send_once(request, ANSWER_LIMIT).await?;
        text(answer, &call).await.map(|_| ())
    }

    /// An address is a path, in which `.` and `..` mean something else, and without a key it is the bucket's.
    fn object_call<'a>(
        &'a self,
        what: &'static str,
        key: &'a str,
    ) -> Result<(Call<'a>, Uri), Error> {
        let call = Call::new(&self.0, what, Some(key));
        let speaks = |part: &str| !matches!(part, "." | "..");
        let speaks = !key.is_empty() && key.split('/').all(speaks);
        match self.0.place.object(key).filter(|_| speaks) {
            Some(address) => Ok((call, address)),
            None => Err(call.error(ErrorKind::Key)),
        }
    }
}
