//! A real S3 server in a temporary folder, for tests: signatures are checked, bytes are on disk.
//!
//! It adds to `s3s-fs` what that leaves out and AWS does: it keeps storage class, encryption and ACL of an object, and shows
//! them again where S3 shows them; its listings tell ETags. It can be told to refuse.
//!
//! ```
//! use cavatica_test_s3::TestS3;
//!
//! # async fn example() {
//! let server = TestS3::start().await;
//! server.create_bucket("lab");
//! assert!(server.endpoint().starts_with("http://127.0.0.1:"));
//! assert_eq!(server.kept("lab", "run1/a.vcf"), None);
//! # }
//! ```

#![warn(missing_docs)]

mod notes;
mod store;

use std::sync::{Arc, Mutex};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::service::{S3Service, S3ServiceBuilder};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use notes::{Notes, lock};
use store::{Keys, Store};

pub use notes::Kept;

/// A server under way; it ends, and its folder goes, when this is dropped.
#[derive(Debug)]
pub struct TestS3 {
    endpoint: String,
    folder: tempfile::TempDir,
    notes: Arc<Mutex<Notes>>,
    serving: JoinHandle<()>,
}

impl TestS3 {
    /// The id of the one key that it knows.
    pub const KEY_ID: &str = store::KEY_ID;

    /// The secret of that key.
    pub const SECRET: &str = store::SECRET;

    /// Starts a server without buckets on a free port.
    ///
    /// # Panics
    ///
    /// If this machine has no temporary folder or no free port.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let notes = Arc::new(Mutex::new(Notes::default()));
        let store = Store::new(folder.path(), Arc::clone(&notes));
        let mut service = S3ServiceBuilder::new(store);
        service.set_auth(Keys);
        let listener = TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        TestS3 {
            endpoint: format!("http://{address}"),
            folder,
            notes,
            serving: tokio::spawn(serve(listener, service.build())),
        }
    }

    /// Its address.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Makes an empty bucket.
    ///
    /// # Panics
    ///
    /// If the folder for it can't be made.
    pub fn create_bucket(&self, name: &str) {
        std::fs::create_dir_all(self.folder.path().join(name)).expect("a bucket can be made");
    }

    /// What was asked for when this object was written; none if it wasn't written through the server.
    pub fn kept(&self, bucket: &str, key: &str) -> Option<Kept> {
        let name = (bucket.to_owned(), key.to_owned());
        lock(&self.notes).kept.get(&name).cloned()
    }

    /// From now on refuses to write to this bucket, with `AccessDenied`.
    pub fn close(&self, bucket: &str) {
        lock(&self.notes).closed.insert(bucket.to_owned());
    }

    /// Answers so many requests with `SlowDown`.
    pub fn slow_down(&self, requests: u32) {
        lock(&self.notes).slow_downs = requests;
    }

    /// How many requests it has answered, the refused ones too, those with a wrong signature apart.
    pub fn requests(&self) -> u64 {
        lock(&self.notes).requests
    }
}

impl Drop for TestS3 {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Ended by dropping, and its connections with it.
async fn serve(listener: TcpListener, service: S3Service) {
    let mut connections = JoinSet::new();
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        connections.spawn(async move {
            // A client that goes away is no fault of the server's.
            let http = auto::Builder::new(TokioExecutor::new());
            drop(http.serve_connection(TokioIo::new(socket), service).await);
        });
        while connections.try_join_next().is_some() {}
    }
}
