//! One exchange with a provider: encode, wait for the slot, send, decode, settle.

use std::time::Duration;

use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::account::Opened;
use super::ask::AskError;
use super::encoded::{Encoded, Prepared};
use super::lane::LaneHandle;
use super::measure;
use super::moment::{self, Moment};
use super::ready::Ready;
use super::send::{Received, SendError};
use super::transmit::Transmission;
use super::waiting::EndedCreation;
use super::{DEADLINE, Delivery, LONGEST_REST, verdict};
use crate::canonical::{Severity, SubmissionResult};
use crate::metrics::{SLOTS_MISSED, TOKEN_WAIT};
use crate::provider::{Answer, Mask, Outcome, Outward, Verdict, read_answer};
use crate::store::claim::LEASE;
use crate::store::claimed::{ClaimedBatch, ClaimedItem, ClaimedOrder};
use crate::store::lanes::LaneKey;
use crate::store::settle::{Fenced, OrderNow, SettledItem, Settlement};
use crate::store::{StoreError, within};
use crate::telemetry::{TraceParent, exported, trace};
use crate::throttle::MOST_LATENESS;

/// Lease that must be left just before the first byte: the deadline, and room to settle.
const LEASE_TO_SEND: Duration = DEADLINE.saturating_add(Duration::from_secs(5));
/// How long a batch waits whose orders cannot be read.
const UNREADABLE_BATCH: Duration = Duration::from_secs(5);
/// How long a batch waits when its account cannot be used.
const UNUSABLE_ACCOUNT: Duration = Duration::from_secs(60);

/// A batch on its way: what was claimed, and when.
pub struct Going<'a> {
    pub lane: &'a LaneHandle,
    pub batch: ClaimedBatch,
    /// Just before the claim's statement
    pub claimed: Instant,
}

impl Going<'_> {
    pub(super) fn settlement(&self, items: Vec<SettledItem>) -> Settlement {
        Settlement {
            exchange_id: self.batch.exchange_id,
            lane: self.lane.key.clone(),
            account_id: self.batch.account_id.clone(),
            claimed: self.batch.booked,
            record: None,
            error: None,
            items,
            reached: None,
            throttled_for: None,
            pause: None,
        }
    }

    /// A batch for which no request could be made: nothing of it was sent.
    fn without_request(&self, error: AskError) -> Settlement {
        let words = error.to_string();
        let mut settlement = match &error {
            AskError::Throttled(wait) => self.settlement(self.all(|item| verdict::released(item, *wait))),
            // Whoever has the key takes it up.
            AskError::KeyNotGiven(_) => self.settlement(self.all(|item| verdict::released(item, Duration::ZERO))),
            AskError::CredentialsRefused(_)
            | AskError::Unusable(_)
            | AskError::Invalid(_)
            | AskError::Unsupported
            | AskError::Refused(_) => {
                let mut settlement = self.settlement(self.all(|item| verdict::released(item, Duration::ZERO)));
                settlement.pause = Some(words.clone());
                settlement
            }
            AskError::Unreachable(_)
            | AskError::NoAnswer(_)
            | AskError::Unreadable(_)
            | AskError::SessionExpired
            | AskError::Store(_) => {
                self.settlement(self.all(|item| verdict::not_sent(item, &words, verdict::uniform())))
            }
        };
        settlement.reached = error.reached();
        settlement.error = Some(words);
        settlement
    }

    /// Every item with the same fate.
    pub(super) fn all(&self, fate: impl Fn(&ClaimedItem) -> SettledItem) -> Vec<SettledItem> {
        self.batch.items.iter().map(fate).collect()
    }
}

impl Delivery {
    pub(super) async fn run_exchange(
        &self,
        lane: &LaneHandle,
        batch: ClaimedBatch<Option<ClaimedOrder>>,
        claimed: Instant,
    ) {
        let exchange_id = batch.exchange_id;
        match within(self.inner.store.orders_of_batch(batch)).await {
            Ok(batch) => self.go(Going { lane, batch, claimed }, None).await,
            Err(error) => {
                tracing::warn!(%error, exchange = %exchange_id, "cannot read the orders of a batch");
                self.rest(UNREADABLE_BATCH).await;
                self.release(exchange_id).await;
            }
        }
    }

