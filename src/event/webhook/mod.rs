//! Webhooks: deliveries that are due are claimed, sent and settled. None of the three waits for another endpoint.

mod sender;
mod signature;

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, InvalidHeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::{CloudEvent, Events};
use crate::backoff::{Backoff, uniform};
use crate::canonical::DeliveryState;
use crate::metrics::{WEBHOOK_DELIVERIES, WEBHOOK_DURATION};
use crate::reach::{self, BadTarget};
use crate::setback::Setbacks;
use crate::store::webhook_deliveries::{ClaimedDelivery, DeliveryAttempt, DeliveryOutcome, LEASE, SettledDelivery};
use crate::store::{StoreError, within};
use crate::telemetry::{TraceParent, exported, trace};
use crate::vault::{Place, Sealed, Vault, VaultError};

pub(super) use sender::Sender;
pub use signature::Secret;

/// Deliveries of one replica at once.
const MOST_AT_ONCE: usize = 256;
/// Deliveries to one endpoint at once.
const OF_EACH_ENDPOINT: i64 = 8;
/// Deliveries that are claimed in one statement.
const BATCH: usize = 64;
/// How often it is looked for what is due, on average: retries, and what other replicas left.
const POLL: Duration = Duration::from_millis(500);
/// The waits between tries: up to 10 s, 20 s, 40 s, … and from the twelfth on up to 4 hours, each with full jitter,
/// for 24 hours. That makes about twenty tries.
const RETRIES: Backoff = Backoff { base: Duration::from_secs(10), cap: Duration::from_secs(4 * 60 * 60) };
/// HTTP's word for an address that will never work again.
const GONE: u16 = 410;

/// Seals the secret of an endpoint.
pub fn seal(vault: &Vault, endpoint_id: Uuid, secret: &Secret) -> Result<Sealed, VaultError> {
    vault.seal(&Place::WebhookSecret(endpoint_id), secret.as_bytes())
}

