//! Orders.

pub mod adopt;
pub mod amend;
mod answering;
pub mod batch;
pub mod cancel;
mod changing;
pub mod create;
pub mod custom_fields;
pub mod get;
pub mod list;
pub mod submissions;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::problem::Problem;
use super::submissions::view;
use super::views::OrderView;

/// The order that the caller may see, with its latest submission.
async fn read(state: &AppState, caller: &Caller, id: Uuid) -> Result<OrderView, Problem> {
    let order = state.store.order(id).await?.filter(|order| caller.may_use(&order.account_id));
    let order = order.ok_or_else(|| Problem::not_found("order"))?;
    let latest = state.store.latest_submissions(&[id]).await?.remove(&id);
    let submission = match latest {
        Some(submission) => Some(view(state, submission).await?),
        None => None,
    };
    OrderView::of(order, submission)
}

/// An answer that holds one order.
fn answer(status: StatusCode, order: &OrderView) -> Response {
    let location = format!("/v1/orders/{}", order.envelope.id);
    let headers = [(header::ETAG, order.etag()), (header::LOCATION, location)];
    (status, headers, Json(order)).into_response()
}