    /// Sends a batch whose orders are known, and settles it; perhaps its request was made ready before.
    pub(super) async fn go(&self, going: Going<'_>, ready: Option<Ready>) {
        moment::reached(Moment::AfterClaim);
        let lane = going.lane;
        // After the lease nothing counts that is done here.
        let told = told(&going);
        let done = tokio::time::timeout(LEASE, self.exchange_and_settle(&going, ready)).instrument(told);
        tokio::select! {
            done = done => {
                let lets_go = done.unwrap_or(true);
                if lane.may_be_full() || lets_go {
                    self.wake_group(&lane.key);
                }
            }
            // What was sent and is not settled stays in doubt until its lease runs out.
            () = self.inner.abort.cancelled() => {}
        }
    }

    /// Whether something else may go now, as far as is known.
    async fn exchange_and_settle(&self, going: &Going<'_>, ready: Option<Ready>) -> bool {
        let Ok(settlement) = self.exchange(going, ready).await else {
            SLOTS_MISSED.increment([&going.batch.account_id, going.lane.endpoint.id]);
            self.release(going.batch.exchange_id).await;
            return true;
        };
        // What is not known is in the ledger, or will be: whoever looks will see.
        let Some(Settled { lets_go, order }) = self.settle(going, &settlement).await else { return true };
        measure::settled(going.lane, &going.batch, going.claimed, &settlement);
        match (order, going.batch.items.as_slice(), settlement.items.as_slice()) {
            (Some(order), [claimed], [item]) => {
                let told = || EndedCreation::of(claimed, item, order);
                self.inner.waiting.settled_creation(item.submission_id, told);
            }
            (_, _, items) => {
                let ended = items.iter().filter(|item| item.state.is_final()).map(|item| item.submission_id);
                self.inner.waiting.settled(ended);
            }
        }
        // Whoever waited goes first.
        tokio::task::yield_now().await;
        measure::tell(&settlement);
        lets_go
    }

    /// Does the exchange; gives what came of it.
    async fn exchange(&self, going: &Going<'_>, ready: Option<Ready>) -> Result<Settlement, MissedSlot> {
        if let Some(Ready { opened, outward, encoded }) = ready {
            return self.send_batch(going, &opened, outward, encoded).await;
        }
        let ClaimedBatch { account_id, account_row, items, .. } = &going.batch;
        let mut opened = match self.open_version(account_id, *account_row).await {
            Ok(opened) => opened,
            Err(AskError::Unusable(reason)) => {
                let mut settlement = going.settlement(going.all(|item| verdict::released(item, UNUSABLE_ACCOUNT)));
                settlement.error = Some(reason.clone());
                settlement.pause = Some(reason);
                return Ok(settlement);
            }
            Err(error) => return Ok(going.without_request(error)),
        };
        let Some(outward) = opened.provider.outward() else {
            let items =
                going.all(|item| verdict::refused(item, vec![cannot_be_encoded("the provider takes no orders")]));
            return Ok(going.settlement(items));
        };
        let prepared = match self.prepare(&going.batch).await {
            Ok(prepared) => prepared,
            Err(error) => return Ok(going.without_request(AskError::Store(error))),
        };
        if going.batch.doubtful
            && let [claimed] = going.batch.items.as_slice()
            && let [Ok(prepared)] = prepared.as_slice()
            && let evidence = opened.evidence(&prepared.item(claimed))
            && evidence.looks_first()
        {
            return Ok(self.seek_evidence(going, &mut opened, claimed, prepared, evidence).await);
        }
        if let Err(error) = self.ensure_session(&mut opened).await {
            return Ok(going.without_request(error));
        }
        let encoded = Encoded::of(going.lane.endpoint, items, prepared, outward, &opened);
        self.send_batch(going, &opened, outward, encoded).await
    }

    /// Reads the documents of a batch.
    async fn prepare(&self, batch: &ClaimedBatch) -> Result<Vec<Result<Prepared, String>>, StoreError> {
        let mut prepared = Vec::with_capacity(batch.items.len());
        for item in &batch.items {
            let trip = match item.trip_id {
                Some(trip_id) => self.inner.store.trip(trip_id).await?,
                None => None,
            };
            prepared.push(Prepared::of(item, trip.as_ref()));
        }
        Ok(prepared)
    }

