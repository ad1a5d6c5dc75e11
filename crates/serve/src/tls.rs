//! TLS from PEM files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject as _};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

/// Why TLS is not there.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that is not the PEM that it should be.
    #[error("{} has no {what} in PEM form\n  hint: it begins with -----BEGIN", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// Certificate or key.
        what: &'static str,
        /// Why.
        #[source]
        source: Option<pem::Error>,
    },
    /// Certificate and key do not fit, or are of a kind that is not known.
    #[error("the certificate {} and its key cannot be used together", path.display())]
    Pair {
        /// The certificate.
        path: PathBuf,
        /// Why.
        #[source]
        source: rustls::Error,
    },
}

pub(crate) fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, TlsError> {
    let fail = |path: &Path, what, source| TlsError::Pem {
        path: path.to_owned(),
        what,
        source,
    };
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect)
        .map_err(|error| fail(certificate, "certificate", Some(error)))?;
    if chain.is_empty() {
        return Err(fail(certificate, "certificate", None));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| fail(key, "key", Some(error)))?;
    let pair = |source| TlsError::Pair {
        path: certificate.to_owned(),
        source,
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(pair)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
