//! The account that an order is translated for: one of a file for accounts, or one that exists for this alone.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::wrong;
use crate::cli::accounts::{AccountsFile, DesiredAccount, toml_to_json};
use crate::cli::exit::bad_input;
use crate::cli::schema_names::{property_names, required_names};
use crate::provider::{self, Account, AccountDraft, Credentials, Provider, check_account};

#[derive(Debug, clap::Args)]
pub struct AccountChoice {
    /// A file for `onelane accounts apply`, of which one account is taken
    #[arg(long, value_name = "FILE", requires = "account", conflicts_with_all = ["base_url", "settings", "set"])]
    accounts: Option<PathBuf>,
    /// Id of the account; that of the order when absent
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,
    /// Where the provider would be reached
    #[arg(long, value_name = "URL", default_value = "https://provider.example")]
    base_url: String,
    /// A TOML file with the account's settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// One setting, e.g. batchCreate=true; it wins over the file. Dots lead into a setting: branchMap.hz=HZ01
    #[arg(long = "account-settings", value_name = "NAME=VALUE", id = "set")]
    set: Vec<String>,
}

/// A provider, and an account of it.
pub struct Chosen {
    pub provider: &'static dyn Provider,
    pub account: Account,
}

impl AccountChoice {
    pub fn choose(&self, provider: Option<&str>) -> anyhow::Result<Chosen> {
        let AccountChoice { accounts, account, base_url, settings: _, set: _ } = self;
        let mut given = None;
        let (provider, id, base_url, settings) = if let (Some(path), Some(id)) = (accounts, account) {
            let file = AccountsFile::read(path)?;
            let found = file.accounts.get(id);
            let found = found.ok_or_else(|| bad_input(format!("{} has no account {id}", path.display())))?;
            if provider.is_some_and(|provider| provider != found.provider) {
                return Err(bad_input(format!("{id} is an account of {}", found.provider)));
            }
            given = Some(found.credential_names().into_iter().map(str::to_owned).collect());
            let DesiredAccount { provider, base_url, .. } = found;
            (provider.clone(), id.clone(), base_url.clone(), found.settings())
        } else {
            let provider = provider.unwrap_or_default().to_owned();
            let id = account.clone().unwrap_or_else(|| provider.clone());
            (provider, id, base_url.clone(), self.settings()?)
        };
        let known = provider::find(&provider).ok_or_else(|| bad_input(format!("there is no provider {provider}")))?;
        let credentials = placeholders(&given.unwrap_or_else(|| wanted_credentials(known)));
        let draft = AccountDraft { base_url: &base_url, credentials: &credentials, settings: &settings };
        let errors = check_account(known, &draft);
        if !errors.is_empty() {
            return Err(wrong(errors));
        }
        let account = Account::new(id, base_url, Credentials::new(credentials.to_string()), settings)?;
        Ok(Chosen { provider: known, account })
    }

    /// The settings of the file, and over them those of the command line.
    fn settings(&self) -> anyhow::Result<Value> {
        let mut settings = match &self.settings {
            None => json!({}),
            Some(path) => {
                let name = path.display();
                let text = std::fs::read_to_string(path).map_err(|error| bad_input(format!("{name}: {error}")))?;
                let table: toml::Table = text.parse().map_err(|error| bad_input(format!("{name}: {error}")))?;
                toml_to_json(toml::Value::Table(table))
            }
        };
        for setting in &self.set {
            let (path, value) = setting
                .split_once('=')
                .ok_or_else(|| bad_input(format!("--account-settings {setting}: write it as NAME=VALUE")))?;
            // What is no JSON is a text.
            let value = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
            put(&mut settings, path, value);
        }
        Ok(settings)
    }
}

/// Puts a value where a path with dots leads.
fn put(document: &mut Value, path: &str, value: Value) {
    let mut at = document;
    for name in path.split('.') {
        if !at.is_object() {
            *at = json!({});
        }
        at = &mut at[name];
    }
    *at = value;
}

/// Credentials of nobody: each member holds its own name.
fn placeholders(names: &[String]) -> Value {
    names.iter().map(|name| (name.clone(), json!(name))).collect::<Map<_, _>>().into()
}

/// The names of the credentials that a provider wants.
fn wanted_credentials(provider: &dyn Provider) -> Vec<String> {
    let schema = provider.profile().credentials_schema.inlined();
    // Where nothing is required, one way of several will do: the first.
    required_names(&schema).unwrap_or_else(|| property_names(&schema).take(1).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_takes_an_account_of_nobody() {
        for provider in provider::ALL {
            let choice = AccountChoice {
                accounts: None,
                account: None,
                base_url: "https://provider.example".to_owned(),
                settings: None,
                set: Vec::new(),
            };
            let id = provider.profile().id;
            let chosen = choice.choose(Some(id)).unwrap_or_else(|error| panic!("{id}: {error}"));
            assert_eq!(chosen.account.id, id);
        }
    }

    #[test]
    fn settings_of_the_command_line() {
        let mut settings = json!({"a": {"b": 1}, "c": "x"});
        put(&mut settings, "a.d", json!(true));
        put(&mut settings, "c", json!("y"));
        assert_eq!(settings, json!({"a": {"b": 1, "d": true}, "c": "y"}));
    }
}
