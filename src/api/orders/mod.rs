//! Orders.

mod accepted;
pub mod adopt;
pub mod amend;
mod answering;
pub mod batch;
mod batch_orders;
pub mod cancel;
mod changing;
pub mod create;
pub mod custom_fields;
pub mod get;
pub mod list;
pub mod submissions;

pub use answering::{Wait, mark_replayed, queue_full};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use uuid::Uuid;

use super::auth::Caller;
use super::etag::IfMatch;
use super::problem::{Kind, Problem};
use super::submissions::view;
use super::views::{OrderView, SubmissionView};
use super::{AppState, visible};
use crate::canonical::Operation;
use crate::store::orders::StoredOrder;

/// How often a request is checked anew because the order changed under it.
const MOST_LOOKS: usize = 5;

/// The order that the caller may see, with its latest submission.
async fn read(state: &AppState, caller: &Caller, id: Uuid) -> Result<OrderView, Problem> {
    let latest = async { Ok(state.store.latest_submission(id).await?) };
    let (order, latest) = tokio::try_join!(visible::order(state, caller, id), latest)?;
    let submission = match latest {
        Some(submission) => Some(view(state, submission).await?),
        None => None,
    };
    OrderView::of(order, submission)
}

/// The order that the caller may see, if it is the one that the caller has seen.
async fn seen(state: &AppState, caller: &Caller, id: Uuid, if_match: &IfMatch) -> Result<StoredOrder, Problem> {
    let stored = visible::order(state, caller, id).await?;
    if_match.require(stored.version)?;
    Ok(stored)
}

/// Stands for the number that the provider will give to an order whose creation is under way; what is queued behind
/// the creation is encoded with the real one when it goes out.
const NUMBER_TO_COME: &str = "(not known yet)";

/// The provider's number of an order, or what stands for it until the creation that is under way has ended.
fn known_number(stored: &StoredOrder) -> Option<&str> {
    let to_come = stored.unfinished.contains(&Operation::Create).then_some(NUMBER_TO_COME);
    stored.provider_order_number.as_deref().or(to_come)
}

/// The order changed at each of the looks.
fn changes_too_fast() -> Problem {
    Problem::new(Kind::StateConflict, "The order changes faster than this request can be checked; repeat it.")
}

/// Orders as lists show them, each with its latest submission.
async fn with_submissions(state: &AppState, orders: Vec<StoredOrder>) -> Result<Vec<OrderView>, Problem> {
    let ids: Vec<Uuid> = orders.iter().map(|order| order.id).collect();
    let mut latest = state.store.latest_submissions(&ids).await?;
    orders
        .into_iter()
        .map(|order| {
            let submission = latest.remove(&order.id).map(|submission| SubmissionView::of(submission, None));
            OrderView::of(order, submission)
        })
        .collect()
}

/// An answer that holds one order.
fn answer(status: StatusCode, order: &OrderView) -> Response {
    let location = format!("/v1/orders/{}", order.envelope.id);
    let headers = [(header::ETAG, order.etag()), (header::LOCATION, location)];
    let mut json = String::new();
    match order.write(&mut json) {
        Ok(()) => (status, headers, in_json(json)).into_response(),
        Err(error) => Problem::new(Kind::Internal, format!("The order cannot be written: {error}.")).into_response(),
    }
}

/// An answer that is JSON already.
fn in_json(json: String) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], json)
}
