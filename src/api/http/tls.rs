//! TLS for doors that other machines may use.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its key.
#[derive(Clone)]
pub struct Tls(pub(super) TlsAcceptor);

impl Tls {
    /// Reads a certificate chain and its private key, both PEM.
    ///
    /// # Errors
    /// The file and what is wrong with it.
    pub fn open(certificate: &Path, key: &Path) -> Result<Self, String> {
        let told = |path: &Path, problem: String| format!("{}: {problem}", path.display());
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| told(certificate, error.to_string()))?;
        if chain.is_empty() {
            return Err(told(certificate, "it holds no certificate".into()));
        }
        let secret =
            PrivateKeyDer::from_pem_file(key).map_err(|error| told(key, error.to_string()))?;
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, secret))
            .map_err(|error| told(key, error.to_string()))?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}
