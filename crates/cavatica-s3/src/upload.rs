//! An object on its way there.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

/// Read at once.
const CHUNK: usize = 128 << 10;

/// Chunks that wait for the wire.
const AHEAD: usize = 4;

/// The bytes of an object and what S3 is to do with them. What isn't named is the bucket's to decide.
#[must_use]
pub struct Upload {
    pub(crate) size: u64,
    source: Box<dyn Read + Send>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Upload {
    /// Takes exactly so many bytes from a source, which is read on a thread for blocking work.
    pub fn new(size: u64, source: impl Read + Send + 'static) -> Self {
        Upload {
            size,
            source: Box::new(source),
            headers: Vec::new(),
        }
    }

    /// Server-side encryption, `AES256` or `aws:kms`.
    pub fn sse(self, algorithm: &str) -> Self {
        self.header("x-amz-server-side-encryption", algorithm)
    }

    /// The key for `aws:kms`.
    pub fn kms_key_id(self, id: &str) -> Self {
        self.header("x-amz-server-side-encryption-aws-kms-key-id", id)
    }

    /// A storage class, as `GLACIER`.
    pub fn storage_class(self, class: &str) -> Self {
        self.header("x-amz-storage-class", class)
    }

    /// A canned ACL, as `bucket-owner-full-control`.
    pub fn canned_acl(self, acl: &str) -> Self {
        self.header("x-amz-acl", acl)
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Begins to read; the reading ends when the body is dropped.
    pub(crate) fn into_body(self) -> UploadBody {
        let (sender, chunks) = mpsc::channel(AHEAD);
        let (mut source, mut left) = (self.source, self.size);
        tokio::task::spawn_blocking(move || {
            while left > 0 {
                let chunk = read(&mut *source, left);
                let failed = chunk.is_err();
                left -= chunk.as_ref().map_or(0, |chunk| chunk.len() as u64);
                if sender.blocking_send(chunk).is_err() || failed {
                    break;
                }
            }
        });
        UploadBody {
            chunks,
            left: self.size,
        }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload")
            .field("size", &self.size)
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

fn read(source: &mut dyn Read, left: u64) -> io::Result<Bytes> {
    let wanted = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
    let mut chunk = vec![0; wanted];
    let filled = loop {
        match source.read(&mut chunk) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => break outcome?,
        }
    };
    if filled == 0 {
        let short = format!("{left} bytes are missing at its end");
        return Err(io::Error::new(ErrorKind::UnexpectedEof, short));
    }
    chunk.truncate(filled);
    Ok(chunk.into())
}

/// The reader's chunks as a body of known length.
pub(crate) struct UploadBody {
    chunks: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl Body for UploadBody {
    type Data = Bytes;
    type Error = SourceError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, SourceError>>> {
        Poll::Ready(match ready!(self.chunks.poll_recv(context)) {
            Some(Ok(chunk)) => {
                self.left -= chunk.len() as u64;
                Some(Ok(Frame::data(chunk)))
            }
            Some(Err(error)) => Some(Err(SourceError(error))),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// Tells a source's failure from the connection's.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(crate) struct SourceError(io::Error);
