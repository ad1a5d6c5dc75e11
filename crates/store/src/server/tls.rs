//! TLS to PostgreSQL: the server has to show a certificate that is trusted and has its name.

use std::path::Path;
use std::sync::Arc;

use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::error::StoreError;

/// Connects by TLS, with certificates that the system trusts, or those of a file.
pub(super) fn connector(roots: Option<&Path>) -> Result<MakeRustlsConnect, StoreError> {
    let mut store = RootCertStore::empty();
    match roots {
        Some(path) => {
            let error = |error: tokio_rustls::rustls::pki_types::pem::Error| {
                StoreError::of_io(path, std::io::Error::other(error))
            };
            for certificate in CertificateDer::pem_file_iter(path).map_err(error)? {
                store
                    .add(certificate.map_err(error)?)
                    .map_err(|error| StoreError::of_io(path, std::io::Error::other(error)))?;
            }
            if store.is_empty() {
                return Err(StoreError::of_io(
                    path,
                    std::io::Error::other("the file has no certificate"),
                ));
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            // Some of a system's certificates are old or odd; those that remain are enough.
            store.add_parsable_certificates(found.certs);
        }
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("ring has the versions of TLS that are safe")
        .with_root_certificates(store)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"postgresql".to_vec()];
    Ok(MakeRustlsConnect::new(config))
}
