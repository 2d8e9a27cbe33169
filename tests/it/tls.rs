//! Certificates: a private authority, our own certificate, and each way to be wrong told by its name.

use crate::fake_server::answer;
use midwatch::domain::fault::{Fault, FaultKind};
use midwatch::io::http::{Endpoint, Tls};
use midwatch::io::port::ServerNote;
use midwatch::io::prometheus::client::Client;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: CertificateDer<'static>,
    pem: String,
}

impl Authority {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { der: certificate.der().clone(), pem: certificate.pem(), issuer: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str, expired: bool) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2019, 1, 1);
            params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap(), key)
    }
}

/// Serves one version answer per connection on 127.0.0.1; with `clients`, only to those it signed.
async fn serve(authority: &Authority, name: &str, expired: bool, clients: Option<&Authority>) -> u16 {
    let (certificate, key) = authority.issue(name, expired);
    let provider = Arc::new(ring::default_provider());
    let builder =
        ServerConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions().unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add(clients.der.clone()).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = builder.with_single_cert(vec![certificate.der().clone()], key).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                let mut head = [0; 4_096];
                let _ = stream.read(&mut head).await?;
                stream
                    .write_all(&answer("200 OK", &[], br#"{"status":"success","data":{"version":"2.42.0"}}"#))
                    .await?;
                stream.shutdown().await
            });
        }
    });
    port
}

struct Files(tempfile::TempDir);

impl Files {
    fn put(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

async fn ask(url: &str, tls: Tls) -> Result<ServerNote, Fault> {
    let endpoint = Endpoint::new("prometheus main", url).unwrap();
    Client::new(Endpoint { tls, timeout: Duration::from_secs(20), ..endpoint }).buildinfo().await
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_named_and_each_error_is_told() {
    let files = Files(tempfile::tempdir().unwrap());
    let (ours, other, double) = (Authority::new("ours"), Authority::new("other"), Authority::new("ours"));
    let trust =
        |authority: &Authority, name: &str| Tls { ca_file: Some(files.put(name, &authority.pem)), client: None };
    let good = serve(&ours, "localhost", false, None).await;

    let note = ask(&format!("https://localhost:{good}"), trust(&ours, "ca.pem")).await.unwrap();
    assert_eq!(note.version.as_deref(), Some("2.42.0"));

    let expired = serve(&ours, "localhost", true, None).await;
    let elsewhere = serve(&ours, "prometheus.example", false, None).await;
    for (url, tls, want) in [
        (format!("https://localhost:{good}"), Tls::default(), "unknown here"),
        (format!("https://localhost:{good}"), trust(&other, "other.pem"), "unknown here"),
        (format!("https://localhost:{good}"), trust(&double, "double.pem"), "another key"),
        (format!("https://localhost:{elsewhere}"), trust(&ours, "ca.pem"), "another host name"),
        (format!("https://127.0.0.1:{good}"), trust(&ours, "ca.pem"), "another host name"),
        (format!("https://localhost:{expired}"), trust(&ours, "ca.pem"), "expired"),
    ] {
        let fault = ask(&url, tls).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Tls, "{fault}");
        assert!(fault.detail.contains(want), "{want}: {fault}");
    }
    // Plain HTTP towards a TLS port, and TLS towards a plain one.
    let fault = ask(&format!("http://localhost:{good}"), Tls::default()).await.unwrap_err();
    assert!(matches!(fault.kind, FaultKind::Malformed | FaultKind::Unreachable), "{fault}");
    let plain =
        crate::fake_server::FakeServer::always(crate::fake_server::Act::Send(b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()));
    let url = plain.url().replace("http://", "https://");
    // The fake waits for the end of a head that TLS never sends; it closes when we do.
    let endpoint = Endpoint { timeout: Duration::from_millis(500), ..Endpoint::new("prometheus main", &url).unwrap() };
    assert!(Client::new(Endpoint { tls: trust(&ours, "ca.pem"), ..endpoint }).buildinfo().await.is_err());
}

#[tokio::test]
async fn our_own_certificate_is_shown_when_asked_for() {
    let files = Files(tempfile::tempdir().unwrap());
    let (servers, clients, strangers) =
        (Authority::new("servers"), Authority::new("clients"), Authority::new("strangers"));
    let port = serve(&servers, "localhost", false, Some(&clients)).await;
    let url = format!("https://localhost:{port}");
    let ca = files.put("ca.pem", &servers.pem);
    let with = |authority: &Authority, name: &str| {
        let (certificate, key) = authority.issue("alice", false);
        let files = (
            files.put(&format!("{name}.crt"), &certificate.pem()),
            files.put(&format!("{name}.key"), &key.serialize_pem()),
        );
        Tls { ca_file: Some(ca.clone()), client: Some(files) }
    };
    assert!(ask(&url, with(&clients, "alice")).await.is_ok());

    let fault = ask(&url, Tls { ca_file: Some(ca.clone()), client: None }).await.unwrap_err();
    assert!(fault.kind == FaultKind::Tls && fault.detail.contains("client certificate"), "{fault}");
    let fault = ask(&url, with(&strangers, "mallory")).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Tls, "{fault}");

    let text = files.put("text", "no certificate");
    for tls in [
        Tls { ca_file: Some("/nowhere/ca.pem".into()), client: None },
        Tls { ca_file: Some(text.clone()), client: None },
        Tls { ca_file: Some(ca), client: Some((text.clone(), text)) },
    ] {
        assert_eq!(ask(&url, tls).await.unwrap_err().kind, FaultKind::Local);
    }
}
