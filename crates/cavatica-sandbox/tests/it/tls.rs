use std::path::Path;
use std::sync::Arc;

use cavatica_sandbox::Sandbox;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring::default_provider};

use crate::client::{Outcome, address, connect};

/// A client that trusts nobody but the authority of this file.
fn trusting(ca_cert: &Path) -> Result<TlsConnector, Box<dyn std::error::Error>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_cert)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

async fn ask(sandbox: &Sandbox, tls: &TlsConnector, name: &str) -> std::io::Result<String> {
    let name = ServerName::try_from(name.to_owned()).map_err(std::io::Error::other)?;
    let mut stream = tls.connect(name, connect(sandbox).await).await?;
    let request = format!(
        "GET /v2/user HTTP/1.1\r\nHost: {}\r\nX-SBG-Auth-Token: {}\r\nConnection: close\r\n\r\n",
        address(sandbox),
        sandbox.token()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn clients_trust_the_folders_authority_over_restarts() -> Outcome {
    let data = tempfile::tempdir()?;
    let open = || Sandbox::builder().data(data.path()).tls().start();
    let sandbox = open().await?;
    assert!(sandbox.endpoint().starts_with("https://127.0.0.1:"));
    let ca_cert = sandbox.ca_cert().expect("a certificate");
    let tls = trusting(ca_cert)?;
    for name in ["127.0.0.1", "localhost"] {
        let answer = ask(&sandbox, &tls, name).await?;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(ask(&sandbox, &tls, "elsewhere.example").await.is_err());
    sandbox.stop().await;

    let sandbox = open().await?;
    let answer = ask(&sandbox, &tls, "127.0.0.1").await?;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let stranger = Sandbox::builder().tls().start().await?;
    assert!(ask(&stranger, &tls, "127.0.0.1").await.is_err());
    Ok(())
}

/// Whoever gets hold of the authority's key can't vouch for other names, nor for long.
#[tokio::test]
async fn the_authority_vouches_for_this_machine_and_for_days() -> Outcome {
    let sandbox = Sandbox::builder().tls().start().await?;
    let ca_cert = sandbox.ca_cert().expect("a certificate");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(ca_cert)?)?;
    let provider = Arc::new(default_provider());
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider).build()?;

    let stolen = std::fs::read_to_string(sandbox.data().join("ca-key.pem"))?;
    let key = rcgen::KeyPair::generate()?;
    let trusted = |name: &str| -> Result<bool, Box<dyn std::error::Error>> {
        let mut authority = rcgen::CertificateParams::default();
        authority.distinguished_name = rcgen::DistinguishedName::new();
        let common = rcgen::DnType::CommonName;
        authority
            .distinguished_name
            .push(common, "CAVATICA sandbox authority");
        let issuer = rcgen::Issuer::new(authority, rcgen::KeyPair::from_pem(&stolen)?);
        let forged = rcgen::CertificateParams::new(vec![name.to_owned()])?;
        let forged = forged.signed_by(&key, &issuer)?;
        let name = ServerName::try_from(name.to_owned())?;
        let outcome = verifier.verify_server_cert(forged.der(), &[], &name, &[], UnixTime::now());
        Ok(outcome.is_ok())
    };
    assert!(trusted("localhost")? && trusted("127.0.0.1")?);
    assert!(!trusted("api.example.org")? && !trusted("10.0.0.1")?);

    // The second of the times in it, as `YYMMDDhhmmssZ`, is its end.
    let certificate = CertificateDer::from_pem_file(ca_cert)?;
    let mut times = certificate
        .windows(15)
        .filter(|part| part[..2] == [0x17, 13]);
    let end = times.next_back().expect("it has an end");
    let end = format!("20{}+0000", std::str::from_utf8(&end[2..14])?);
    let end = jiff::Timestamp::strptime("%Y%m%d%H%M%S%z", &end)?;
    let left = end.duration_since(jiff::Timestamp::now());
    assert!(left.as_hours() < 15 * 24, "{left}");
    Ok(())
}

#[cfg(unix)]
#[tokio::test]
async fn secrets_are_for_their_owner_alone() -> Outcome {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::builder().tls().start().await?;
    for name in ["ca-key.pem", "credentials"] {
        let mode = std::fs::metadata(sandbox.data().join(name))?
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    Ok(())
}
