//! What a webhook endpoint must be, whether it is added or changed.

use serde::Deserialize;
use utoipa::ToSchema;

use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::problem::{Kind, Problem};
use crate::canonical::{EventType, FieldError};
use crate::store::webhook_endpoints::EndpointChoice;

/// A webhook endpoint to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewWebhookEndpoint)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEndpointBody {
    /// Where events are posted to, http or https; in a network that is not public only if the operator allows it
    #[schema(min_length = 1, max_length = 2000, example = "https://shop.example.com/hooks/orders")]
    url: String,
    /// The types of events that it gets; all when absent
    #[schema(min_items = 1, max_items = 200)]
    types: Option<Vec<EventType>>,
    /// The accounts whose events it gets; all when absent, and what is about none
    #[schema(min_items = 1, max_items = 200)]
    accounts: Option<Vec<String>>,
    /// For people
    #[schema(max_length = 200)]
    description: Option<String>,
}

/// Checks an endpoint's URL and accounts.
pub async fn prepare(state: &AppState, caller: &Caller, body: NewEndpointBody) -> Result<EndpointChoice, Problem> {
    let NewEndpointBody { url, types, accounts, description } = body;
    if let Err(bad) = state.events.check_target(&url) {
        return Err(Problem::invalid(vec![FieldError::new("/url", "validation.invalid_value", bad.en, bad.zh)]));
    }
    if accounts.is_none() && caller.accounts().is_some() {
        return Err(Problem::new(
            Kind::Forbidden,
            "Your key is limited to accounts; name those whose events the endpoint shall get.",
        ));
    }
    let mut unknown = Vec::new();
    for (place, account) in accounts.iter().flatten().enumerate() {
        if !caller.may_use(account) || state.store.account(account).await?.is_none() {
            unknown.push(FieldError::new(
                format!("/accounts/{place}"),
                "validation.unknown_account",
                "is no account that this key may use",
                "不是该密钥可用的账户",
            ));
        }
    }
    if !unknown.is_empty() {
        return Err(Problem::invalid(unknown).of_kind(Kind::UnknownAccount));
    }
    let types = types.map(|types| distinct(types.into_iter().map(|event_type| event_type.to_string())));
    Ok(EndpointChoice { url, description, types, accounts: accounts.map(|accounts| distinct(accounts.into_iter())) })
}

/// Each once, in the order in which they came.
fn distinct(texts: impl Iterator<Item = String>) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for text in texts {
        if !found.contains(&text) {
            found.push(text);
        }
    }
    found
}
