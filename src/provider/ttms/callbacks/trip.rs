//! 车次订阅返回报文: a trip was assigned, changed or cancelled; one happening for each order on it.

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::super::held::members::{Members, integer, text};
use super::super::moment::{CHINA, TEXT_FORMAT};
use super::{Message, driver, list, texts, vehicle};
use crate::canonical::{DocumentType, EventType, Happening, OrderMention, OrderStatus};
use crate::provider::Refusal;

const CANCELLED: i64 = 19_000;
const ASSIGNED: i64 = 40_000;
const UPDATED: i64 = 40_001;

/// Which of a trip's states a call is about, if it is about a trip: 19000:删除/撤销车次,40000:指派车次,40001:更新车次
pub fn state(document: &Value) -> Option<i64> {
    let states = [integer(document, "state"), integer(document, "subscribeState")];
    states.into_iter().flatten().find(|state| matches!(*state, CANCELLED | ASSIGNED | UPDATED))
}

pub fn parse(message: &Message) -> Result<Vec<Happening>, Refusal> {
    let document = &message.document;
    let (event, status) = match state(document) {
        Some(CANCELLED) => (EventType::TripCancelled, None),
        Some(ASSIGNED) => (EventType::TripAssigned, Some(OrderStatus::Confirmed)),
        _ => (EventType::TripUpdated, None),
    };
    if text(document, "packNumber").is_none() {
        return Err(Refusal::unparsable("it names no trip: packNumber is missing", "报文缺少车次号 packNumber"));
    }
    let orders = orders(document);
    if orders.is_empty() {
        // A trip without orders is told of all the same.
        return Ok(vec![message.happening(event, OrderMention::default(), data(document, None))]);
    }
    let happening = |order: TripOrder| {
        let data = data(document, order.customer_reference);
        Happening { status, ..message.happening(event, order.mention, data) }
    };
    Ok(orders.into_iter().map(happening).collect())
}

struct TripOrder {
    mention: OrderMention,
    customer_reference: Option<String>,
}

/// The orders of a trip. Its three lists of numbers belong together where they are of one length; else only 3TMS's own
/// numbers count, or ours where there are none of those.
fn orders(document: &Value) -> Vec<TripOrder> {
    let provider_numbers = texts(document, "orderNumbers");
    let numbers = texts(document, "wmsNumbers");
    let references = texts(document, "customerOrderNumbers");
    let count = if provider_numbers.is_empty() { numbers.len() } else { provider_numbers.len() };
    let of = |list: &[String], place: usize| list.get(place).filter(|_| list.len() == count).cloned();
    (0..count)
        .map(|place| TripOrder {
            mention: OrderMention {
                document_type: Some(DocumentType::TransportOrder),
                order_number: of(&numbers, place),
                provider_order_number: of(&provider_numbers, place),
            },
            customer_reference: of(&references, place),
        })
        .collect()
}

fn data(document: &Value, customer_reference: Option<String>) -> Members {
    let mut trip = Members::default();
    trip.put("number", text(document, "packNumber"));
    trip.put("orderNumbers", list(document, "wmsNumbers"));
    trip.put("providerOrderNumbers", list(document, "orderNumbers"));
    trip.put("customerReferences", list(document, "customerOrderNumbers"));
    trip.put("createdAt", text(document, "createTime").and_then(|at| china_time(&at)));
    let mut data = Members::default();
    data.put("customerReference", customer_reference);
    data.put("trip", trip.into_value());
    data.put("remarks", text(document, "remark"));
    data.put("providerState", integer(document, "state"));
    data.put("driver", driver(document, "driverPhone"));
    data.put("vehicle", vehicle(document));
    data.put("fleet", text(document, "groupName"));
    data.put("raw", Some(document.clone()));
    data
}

/// The only time of the interface that is a text.
fn china_time(text: &str) -> Option<Value> {
    let local = NaiveDateTime::parse_from_str(text, TEXT_FORMAT).ok()?;
    local.and_local_timezone(CHINA).single().map(|at| json!(at))
}