/// Why a delivery was not sent.
#[derive(Debug, thiserror::Error)]
enum Unsendable {
    #[error("its secret cannot be opened, rotate it: {0}")]
    Secret(#[from] VaultError),
    #[error("the event cannot be written: {0}")]
    Event(#[from] serde_json::Error),
    #[error("a header cannot be written: {0}")]
    Header(#[from] InvalidHeaderValue),
}

/// A delivery's span, and its place in the trace of what brought the event about.
struct Told {
    span: Span,
    place: TraceParent,
}

fn told(delivery: &ClaimedDelivery) -> Told {
    let event = &delivery.event;
    let event_type = <&str>::from(event.event_type);
    let span = tracing::error_span!(
        parent: None,
        "webhook",
        endpoint = %delivery.endpoint_id,
        event = %event.id,
        trace_id = Empty,
        "otel.name" = exported(|| format!("webhook {event_type}")),
        "otel.kind" = exported(|| "producer"),
        "otel.status_code" = Empty,
        "http.response.status_code" = Empty,
        attempt = exported(|| delivery.attempt),
    );
    let place = trace::begin(&span, trace::kept(event.trace_parent.as_deref()));
    Told { span, place }
}

/// What became of a try, in a word of the metrics.
fn word(settled: SettledDelivery) -> &'static str {
    match settled {
        SettledDelivery::In(DeliveryState::Delivered) => "delivered",
        SettledDelivery::In(DeliveryState::Pending) => "failed",
        SettledDelivery::In(DeliveryState::Dead) => "dead",
        SettledDelivery::EndpointDisabled => "disabled",
        SettledDelivery::TooLate => "late",
    }
}

impl Events {
    /// Whether an endpoint may have this URL, as far as can be told before something is sent to it.
    pub fn check_target(&self, url: &str) -> Result<(), BadTarget> {
        reach::check(url, &self.inner.networks).map(drop)
    }

    /// Says that deliveries may be due.
    pub fn wake_deliveries(&self) {
        self.inner.deliveries.notify_one();
    }

    /// Delivers what is due until the gateway stops.
    pub(super) async fn deliver(&self) {
        let room = Arc::new(Semaphore::new(MOST_AT_ONCE));
        let mut setbacks = Setbacks::of("look for webhooks that are due");
        let key_ids = self.inner.vault.key_ids();
        while !self.inner.stop.is_cancelled() {
            let claimed = within(self.deliver_due(&room, &key_ids)).await;
            if claimed.is_ok() {
                setbacks.worked();
            }
            let pause = match claimed {
                // Perhaps there is more.
                Ok(claimed) if claimed > 0 => continue,
                Ok(_) => POLL.mul_f64(0.5 + uniform()),
                Err(error) => {
                    // A hint does not cut it short.
                    tokio::select! {
                        () = tokio::time::sleep(setbacks.failed(&error)) => {}
                        () = self.inner.stop.cancelled() => {}
                    }
                    continue;
                }
            };
            tokio::select! {
                () = self.inner.deliveries.notified() => {}
                () = tokio::time::sleep(pause) => {}
                () = self.inner.stop.cancelled() => {}
            }
        }
    }

    /// Claims what is due and there is room for, each for a task of its own; gives how many.
    async fn deliver_due(&self, room: &Arc<Semaphore>, key_ids: &[String]) -> Result<usize, StoreError> {
        let free = room.available_permits().min(BATCH);
        if free == 0 {
            return Ok(0);
        }
        let most = i64::try_from(free).unwrap_or(i64::MAX);
        let claimed = self.inner.store.claim_deliveries(most, OF_EACH_ENDPOINT, key_ids).await?;
        let count = claimed.len();
        let begun = Instant::now();
        for delivery in claimed {
            // Only here are permits taken, so there is one for each.
            let permit = Arc::clone(room).try_acquire_owned();
            let events = self.clone();
            self.inner.tasks.spawn(async move {
                let told = told(&delivery);
                tokio::select! {
                    () = events.try_delivery(delivery, begun, told.place).instrument(told.span) => {}
                    // Its lease runs out, and it is delivered again under the same webhook-id.
                    () = events.inner.abort.cancelled() => {}
                }
                drop(permit);
                events.wake_deliveries();
            });
        }
        Ok(count)
    }

    /// Sends one delivery and records what came of it.
    async fn try_delivery(&self, delivery: ClaimedDelivery, begun: Instant, place: TraceParent) {
        let ClaimedDelivery { endpoint_id, url, secrets, event, attempt, tries, claimed_at } = delivery;
        let (event_id, claimed) = (event.id, Instant::now());
        let sent = match self.message(endpoint_id, &secrets, CloudEvent::from(event), claimed_at.timestamp(), place) {
            Ok((headers, body)) => self.inner.sender.post(&url, headers, body).await,
            Err(error) => Err(error.to_string()),
        };
        WEBHOOK_DURATION.record_time([], claimed.elapsed());
        let (status, said) = match &sent {
            Ok(answered) => (Some(answered.status), format!("the endpoint answered {}", answered.status)),
            Err(error) => (None, error.clone()),
        };
        let outcome = match &sent {
            Ok(answered) if (200..300).contains(&answered.status) => DeliveryOutcome::Delivered,
            Ok(answered) if answered.status == GONE => {
                DeliveryOutcome::Gone { error: &said, reason: "the endpoint answered 410 Gone" }
            }
            Ok(answered) => {
                let wait = RETRIES.after(tries, uniform()).max(answered.retry_after.unwrap_or_default());
                DeliveryOutcome::Failed { error: &said, wait }
            }
            Err(_) => DeliveryOutcome::Failed { error: &said, wait: RETRIES.after(tries, uniform()) },
        };
        let attempt = DeliveryAttempt { endpoint_id, event_id, attempt, claimed_at, status, outcome };
        self.settle(&attempt, &said, begun).await;
    }

    /// The headers and the body of a delivery.
    fn message(
        &self,
        endpoint_id: Uuid,
        secrets: &[Sealed],
        event: CloudEvent,
        timestamp: i64,
        place: TraceParent,
    ) -> Result<(HeaderMap, Vec<u8>), Unsendable> {
        let (id, body) = (event.id.to_string(), serde_json::to_vec(&event)?);
        let mut signatures = Vec::new();
        let (newest, older) = secrets.split_at(secrets.len().min(1));
        for sealed in newest {
            signatures.push(self.open(endpoint_id, sealed)?.sign(&id, timestamp, &body));
        }
        // One that cannot be opened any more was sealed with a master key that is gone; the newest one suffices.
        for secret in older.iter().filter_map(|sealed| self.open(endpoint_id, sealed).ok()) {
            signatures.push(secret.sign(&id, timestamp, &body));
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/cloudevents+json; charset=utf-8"));
        headers.insert(HeaderName::from_static("traceparent"), HeaderValue::try_from(place.to_string())?);
        headers.insert(HeaderName::from_static("webhook-id"), HeaderValue::try_from(id)?);
        headers.insert(HeaderName::from_static("webhook-timestamp"), HeaderValue::from(timestamp));
        headers.insert(HeaderName::from_static("webhook-signature"), HeaderValue::try_from(signatures.join(" "))?);
        Ok((headers, body))
    }

    fn open(&self, endpoint_id: Uuid, sealed: &Sealed) -> Result<Secret, VaultError> {
        self.inner.vault.open(&Place::WebhookSecret(endpoint_id), sealed).map(Secret::from_bytes)
    }

    /// Records what came of a try, and tries again while the lease lasts.
    async fn settle(&self, attempt: &DeliveryAttempt<'_>, said: &str, begun: Instant) {
        let (endpoint, event) = (attempt.endpoint_id, attempt.event_id);
        Span::current().record("http.response.status_code", attempt.status.and_then(|status| exported(|| status)));
        if !matches!(attempt.outcome, DeliveryOutcome::Delivered) {
            Span::current().record("otel.status_code", exported(|| "ERROR"));
        }
        let mut pause = Duration::from_millis(100);
        loop {
            let settled = within(self.inner.store.settle_delivery(attempt)).await;
            if let Ok(settled) = &settled {
                WEBHOOK_DELIVERIES.increment([word(*settled)]);
            }
            match settled {
                Ok(SettledDelivery::In(DeliveryState::Delivered)) => {
                    tracing::debug!(%endpoint, %event, said, "a webhook was delivered");
                }
                Ok(SettledDelivery::In(DeliveryState::Pending)) => {
                    tracing::debug!(%endpoint, %event, said, "a webhook was not delivered; it is tried again");
                }
                Ok(SettledDelivery::In(DeliveryState::Dead)) => {
                    tracing::warn!(%endpoint, %event, said, "a webhook was not delivered and is given up");
                }
                Ok(SettledDelivery::EndpointDisabled) => {
                    tracing::warn!(%endpoint, said, "webhook endpoint disabled");
                }
                Ok(SettledDelivery::TooLate) => {
                    tracing::debug!(%endpoint, %event, "a webhook's answer came after its lease, or its endpoint is gone");
                }
                Err(error) if begun.elapsed() + pause < LEASE => {
                    tracing::debug!(%error, %endpoint, %event, "cannot record yet what came of a webhook");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, %endpoint, %event, "could not record what came of a webhook; it is delivered again");
                }
            }
            return;
        }
    }
}
