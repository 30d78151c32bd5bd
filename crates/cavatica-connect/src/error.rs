//! Why connections can't be opened.

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
