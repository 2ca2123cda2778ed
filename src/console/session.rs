//! A session: the API key of whoever signed in, sealed into a cookie. Nothing of it is kept here, and the key is
//! checked anew with every request.

use std::borrow::Cow;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64URL_NOPAD;
use secrecy::zeroize::Zeroizing;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::vault::{Place, Sealed, Vault, VaultError, random_bytes};

/// How long a session lasts; as long as its cookie.
const LIFE: TimeDelta = TimeDelta::hours(12);

/// Who signed in with which key.
#[derive(Clone)]
pub struct Session {
    key: SecretString,
    /// Stands in each form; whoever cannot read our pages does not know it
    token: String,
}

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct Content<'a> {
    key: Cow<'a, str>,
    token: Cow<'a, str>,
    /// Seconds since 1970
    ends_at: i64,
}

impl Session {
    /// A new one, for whoever has this key.
    pub fn begin(key: &str) -> Result<Self, VaultError> {
        let token = BASE64URL_NOPAD.encode(&random_bytes::<24>()?);
        Ok(Session { key: SecretString::from(key), token })
    }

    /// The value of its cookie.
    pub fn seal(&self, vault: &Vault, now: DateTime<Utc>) -> Result<String, VaultError> {
        let content = Content {
            key: self.key.expose_secret().into(),
            token: self.token.as_str().into(),
            ends_at: (now + LIFE).timestamp(),
        };
        let content = Zeroizing::new(serde_json::to_vec(&content).map_err(|_| VaultError::Broken)?);
        let Sealed { bytes, key_id } = vault.seal(&Place::ConsoleSession, &content)?;
        Ok(format!("{key_id}.{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// The session in a cookie, if we made it and it has not ended.
    pub fn open(vault: &Vault, cookie: &str, now: DateTime<Utc>) -> Option<Self> {
        let (key_id, bytes) = cookie.split_once('.')?;
        let sealed = Sealed { bytes: BASE64URL_NOPAD.decode(bytes.as_bytes()).ok()?, key_id: key_id.to_owned() };
        let content = vault.open(&Place::ConsoleSession, &sealed).ok()?;
        let Content { key, token, ends_at } = serde_json::from_slice(&content).ok()?;
        (now.timestamp() < ends_at)
            .then(|| Session { key: SecretString::from(key.into_owned()), token: token.into_owned() })
    }

    /// The value of an `Authorization` header.
    pub fn authorization(&self) -> SecretString {
        SecretString::from(format!("Bearer {}", self.key.expose_secret()))
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether a form was made for this session.
    pub fn made(&self, token: &str) -> bool {
        verify_slices_are_equal(self.token.as_bytes(), token.as_bytes()).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_ours_and_ends() {
        let vault = Vault::from_base64(&Vault::generate_base64().unwrap()).unwrap();
        let now = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        let session = Session::begin("olk_test-0123456789").unwrap();
        let cookie = session.seal(&vault, now).unwrap();
        assert!(!cookie.contains("olk_"));
        let opened = Session::open(&vault, &cookie, now + TimeDelta::hours(11)).unwrap();
        assert_eq!(opened.authorization().expose_secret(), "Bearer olk_test-0123456789");
        assert!(opened.made(session.token()) && !opened.made("") && !opened.made("else"));
        assert!(Session::open(&vault, &cookie, now + TimeDelta::hours(12)).is_none());
        let mut changed = cookie.clone();
        let last = if changed.pop() == Some('A') { 'B' } else { 'A' };
        changed.push(last);
        let cut = &cookie[..cookie.len() - 4];
        for other in ["", ".", "x.y", cut, changed.as_str()] {
            assert!(Session::open(&vault, other, now).is_none(), "{other}");
        }
        let elsewhere = Vault::from_base64(&Vault::generate_base64().unwrap()).unwrap();
        assert!(Session::open(&elsewhere, &cookie, now).is_none());
    }
}
