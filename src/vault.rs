//! Secrets at rest: sealed with AES-256-GCM under a master key from the environment, bound to the place that holds
//! them, so that a sealed value moved to another row does not open.
//!
//! One key seals; former ones still open what they sealed, so that the key can be changed while gateways serve.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand;
use data_encoding::{BASE64, HEXLOWER};
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

/// Where a sealed secret stands. A secret opens only at the place for which it was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// An account's credentials
    Credentials(&'a str),
    /// The last part of an account's callback path
    CallbackToken(&'a str),
    /// What a provider gave for an account's credentials
    Session(&'a str),
    /// Where a provider was asked to call an account
    SubscriptionAddress(&'a str),
    /// What signs deliveries to a webhook endpoint
    WebhookSecret(Uuid),
    /// A cookie of the console
    ConsoleSession,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Credentials(account) => write!(formatter, "accounts/{account}"),
            Place::CallbackToken(account) => write!(formatter, "accounts/{account}/callback"),
            Place::Session(account) => write!(formatter, "sessions/{account}"),
            Place::SubscriptionAddress(account) => write!(formatter, "subscriptions/{account}"),
            Place::WebhookSecret(endpoint) => write!(formatter, "webhook-endpoints/{endpoint}"),
            Place::ConsoleSession => write!(formatter, "console/session"),
        }
    }
}

/// The keys that seal secrets at rest, and open them.
pub struct Vault {
    current: MasterKey,
    former: Vec<MasterKey>,
}

struct MasterKey {
    /// Public: tells keys apart, and says nothing of the key
    id: String,
    key: RandomizedNonceKey,
}

/// A sealed secret and the id of the key that opens it.
#[derive(Clone)]
pub struct Sealed {
    pub bytes: Vec<u8>,
    pub key_id: String,
}

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    #[error("a master key must be 32 bytes in base64, e.g. from `openssl rand -base64 32`")]
    NoMasterKey,
    #[error("the secret was sealed with the master key {0}, which was not given")]
    OtherKey(String),
    #[error("the sealed secret cannot be opened: it was changed, or belongs elsewhere")]
    Broken,
}

impl MasterKey {
    fn from_base64(text: &str) -> Result<Self, VaultError> {
        let bytes = BASE64.decode(text.trim().as_bytes()).map_err(|_| VaultError::NoMasterKey)?;
        let bytes = Zeroizing::new(bytes);
        let key = RandomizedNonceKey::new(&AES_256_GCM, &bytes).map_err(|_| VaultError::NoMasterKey)?;
        let id = HEXLOWER.encode(&digest(&SHA256, &bytes).as_ref()[..6]);
        Ok(MasterKey { id, key })
    }
}

impl Vault {
    /// From 32 bytes in base64.
    pub fn from_base64(text: &str) -> Result<Self, VaultError> {
        Ok(Vault { current: MasterKey::from_base64(text)?, former: Vec::new() })
    }

    /// The same, with keys that open what they sealed, and seal nothing.
    pub fn with_former(mut self, keys: &[SecretString]) -> Result<Self, VaultError> {
        for key in keys {
            let key = MasterKey::from_base64(key.expose_secret())?;
            if !self.knows(&key.id) {
                self.former.push(key);
            }
        }
        Ok(self)
    }

    /// A new random master key in base64.
    pub fn generate_base64() -> Result<String, VaultError> {
        Ok(BASE64.encode(&random_bytes::<32>()?))
    }

    /// Id of the key that seals.
    pub fn key_id(&self) -> &str {
        &self.current.id
    }

    /// Ids of all keys: what was sealed with one of them can be opened here.
    pub fn key_ids(&self) -> Vec<String> {
        std::iter::once(&self.current).chain(&self.former).map(|key| key.id.clone()).collect()
    }

    /// Whether what was sealed with the key of this id can be opened.
    pub fn knows(&self, key_id: &str) -> bool {
        self.key(key_id).is_some()
    }

    fn key(&self, id: &str) -> Option<&RandomizedNonceKey> {
        std::iter::once(&self.current).chain(&self.former).find(|known| known.id == id).map(|known| &known.key)
    }

