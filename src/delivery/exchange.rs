//! One exchange with a provider: encode, wait for the slot, send, decode, settle.

use std::time::Duration;

use tokio::time::Instant;

use super::lane::LaneHandle;
use super::moment::{self, Moment};
use super::send::{Received, SendError};
use super::{Delivery, account, verdict};
use crate::canonical::{FieldError, Order, Severity, SubmissionResult, merge_patch};
use crate::provider::{self, Account, Answer, Batch, Encoding, Item, Outcome, Outward, Request, Trace, Verdict};
use crate::store::claim::{ClaimedBatch, ClaimedItem, LEASE};
use crate::store::exchanges::PackedBody;
use crate::store::settle::{ExchangeRecord, Fenced, ResponseRecord, SettledItem, Settlement};
use crate::throttle::MOST_LATENESS;

/// The longest that one request may take.
const DEADLINE: Duration = Duration::from_secs(30);
/// Lease that must be left just before the first byte: the deadline, and room to settle.
const LEASE_TO_SEND: Duration = Duration::from_secs(35);
/// How long a batch waits when its account cannot be used.
const UNUSABLE_ACCOUNT: Duration = Duration::from_secs(60);

/// A batch on its way: what was claimed, and when.
struct Going<'a> {
    lane: &'a LaneHandle,
    batch: ClaimedBatch,
    /// Just before the claim's statement
    claimed: Instant,
}

impl Going<'_> {
    fn settlement(&self, items: Vec<SettledItem>) -> Settlement {
        Settlement {
            exchange_id: self.batch.exchange_id,
            lane: self.lane.key.clone(),
            account_id: self.batch.account_id.clone(),
            record: None,
            error: None,
            items,
            reached: None,
            throttled_for: None,
            pause: None,
        }
    }

    /// Every item with the same fate.
    fn all(&self, fate: impl Fn(&ClaimedItem) -> SettledItem) -> Vec<SettledItem> {
        self.batch.items.iter().map(fate).collect()
    }
}

impl Delivery {
    pub(super) async fn run_exchange(&self, lane: &LaneHandle, batch: ClaimedBatch, claimed: Instant) {
        let going = Going { lane, batch, claimed };
        moment::reached(Moment::AfterClaim);
        tokio::select! {
            () = self.exchange_and_settle(&going) => self.wake_group(&lane.key),
            // What was sent and is not settled stays in doubt until its lease runs out.
            () = self.inner.abort.cancelled() => {}
        }
    }

    async fn exchange_and_settle(&self, going: &Going<'_>) {
        let settlement = match self.exchange(going).await {
            Ok(settlement) => settlement,
            Err(MissedSlot) => return self.release(going).await,
        };
        self.settle(going, &settlement).await;
        let ended = settlement.items.iter().filter(|item| item.state.is_final()).map(|item| item.submission_id);
        self.inner.waiting.settled(ended);
    }

    /// Does the exchange; gives what came of it.
    async fn exchange(&self, going: &Going<'_>) -> Result<Settlement, MissedSlot> {
        let (provider, account) = match self.open(&going.batch.account_id).await {
            Ok(opened) => opened,
            Err(reason) => {
                let mut settlement = going.settlement(going.all(|item| verdict::released(item, UNUSABLE_ACCOUNT)));
                settlement.error = Some(reason.clone());
                settlement.pause = Some(reason);
                return Ok(settlement);
            }
        };
        let Some(outward) = provider.outward() else {
            let items =
                going.all(|item| verdict::refused(item, vec![cannot_be_encoded("the provider takes no orders")]));
            return Ok(going.settlement(items));
        };
        let encoded = Encoded::of(going, outward, &account);
        let Some(request) = &encoded.request else {
            return Ok(going.settlement(encoded.settle(|_, _| Vec::new())));
        };
        wait_for_slot(going).await?;
        moment::reached(Moment::BeforeFirstByte);
        let deadline = DEADLINE.min(Duration::from_secs(account.common.request_timeout_seconds.into()));
        let sent = Instant::now();
        let answer = self.inner.sender.send(request, deadline).await;
        moment::reached(Moment::AfterAnswer);
        let mut record = ExchangeRecord {
            method: request.method,
            url: request.url.clone(),
            request_headers: request.masked_headers(),
            request_body: PackedBody::pack(&request.masked_body()),
            sent_after: sent - going.claimed,
            took: sent.elapsed(),
            response: None,
        };
        Ok(match answer {
            Ok(received) => {
                record.response = Some(response_record(&received, provider.profile().secret_credentials, &account));
                let mut settlement = answered(going, &encoded, outward, &received);
                settlement.record = Some(record);
                settlement
            }
            Err(error) => {
                let words = error.to_string();
                let sent_nothing = matches!(error, SendError::NotSent(_) | SendError::SetUp(_));
                let items = encoded.settle(|items, _| {
                    let fate = if sent_nothing { verdict::not_sent } else { verdict::no_answer };
                    items.iter().map(|item| fate(item, &words, verdict::uniform())).collect()
                });
                let mut settlement = going.settlement(items);
                settlement.record = Some(record);
                settlement.reached = Some(matches!(error, SendError::TooLong));
                settlement.error = Some(words);
                settlement
            }
        })
    }

