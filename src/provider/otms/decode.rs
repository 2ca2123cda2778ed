//! What oTMS's answer says of each order.

use crate::canonical::{EventType, Operation, OrderStatus, RetryPolicy, Severity, SubmissionResult};
use crate::provider::{Answer, Item, Outcome, Verdict};

use super::codes;
use super::wire::{OrderImportResponse, OrderResponse, read_order_import_response};

const SCOPE: &str = "orderImport";
const GLOBAL_SCOPE: &str = "global";

/// The only code that says that the order exists; 1009 to 1011 mean ambiguous master data.
const DUPLICATE: &str = "1022";

/// One outcome for each of the items, which went out as sequence 1…n.
pub fn order_import(items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
    let count = items.len();
    match answer.status {
        200 => match read_order_import_response(answer.body) {
            Ok(response) => read(items, &response),
            Err(error) => unknown_for_all(count, &error.to_string()),
        },
        // Not documented by oTMS; what HTTP says of them is clear enough.
        401 | 403 => all(count, &credentials_refused(&format!("HTTP {}", answer.status))),
        429 => all(count, &Outcome::only(Verdict::Throttled { retry_after: answer.retry_after }, Vec::new())),
        status => unknown_for_all(count, &format!("the answer has HTTP status {status}, where only 200 is documented")),
    }
}

fn read(items: &[Item<'_>], response: &OrderImportResponse) -> Vec<Outcome> {
    let count = items.len();
    match response.response_code.as_deref() {
        None => by_sequence(items, &response.orders),
        Some("0") => all(count, &credentials_refused("responseCode 0")),
        Some(code) => {
            let (result, retry) = codes::result(GLOBAL_SCOPE, code);
            let verdict = match retry {
                RetryPolicy::Split => Verdict::BatchTooLarge,
                // The request was refused as a whole; nothing was imported.
                _ if result.code != "provider.unclassified" => Verdict::Rejected,
                _ => Verdict::Unknown,
            };
            all(count, &Outcome::only(verdict, vec![result]))
        }
    }
}

/// Orders are matched by the sequence that oTMS echoes. An order without an answer, or with two, is
/// unknown; an answer for an order that was not sent is left aside.
fn by_sequence(items: &[Item<'_>], orders: &[OrderResponse]) -> Vec<Outcome> {
    (1..)
        .zip(items)
        .map(|(sequence, item)| {
            let mut answers = orders.iter().filter(|order| order.sequence == Some(sequence));
            match (answers.next(), answers.next()) {
                (Some(order), None) => outcome(item, order),
                (None, _) => unknown(&format!("the answer says nothing about sequence {sequence}")),
                (Some(_), Some(_)) => unknown(&format!("the answer has sequence {sequence} more than once")),
            }
        })
        .collect()
}

/// What is wrong with an order depends on its importStatus: a code beside a created order is a warning.
fn outcome(item: &Item<'_>, order: &OrderResponse) -> Outcome {
    let (verdict, status, created_as) = match order.import_status.as_deref() {
        Some("DRAFT") => (Verdict::PartiallyAccepted, Some(OrderStatus::Draft), Some(EventType::OrderDrafted)),
        Some("INBOX") => (Verdict::Accepted, Some(OrderStatus::Requested), Some(EventType::OrderPlaced)),
        Some("RELEASED") => (Verdict::Accepted, Some(OrderStatus::Requested), Some(EventType::OrderReleased)),
        Some("DISPATCHED") => (Verdict::Accepted, Some(OrderStatus::Confirmed), Some(EventType::OrderAssigned)),
        Some("NOT IMPORTED") => (not_imported(item, order), None, None),
        Some(other) => return unknown(&format!("importStatus {other} is not documented")),
        None => return unknown("the answer has no importStatus"),
    };
    let imported = status.is_some();
    let event = if item.operation == Operation::Amend { Some(EventType::OrderAmended) } else { created_as };
    Outcome {
        verdict,
        // The number beside a refusal may be that of another order, which has the same erpNumber.
        provider_order_number: order.order_number.clone().filter(|_| imported),
        status,
        event: event.filter(|_| imported),
        results: results(order, imported),
    }
}

fn not_imported(item: &Item<'_>, order: &OrderResponse) -> Verdict {
    // That the order exists is no news of an amendment, and no success.
    if item.operation == Operation::Create && order.response_codes.iter().any(|code| code == DUPLICATE) {
        return Verdict::AlreadyExists;
    }
    let policies: Vec<RetryPolicy> = order.response_codes.iter().map(|code| codes::result(SCOPE, code).1).collect();
    // One code that cannot succeed decides, whatever stands beside it.
    let hopeless =
        order.response_codes.iter().zip(&policies).any(|(code, policy)| {
            *policy == RetryPolicy::No && codes::result(SCOPE, code).0.severity == Severity::Error
        });
    if hopeless {
        return Verdict::Rejected;
    }
    let has = |wanted: RetryPolicy| policies.contains(&wanted);
    if has(RetryPolicy::Bounded) {
        Verdict::RetryFewTimes
    } else if has(RetryPolicy::Delayed) {
        Verdict::RetryLater
    } else if has(RetryPolicy::Yes) {
        Verdict::RetrySoon
    } else {
        Verdict::Rejected
    }
}

fn results(order: &OrderResponse, imported: bool) -> Vec<SubmissionResult> {
    let words: Vec<&str> =
        order.error_messages.iter().chain(&order.response_code_parameters).map(String::as_str).collect();
    let raw_message = (!words.is_empty()).then(|| words.join("; "));
    let mut results: Vec<SubmissionResult> = order
        .response_codes
        .iter()
        .map(|code| {
            let mut result = codes::result(SCOPE, code).0;
            if imported && result.severity == Severity::Error {
                result.severity = Severity::Warning;
            }
            result.raw_message.clone_from(&raw_message);
            result
        })
        .collect();
    // Words without a code are kept all the same.
    if results.is_empty() && (raw_message.is_some() || !imported) {
        let mut result = SubmissionResult::unclassified(super::profile::ID, SCOPE, "");
        result.raw_message = raw_message;
        if imported {
            result.severity = Severity::Warning;
        }
        results.push(result);
    }
    results
}

fn credentials_refused(raw_message: &str) -> Outcome {
    let (result, _) = codes::result(GLOBAL_SCOPE, "0");
    Outcome::only(Verdict::CredentialsRefused, vec![result.with_raw_message(raw_message)])
}

fn unknown(why: &str) -> Outcome {
    let result = SubmissionResult::gateway(
        "transport.unreadable_response",
        Severity::Error,
        false,
        "Answer not understood; outcome unknown",
        "响应无法解析,结果未知",
    );
    Outcome::only(Verdict::Unknown, vec![result.with_raw_message(why)])
}

fn unknown_for_all(count: usize, why: &str) -> Vec<Outcome> {
    all(count, &unknown(why))
}

fn all(count: usize, outcome: &Outcome) -> Vec<Outcome> {
    vec![outcome.clone(); count]
}
