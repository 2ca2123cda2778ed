//! 受理单订阅返回报文: words on where the goods of an acceptance order are (600), and its deliveries (601).

use serde_json::{Value, json};

use super::super::held::members::{Members, instant, integer, text};
use super::{Message, acceptance_status, names_no_order};
use crate::canonical::{DocumentType, EventType, Happening, OrderMention, OrderStatus};
use crate::provider::Refusal;

/// The state of a finished acceptance order (已完成)
const FINISHED: i64 = 3000;

pub fn parse(message: &Message, signed: bool) -> Result<Vec<Happening>, Refusal> {
    let document = &message.document;
    // 受理单号 here, and the customer's number in the calls about transport orders.
    let number = text(document, "customerOrderNumber").ok_or_else(names_no_order)?;
    let order = mention(number);
    let mut data = Members::default();
    data.put("providerState", integer(document, "orderState"));
    data.put("raw", Some(document.clone()));
    let happening = if signed { delivery(message, order, data) } else { tracking_note(message, order, data) };
    Ok(vec![happening])
}

pub fn mention(number: String) -> OrderMention {
    OrderMention {
        document_type: Some(DocumentType::CustomerOrder),
        order_number: None,
        provider_order_number: Some(number),
    }
}

/// 货物追踪
fn tracking_note(message: &Message, order: OrderMention, mut data: Members) -> Happening {
    let document = &message.document;
    data.put("note", text(document, "trackContent"));
    data.put("transferOrderNumber", text(document, "transferOrderNumber"));
    data.put("customerReference", text(document, "originalOrderNumber"));
    let status = acceptance_status(integer(document, "orderState"));
    Happening { status, ..message.happening(EventType::TransportTrackingNote, order, data) }
}

/// 受理单签收: of a part of the way, until the order is finished.
fn delivery(message: &Message, order: OrderMention, mut data: Members) -> Happening {
    let document = &message.document;
    let finished = match document.get("isFinished") {
        Some(Value::Bool(finished)) => *finished,
        _ => integer(document, "orderState") == Some(FINISHED),
    };
    let signed_at = instant(document, "lastSignTime");
    data.put("finished", Some(finished));
    data.put("arrivedAt", instant(document, "arrivedTime").map(|at| json!(at)));
    data.put("signedAt", signed_at.map(|at| json!(at)));
    let event = if finished { EventType::TransportDelivered } else { EventType::TransportLegDelivered };
    Happening {
        status: finished.then_some(OrderStatus::Completed),
        occurred_at: signed_at.or(message.made_at),
        ..message.happening(event, order, data)
    }
}
