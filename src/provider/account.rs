//! A downstream account as an adapter sees it.

use std::collections::BTreeMap;
use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// An account with everything that a request to its provider needs.
#[derive(Debug)]
pub struct Account {
    pub id: String,
    /// Where the provider is reached; endpoints' paths follow it
    pub base_url: String,
    pub credentials: Credentials,
    /// The settings as they were given; an adapter types its own part
    pub settings: Value,
    pub common: CommonSettings,
    /// What the provider gave for the credentials; nothing for a provider without sessions, and in a preview
    pub session: Option<Session>,
}

impl Account {
    pub fn new(id: String, base_url: String, credentials: Credentials, settings: Value) -> serde_json::Result<Self> {
        let common = CommonSettings::deserialize(&settings)?;
        Ok(Account { id, base_url, credentials, settings, common, session: None })
    }

    /// The URL of an endpoint's path.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url.trim_end_matches('/'))
    }
}

/// An account as it was asked for, before it is stored.
pub struct AccountDraft<'a> {
    pub base_url: &'a str,
    pub credentials: &'a Value,
    pub settings: &'a Value,
}

/// An account's credentials. Never printed, never serialised but to be sealed.
pub struct Credentials(SecretString);

impl Credentials {
    /// The credentials from their JSON text.
    pub fn new(json: String) -> Self {
        Credentials(SecretString::from(json))
    }

    /// The credentials in the type that the provider's profile declares.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.0.expose_secret())
    }

    /// The texts of these members, where they are there.
    pub fn members(&self, names: &[&str]) -> Vec<SecretString> {
        let Ok(credentials) = self.read::<Value>() else { return Vec::new() };
        names.iter().filter_map(|name| credentials.get(name)?.as_str().map(SecretString::from)).collect()
    }
}

impl From<SecretString> for Credentials {
    fn from(json: SecretString) -> Self {
        Credentials(json)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(***)")
    }
}

/// What a provider gave for an account's credentials: tokens, in the adapter's own JSON. Never printed, never
/// serialised but to be sealed.
#[derive(Clone)]
pub struct Session(SecretString);

impl Session {
    /// The session from its JSON text.
    pub fn new(json: String) -> Self {
        Session(SecretString::from(json))
    }

    /// The session in the adapter's type.
    pub fn read<T: DeserializeOwned>(&self) -> serde_json::Result<T> {
        serde_json::from_str(self.0.expose_secret())
    }

    /// The bytes to be sealed.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose_secret().as_bytes()
    }

    /// Every text in it: whatever an adapter keeps of a session is a secret.
    pub fn texts(&self) -> Vec<SecretString> {
        fn collect(value: Value, texts: &mut Vec<SecretString>) {
            match value {
                Value::String(text) => texts.push(SecretString::from(text)),
                Value::Array(items) => items.into_iter().for_each(|item| collect(item, texts)),
                Value::Object(members) => members.into_iter().for_each(|(_, value)| collect(value, texts)),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
        let mut texts = Vec::new();
        if let Ok(session) = self.read::<Value>() {
            collect(session, &mut texts);
        }
        texts
    }
}

impl From<SecretString> for Session {
    fn from(json: SecretString) -> Self {
        Session(json)
    }
}

impl PartialEq for Session {
    fn eq(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Session(***)")
    }
}

/// Settings that every account has.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct CommonSettings {
    /// Allow a base URL with plain HTTP
    pub allow_plain_http: bool,
    /// Alias of an own branch → the provider's name or path of it
    pub branch_map: BTreeMap<String, String>,
    /// Alias of a custom field → slot (`text1`…)
    pub custom_field_map: BTreeMap<String, String>,
    /// Time for one request, from connecting to the last byte of the answer, in seconds
    #[schema(minimum = 1, maximum = 30)]
    pub request_timeout_seconds: u8,
}

impl Default for CommonSettings {
    fn default() -> Self {
        CommonSettings {
            allow_plain_http: false,
            branch_map: BTreeMap::new(),
            custom_field_map: BTreeMap::new(),
            request_timeout_seconds: 30,
        }
    }
}

impl CommonSettings {
    /// The provider's name of a branch: from the map, or as it is.
    pub fn branch<'a>(&'a self, alias: &'a str) -> &'a str {
        self.branch_map.get(alias).map_or(alias, String::as_str)
    }

    /// The slot of a custom field: from the map, or as it is.
    pub fn custom_field_slot<'a>(&'a self, name: &'a str) -> &'a str {
        self.custom_field_map.get(name).map_or(name, String::as_str)
    }
}