    /// Sends a batch in its slot.
    async fn send_batch(
        &self,
        going: &Going<'_>,
        opened: &Opened,
        outward: &dyn Outward,
        mut encoded: Encoded,
    ) -> Result<Settlement, MissedSlot> {
        let Some(request) = encoded.request.take() else {
            return Ok(going.settlement(encoded.settle(&going.batch.items, |_, _| Vec::new())));
        };
        wait_for_slot(going).await?;
        moment::reached(Moment::BeforeFirstByte);
        let Transmission { record, answer, mask } = self.transmit(opened, going.lane.endpoint.id, request).await;
        moment::reached(Moment::AfterAnswer);
        let mut settlement = match answer {
            Ok(received) => {
                let answered = answered(going, opened, &encoded, outward, &received, &mask);
                self.session_refusal(opened, answered).await
            }
            Err(error) => {
                let words = error.to_string();
                let sent_nothing = matches!(error, SendError::NotSent(_) | SendError::SetUp(_));
                let items = encoded.settle(&going.batch.items, |items, _| {
                    let fate = if sent_nothing { verdict::not_sent } else { verdict::no_answer };
                    items.iter().map(|item| fate(item, &words, verdict::uniform())).collect()
                });
                let mut settlement = going.settlement(items);
                settlement.reached = Some(matches!(error, SendError::TooLong));
                settlement.error = Some(words);
                settlement
            }
        };
        settlement.record = Some(record);
        Ok(settlement)
    }

    /// Has a session that the provider refused replaced before the next exchange.
    async fn session_refusal(&self, opened: &Opened, answered: Answered) -> Settlement {
        let Answered { mut settlement, session_expired } = answered;
        if session_expired && let Err(error) = self.session_was_refused(opened).await {
            match error {
                AskError::CredentialsRefused(why) => settlement.pause = Some(refused_credentials(&why)),
                error => settlement.error = Some(error.to_string()),
            }
        }
        settlement
    }

    /// Lets a batch go of which nothing was sent. Should that fail, its lease runs out, and evidence is sought
    /// for what never left: needless, but sound.
    async fn release(&self, exchange_id: Uuid) {
        if let Err(error) = self.inner.store.release(exchange_id).await {
            tracing::warn!(%error, exchange = %exchange_id, "cannot let a batch go of which nothing was sent");
        }
    }

