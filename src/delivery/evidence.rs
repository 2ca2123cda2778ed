//! What decides a submission that may stand at its provider: the provider is asked before anything is sent
//! again.

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

use super::account::Opened;
use super::ask::{AskError, Asked};
use super::encoded::Prepared;
use super::exchange::Going;
use super::{Delivery, verdict};
use crate::canonical::{EventType, OrderStatus, Severity, SubmissionResult};
use crate::provider::{Call, Evidence, Item, OrderReference, Outcome, ProviderOrder, TripNumbers, Verdict, usable};
use crate::store::claimed::ClaimedItem;
use crate::store::settle::{SettledItem, Settlement};

/// Questions in a row at which the provider must not have it until it is sent again.
const MISSES_TO_RESEND: i32 = 2;
/// What `misses` is after an answer from which nothing can be told: it is asked once more, since what arrived late or was
/// left out shows itself meanwhile.
const WAS_UNCLEAR: i32 = -1;
/// The time between two questions.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(30);
/// How far the provider's clock may be behind ours.
const CLOCK_TOLERANCE: TimeDelta = TimeDelta::seconds(60);

/// What the provider's orders say of a submission.
#[derive(Debug, PartialEq)]
enum Judgement {
    /// It was done.
    Done(Outcome),
    /// It was not done.
    NotDone,
    /// Only a person can say.
    Unclear(&'static str, &'static str),
}

impl Delivery {
    /// Asks the provider about the one submission of a doubtful batch.
    pub(super) async fn seek_evidence(
        &self,
        going: &Going<'_>,
        opened: &mut Opened,
        claimed: &ClaimedItem,
        prepared: &Prepared,
        evidence: Evidence,
    ) -> Settlement {
        let item = prepared.item(claimed);
        let document_type = item.order.document_type();
        let Some(call) = opened.provider.outward().and_then(|outward| outward.calls().lookup(document_type)) else {
            return going.settlement(vec![verdict::left_to_a_person(claimed, unanswerable())]);
        };
        let Asked { record, answer } = self.find(opened, call, &item).await;
        let mut settlement = going.settlement(Vec::new());
        settlement.record = record;
        let found = match answer {
            Ok(found) => found,
            Err(error) => {
                settlement.error = Some(error.to_string());
                going.unanswered(&mut settlement, error);
                return settlement;
            }
        };
        settlement.reached = Some(true);
        let since = match self.inner.store.first_attempt_at(claimed.submission_id).await {
            Ok(since) => since,
            Err(error) => {
                settlement.error = Some(error.to_string());
                settlement.items = vec![verdict::released(claimed, BETWEEN_QUESTIONS)];
                return settlement;
            }
        };
        let mut settled = match judge(evidence, &item, &found, since) {
            Judgement::Done(outcome) => verdict::settle(claimed, outcome, evidence, verdict::uniform()),
            Judgement::NotDone => not_done(claimed),
            Judgement::Unclear(..) if claimed.misses != WAS_UNCLEAR => asked_once_more(claimed),
            Judgement::Unclear(detail, detail_zh) => verdict::left_to_a_person(claimed, unclear(detail, detail_zh)),
        };
        // Whoever has to decide reads which question was put, and what it found.
        let words = question_and_answer(call.endpoint, &found);
        for result in settled.results.iter_mut().filter(|result| result.code.starts_with("evidence.")) {
            result.raw_message.get_or_insert_with(|| words.clone());
        }
        settlement.items = vec![settled];
        settlement
    }

    /// What the provider holds of an order, or of each order of a trip. The record is that of the last question.
    async fn find(
        &self,
        opened: &mut Opened,
        call: &Call<OrderReference, Vec<ProviderOrder>>,
        item: &Item<'_>,
    ) -> Asked<Vec<Vec<ProviderOrder>>> {
        let alone = std::slice::from_ref(item.order);
        let orders = item.trip.map_or(alone, |trip| trip.orders);
        let mut found = Vec::with_capacity(orders.len());
        let mut record = None;
        for order in orders {
            let number = item.provider_order_number.filter(|_| item.trip.is_none());
            let reference = OrderReference::of(order, number, item.adopted);
            let asked = self.ask_in_session(opened, call, &reference).await;
            record = asked.record.or(record);
            match asked.answer.and_then(|orders| usable(orders).map_err(AskError::Unreadable)) {
                Ok(orders) => found.push(each_once(orders)),
                Err(error) => return Asked { record, answer: Err(error) },
            }
        }
        Asked { record, answer: Ok(found) }
    }
}

