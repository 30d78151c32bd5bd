//! The calls that the engine makes.

use cavatica_exports::transport::Client;
use cavatica_exports::{Account, Exports, Files, Tasks, Volumes};

/// The platform through one client, cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Platform {
    pub(crate) client: Client,
    pub(crate) account: Account,
    pub(crate) exports: Exports,
    pub(crate) files: Files,
    pub(crate) tasks: Tasks,
    pub(crate) volumes: Volumes,
}

impl Platform {
    pub(crate) fn new(client: &Client) -> Self {
        Platform {
            client: client.clone(),
            account: Account::new(client.clone()),
            exports: Exports::new(client.clone()),
            files: Files::new(client.clone()),
            tasks: Tasks::new(client.clone()),
            volumes: Volumes::new(client.clone()),
        }
    }
}
