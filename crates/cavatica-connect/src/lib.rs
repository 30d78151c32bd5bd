//! Connections, as the platform's client and the S3 client both open them: whom to trust, which proxy to take, and what
//! becomes of bytes whose sender is gone. It knows no API, no request and no secret.
//!
//! A [`Dialer`] is a connector for hyper's client: a tunnel if need be, TLS for `https`, all within one time limit.
//!
//! * **Trust.** What the system trusts, and certificates of one's own ([`Trust`]). Who speaks plain text doesn't even read
//!   the trust store.
//! * **Proxies.** `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY` are read as curl reads them ([`ProxyChoice`]). Traffic to this
//!   machine never takes a proxy, and nothing passes one but inside TLS.
//! * **Bytes** can die with their sender ([`Options::byte_life`]).

#![warn(missing_docs)]

mod dialer;
mod proxy;
mod socket;
mod trust;
mod unreachable;

pub use dialer::{Dialed, Dialer, Dialing, Options};
pub use proxy::ProxyChoice;
pub use socket::KNOWS_BYTE_LIFE;
pub use trust::Trust;
pub use unreachable::Unreachable;

/// An error of any kind, with the layer below in its source.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why connections can't be opened, whatever answers there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DialError {
    /// The extra certificates can't be read.
    #[error("the extra CA certificates can't be read")]
    CaCertificates {
        /// Why.
        source: BoxError,
    },
    /// There is none among the extra certificates.
    #[error("the extra CA certificates hold no certificate in PEM form")]
    NoCaCertificate,
    /// The system's certificates can't be had, or an extra one is no CA's.
    #[error("the trusted certificates can't be loaded")]
    TrustStore {
        /// Why.
        source: BoxError,
    },
    /// The proxy's URL can't be read; it isn't repeated here, because it may hold a password.
    #[error("the proxy's address is no http or https URL")]
    Proxy,
}

/// Whether a host, as it stands in a URL, is this very machine: by address, or by the name `localhost`.
///
/// ```
/// use cavatica_connect::is_this_machine;
///
/// assert!(is_this_machine("LOCALHOST") && is_this_machine("127.0.0.9") && is_this_machine("[::1]"));
/// assert!(!is_this_machine("10.0.0.1") && !is_this_machine("localhost.example"));
/// ```
pub fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<std::net::IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}
