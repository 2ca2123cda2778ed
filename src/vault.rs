//! Secrets at rest: sealed with AES-256-GCM under a master key from the environment, bound to the row that
//! holds them, so that a sealed value moved to another row does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use data_encoding::{BASE64, HEXLOWER};

/// The key that seals secrets at rest.
pub struct Vault {
    key: RandomizedNonceKey,
    key_id: String,
}

/// A sealed secret and the id of the key that opens it.
pub struct Sealed {
    pub bytes: Vec<u8>,
    pub key_id: String,
}

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("the master key must be 32 bytes in base64, e.g. from `openssl rand -base64 32`")]
    NoMasterKey,
    #[error("the secret was sealed with the master key {0}, which is not the one that was given")]
    OtherKey(String),
    #[error("the sealed secret cannot be opened: it was changed, or belongs elsewhere")]
    Broken,
}

impl Vault {
    /// From 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, VaultError> {
        let bytes = BASE64.decode(text.trim().as_bytes()).map_err(|_| VaultError::NoMasterKey)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::NoMasterKey)?;
        let key_id = HEXLOWER.encode(&digest(&SHA256, &bytes).as_ref()[..6]);
        Ok(Vault { key, key_id })
    }

    /// A new random master key in base64.
    pub fn generate_base64() -> Result<String, VaultError> {
        Ok(BASE64.encode(&random_bytes::<32>()?))
    }

    /// Seals a secret that stands at `place`, e.g. `accounts/otms-demo`.
    pub fn seal(&self, place: &str, secret: &[u8]) -> Result<Sealed, VaultError> {
        let mut buffer = secret.to_vec();
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(place.as_bytes()), &mut buffer)
            .map_err(|_| VaultError::Broken)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.extend_from_slice(&buffer);
        Ok(Sealed { bytes, key_id: self.key_id.clone() })
    }

    /// Opens what was sealed for the same place.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Result<Vec<u8>, VaultError> {
        if sealed.key_id != self.key_id {
            return Err(VaultError::OtherKey(sealed.key_id.clone()));
        }
        let (nonce, ciphertext) = sealed.bytes.split_at_checked(NONCE_LEN).ok_or(VaultError::Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Broken)?;
        let mut buffer = ciphertext.to_vec();
        let plain =
            self.key.open_in_place(nonce, Aad::from(place.as_bytes()), &mut buffer).map_err(|_| VaultError::Broken)?;
        Ok(plain.to_vec())
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Vault({})", self.key_id)
    }
}

/// Bytes from the system's random source.
pub fn random_bytes<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| VaultError::Broken)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_where_it_was_sealed() {
        let vault = Vault::from_base64(&Vault::generate_base64().unwrap()).unwrap();
        let sealed = vault.seal("accounts/a", b"secret").unwrap();
        assert!(!sealed.bytes.windows(6).any(|window| window == b"secret"));
        assert_eq!(vault.open("accounts/a", &sealed).unwrap(), b"secret");
        assert!(matches!(vault.open("accounts/b", &sealed), Err(VaultError::Broken)));
        let other = Vault::from_base64(&Vault::generate_base64().unwrap()).unwrap();
        assert!(matches!(other.open("accounts/a", &sealed), Err(VaultError::OtherKey(_))));
        assert!(Vault::from_base64("dG9vIHNob3J0").is_err());
    }
}
