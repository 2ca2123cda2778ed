//! The numbers of the overview, for the scripts that keep it live.

use axum::Json;
use serde::Serialize;

use super::failure::Failure;
use super::overview::{self, Live};
use super::visitor::{Visitor, render};

/// What the overview is made anew from.
#[derive(Serialize)]
pub struct Numbers {
    /// Columns of the charts: seconds since 1970, accepted, settled, milliseconds
    minutes: Columns,
    /// Parts of the page, ready to be put in
    tiles: String,
    state: String,
    table: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Columns {
    at: Vec<i64>,
    received: Vec<i64>,
    settled: Vec<i64>,
    settled_median: Vec<Option<f64>>,
    settled_most: Vec<Option<f64>>,
    answered_most: Vec<Option<f64>>,
}

/// `GET /console/overview/numbers`
pub async fn numbers(visitor: Visitor) -> Result<Json<Numbers>, Failure> {
    let Live { minutes, tiles, state, table } = overview::live(&visitor).await?;
    let minutes = Columns {
        at: minutes.iter().map(|minute| minute.at.timestamp()).collect(),
        received: minutes.iter().map(|minute| minute.received).collect(),
        settled: minutes.iter().map(crate::store::overview::Minute::settled).collect(),
        settled_median: minutes.iter().map(|minute| minute.settled_median).collect(),
        settled_most: minutes.iter().map(|minute| minute.settled_most).collect(),
        answered_most: minutes.iter().map(|minute| minute.answered_most).collect(),
    };
    Ok(Json(Numbers { minutes, tiles: render(&tiles)?.0, state: render(&state)?.0, table: render(&table)?.0 }))
}
