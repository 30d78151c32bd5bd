//! A certificate authority of the sandbox's own, so that clients which insist on `https` can be told to trust it.
//!
//! The authority stays the same for a data folder; the server's certificate is made anew on every start.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::bytes::store::private_file;
use crate::error::SandboxError;

/// What the server needs, and the file that clients need.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_cert: PathBuf,
}

impl Tls {
    /// Makes a certificate for the loopback names, signed by the data folder's authority.
    pub(crate) fn prepare(data: &Path, address: IpAddr) -> Result<Tls, SandboxError> {
        let authority_key = authority_key(&data.join("ca-key.pem"))?;
        let authority = authority();
        let ca_cert = data.join("ca.pem");
        if !ca_cert.exists() {
            let certificate = authority.self_signed(&authority_key).map_err(certificate)?;
            fs::write(&ca_cert, certificate.pem()).map_err(SandboxError::io(&ca_cert))?;
        }

        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().map_err(certificate)?;
        let mut server =
            CertificateParams::new(vec!["localhost".to_owned()]).map_err(certificate)?;
        let loopback = ["127.0.0.1", "::1"].map(str::parse::<IpAddr>);
        for address in loopback.into_iter().flatten().chain([address]) {
            let name = SanType::IpAddress(address);
            if !server.subject_alt_names.contains(&name) {
                server.subject_alt_names.push(name);
            }
        }
        server.distinguished_name = named("CAVATICA sandbox");
        server.use_authority_key_identifier_extension = true;
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let chain = server.signed_by(&key, &issuer).map_err(certificate)?;

        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(certificate)?
            .with_no_client_auth()
            .with_single_cert(vec![chain.der().clone()], key)
            .map_err(certificate)?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Tls {
            acceptor: TlsAcceptor::from(Arc::new(config)),
            ca_cert,
        })
    }
}

fn authority_key(path: &Path) -> Result<KeyPair, SandboxError> {
    if let Ok(text) = fs::read_to_string(path) {
        return KeyPair::from_pem(&text).map_err(certificate);
    }
    let key = KeyPair::generate().map_err(certificate)?;
    private_file(path, &key.serialize_pem()).map_err(SandboxError::io(path))?;
    Ok(key)
}

fn authority() -> CertificateParams {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name = named("CAVATICA sandbox authority");
    authority
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn certificate(error: impl std::error::Error + Send + Sync + 'static) -> SandboxError {
    SandboxError::Certificate(error.into())
}
