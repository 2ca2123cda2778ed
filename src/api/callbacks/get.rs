//! `GET /v1/callbacks/{id}`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CallbackView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::BodyView;
use crate::delivery::{mask_of, open_account};
use crate::store::callbacks::{AwaitedOrder, CallbackContent};
use crate::store::exchanges::StoredBody;
use crate::vault::Place;

/// A call of a provider with all that came.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackDetails)]
#[serde(rename_all = "camelCase")]
pub struct CallbackDetailsView {
    #[serde(flatten)]
    pub callback: CallbackView,
    /// While it waits: the orders that the gateway does not know
    pub awaited_orders: Vec<AwaitedOrderView>,
    /// Pairs of name and value, credentials masked
    pub headers: Vec<(String, String)>,
    /// As it came, but for the account's secrets; null once it was dropped by age
    #[schema(required)]
    pub body: Option<BodyView>,
}

/// An order that a callback names and the gateway does not know.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AwaitedOrder)]
#[serde(rename_all = "camelCase")]
pub struct AwaitedOrderView {
    /// The caller's number, where the callback names it
    #[schema(required)]
    pub order_number: Option<String>,
    /// The provider's number, where the callback names it
    #[schema(required)]
    pub provider_order_number: Option<String>,
}

/// One callback, with its body as it came.
///
/// And with the events that tell of it. The body is null once it was dropped by age.
#[utoipa::path(
    get, path = "/v1/callbacks/{id}", operation_id = "getCallback", tag = "callbacks",
    params(("id" = uuid::Uuid, Path, description = "Id of the callback")),
    responses(
        (status = 200, description = "The callback", body = CallbackDetailsView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such callback that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<Json<CallbackDetailsView>, Problem> {
    let callback = read(&state, &caller, id).await?;
    let content = state.store.callback_content(id).await?.ok_or_else(|| Problem::not_found("callback"))?;
    let awaited_orders = state.store.awaited_orders(id).await?.into_iter().map(AwaitedOrderView::from).collect();
    let (size, headers) = (callback.size, content.headers.clone());
    let body = masked_body(&state, content).await?.map(|content| StoredBody { content, size, truncated: false });
    let callback = CallbackView::from(callback);
    Ok(Json(CallbackDetailsView { callback, awaited_orders, headers, body: body.map(BodyView::from) }))
}

impl From<AwaitedOrder> for AwaitedOrderView {
    fn from(order: AwaitedOrder) -> Self {
        let AwaitedOrder { order_number, provider_order_number } = order;
        AwaitedOrderView { order_number, provider_order_number }
    }
}

/// The body, with the account's secrets masked should it repeat one.
async fn masked_body(state: &AppState, content: CallbackContent) -> Result<Option<Vec<u8>>, Problem> {
    let Some(body) = content.body else { return Ok(None) };
    let account = state.store.account(&content.account_id).await?;
    let token = account.as_ref().and_then(|account| {
        state.vault.open_text(&Place::CallbackToken(&account.id), account.callback_token.as_ref()?).ok()
    });
    let opened = account.and_then(|account| open_account(&account, &state.vault).ok());
    Ok(Some(match opened {
        Some((provider, account)) => mask_of(provider, &account, token.as_ref(), &[]).bytes(&body),
        None => body,
    }))
}
