//! TLS, with a certificate that nothing but this test trusts.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use leadscore_core::Timestamp;
use leadscore_serve::{App, AppOptions, ServeError, ServeOptions, Server, TlsError, TlsFiles};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::engine::{Memory, START};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/server/tls")
        .join(name)
}

async fn bind(folder: &Path, certificate: &str, key: &str) -> Result<Server, ServeError> {
    let clock = Arc::new(|| Timestamp::from_micros(START));
    let listening = ServeOptions {
        tls: Some(TlsFiles {
            certificate: file(certificate),
            key: file(key),
        }),
        ..ServeOptions::plain("127.0.0.1:0")
    };
    let options = AppOptions {
        site: listening.site(),
        ..AppOptions::new(folder.to_owned(), folder.join("tokens.toml"), clock)
    };
    let app = App::open(Arc::new(Memory::default()), options).expect("an app");
    Server::bind(app, axum::Router::new(), &listening).await
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_encrypted_for_who_trusts_the_certificate() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = bind(folder.path(), "certificate.pem", "key.pem")
        .await
        .expect("a server");
    let address = server.address();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async { drop(stopped.await) }));

    let mut roots = RootCertStore::empty();
    let certificate =
        CertificateDer::from_pem_file(file("certificate.pem")).expect("a certificate");
    roots.add(certificate).expect("a root");
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let socket = tokio::net::TcpStream::connect(address)
        .await
        .expect("a socket");
    let name = ServerName::try_from("localhost").expect("a name");
    let mut stream = TlsConnector::from(Arc::new(config))
        .connect(name, socket)
        .await
        .expect("trust");
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .await
        .expect("sent");
    let mut text = String::new();
    stream
        .read_to_string(&mut text)
        .await
        .expect("an answer and an end");
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");

    // Plain text to the same port is closed.
    let mut plain = tokio::net::TcpStream::connect(address)
        .await
        .expect("a socket");
    plain
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
        .await
        .expect("sent");
    let mut bytes = Vec::new();
    // Reset or ended, as the system has it.
    let _ = plain.read_to_end(&mut bytes).await;
    assert!(!bytes.starts_with(b"HTTP"), "{bytes:?}");
    drop(stop);
    assert_eq!(running.await.expect("no panic").expect("an end").n_cut, 0);
}

#[tokio::test]
async fn files_that_are_no_pair_are_refused_before_anything_is_answered() {
    let folder = tempfile::tempdir().expect("a folder");
    for (certificate, key) in [
        ("nothing.pem", "key.pem"),
        ("certificate.pem", "nothing.pem"),
        ("key.pem", "key.pem"),
        ("certificate.pem", "certificate.pem"),
    ] {
        let error = bind(folder.path(), certificate, key)
            .await
            .err()
            .expect("refused");
        assert!(
            matches!(error, ServeError::Tls(TlsError::Pem { .. })),
            "{certificate} {key}: {error:?}"
        );
    }
}
