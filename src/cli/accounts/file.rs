//! The file that says how accounts shall be.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::secret::SecretSource;
use crate::cli::exit::bad_input;

/// Accounts by their ids.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountsFile {
    #[serde(default)]
    pub accounts: BTreeMap<String, DesiredAccount>,
}

/// One account, as it shall be. What is absent has its default.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DesiredAccount {
    pub provider: String,
    display_name: Option<String>,
    pub base_url: String,
    #[serde(default, rename = "credentials")]
    sources: BTreeMap<String, SecretSource>,
    #[serde(default)]
    settings: toml::Table,
    #[serde(default)]
    throttles: toml::Table,
    throttle_group: Option<String>,
    public_callback_url: Option<String>,
    queue_limit: Option<i64>,
}

impl AccountsFile {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let name = path.display();
        let text = fs::read_to_string(path).map_err(|error| bad_input(format!("{name} cannot be read: {error}")))?;
        // The words of a parser may repeat a line, and a line may hold a credential.
        toml::from_str(&text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start.min(text.len())].lines().count().max(1));
            bad_input(format!("{name}, line {line}: {}", error.message()))
        })
    }

    /// Whether credentials stand in the file itself, and others may read it.
    pub fn shows_credentials(&self, path: &Path) -> bool {
        let inline = self.accounts.values().any(|account| account.sources.values().any(SecretSource::is_inline));
        inline && fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
    }
}

impl DesiredAccount {
    pub fn settings(&self) -> Value {
        toml_to_json(toml::Value::Table(self.settings.clone()))
    }

    /// The members that can be compared with those of the gateway; null where there is none.
    pub fn comparable(&self, id: &str) -> Value {
        let DesiredAccount {
            provider: _,
            display_name,
            base_url,
            sources: _,
            settings: _,
            throttles,
            throttle_group,
            public_callback_url,
            queue_limit,
        } = self;
        json!({
            "displayName": display_name.as_deref().unwrap_or(id),
            "baseUrl": base_url,
            "settings": self.settings(),
            "throttles": toml_to_json(toml::Value::Table(throttles.clone())),
            "throttleGroup": throttle_group.as_deref().unwrap_or(id),
            "publicCallbackUrl": public_callback_url,
            "queueLimit": queue_limit,
        })
    }

    /// The names of its credentials.
    pub fn credential_names(&self) -> Vec<&str> {
        self.sources.keys().map(String::as_str).collect()
    }

    /// Its credentials, or everything that keeps them from being read.
    pub fn credentials(&self) -> Result<Value, String> {
        let mut members = Map::new();
        let mut missing = Vec::new();
        for (name, source) in &self.sources {
            match source.read() {
                Ok(secret) => {
                    members.insert(name.clone(), json!(secret.expose_secret()));
                }
                Err(why) => missing.push(format!("credentials.{name}: {why}")),
            }
        }
        if missing.is_empty() { Ok(Value::Object(members)) } else { Err(missing.join("; ")) }
    }
}

/// A value of TOML as one of JSON; an instant is a text there.
pub fn toml_to_json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) => json!(number),
        toml::Value::Boolean(truth) => Value::Bool(truth),
        toml::Value::Datetime(instant) => Value::String(instant.to_string()),
        toml::Value::Array(items) => items.into_iter().map(toml_to_json).collect(),
        toml::Value::Table(members) => {
            Value::Object(members.into_iter().map(|(name, value)| (name, toml_to_json(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<AccountsFile, toml::de::Error> {
        toml::from_str(text)
    }

    #[test]
    fn an_account_has_its_defaults() {
        let text =
            "[accounts.acme]\nprovider = 'p'\nbaseUrl = 'https://x'\n[accounts.acme.settings]\nbatchCreate = true";
        let file = read(text).unwrap();
        assert_eq!(
            file.accounts["acme"].comparable("acme"),
            json!({
                "displayName": "acme", "baseUrl": "https://x", "settings": {"batchCreate": true}, "throttles": {},
                "throttleGroup": "acme", "publicCallbackUrl": null, "queueLimit": null,
            })
        );
    }

    #[test]
    fn credentials_come_from_where_they_are_kept_and_are_shown_nowhere() {
        let text = "[accounts.acme]\nprovider = 'p'\nbaseUrl = 'https://x'\n[accounts.acme.credentials]\n\
                    a = 'inline-secret'\nb = { env = 'ONELANE_TEST_NOBODY_SETS_THIS' }\nc = { file = '/nowhere' }";
        let file = read(text).unwrap();
        assert!(!format!("{file:?}").contains("inline-secret"));
        let why = file.accounts["acme"].credentials().unwrap_err();
        assert!(why.contains("credentials.b: the variable ONELANE_TEST_NOBODY_SETS_THIS is not set"), "{why}");
        assert!(why.contains("credentials.c: the file /nowhere cannot be read"), "{why}");
        let wrong = read("[accounts.acme]\nprovider = 'p'\nbaseUrl = 'x'\ncredentials = { a = 5 }").unwrap_err();
        assert!(wrong.message().contains("{ env = \"VARIABLE\" }"), "{wrong}");
        assert!(read("[accounts.acme]\nprovider = 'p'\nbaseUrl = 'x'\ncolour = 'red'").is_err());
    }
}
