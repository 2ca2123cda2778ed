//! Certificates that tests make, and files of them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use onelane::server::CertificateFiles;
use reqwest::{Client, ClientBuilder};

use crate::harness::Caller;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A directory of a test, which goes with it.
pub struct Files {
    directory: PathBuf,
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

/// A certificate for loopback that vouches for itself, and its key; both in PEM.
pub struct Pair {
    pub certificate: String,
    pub key: String,
}

impl Pair {
    pub fn make() -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        Pair { certificate: made.cert.pem(), key: made.signing_key.serialize_pem() }
    }
}

impl Files {
    pub fn new() -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("onelane-certificates-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        Files { directory }
    }

    pub fn of(pair: &Pair) -> Self {
        let files = Self::new();
        files.put(pair);
        files
    }

    /// Puts a pair in the place of what is there.
    pub fn put(&self, pair: &Pair) {
        std::fs::write(self.chain(), &pair.certificate).unwrap();
        std::fs::write(self.key(), &pair.key).unwrap();
    }

    pub fn chain(&self) -> PathBuf {
        self.directory.join("chain.pem")
    }

    pub fn key(&self) -> PathBuf {
        self.directory.join("key.pem")
    }

    pub fn both(&self) -> CertificateFiles {
        CertificateFiles { chain: self.chain(), private: self.key() }
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// A client to be that trusts this certificate alone.
#[expect(clippy::disallowed_methods, reason = "a caller of the gateway, not a client of a provider")]
pub fn trusting_builder(pair: &Pair) -> ClientBuilder {
    let root = reqwest::Certificate::from_pem(pair.certificate.as_bytes()).unwrap();
    // A connection for each request, so that each sees the certificate of its moment.
    Client::builder().tls_certs_only([root]).pool_max_idle_per_host(0)
}

pub fn trusting(pair: &Pair) -> Client {
    trusting_builder(pair).build().unwrap()
}

/// The administrator, who trusts this certificate alone.
pub fn administrator(base_url: &str, pair: &Pair) -> Caller {
    Caller::over(trusting(pair), base_url.to_owned(), Some(crate::harness::ADMIN_KEY))
}
