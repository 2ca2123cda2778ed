//! 订单订阅返回报文: a transport order came to a state, was given to another driver, or something went wrong with it.

use serde_json::{Value, json};

use super::super::held::members::{Members, delivery_method, integer, text};
use super::{Message, driver, list, names_no_order, vehicle};
use crate::canonical::{DocumentType, EventType, Happening, OrderMention, OrderStatus};
use crate::provider::Refusal;

/// `fired` is the state that was subscribed to and came about; the order's own `state` may be a later one.
pub fn parse(message: &Message, fired: i64) -> Result<Vec<Happening>, Refusal> {
    let (event, status) = match fired {
        0 => (EventType::OrderCancelled, Some(OrderStatus::Cancelled)),
        1 => (EventType::OrderPlaced, Some(OrderStatus::Requested)),
        2 => (EventType::OrderConfirmed, Some(OrderStatus::Confirmed)),
        3 => (EventType::TransportPickedUp, Some(OrderStatus::InTransit)),
        4 => (EventType::TransportDelivered, Some(OrderStatus::Completed)),
        210 => (EventType::OrderReassigned, None),
        8002 => (EventType::TransportException, None),
        other => {
            return Err(Refusal::new(
                "callback.unknown_state",
                format!("subscribeState is {other}, and none of 0, 1, 2, 3, 4, 210, 600, 601, 602, 8002"),
                format!("subscribeState {other} 未在文档中定义"),
            ));
        }
    };
    let document = &message.document;
    let order = OrderMention {
        document_type: Some(DocumentType::TransportOrder),
        order_number: text(document, "wmsNumber"),
        provider_order_number: text(document, "number"),
    };
    if order.order_number.is_none() && order.provider_order_number.is_none() {
        return Err(names_no_order());
    }
    let mut data = Members::default();
    // 客户单号 here; the calls about acceptance orders call the number of the acceptance order so.
    data.put("customerReference", text(document, "customerOrderNumber"));
    data.put("trip", text(document, "packNumber").map(|number| json!({"number": number})));
    data.put("remarks", text(document, "remark"));
    data.put("providerState", integer(document, "state"));
    data.put("driver", driver(document, "phoneNumber"));
    data.put("vehicle", vehicle(document));
    data.put("fleet", text(document, "groupName"));
    data.put("deliveryMethod", delivery_method(document));
    data.put("proofOfDelivery", proof_of_delivery(document));
    data.put("exception", document.get("orderAbnormalInfo").and_then(exception));
    data.put("raw", Some(document.clone()));
    Ok(vec![Happening { status, ..message.happening(event, order, data) }])
}

/// 签收人 and 回单照片
fn proof_of_delivery(document: &Value) -> Option<Value> {
    let mut proof = Members::default();
    proof.put("signer", text(document, "signer"));
    proof.put("receiptUrls", list(document, "receiptUrls"));
    proof.into_value()
}

/// 运单异常信息
fn exception(abnormal: &Value) -> Option<Value> {
    let mut exception = Members::default();
    let stage = match text(abnormal, "type").as_deref() {
        Some("装货异常") => Some("loading"),
        Some("在途异常") => Some("in_transit"),
        Some("签收异常") => Some("delivery"),
        _ => None,
    };
    // 1 - 人工创建, 2 - 司机上报, 3 - 系统自动
    let reported_by = match integer(abnormal, "source") {
        Some(1) => Some("operator"),
        Some(2) => Some("driver"),
        Some(3) => Some("system"),
        _ => None,
    };
    exception.put("stage", stage);
    exception.put("reportedBy", reported_by);
    exception.put("summary", text(abnormal, "profile"));
    exception.put("description", text(abnormal, "info"));
    exception.put("providerOrderId", text(abnormal, "orderId"));
    exception.put("providerOrderNumber", text(abnormal, "orderNumber"));
    exception.put("about", (integer(abnormal, "orderType") == Some(1)).then_some("waybill"));
    exception.put("imageUrls", list(abnormal, "imageUrls"));
    exception.put("position", abnormal.get("address").and_then(position));
    exception.into_value()
}

/// 上报位置信息
fn position(address: &Value) -> Option<Value> {
    let mut position = Members::default();
    position.put("latitude", degrees(address, "lat"));
    position.put("longitude", degrees(address, "lng"));
    position.put("address", text(address, "address"));
    position.put("name", text(address, "name"));
    position.into_value()
}

/// With the digits that it was written with.
pub fn degrees(object: &Value, name: &str) -> Option<Value> {
    object.get(name).filter(|degrees| degrees.is_number()).cloned()
}
