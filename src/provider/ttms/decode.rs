//! What 3TMS's answers say of each order.

use serde_json::Value;

use super::answer::{Answered, Failure, not_understood, read};
use super::codes;
use super::profile::{CANCEL_CUSTOMER_ORDERS, CANCEL_ORDERS, CREATE_CUSTOMER_ORDER, CREATE_ORDER, CREATE_ORDER_PACK};
use crate::canonical::{EventType, OrderStatus, RetryPolicy, Severity};
use crate::provider::{Answer, Item, Outcome, TripNumbers, Verdict};

/// What a refused cancellation says of an order that is cancelled already.
const CANCELLED_ALREADY: &str = "已撤销";

pub fn outcomes(endpoint: &str, items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
    let all = |outcome: Outcome| vec![outcome; items.len()];
    match read(answer) {
        Answered::Taken(data) => match endpoint {
            CREATE_ORDER | CREATE_CUSTOMER_ORDER => created(items, &data),
            CREATE_ORDER_PACK => items.iter().map(|item| trip_created(item, &data)).collect(),
            CANCEL_ORDERS | CANCEL_CUSTOMER_ORDERS => all(cancelled()),
            _ => all(amended(&data)),
        },
        Answered::Failed(failure) => all(failed(endpoint, items.len(), &failure, answer)),
        Answered::Throttled(retry_after) => all(Outcome::only(Verdict::Throttled { retry_after }, Vec::new())),
        Answered::SessionExpired => all(Outcome::only(Verdict::SessionExpired, Vec::new())),
        // The address is wrong, not the order: as with wrong credentials, a person must see to the account.
        Answered::UnknownInterface => all(Outcome::only(Verdict::CredentialsRefused, vec![codes::unknown_interface()])),
        Answered::Unreadable(why) => all(unknown(&why)),
    }
}

/// One number for each order, in the order of the request.
fn created(items: &[Item<'_>], data: &Value) -> Vec<Outcome> {
    match numbers(data, items.len()) {
        Ok(numbers) => numbers.into_iter().map(|number| placed(Some(number))).collect(),
        Err(why) => vec![unknown(&why); items.len()],
    }
}

fn trip_created(item: &Item<'_>, data: &Value) -> Outcome {
    let orders = item.trip.map_or(0, |trip| trip.orders.len());
    let trip = data.get("packNumber").and_then(as_number);
    match (numbers(data.get("numbers").unwrap_or(&Value::Null), orders), trip) {
        (Ok(orders), Some(trip)) => Outcome { trip: Some(TripNumbers { trip, orders }), ..placed(None) },
        (Err(why), _) => unknown(&why),
        (Ok(_), None) => unknown("the answer has no packNumber"),
    }
}

/// The numbers of as many orders as were sent; none missing, none twice.
fn numbers(data: &Value, count: usize) -> Result<Vec<String>, String> {
    let listed = data.as_array().ok_or("the answer has no list of numbers")?;
    let numbers: Vec<String> = listed.iter().filter_map(as_number).collect();
    let distinct = numbers.iter().collect::<std::collections::HashSet<_>>().len();
    if listed.len() == count && numbers.len() == count && distinct == count {
        return Ok(numbers);
    }
    Err(format!("the answer has {distinct} numbers for {count} orders"))
}

fn as_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn placed(provider_order_number: Option<String>) -> Outcome {
    Outcome {
        provider_order_number,
        status: Some(OrderStatus::Requested),
        event: Some(EventType::OrderPlaced),
        ..Outcome::only(Verdict::Accepted, Vec::new())
    }
}

fn cancelled() -> Outcome {
    Outcome {
        status: Some(OrderStatus::Cancelled),
        event: Some(EventType::OrderCancelled),
        ..Outcome::only(Verdict::Accepted, Vec::new())
    }
}

/// modify_order answers `true`, update_customer_order `null`.
fn amended(data: &Value) -> Outcome {
    if *data == Value::Bool(false) {
        return unknown("the answer has code 200 and the data false");
    }
    Outcome { event: Some(EventType::OrderAmended), ..Outcome::only(Verdict::Accepted, Vec::new()) }
}

/// What a refusal means for an order. That of a request with several orders names none of them: each goes by
/// itself.
fn failed(endpoint: &str, count: usize, failure: &Failure, answer: &Answer<'_>) -> Outcome {
    let (mut result, retry) = failure.classified();
    let cancels = matches!(endpoint, CANCEL_ORDERS | CANCEL_CUSTOMER_ORDERS);
    let creates = matches!(endpoint, CREATE_ORDER | CREATE_CUSTOMER_ORDER | CREATE_ORDER_PACK);
    let verdict = match (result.code.as_str(), retry) {
        ("limit.rate_limited", _) => {
            let retry_after = answer.retry_after;
            return Outcome::only(Verdict::Throttled { retry_after }, Vec::new());
        }
        ("auth.invalid_credentials", _) => Verdict::CredentialsRefused,
        _ if count > 1 => Verdict::SendSingly,
        _ if cancels && failure.message.contains(CANCELLED_ALREADY) => {
            result.severity = Severity::Info;
            return Outcome { results: vec![result], ..cancelled() };
        }
        ("state.duplicate", _) if creates => Verdict::AlreadyExists,
        (_, RetryPolicy::Bounded) => Verdict::RetryFewTimes,
        (_, RetryPolicy::Yes) => Verdict::RetrySoon,
        (_, RetryPolicy::Delayed) => Verdict::RetryLater,
        (_, RetryPolicy::No | RetryPolicy::Split | RetryPolicy::AfterRefresh) => Verdict::Rejected,
    };
    Outcome::only(verdict, vec![result])
}

fn unknown(why: &str) -> Outcome {
    Outcome::only(Verdict::Unknown, vec![not_understood(why)])
}
