//! A certificate authority of the sandbox's own, so that clients which insist on `https` can be told to trust it.
//!
//! The authority's key stays the same for a data folder, so that clients go on trusting it over restarts; its certificate
//! and the server's are made anew on every start, and good for some days.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::bytes::store::private_file;
use crate::error::SandboxError;

/// How long certificates are good.
const DAYS: i64 = 14;

/// What the server needs, and the file that clients need.
pub(crate) struct Tls {
    pub(crate) acceptor: TlsAcceptor,
    pub(crate) ca_cert: PathBuf,
}

impl Tls {
    /// Makes a certificate for the loopback names, signed by the data folder's authority.
    pub(crate) fn prepare(data: &Path, address: IpAddr) -> Result<Tls, SandboxError> {
        let authority_key = authority_key(&data.join("ca-key.pem"))?;
        let names = names(address);
        let authority = authority(&names);
        let ca_cert = data.join("ca.pem");
        let own = authority.self_signed(&authority_key).map_err(certificate)?;
        private_file(&ca_cert, &own.pem()).map_err(SandboxError::io(&ca_cert))?;

        let issuer = Issuer::new(authority, authority_key);
        let key = KeyPair::generate().map_err(certificate)?;
        let mut server =
            CertificateParams::new(vec!["localhost".to_owned()]).map_err(certificate)?;
        let addresses = names.iter().copied().map(SanType::IpAddress);
        server.subject_alt_names.extend(addresses);
        limit(&mut server);
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

/// The addresses of this machine that the sandbox listens on, `localhost` apart.
fn names(address: IpAddr) -> Vec<IpAddr> {
    let mut names = vec![
        IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    ];
    if !names.contains(&address) {
        names.push(address);
    }
    names
}

/// Whoever gets hold of its key can vouch for these names only, and not for long.
fn authority(names: &[IpAddr]) -> CertificateParams {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name = named("CAVATICA sandbox authority");
    limit(&mut authority);
    let addresses = names.iter().map(|address| {
        let whole = if address.is_ipv4() { 32 } else { 128 };
        GeneralSubtree::IpAddress(CidrSubnet::from_addr_prefix(*address, whole))
    });
    let localhost = GeneralSubtree::DnsName("localhost".to_owned());
    authority.name_constraints = Some(NameConstraints {
        permitted_subtrees: std::iter::once(localhost).chain(addresses).collect(),
        excluded_subtrees: Vec::new(),
    });
    authority
}

/// From yesterday on, for clocks that are behind.
fn limit(certificate: &mut CertificateParams) {
    let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
    let day = |days: i64| {
        let date = today.saturating_add(days.days());
        rcgen::date_time_ymd(
            date.year().into(),
            date.month().unsigned_abs(),
            date.day().unsigned_abs(),
        )
    };
    (certificate.not_before, certificate.not_after) = (day(-1), day(DAYS));
}

fn named(name: &str) -> DistinguishedName {
    let mut names = DistinguishedName::new();
    names.push(DnType::CommonName, name);
    names
}

fn certificate(error: impl std::error::Error + Send + Sync + 'static) -> SandboxError {
    SandboxError::Certificate(error.into())
}
