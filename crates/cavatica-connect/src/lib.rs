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
//!
//! # Using it
//!
//! ```toml
//! cavatica-connect = "0.1" # until it is on crates.io: { path = "CLONE/crates/cavatica-connect" }
//! ```
//!
//! No features. Rust 1.95 or later. It never sends a byte of its own but for a tunnel and TLS.

#![warn(missing_docs)]

mod dialer;
mod error;
mod proxy;
mod socket;
mod trust;
mod tunnel;
mod unreachable;

pub use dialer::{Dialed, Dialer, Options};
pub use error::{BoxError, DialError};
pub use proxy::{ProxyChoice, is_this_machine};
pub use socket::{Dialing, KNOWS_BYTE_LIFE};
pub use trust::Trust;
pub use unreachable::Unreachable;
