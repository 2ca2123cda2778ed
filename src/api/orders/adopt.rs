//! `POST /v1/orders/adopt`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::create::as_kept;
use super::{answer, read};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::params::{NoParams, Params};
use crate::api::patch::coherent;
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::translating::account_for;
use crate::api::views::OrderEnvelope;
use crate::canonical::{DocumentType, FieldError, Order, merge_patch};
use crate::store::adopt::AdoptedOrder;

/// An order that was made outside the gateway.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = OrderToAdopt)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderToAdopt {
    /// Downstream account at whose provider it stands
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{1,62}$")]
    account: String,
    /// The caller's number of it
    #[schema(min_length = 1, max_length = 64)]
    order_number: String,
    /// The provider's number of it
    #[schema(min_length = 1, max_length = 64)]
    provider_order_number: Option<String>,
    /// Kind of document; transport_order when absent
    document_type: Option<DocumentType>,
    /// What is known of its document, with or without what identifies it
    #[schema(value_type = Option<Object>)]
    order: Option<Value>,
}

/// Registers an order that stands at its provider already. Nothing is sent.
///
/// Afterwards PATCH, custom-fields, cancel and tracking work as for any order. `documentComplete` is false until
/// the whole document is known: a provider that takes changes only as a whole then needs a patch that makes it
/// whole. An order that was adopted without the provider's number gets it by being adopted again with one. So does
/// one whose creation was rejected here since it stands at the provider already: from then on it counts as placed.
#[utoipa::path(
    post, path = "/v1/orders/adopt", operation_id = "adoptOrder", tag = "orders",
    request_body(content = OrderToAdopt),
    responses(
        (status = 200, description = "The order was known already", body = OrderEnvelope, headers(("Location" = String), ("ETag" = String))),
        (status = 201, description = "The order is registered", body = OrderEnvelope, headers(("Location" = String), ("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The order is not valid", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersWrite)?;
    let asked: OrderToAdopt = validate(&body.value)?;
    let account = account_for(&state, &caller, &asked.account).await?;
    let (order, complete) = known_document(&asked)?;
    let order_id = Uuid::now_v7();
    let adopted = state
        .store
        .adopt_order(&AdoptedOrder {
            order_id,
            account_id: &asked.account,
            provider: account.profile.id,
            document_type: order.document_type(),
            order_number: &asked.order_number,
            provider_order_number: asked.provider_order_number.as_deref(),
            customer_reference: order.customer_reference.as_deref(),
            document: &as_kept(&order)?,
            document_complete: complete,
        })
        .await?;
    if adopted {
        return Ok(answer(StatusCode::CREATED, &read(&state, &caller, order_id).await?));
    }
    let known = state.store.order_id(&asked.account, order.document_type(), &asked.order_number).await?;
    let known = known.ok_or_else(|| Problem::new(Kind::Unavailable, "The order vanished; repeat the request."))?;
    if let Some(number) = &asked.provider_order_number {
        state.store.add_provider_number(known, number).await?;
    }
    Ok(answer(StatusCode::OK, &read(&state, &caller, known).await?))
}

/// What is known of the document, and whether that is all of it: a document with both ends counts as whole.
fn known_document(asked: &OrderToAdopt) -> Result<(Order, bool), Problem> {
    let given = asked.order.clone().unwrap_or_else(|| json!({}));
    let identity = json!({
        "account": asked.account,
        "orderNumber": asked.order_number,
        "documentType": asked.document_type,
    });
    let contradictions: Vec<FieldError> = identity
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| given.get(name.as_str()).is_some_and(|given| given != *value))
        .map(|(name, _)| {
            FieldError::new(
                format!("/order/{name}"),
                "validation.inconsistent",
                format!("must be absent, or equal /{name}"),
                format!("必须为空或与 /{name} 一致"),
            )
        })
        .collect();
    if !contradictions.is_empty() {
        return Err(Problem::invalid(contradictions));
    }
    let complete = ["shipFrom", "shipTo"].iter().all(|end| given.get(*end).is_some());
    // An order has a shipFrom; what is not known of it is empty.
    let mut document = json!({"shipFrom": {}});
    merge_patch(&mut document, &identity);
    merge_patch(&mut document, &given);
    let below = |problem: Problem| problem.below("/order");
    let order = validate(&document).and_then(coherent).map_err(below)?;
    Ok((order, complete))
}