/// A provider may name an order twice; it is one order.
fn each_once(mut orders: Vec<ProviderOrder>) -> Vec<ProviderOrder> {
    let mut seen = HashSet::new();
    orders.retain(|order| seen.insert(order.provider_order_number.clone()));
    orders
}

/// What the provider's orders say. `found` has a list for each order that was asked for.
fn judge(
    evidence: Evidence,
    item: &Item<'_>,
    found: &[Vec<ProviderOrder>],
    first_attempt: Option<DateTime<Utc>>,
) -> Judgement {
    match evidence {
        Evidence::FindCancelled => match found.iter().flatten().next() {
            Some(order) if order.status == Some(OrderStatus::Cancelled) => Judgement::Done(Outcome {
                status: Some(OrderStatus::Cancelled),
                event: Some(EventType::OrderCancelled),
                ..Outcome::only(Verdict::Accepted, vec![confirmed()])
            }),
            Some(_) => Judgement::NotDone,
            None => Judgement::Unclear(
                "The provider does not know the order that was to be cancelled",
                "目标系统查不到待撤销的订单",
            ),
        },
        Evidence::FindSingleOrder => match found.first().map(Vec::as_slice) {
            None | Some([]) => Judgement::NotDone,
            Some([order]) if is_ours(order, first_attempt) => Judgement::Done(made(order)),
            Some([_]) => Judgement::Unclear(
                "The provider has an order of this number that is older than the attempt",
                "目标系统存在同号订单,但早于本次发送",
            ),
            Some(_) => Judgement::Unclear("The provider has several orders of this number", "目标系统存在多张同号订单"),
        },
        Evidence::FindOrder if item.trip.is_some() => judge_trip(found),
        Evidence::FindOrder | Evidence::Resend => match found.iter().flatten().next() {
            None => Judgement::NotDone,
            Some(order) if is_older(order, first_attempt) => Judgement::Done(stands_in_the_way(order)),
            Some(order) => Judgement::Done(made(order)),
        },
    }
}

/// A trip was made when all its orders are there, on one vehicle.
fn judge_trip(found: &[Vec<ProviderOrder>]) -> Judgement {
    let firsts: Vec<Option<&ProviderOrder>> = found.iter().map(|orders| orders.first()).collect();
    if firsts.iter().all(Option::is_none) {
        return Judgement::NotDone;
    }
    let there: Vec<&ProviderOrder> = firsts.into_iter().flatten().collect();
    let trip = there.first().and_then(|order| order.provider_trip_number.clone());
    match trip {
        Some(trip)
            if there.len() == found.len()
                && there.iter().all(|order| order.provider_trip_number.as_ref() == Some(&trip)) =>
        {
            let orders = there.iter().map(|order| order.provider_order_number.clone()).collect();
            let first = there.first().map_or_else(|| Outcome::only(Verdict::Unknown, Vec::new()), |order| made(order));
            Judgement::Done(Outcome { trip: Some(TripNumbers { trip, orders }), ..first })
        }
        _ => Judgement::Unclear(
            "The provider has some of the trip's orders, or has them on several vehicles",
            "目标系统仅有部分订单,或订单不在同一车次",
        ),
    }
}

/// Which question was put, and the orders that it found, in words.
fn question_and_answer(endpoint: &str, found: &[Vec<ProviderOrder>]) -> String {
    let mut orders = found.iter().flatten().map(described).collect::<Vec<_>>();
    if orders.is_empty() {
        orders.push("no order".to_owned());
    }
    format!("{endpoint}: {}", orders.join("; "))
}

fn described(order: &ProviderOrder) -> String {
    let known = [
        order.order_number.as_ref().map(|number| format!("our number {number}")),
        order.status.map(|status| status.to_string()),
        order.provider_trip_number.as_ref().map(|trip| format!("trip {trip}")),
        order.created_at.map(|at| format!("created {}", at.to_rfc3339())),
    ];
    let known: Vec<String> = known.into_iter().flatten().collect();
    if known.is_empty() {
        return order.provider_order_number.clone();
    }
    format!("{} ({})", order.provider_order_number, known.join(", "))
}

fn is_ours(order: &ProviderOrder, first_attempt: Option<DateTime<Utc>>) -> bool {
    match (order.created_at, first_attempt) {
        (Some(created), Some(attempt)) => created >= attempt - CLOCK_TOLERANCE,
        _ => false,
    }
}

