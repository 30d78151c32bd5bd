//! A sandbox and the calls to it.

use std::ops::Deref;

use cavatica_exports::Cavatica;
use cavatica_exports::model::{CheckedExport, ExportRequest, FileId, VolumeId};
use cavatica_exports::transport::{Client, Token};

use cavatica_sandbox::{Sandbox, SandboxBuilder};

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    cavatica: Cavatica,
}

impl Deref for World {
    type Target = Cavatica;

    fn deref(&self) -> &Cavatica {
        &self.cavatica
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        World::with(Sandbox::builder().seed(3)).await
    }

    pub(crate) async fn with(builder: SandboxBuilder) -> Self {
        let sandbox = builder.start().await.unwrap();
        let token = Token::new(sandbox.token().to_owned()).unwrap();
        let client = Client::builder(sandbox.endpoint().parse().unwrap(), token)
            .build()
            .unwrap();
        World {
            sandbox,
            cavatica: Cavatica::new(client),
        }
    }

    pub(crate) fn file(&self, path: &str) -> FileId {
        self.sandbox
            .file_id("sandbox/demo", path)
            .unwrap()
            .parse()
            .unwrap()
    }

    pub(crate) async fn checked(&self, path: &str, location: &str) -> CheckedExport {
        let volume: VolumeId = "sandbox/output".parse().unwrap();
        let request =
            ExportRequest::new(self.file(path), volume.clone(), location.parse().unwrap());
        let file = self.files.get(&self.file(path)).await.unwrap().value;
        let volume = self.volumes.get(&volume).await.unwrap().value;
        request.check(&file, &volume).unwrap()
    }
}
