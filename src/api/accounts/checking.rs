//! What an account must be, whether it is added or changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::AppState;
use crate::api::problem::{Kind, Problem};
use crate::canonical::{FieldError, escape_token};
use crate::provider::{self, AccountDraft, Profile, check_account, check_public_callback_url};
use crate::store::accounts::NewAccount;
use crate::vault::{Place, Sealed};

/// An account to be added.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewAccount)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAccountBody {
    /// Id that orders name
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{1,62}$")]
    pub id: String,
    /// Provider id
    provider: String,
    /// For people; the id when absent
    #[schema(max_length = 200)]
    display_name: Option<String>,
    /// Where the provider is reached, without the endpoints' paths
    #[schema(max_length = 500)]
    base_url: String,
    /// As `GET /v1/providers/{provider}` describes them; never answered
    #[schema(value_type = Object)]
    credentials: Value,
    /// As `GET /v1/providers/{provider}` describes them
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// Overrides of documented limits, by endpoint
    throttles: Option<BTreeMap<String, ThrottleOverride>>,
    /// Accounts of one group and provider share their quota; the account's own id when absent
    #[schema(pattern = "^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$")]
    throttle_group: Option<String>,
    /// Where the provider reaches this gateway: an absolute URL, which the callback path follows
    #[schema(max_length = 500)]
    public_callback_url: Option<String>,
    /// Submissions that may wait before no more are accepted: 429 `queue-full` then; as the gateway is configured when
    /// absent
    #[schema(minimum = 1, maximum = 100_000_000)]
    queue_limit: Option<i32>,
}

/// A limit that replaces a documented one.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ThrottleOverride {
    /// Requests in any window; the documented number when absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000_000)]
    requests: Option<u32>,
    /// Length of the window in seconds; the documented length when absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 86_400)]
    window_seconds: Option<u32>,
    /// Exchanges in flight at once; from the limit when absent
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 1_000)]
    in_flight: Option<u32>,
}

/// Checks an account against what its provider declares, and seals its credentials.
pub fn prepare(state: &AppState, body: NewAccountBody) -> Result<NewAccount, Problem> {
    let NewAccountBody {
        id,
        provider,
        display_name,
        base_url,
        credentials,
        settings,
        throttles,
        throttle_group,
        public_callback_url,
        queue_limit,
    } = body;
    let settings = settings.unwrap_or_else(|| json!({}));
    let throttles = throttles.unwrap_or_default();
    let Some(known) = provider::find(&provider) else { return Err(unknown_provider(&provider)) };
    let draft = AccountDraft { base_url: &base_url, credentials: &credentials, settings: &settings };
    let mut errors = check_account(known, &draft);
    errors.extend(check_throttles(known.profile(), &throttles));
    if let Err(bad) = state.delivery.check_address(&base_url) {
        errors.push(FieldError::new("/baseUrl", "validation.invalid_value", bad.en, bad.zh));
    }
    errors.extend(public_callback_url.as_deref().and_then(check_public_callback_url));
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    let credentials: Sealed = state
        .vault
        .seal(&Place::Credentials(&id), credentials.to_string().as_bytes())
        .map_err(|error| Problem::new(Kind::Internal, format!("The credentials cannot be sealed: {error}.")))?;
    Ok(NewAccount {
        display_name: display_name.unwrap_or_else(|| id.clone()),
        throttle_group: throttle_group.unwrap_or_else(|| id.clone()),
        id,
        provider,
        base_url,
        credentials,
        settings,
        throttles: json!(throttles),
        public_callback_url,
        queue_limit,
    })
}

fn unknown_provider(provider: &str) -> Problem {
    let known: Vec<&str> = provider::ALL.iter().map(|provider| provider.profile().id).collect();
    let known = known.join(", ");
    Problem::invalid(vec![FieldError::new(
        "/provider",
        "validation.invalid_value",
        format!("{provider} is none of the providers of this gateway: {known}"),
        format!("{provider} 不是本网关支持的目标系统:{known}"),
    )])
}

fn check_throttles(profile: &Profile, throttles: &BTreeMap<String, ThrottleOverride>) -> Vec<FieldError> {
    let known: Vec<&str> = profile.endpoints.iter().map(|endpoint| endpoint.id).collect();
    throttles
        .keys()
        .filter(|endpoint| !known.contains(&endpoint.as_str()))
        .map(|endpoint| {
            FieldError::new(
                format!("/throttles/{}", escape_token(endpoint)),
                "validation.unknown_member",
                format!("is no endpoint of {}; it has: {}", profile.name, known.join(", ")),
                format!("不是 {} 的接口,可用接口:{}", profile.name, known.join(", ")),
            )
        })
        .collect()
}
