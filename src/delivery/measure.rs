//! What is told of an exchange when it is settled, and of calls beside the lanes: metrics, one line of the log, and what
//! its span says at its end.

use tokio::time::Instant;
use tracing::Span;

use super::ask::{AskError, Asked};
use super::lane::LaneHandle;
use crate::canonical::SubmissionState;
use crate::metrics::{CALLS, EXCHANGE_ITEMS, EXCHANGES, PROVIDER_THROTTLED, SUBMISSION_DURATION, SUBMISSIONS_SETTLED};
use crate::store::claimed::ClaimedBatch;
use crate::store::settle::Settlement;
use crate::telemetry::exported;

/// How an exchange went, in a word of the metrics.
fn outcome(settlement: &Settlement) -> &'static str {
    let Some(record) = &settlement.record else { return "not_sent" };
    if settlement.throttled_for.is_some() {
        return "throttled";
    }
    if record.response.is_some() {
        return "answered";
    }
    // What may have arrived is in doubt, or is it still.
    let may_have_arrived = settlement.items.iter().any(|item| item.state == SubmissionState::InDoubt && item.counts);
    if may_have_arrived { "no_answer" } else { "unreachable" }
}

/// Counts an exchange that is settled.
pub fn settled(lane: &LaneHandle, batch: &ClaimedBatch, claimed: Instant, settlement: &Settlement) {
    let (account, endpoint, outcome) = (settlement.account_id.as_str(), lane.endpoint.id, outcome(settlement));
    EXCHANGES.increment([account, endpoint, outcome]);
    if outcome == "throttled" {
        PROVIDER_THROTTLED.increment([account, endpoint]);
    }
    let record = settlement.record.as_ref();
    if record.is_some() {
        // A batch has at most some hundreds.
        EXCHANGE_ITEMS
            .record([&lane.key.provider, endpoint], f64::from(u32::try_from(batch.items.len()).unwrap_or(u32::MAX)));
    }
    for item in &settlement.items {
        SUBMISSIONS_SETTLED.increment([account, item.operation.into(), item.state.into()]);
        let claimed_item = batch.items.iter().find(|claimed| claimed.submission_id == item.submission_id);
        if let Some(claimed_item) = claimed_item.filter(|_| item.state.is_final()) {
            SUBMISSION_DURATION.record_time([account], claimed_item.age + claimed.elapsed());
        }
    }
}

/// Tells of it in the log, and in its span.
pub fn tell(settlement: &Settlement) {
    let (outcome, record) = (outcome(settlement), settlement.record.as_ref());
    for item in &settlement.items {
        tracing::debug!(submission = %item.submission_id, state = <&str>::from(item.state), "submission settled");
    }
    let status = record.and_then(|record| record.response.as_ref()).map(|response| response.status);
    let took = record.map(|record| u64::try_from(record.took.as_millis()).unwrap_or(u64::MAX));
    tracing::info!(outcome, status, milliseconds = took, items = settlement.items.len(), "exchange settled");
    let span = Span::current();
    span.record("http.response.status_code", status.and_then(|status| exported(|| status)));
    if !matches!(outcome, "answered" | "throttled") {
        span.record("otel.status_code", exported(|| "ERROR"));
    }
}

/// Tells of a call beside the lanes.
pub fn asked<O>(account: &str, endpoint: &str, asked: &Asked<O>) {
    let outcome = match &asked.answer {
        Ok(_) => "done",
        Err(AskError::Refused(_)) => "refused",
        Err(AskError::Throttled(_)) => "throttled",
        Err(AskError::CredentialsRefused(_)) => "credentials_refused",
        Err(AskError::SessionExpired) => "session_expired",
        Err(AskError::Unreachable(_)) => "unreachable",
        Err(AskError::NoAnswer(_)) => "no_answer",
        Err(AskError::Unreadable(_)) => "unreadable",
        Err(
            AskError::Unsupported
            | AskError::Invalid(_)
            | AskError::Unusable(_)
            | AskError::KeyNotGiven(_)
            | AskError::Store(_),
        ) => "failed",
    };
    CALLS.increment([account, endpoint, outcome]);
    // Else it was our own bucket that had no token.
    if outcome == "throttled" && asked.record.is_some() {
        PROVIDER_THROTTLED.increment([account, endpoint]);
    }
}
