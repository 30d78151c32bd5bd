//! Why there was no connection.

use std::error::Error as StdError;
use std::io;

use crate::tunnel::TunnelError;

/// Why there was no connection, where that is known and would be the same a moment later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unreachable {
    /// The server's certificate is not trusted.
    Certificate,
    /// The proxy wants a name and a password, or doesn't accept those that it got.
    ProxyLogin,
}

impl Unreachable {
    /// Looks for the cause among an error's sources.
    pub fn of(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
                return Some(Unreachable::Certificate);
            }
            if let Some(TunnelError::Login) = error.downcast_ref() {
                return Some(Unreachable::ProxyLogin);
            }
            // An `io::Error` passes over the error that it wraps in its `source()`.
            let wrapped = error
                .downcast_ref::<io::Error>()
                .and_then(io::Error::get_ref);
            next = match wrapped {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        None
    }
}