/// Made before our first attempt, and so by somebody else.
fn is_older(order: &ProviderOrder, first_attempt: Option<DateTime<Utc>>) -> bool {
    order.created_at.is_some() && first_attempt.is_some() && !is_ours(order, first_attempt)
}

/// The end of a creation whose number somebody else had used before.
fn stands_in_the_way(order: &ProviderOrder) -> Outcome {
    let result = SubmissionResult::gateway(
        "state.duplicate",
        Severity::Error,
        false,
        "The provider has an order of this number that is older than the attempt",
        "目标系统已存在更早的同号订单",
    );
    let words = format!("{} at the provider", order.provider_order_number);
    Outcome::only(Verdict::Rejected, vec![result.with_raw_message(words).at("/orderNumber")])
}

/// The creation that the provider's order is the evidence of.
fn made(order: &ProviderOrder) -> Outcome {
    Outcome {
        provider_order_number: Some(order.provider_order_number.clone()),
        status: order.status.or(Some(OrderStatus::Requested)),
        event: Some(EventType::OrderPlaced),
        ..Outcome::only(Verdict::Accepted, vec![confirmed()])
    }
}

/// Asked again after a while, and then sent again.
fn not_done(claimed: &ClaimedItem) -> SettledItem {
    let misses = claimed.misses.max(0) + 1;
    let cleared = misses >= MISSES_TO_RESEND;
    SettledItem {
        due_in: Some(if cleared { Duration::ZERO } else { BETWEEN_QUESTIONS }),
        counts: false,
        misses,
        cleared,
        results: vec![verdict::no_answer_result(), absent(misses)],
        ..verdict::unchanged(claimed)
    }
}

/// Asked again after a while: a person decides when it is still unclear then.
fn asked_once_more(claimed: &ClaimedItem) -> SettledItem {
    let result = SubmissionResult::gateway(
        "evidence.unclear",
        Severity::Warning,
        true,
        "What the provider holds is not clear; it is asked once more",
        "目标系统的查询结果不明确,将再查询一次",
    );
    SettledItem {
        due_in: Some(BETWEEN_QUESTIONS),
        counts: false,
        misses: WAS_UNCLEAR,
        results: vec![verdict::no_answer_result(), result],
        ..verdict::unchanged(claimed)
    }
}

fn confirmed() -> SubmissionResult {
    SubmissionResult::gateway(
        "evidence.confirmed",
        Severity::Info,
        false,
        "The provider was asked after an attempt without an answer, and confirms it",
        "此前发送未收到响应,经查询目标系统已确认成功",
    )
}

fn absent(misses: i32) -> SubmissionResult {
    SubmissionResult::gateway(
        "evidence.not_found",
        Severity::Info,
        true,
        &format!("The provider was asked, and it was not done there ({misses} of {MISSES_TO_RESEND})"),
        &format!("经查询目标系统尚未生效({misses}/{MISSES_TO_RESEND})"),
    )
}

fn unclear(detail: &str, detail_zh: &str) -> SubmissionResult {
    SubmissionResult::gateway("evidence.ambiguous", Severity::Error, false, detail, detail_zh)
}

fn unanswerable() -> SubmissionResult {
    unclear("The provider cannot be asked about this kind of document", "无法向目标系统查询该类单据")
}

impl Going<'_> {
    /// What becomes of a batch whose question brought nothing.
    pub(super) fn unanswered(&self, settlement: &mut Settlement, error: AskError) {
        let words = error.to_string();
        let random = verdict::uniform();
        let fate = |item: &ClaimedItem| match &error {
            AskError::Throttled(wait) => verdict::released(item, *wait),
            AskError::Unreachable(_) | AskError::Store(_) => verdict::not_sent(item, &words, random),
            AskError::SessionExpired => verdict::released(item, Duration::from_secs(1)),
            AskError::CredentialsRefused(_) | AskError::Unusable(_) | AskError::KeyNotGiven(_) => {
                verdict::released(item, Duration::ZERO)
            }
            AskError::NoAnswer(_) | AskError::Unreadable(_) => verdict::still_doubtful(item, &words, random),
            // That it would not say now is no evidence, and no end.
            AskError::Refused(said) => verdict::question_refused(item, said, random),
            AskError::Unsupported | AskError::Invalid(_) => {
                verdict::left_to_a_person(item, unanswerable().with_raw_message(words.clone()))
            }
        };
        settlement.items = self.all(fate);
        settlement.reached = error.reached();
        if matches!(error, AskError::CredentialsRefused(_) | AskError::Unusable(_)) {
            settlement.pause = Some(words);
        }
    }
}