    /// Seals a secret that stands at `place`.
    pub fn seal(&self, place: &Place<'_>, secret: &[u8]) -> Result<Sealed, VaultError> {
        // The tag goes behind it: with the room for it nothing is left behind by a move.
        let mut buffer = Zeroizing::new(Vec::with_capacity(secret.len() + AES_256_GCM.tag_len()));
        buffer.extend_from_slice(secret);
        let nonce = self
            .current
            .key
            .seal_in_place_append_tag(Aad::from(place.to_string().as_bytes()), &mut *buffer)
            .map_err(|_| VaultError::Broken)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.extend_from_slice(&buffer);
        Ok(Sealed { bytes, key_id: self.current.id.clone() })
    }

    /// Opens what was sealed for the same place.
    pub fn open(&self, place: &Place<'_>, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, VaultError> {
        let key = self.key(&sealed.key_id).ok_or_else(|| VaultError::OtherKey(sealed.key_id.clone()))?;
        let (nonce, ciphertext) = sealed.bytes.split_at_checked(NONCE_LEN).ok_or(VaultError::Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| VaultError::Broken)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        let length = key
            .open_in_place(nonce, Aad::from(place.to_string().as_bytes()), &mut buffer)
            .map_err(|_| VaultError::Broken)?
            .len();
        buffer.truncate(length);
        Ok(buffer)
    }

    /// The same, for a secret that is text.
    pub fn open_text(&self, place: &Place<'_>, sealed: &Sealed) -> Result<SecretString, VaultError> {
        let opened = self.open(place, sealed)?;
        std::str::from_utf8(&opened).map(SecretString::from).map_err(|_| VaultError::Broken)
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Vault({})", self.current.id)
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

    const HERE: Place<'_> = Place::Credentials("a");

    #[test]
    fn a_secret_opens_only_where_it_was_sealed() {
        let vault = Vault::from_base64(&Vault::generate_base64().unwrap()).unwrap();
        let sealed = vault.seal(&HERE, b"secret").unwrap();
        assert!(!sealed.bytes.windows(6).any(|window| window == b"secret"));
        assert_eq!(**vault.open(&HERE, &sealed).unwrap(), *b"secret");
        for elsewhere in [Place::Credentials("b"), Place::CallbackToken("a"), Place::Session("a")] {
            assert!(matches!(vault.open(&elsewhere, &sealed), Err(VaultError::Broken)), "{elsewhere}");
        }
        let other = Vault::from_base64(&Vault::generate_base64().unwrap()).unwrap();
        assert!(matches!(other.open(&HERE, &sealed), Err(VaultError::OtherKey(id)) if id == vault.key_id()));
        assert!(Vault::from_base64("dG9vIHNob3J0").is_err());
    }

    #[test]
    fn former_keys_open_and_the_current_one_seals() {
        let [old, new] = [(); 2].map(|()| Vault::generate_base64().unwrap());
        let before = Vault::from_base64(&old).unwrap();
        let sealed = before.seal(&HERE, b"secret").unwrap();
        let after =
            Vault::from_base64(&new).unwrap().with_former(&[old.as_str(), &new].map(SecretString::from)).unwrap();
        assert_eq!(after.open_text(&HERE, &sealed).unwrap().expose_secret(), "secret");
        assert!(after.knows(before.key_id()) && !before.knows(after.key_id()));
        let anew = after.seal(&HERE, b"secret").unwrap();
        assert_eq!(anew.key_id, after.key_id());
        assert_ne!(anew.key_id, sealed.key_id);
        assert!(Vault::from_base64(&new).unwrap().with_former(&["x".into()]).is_err());
    }

    #[test]
    fn nothing_shows_a_key() {
        let key = Vault::generate_base64().unwrap();
        let vault = Vault::from_base64(&key).unwrap();
        assert_eq!(format!("{vault:?}"), format!("Vault({})", vault.key_id()));
        assert!(!key.contains(vault.key_id()) && vault.key_id().len() == 12);
    }
}