    async fn open(&self, account_id: &str) -> Result<(&'static dyn provider::Provider, Account), String> {
        let stored = self.inner.store.account(account_id).await.map_err(|error| error.to_string())?;
        let stored = stored.ok_or_else(|| "the account is gone".to_owned())?;
        account::open_account(&stored, &self.inner.vault).map_err(|error| error.to_string())
    }

    /// Lets a batch go of which nothing was sent. Should that fail, its lease runs out, and evidence is sought
    /// for what never left: needless, but sound.
    async fn release(&self, going: &Going<'_>) {
        if let Err(error) = self.inner.store.release(going.batch.exchange_id).await {
            tracing::warn!(%error, exchange = %going.batch.exchange_id, "cannot let a batch go that missed its slot");
        }
    }

    /// Settles, and tries again while the lease lasts: the provider's answer must not be lost to a hiccup of
    /// the database.
    async fn settle(&self, going: &Going<'_>, settlement: &Settlement) {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.inner.store.settle(settlement).await {
                Ok(Fenced::Settled) => return moment::reached(Moment::AfterSettle),
                Ok(Fenced::TooLate) => {
                    tracing::warn!(exchange = %settlement.exchange_id, "an answer came after its lease; evidence decides");
                    return;
                }
                Err(error) if going.claimed.elapsed() + pause < LEASE => {
                    tracing::warn!(%error, exchange = %settlement.exchange_id, "cannot settle yet");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => {
                    tracing::error!(%error, exchange = %settlement.exchange_id, "could not settle within the lease; evidence decides");
                    return;
                }
            }
        }
    }
}

/// The slot that was booked passed before a byte had left, or too little of the lease was left.
struct MissedSlot;

/// Sleeps until the booked slot. Gives it up when it was missed, or when the lease would not outlast the
/// request.
async fn wait_for_slot(going: &Going<'_>) -> Result<(), MissedSlot> {
    let needed = going.batch.received.elapsed();
    going.lane.learn_head_start(needed);
    tokio::time::sleep(going.batch.wait.saturating_sub(needed)).await;
    let late = going.batch.received.elapsed() > going.batch.wait + MOST_LATENESS.saturating_sub(going.batch.lag);
    let too_short = going.claimed.elapsed() + LEASE_TO_SEND > LEASE;
    if late || too_short { Err(MissedSlot) } else { Ok(()) }
}

/// A batch in the provider's words.
struct Encoded<'a> {
    items: &'a [ClaimedItem],
    /// The documents, where they can be read
    orders: Vec<Result<Order, String>>,
    refusals: Vec<Vec<FieldError>>,
    request: Option<Request>,
}

impl<'a> Encoded<'a> {
    fn of(going: &'a Going<'_>, outward: &dyn Outward, account: &Account) -> Self {
        let items = &going.batch.items;
        let orders: Vec<Result<Order, String>> = items.iter().map(document).collect();
        let readable: Vec<Item<'_>> =
            items.iter().zip(&orders).filter_map(|(item, order)| as_item(item, order)).collect();
        let batch = Batch { endpoint: going.lane.endpoint, account, items: &readable };
        let Encoding { request, items: encodings } = outward.encode(&batch, &mut Trace::off());
        let mut encodings = encodings.into_iter();
        let refusals = orders
            .iter()
            .map(|order| match order {
                Ok(_) => encodings.next().map(|encoding| encoding.refusals).unwrap_or_default(),
                Err(why) => vec![FieldError::new("", "translation.unreadable_document", why, "订单文档无法读取")],
            })
            .collect();
        Encoded { items, orders, refusals, request }
    }

