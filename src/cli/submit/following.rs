//! Waiting until each order that was accepted has ended, by the feed of events.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::report::{Report, is_final};
use crate::cli::exit::Failure;
use crate::cli::remote::{Call, FeedQuery, Gateway};

/// Between two looks at a feed in which nothing is new.
const PAUSE: Duration = Duration::from_millis(500);
/// What tells of an end.
const ENDS: &str =
    "submission.accepted,submission.partially_accepted,submission.rejected,submission.dead,submission.cancelled";

/// When it is given up.
#[derive(Clone, Copy)]
pub struct Limits {
    pub until: Option<Instant>,
    /// How long the gateway may not be reached
    pub patience: Duration,
}

/// Follows the feed from a cursor that is older than the orders, until none of them is pending, somebody wants it to
/// end, or the time is over.
pub async fn follow(
    gateway: &Gateway,
    mut cursor: String,
    report: &mut Report,
    limits: Limits,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let Limits { until, patience } = limits;
    let mut heard = Instant::now();
    report.begin_waiting();
    let accounts: HashSet<Option<String>> = report.pending.values().map(|told| told.account.clone()).collect();
    let only = if accounts.len() == 1 { accounts.into_iter().next().flatten() } else { None };
    let query = FeedQuery { account: only, types: Some(ENDS.to_owned()) };
    while !report.pending.is_empty() && !stop.is_cancelled() {
        match query.page(gateway, &cursor).await {
            Ok((events, next)) => {
                heard = Instant::now();
                for event in &events {
                    ended(gateway, event, report).await?;
                }
                if std::mem::replace(&mut cursor, next.clone()) != next {
                    continue;
                }
            }
            Err(Failure::Unreachable(_)) if heard.elapsed() < patience => {}
            Err(failure) => return Err(failure.into()),
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            return Ok(());
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            () = stop.cancelled() => {}
        }
    }
    Ok(())
}

/// Reports the order that an event is about, if it is one of those that are waited for, and its creation has ended.
async fn ended(gateway: &Gateway, event: &Value, report: &mut Report) -> anyhow::Result<()> {
    let state = event["data"]["state"].as_str().unwrap_or_default();
    if event["data"]["operation"] != "create" || !is_final(state) {
        return Ok(());
    }
    let Some(mut told) = event["subject"].as_str().and_then(|id| report.pending.remove(id)) else { return Ok(()) };
    state.clone_into(&mut told.state);
    told.provider_order_number = event["data"]["providerOrderNumber"].as_str().map(str::to_owned);
    // What the provider said stands in the submission alone; without it the state is told all the same.
    if let Some(id) = told.submission_id.as_ref().filter(|_| state != "accepted")
        && let Ok(answer) = gateway.ask(&Call::get(&format!("/v1/submissions/{id}"))).await
    {
        told.results = answer.body["results"].clone();
    }
    report.has_ended(&told)
}
