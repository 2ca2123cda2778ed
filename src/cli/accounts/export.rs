//! `onelane accounts export`: the accounts as a file that `apply` takes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use crate::cli::output;
use crate::cli::remote::{Call, Gateway, path_segment};
use crate::cli::schema_names::{property_names, required_names};

pub async fn run(gateway: &Gateway) -> anyhow::Result<()> {
    let accounts = gateway.all("/v1/accounts", &[]).await?;
    let mut credentials: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut text = String::from(
        "# The gateway never tells credentials: where they come from is for you to say, by { env = … } or { file = … }.\n",
    );
    for account in &accounts {
        let provider = account["provider"].as_str().unwrap_or_default().to_owned();
        if !credentials.contains_key(&provider) {
            let path = format!("/v1/providers/{}", path_segment(&provider));
            let declared = gateway.ask(&Call::get(&path)).await?.body;
            credentials.insert(provider.clone(), names_of(&declared["credentialsSchema"]));
        }
        write_account(&mut text, account, &credentials[&provider]);
    }
    output::line(text.trim_end())?;
    Ok(())
}

/// The credentials that an account must have; where none is, all that it may have.
fn names_of(schema: &Value) -> Vec<String> {
    required_names(schema).unwrap_or_else(|| property_names(schema).collect())
}

fn write_account(text: &mut String, account: &Value, credentials: &[String]) {
    let id = account["id"].as_str().unwrap_or_default();
    let _ = write!(text, "\n[accounts.{}]\n", key(id));
    for name in ["provider", "displayName", "baseUrl", "throttleGroup", "publicCallbackUrl", "queueLimit"] {
        // What is the default need not be said.
        let is_default = matches!(name, "displayName" | "throttleGroup") && account[name] == id;
        if let Some(value) = as_toml(&account[name]).filter(|_| !is_default) {
            let _ = writeln!(text, "{name} = {value}");
        }
    }
    for table in ["settings", "throttles"] {
        let members: Vec<(&String, toml::Value)> = account[table]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name, as_toml(value)?)))
            .collect();
        if !members.is_empty() {
            let _ = write!(text, "\n[accounts.{}.{table}]\n", key(id));
            for (name, value) in members {
                let _ = writeln!(text, "{} = {value}", key(name));
            }
        }
    }
    let _ = write!(text, "\n[accounts.{}.credentials]\n", key(id));
    for name in credentials {
        let _ = writeln!(text, "{} = {{ env = \"{}\" }}", key(name), variable(id, name));
    }
}

/// A name as TOML takes it.
fn key(name: &str) -> String {
    let bare = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare { name.to_owned() } else { toml::Value::from(name).to_string() }
}

/// The environment variable that would hold a credential: `acme-east` and `secretKey` become `ACME_EAST_SECRET_KEY`.
fn variable(account: &str, name: &str) -> String {
    let mut words = account.replace('-', "_");
    words.push('_');
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            words.push('_');
        }
        words.push(character);
    }
    words.to_ascii_uppercase()
}

/// A value of JSON as one of TOML; nothing for null.
fn as_toml(value: &Value) -> Option<toml::Value> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(truth) => (*truth).into(),
        Value::Number(number) => match number.as_i64() {
            Some(number) => number.into(),
            None => number.as_f64()?.into(),
        },
        Value::String(text) => text.as_str().into(),
        Value::Array(items) => toml::Value::Array(items.iter().filter_map(as_toml).collect()),
        Value::Object(members) => {
            let members = members.iter().filter_map(|(name, value)| Some((name.clone(), as_toml(value)?)));
            toml::Value::Table(members.collect())
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::file::AccountsFile;
    use super::*;

    #[test]
    fn what_is_exported_can_be_applied() {
        let account = json!({
            "id": "acme-east", "provider": "p", "displayName": "华东 \"1\"", "baseUrl": "https://x",
            "throttleGroup": "acme-east", "publicCallbackUrl": null, "queueLimit": 500,
            "settings": {"batchCreate": true, "branchMap": {"杭 州": "HZ"}}, "throttles": {"importOrders": {"requests": 5}},
        });
        let mut text = String::new();
        write_account(&mut text, &account, &["username".to_owned(), "secretKey".to_owned()]);
        assert!(text.contains("secretKey = { env = \"ACME_EAST_SECRET_KEY\" }"), "{text}");
        let file: AccountsFile = toml::from_str(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        let read = file.accounts["acme-east"].comparable("acme-east");
        for name in
            ["displayName", "baseUrl", "throttleGroup", "publicCallbackUrl", "queueLimit", "settings", "throttles"]
        {
            assert_eq!(read[name], account[name], "{name}");
        }
    }
}