    /// The items that are in the request, in its order.
    fn sent(&self) -> impl Iterator<Item = (&'a ClaimedItem, &Result<Order, String>)> {
        self.items
            .iter()
            .zip(&self.orders)
            .zip(&self.refusals)
            .filter(|(_, refusals)| refusals.is_empty())
            .map(|(item, _)| item)
    }

    /// The fate of every item: refusals by the gateway, the others by `fate_of_sent`.
    fn settle(
        &self,
        fate_of_sent: impl FnOnce(&[&'a ClaimedItem], &[Item<'_>]) -> Vec<SettledItem>,
    ) -> Vec<SettledItem> {
        let sent: Vec<&ClaimedItem> = self.sent().map(|(item, _)| item).collect();
        let as_sent: Vec<Item<'_>> = self.sent().filter_map(|(item, order)| as_item(item, order)).collect();
        let mut fates = fate_of_sent(&sent, &as_sent);
        let refused = self.items.iter().zip(&self.refusals).filter(|(_, refusals)| !refusals.is_empty());
        fates.extend(
            refused.map(|(item, refusals)| verdict::refused(item, refusals.iter().map(refusal_result).collect())),
        );
        fates
    }
}

/// The document as it shall stand at the provider: the order with the submission's own change.
fn document(item: &ClaimedItem) -> Result<Order, String> {
    let mut document = item.document.clone();
    if let Some(change) = &item.change {
        merge_patch(&mut document, change);
    }
    serde_json::from_value(document).map_err(|error| error.to_string())
}

fn as_item<'a>(item: &'a ClaimedItem, order: &'a Result<Order, String>) -> Option<Item<'a>> {
    let order = order.as_ref().ok()?;
    Some(Item {
        operation: item.operation,
        change: item.change.as_ref(),
        provider_order_number: item.provider_order_number.as_deref(),
        adopted: item.adopted,
        ..Item::create(order)
    })
}

/// Reads an answer into the fate of each item.
fn answered(going: &Going<'_>, encoded: &Encoded<'_>, outward: &dyn Outward, received: &Received) -> Settlement {
    let answer = Answer { status: received.status, retry_after: received.retry_after, body: &received.body };
    let mut throttled_for = None;
    let mut pause = None;
    let items = encoded.settle(|items, as_sent| {
        let outcomes = outward.decode(going.lane.endpoint, as_sent, &answer);
        if outcomes.iter().any(|outcome| outcome.verdict == Verdict::BatchTooLarge) {
            going.lane.halve_batches();
        } else {
            going.lane.widen_batches();
        }
        items
            .iter()
            .zip(outcomes)
            .map(|(item, outcome)| {
                match outcome.verdict {
                    Verdict::Throttled { retry_after } => {
                        throttled_for = Some(retry_after.unwrap_or(going.lane.endpoint.limit.window));
                    }
                    Verdict::CredentialsRefused => pause = Some(refused_credentials(&outcome)),
                    _ => {}
                }
                let alone = items.len() == 1;
                let outcome = match outcome.verdict {
                    // One item cannot be split further.
                    Verdict::BatchTooLarge if alone => Outcome { verdict: Verdict::Rejected, ..outcome },
                    _ => outcome,
                };
                verdict::settle(item, outcome, verdict::uniform())
            })
            .collect()
    });
    let mut settlement = going.settlement(items);
    settlement.reached = Some(true);
    settlement.throttled_for = throttled_for;
    settlement.pause = pause;
    settlement
}

fn refused_credentials(outcome: &Outcome) -> String {
    let said = outcome.results.first().map(|result| result.message_en.as_str()).unwrap_or_default();
    format!("the provider refused the account's credentials: {said}")
}

fn response_record(received: &Received, secret_credentials: &[&str], account: &Account) -> ResponseRecord {
    let headers = received
        .headers
        .iter()
        .map(|(name, value)| {
            let masked = name.eq_ignore_ascii_case("set-cookie");
            (name.clone(), if masked { "***".to_owned() } else { value.clone() })
        })
        .collect();
    let body = account.credentials.mask(secret_credentials, &received.body);
    ResponseRecord { status: received.status, headers, body: PackedBody::pack(&body) }
}

fn refusal_result(refusal: &FieldError) -> SubmissionResult {
    SubmissionResult::gateway(&refusal.code, Severity::Error, false, &refusal.detail, &refusal.detail_zh)
        .at(refusal.pointer.clone())
}

fn cannot_be_encoded(why: &str) -> SubmissionResult {
    SubmissionResult::gateway("translation.unsupported_operation", Severity::Error, false, why, "目标系统不支持该操作")
}
