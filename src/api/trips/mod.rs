//! Trips: several orders on one vehicle.

pub mod create;
pub mod get;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::auth::Caller;
use super::problem::Problem;
use super::submissions::view;
use super::views::SubmissionView;

/// A trip: which orders are on it, and what came of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Trip)]
#[serde(rename_all = "camelCase")]
pub struct TripView {
    /// Id of the trip
    pub id: Uuid,
    pub account: String,
    /// Its orders, in the order in which they were named
    pub order_ids: Vec<Uuid>,
    /// The provider's number of the trip, once it is known
    #[schema(required)]
    pub provider_trip_number: Option<String>,
    /// The submission that makes it
    pub submission: SubmissionView,
}

/// The trip that the caller may see.
async fn read(state: &AppState, caller: &Caller, id: Uuid) -> Result<TripView, Problem> {
    let trip = state.store.trip(id).await?.filter(|trip| caller.may_use(&trip.account_id));
    let trip = trip.ok_or_else(|| Problem::not_found("trip"))?;
    let submission = state.store.submission(trip.submission_id).await?;
    let submission = submission.ok_or_else(|| Problem::not_found("trip"))?;
    Ok(TripView {
        id,
        account: trip.account_id,
        order_ids: trip.orders.iter().map(|order| order.order_id).collect(),
        provider_trip_number: trip.provider_trip_number,
        submission: view(state, submission).await?,
    })
}

fn answer(status: StatusCode, trip: &TripView) -> Response {
    (status, [(header::LOCATION, format!("/v1/trips/{}", trip.id))], Json(trip)).into_response()
}
