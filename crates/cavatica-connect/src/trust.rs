//! Whom to trust.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;

use crate::DialError;

/// Whom to trust: those whom the system trusts, and certificates of one's own.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    extra: Vec<CertificateDer<'static>>,
}

impl Trust {
    /// Trusts the certificates of a PEM file too. One that can't be read fails the whole: nobody wants to find out later
    /// which of them was trusted.
    ///
    /// # Errors
    ///
    /// [`DialError`] if there is none in it, or one that can't be read.
    pub fn add_pem(&mut self, pem: &[u8]) -> Result<(), DialError> {
        let certificates = CertificateDer::pem_slice_iter(pem)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| DialError::CaCertificates {
                source: error.into(),
            })?;
        if certificates.is_empty() {
            return Err(DialError::NoCaCertificate);
        }
        self.extra.extend(certificates);
        Ok(())
    }

    /// Nobody is trusted for plain text to this machine, so that the trust store isn't read for it.
    pub(crate) fn config(self, is_tls: bool) -> Result<ClientConfig, DialError> {
        fn unusable(error: rustls::Error) -> DialError {
            DialError::TrustStore {
                source: error.into(),
            }
        }
        // Named here rather than installed for the process, which is the program's to decide.
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(unusable)?;
        if !is_tls {
            let nobody = builder.with_root_certificates(RootCertStore::empty());
            return Ok(nobody.with_no_client_auth());
        }
        let verifier = Verifier::new_with_extra_roots(self.extra, provider).map_err(unusable)?;
        Ok(builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth())
    }
}