    /// Settles, and tries again while the lease lasts: the provider's answer must not be lost to a hiccup of
    /// the database. Nothing where it could not, or cannot know.
    async fn settle(&self, going: &Going<'_>, settlement: &Settlement) -> Option<Settled> {
        let mut pause = Duration::from_millis(100);
        let mut tries = 0_u32;
        loop {
            tries += 1;
            match within(self.inner.store.settle(settlement)).await {
                Ok(Fenced::Settled { lets_go, order }) => {
                    if let Some(reason) = &settlement.pause {
                        tracing::error!(account = settlement.account_id, reason, "account paused");
                    }
                    if tries > 1 {
                        tracing::info!(exchange = %settlement.exchange_id, tries, "settled after all");
                    }
                    moment::reached(Moment::AfterSettle);
                    return Some(Settled { lets_go, order });
                }
                Ok(Fenced::TooLate) => {
                    tracing::warn!(exchange = %settlement.exchange_id, "an answer came after its lease; evidence decides");
                    return None;
                }
                Err(error) if going.claimed.elapsed() + pause < LEASE => {
                    if tries == 1 {
                        tracing::warn!(%error, exchange = %settlement.exchange_id, "cannot settle yet");
                    }
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => {
                    tracing::error!(%error, exchange = %settlement.exchange_id, tries, "could not settle within the lease; evidence decides");
                    return None;
                }
            }
        }
    }
}

/// The span of an exchange, in the trace of what it sends. It goes its own way: who woke the lane has no part in it.
fn told(going: &Going<'_>) -> Span {
    let LaneKey { provider, .. } = &going.lane.key;
    let (batch, endpoint) = (&going.batch, going.lane.endpoint.id);
    let span = tracing::error_span!(
        parent: None,
        "exchange",
        exchange = %batch.exchange_id,
        account = batch.account_id,
        endpoint,
        trace_id = Empty,
        "otel.name" = exported(|| format!("{provider} {endpoint}")),
        "otel.kind" = exported(|| "client"),
        "otel.status_code" = Empty,
        "http.response.status_code" = Empty,
        provider = exported(|| provider.as_str()),
        items = exported(|| batch.items.len()),
    );
    let parents = batch.items.iter().map(|item| trace::kept(item.trace_parent.as_deref()));
    let others = trace::begin_of_several(&span, parents);
    if !others.is_empty() {
        let traces: Vec<String> = others.iter().map(TraceParent::id).collect();
        span.in_scope(|| tracing::info!(traces = traces.join(" "), "an exchange carries what several traces brought"));
    }
    span
}

/// The slot that was booked passed before a byte had left, or too little of the lease was left.
struct MissedSlot;

/// Sleeps until the request may leave. Gives the slot up when it was missed, or when the lease would not outlast the
/// request.
async fn wait_for_slot(going: &Going<'_>) -> Result<(), MissedSlot> {
    let needed = going.batch.booked.elapsed();
    going.lane.learn_head_start(needed);
    TOKEN_WAIT.record_time([&going.lane.key.provider, going.lane.endpoint.id], going.batch.wait);
    let left = going.batch.wait.saturating_sub(needed);
    if !left.is_zero() {
        tokio::time::sleep(left).await;
    }
    let late = going.batch.booked.elapsed() > going.batch.slot + MOST_LATENESS.saturating_sub(going.batch.lag);
    let too_short = going.claimed.elapsed() + LEASE_TO_SEND > LEASE;
    if late || too_short { Err(MissedSlot) } else { Ok(()) }
}

/// What is known when an exchange is settled.
struct Settled {
    /// Something else may go now
    lets_go: bool,
    /// Where its only order stands
    order: Option<OrderNow>,
}

/// What an answer says of a batch.
struct Answered {
    settlement: Settlement,
    session_expired: bool,
}

/// Reads an answer into the fate of each item.
fn answered(
    going: &Going<'_>,
    opened: &Opened,
    encoded: &Encoded,
    outward: &dyn Outward,
    received: &Received,
    mask: &Mask,
) -> Answered {
    let answer = Answer { status: received.status, retry_after: received.retry_after, body: &received.body };
    let mut throttled_for = None;
    let mut pause = None;
    let mut session_expired = false;
    let items = encoded.settle(&going.batch.items, |items, as_sent| {
        // Read as it came, so that nothing in it is taken for another; told without what it repeats of our secrets.
        let mut outcomes = read_answer(outward, going.lane.endpoint, as_sent, &answer);
        for outcome in &mut outcomes {
            mask.results(&mut outcome.results);
        }
        if outcomes.iter().any(|outcome| outcome.verdict == Verdict::BatchTooLarge) {
            going.lane.halve_batches();
        } else {
            going.lane.widen_batches();
        }
        items
            .iter()
            .zip(outcomes)
            .zip(as_sent)
            .map(|((item, outcome), as_sent)| {
                let evidence = opened.evidence(as_sent);
                match outcome.verdict {
                    Verdict::Throttled { retry_after } => {
                        throttled_for = Some(retry_after.unwrap_or(going.lane.endpoint.limit.window.min(LONGEST_REST)));
                    }
                    Verdict::CredentialsRefused => pause = Some(refused_credentials(said_first(&outcome))),
                    Verdict::SessionExpired => session_expired = true,
                    _ => {}
                }
                let alone = items.len() == 1;
                let outcome = match outcome.verdict {
                    // One item cannot be split further.
                    Verdict::BatchTooLarge | Verdict::SendSingly if alone => {
                        Outcome { verdict: Verdict::Rejected, ..outcome }
                    }
                    _ => outcome,
                };
                verdict::settle(item, outcome, evidence, verdict::uniform())
            })
            .collect()
    });
    let mut settlement = going.settlement(items);
    settlement.reached = Some(true);
    settlement.throttled_for = throttled_for;
    settlement.pause = pause;
    Answered { settlement, session_expired }
}

fn said_first(outcome: &Outcome) -> &str {
    outcome.results.first().map(|result| result.message_en.as_str()).unwrap_or_default()
}

fn refused_credentials(said: &str) -> String {
    format!("the provider refused the account's credentials: {said}")
}

fn cannot_be_encoded(why: &str) -> SubmissionResult {
    SubmissionResult::gateway("translation.unsupported_operation", Severity::Error, false, why, "目标系统不支持该操作")
}
