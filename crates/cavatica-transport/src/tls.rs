//! Whom to trust.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

use crate::BuildError;

/// Reads the certificates of a PEM file. One that can't be read fails the whole: nobody wants to find out later which of
/// them was trusted.
pub(crate) fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, BuildError> {
    let certificates = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| BuildError::CaCertificates {
            source: error.into(),
        })?;
    if certificates.is_empty() {
        return Err(BuildError::NoCaCertificate);
    }
    Ok(certificates)
}

/// Trusts what the system trusts, and `extra`.
pub(crate) fn config(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, BuildError> {
    // Named here rather than installed for the process, which is the program's to decide.
    let provider = Arc::new(ring::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(extra, Arc::clone(&provider)).map_err(|error| {
            BuildError::TrustStore {
                source: error.into(),
            }
        })?;
    let versions = with_versions(provider)?;
    Ok(versions
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

/// Trusts nobody: for a client that speaks plain text to this machine and shall not read the trust store for it.
pub(crate) fn config_without_trust() -> Result<ClientConfig, BuildError> {
    let versions = with_versions(Arc::new(ring::default_provider()))?;
    Ok(versions
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}

fn with_versions(
    provider: Arc<CryptoProvider>,
) -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>, BuildError> {
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| BuildError::TrustStore {
            source: error.into(),
        })
}
