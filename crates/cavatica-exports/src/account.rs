//! The account behind the token.

use crate::model::account::{RateLimit, User};
use crate::transport::{Call, Client, Error, Fetched};

/// Calls about the account behind the token.
#[derive(Clone, Debug)]
pub struct Account {
    client: Client,
}

impl Account {
    /// Calls through this client.
    pub fn new(client: Client) -> Self {
        Account { client }
    }

    /// The user that the token belongs to; a cheap way to test it.
    ///
    /// # Errors
    ///
    /// `Refused` with status 401 for a token that isn't valid.
    pub async fn user(&self) -> Result<Fetched<User>, Error> {
        self.client.fetch(Call::get("/user")).await
    }

    /// Where the account stands against the limit on requests. The call itself is free.
    ///
    /// # Errors
    ///
    /// Those of the transport.
    pub async fn rate_limit(&self) -> Result<Fetched<RateLimit>, Error> {
        self.client.fetch(Call::get("/rate_limit")).await
    }
}
