//! The schemas that providers declare, joined with the ones that all share: settings and credentials of an
//! account, extensions of an order.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::account::{AccountDraft, CommonSettings};
use super::{ALL, DeclaredSchema, Profile, Provider};
use crate::canonical::FieldError;
use crate::validation::SchemaValidator;

/// Schema of a provider's settings: the common members and its own.
pub fn settings_schema(profile: &Profile) -> Value {
    let mut schema = DeclaredSchema::of::<CommonSettings>().inlined();
    let own = profile.settings_schema.inlined();
    if let (Some(properties), Some(Value::Object(more))) =
        (schema.get_mut("properties").and_then(Value::as_object_mut), own.get("properties"))
    {
        properties.extend(more.clone());
    }
    schema["additionalProperties"] = Value::Bool(false);
    schema
}

/// The components `OrderExtensions` and `StopExtensions`, and those that they refer to, from all providers.
pub fn extension_components() -> Map<String, Value> {
    let order = extensions(|profile| profile.order_extension_schema.map(|schema| schema.inlined()));
    let stop = extensions(|profile| profile.stop_extension_schema.map(|schema| schema.inlined()));
    let mut components = Map::new();
    components.insert(crate::canonical::ORDER_EXTENSIONS_SCHEMA.to_owned(), order);
    components.insert(crate::canonical::STOP_EXTENSIONS_SCHEMA.to_owned(), stop);
    components
}

fn extensions(schema_of: impl Fn(&Profile) -> Option<Value>) -> Value {
    let properties: Map<String, Value> = ALL
        .iter()
        .filter_map(|provider| {
            let profile = provider.profile();
            schema_of(profile).map(|schema| (profile.id.to_owned(), schema))
        })
        .collect();
    json!({
        "type": "object",
        "description": "Members that only one provider knows, by provider id",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Checks the credentials and settings of an account; pointers are into the account.
pub fn check_account(provider: &dyn Provider, account: &AccountDraft<'_>) -> Vec<FieldError> {
    static VALIDATORS: LazyLock<HashMap<&'static str, (SchemaValidator, SchemaValidator)>> = LazyLock::new(|| {
        ALL.iter()
            .map(|provider| {
                let profile = provider.profile();
                let credentials = SchemaValidator::new(profile.credentials_schema.inlined());
                (profile.id, (credentials, SchemaValidator::new(settings_schema(profile))))
            })
            .collect()
    });
    let mut errors = Vec::new();
    if let Some((credentials, settings)) = VALIDATORS.get(provider.profile().id) {
        // What was given as a secret is not repeated in an error.
        errors.extend(credentials.errors(account.credentials).into_iter().map(|error| error.below("/credentials")));
        errors.extend(settings.errors(account.settings).into_iter().map(|error| error.below("/settings")));
    }
    if errors.is_empty() {
        errors.extend(check_base_url(account));
        if let Some(outward) = provider.outward() {
            errors.extend(outward.check_account(account));
        }
    }
    errors
}

/// Checks where providers reach this gateway; the pointer is into the account.
pub fn check_public_callback_url(url: &str) -> Option<FieldError> {
    let invalid = |(detail, detail_zh): (&str, &str)| {
        FieldError::new("/publicCallbackUrl", "validation.invalid_value", detail, detail_zh)
    };
    let parsed = match address(url) {
        Ok(parsed) => parsed,
        Err(words) => return Some(invalid(words)),
    };
    let web = matches!(parsed.scheme(), "http" | "https") && parsed.has_host();
    (!web).then(|| invalid(("must begin with http:// or https://", "必须以 http:// 或 https:// 开头")))
}

/// An absolute URL without credentials, query and fragment, or what is wrong with it in both languages.
fn address(url: &str) -> Result<reqwest::Url, (&'static str, &'static str)> {
    let Ok(url) = reqwest::Url::parse(url) else {
        return Err(("is not an absolute URL", "不是有效的绝对 URL"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("must not hold credentials", "不得包含账号或密码"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(("must have neither query nor fragment", "不得包含查询参数或片段"));
    }
    Ok(url)
}

fn check_base_url(account: &AccountDraft<'_>) -> Option<FieldError> {
    let plain_http = account.settings.get("allowPlainHttp").and_then(Value::as_bool).unwrap_or(false);
    let invalid = |detail: &str, detail_zh: &str| {
        Some(FieldError::new("/baseUrl", "validation.invalid_value", detail, detail_zh))
    };
    let url = match address(account.base_url) {
        Ok(url) => url,
        Err((detail, detail_zh)) => return invalid(detail, detail_zh),
    };
    match url.scheme() {
        "https" => None,
        "http" if plain_http => None,
        "http" => invalid(
            "uses plain HTTP; set settings.allowPlainHttp to true if the provider has no HTTPS",
            "使用了明文 HTTP;如目标系统不支持 HTTPS,请将 settings.allowPlainHttp 设为 true",
        ),
        _ => invalid("must begin with https://", "必须以 https:// 开头"),
    }
}
