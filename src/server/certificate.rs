//! The certificate that the gateway shows to its callers, read from files, and read anew when they were replaced.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::setback::Setbacks;

/// How often it is looked whether the files were replaced.
const LOOK: Duration = Duration::from_secs(60);
/// What is spoken over a connection, the preferred first.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Where a certificate and its private key are, each in PEM.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The gateway's certificate first, then those that lead to one that callers trust
    pub chain: PathBuf,
    pub private: PathBuf,
}

/// Why there is no certificate to show. What stands in the file of the key is not repeated.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("{path} cannot be read: {error}")]
    File { path: PathBuf, error: std::io::Error },
    #[error("{0} holds no certificate in PEM (BEGIN CERTIFICATE)")]
    NoCertificate(PathBuf),
    #[error("{0} holds no private key in PEM that is not encrypted (BEGIN PRIVATE KEY)")]
    NoKey(PathBuf),
    #[error("{chain} and {private} do not go together: {error}", chain = files.chain.display(), private = files.private.display())]
    Mismatch { files: CertificateFiles, error: rustls::Error },
    #[error("there can be no TLS: {0}")]
    Unusable(rustls::Error),
}

/// The certificate of a listener.
#[derive(Clone)]
pub struct Certificate {
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    pub fn read(files: CertificateFiles) -> Result<Self, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let current = RwLock::new(Arc::new(read(&files, &provider)?));
        let shown = Arc::new(Shown { files, provider: Arc::clone(&provider), current });
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(CertificateError::Unusable)?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Certificate { shown, config: Arc::new(config) })
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Shows what is in the files now; whether that is another certificate. After an error the one before stays.
    pub fn reload(&self) -> Result<bool, CertificateError> {
        let Shown { files, provider, current } = &*self.shown;
        let read = read(files, provider)?;
        let mut current = current.write().unwrap_or_else(PoisonError::into_inner);
        let changed = current.cert != read.cert;
        *current = Arc::new(read);
        Ok(changed)
    }

    /// Reloads now and then, and whenever somebody asks for it.
    pub async fn keep_up_to_date(self, asked: Arc<Notify>) {
        let mut setbacks = Setbacks::of("read the certificate of the listener");
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = asked.notified() => {}
            }
            match self.reload() {
                Ok(changed) => {
                    setbacks.worked();
                    if changed {
                        tracing::info!(certificate = ?self, "another certificate is shown from now on");
                    }
                }
                Err(error) => {
                    setbacks.failed(&error);
                }
            }
        }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.shown.files.chain.display())
    }
}

/// What connections are shown now.
struct Shown {
    files: CertificateFiles,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.files.chain.display())
    }
}

fn read(files: &CertificateFiles, provider: &CryptoProvider) -> Result<CertifiedKey, CertificateError> {
    let no_certificate = || CertificateError::NoCertificate(files.chain.clone());
    let chain =
        CertificateDer::pem_file_iter(&files.chain).map_err(|error| unread(&files.chain, error, no_certificate))?;
    let chain: Vec<CertificateDer<'static>> =
        chain.collect::<Result<_, _>>().map_err(|error| unread(&files.chain, error, no_certificate))?;
    if chain.is_empty() {
        return Err(no_certificate());
    }
    let no_key = || CertificateError::NoKey(files.private.clone());
    let key = PrivateKeyDer::from_pem_file(&files.private).map_err(|error| unread(&files.private, error, no_key))?;
    let mismatch = |error| CertificateError::Mismatch { files: files.clone(), error };
    CertifiedKey::from_der(chain, key, provider).map_err(mismatch)
}

fn unread(path: &Path, error: pem::Error, otherwise: impl FnOnce() -> CertificateError) -> CertificateError {
    match error {
        pem::Error::Io(error) => CertificateError::File { path: path.to_owned(), error },
        _ => otherwise(),
    }
}
