//! A transport order (运单) of find_order and query_orders.

use serde_json::{Value, json};

use super::super::custom_fields::ORDER_NOTES;
use super::members::{
    Members, charge_side, custom_fields, delivery_method, instant, integer, lines, milestones, stop, text, totals,
    window, yuan,
};
use crate::canonical::{EventType, OrderStatus};
use crate::provider::ProviderOrder;

pub fn transport_order(held: Value) -> Result<ProviderOrder, String> {
    let number = text(&held, "number").ok_or("an order of the answer has no number")?;
    Ok(ProviderOrder {
        order_number: text(&held, "wmsNumber"),
        customer_reference: text(&held, "customerOrderNumber"),
        provider_trip_number: text(&held, "packNumber"),
        status: status(&held),
        created_at: instant(&held, "created"),
        milestones: milestones(vec![
            (EventType::OrderPlaced, instant(&held, "openTime").or_else(|| instant(&held, "publishTime"))),
            (EventType::OrderConfirmed, instant(&held, "receiveTime")),
            (EventType::TransportPickedUp, instant(&held, "shipmentTime")),
            (EventType::TransportDelivered, instant(&held, "signedTime")),
        ]),
        order: order(&held, &number),
        provider_order_number: number,
        raw: held,
    })
}

/// state 0:已撤销 1000:待处理 2000:已发布; with 2000 waybillState 1已下单,2已接单,3已装货,4已签收. What was deleted (isDelete)
/// stands there no more, whatever its state.
fn status(held: &Value) -> Option<OrderStatus> {
    if integer(held, "isDelete") == Some(1) {
        return Some(OrderStatus::Cancelled);
    }
    match (integer(held, "state")?, integer(held, "waybillState")) {
        (0, _) => Some(OrderStatus::Cancelled),
        (1000, _) => Some(OrderStatus::Draft),
        (2000, Some(1)) => Some(OrderStatus::Requested),
        (2000, Some(2)) => Some(OrderStatus::Confirmed),
        (2000, Some(3)) => Some(OrderStatus::InTransit),
        (2000, Some(4)) => Some(OrderStatus::Completed),
        _ => None,
    }
}

fn order(held: &Value, number: &str) -> Value {
    let mut order = Members::default();
    order.put("orderNumber", text(held, "wmsNumber"));
    order.put("customerReference", text(held, "customerOrderNumber"));
    order.put("providerOrderNumber", Some(number));
    order.put("branch", text(held, "organizationPath"));
    let from = stop(held.get("consigner"), text(held, "startAddress"));
    order.put("shipFrom", Some(from.unwrap_or_else(|| json!({}))));
    let consignees = held.get("consignees").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    order.put("shipTo", stop(consignees.first(), text(held, "endAddress")));
    let further: Vec<Value> = consignees.iter().skip(1).filter_map(|consignee| stop(Some(consignee), None)).collect();
    order.put("additionalShipTo", (!further.is_empty()).then_some(further));
    order.put("pickup", window(held, "deliveryTime", "startTime"));
    order.put("delivery", window(held, "appointArriveTime", "endTime"));
    order.put("deliveryMethod", delivery_method(held));
    let lines = lines(held.get("cargoes"), "productModel");
    if lines.is_none() {
        order.put("totals", totals(held.get("cargo")));
    }
    order.put("lines", lines);
    order.put("charges", charges(held));
    let mut collect = Members::default();
    collect.put("goods", yuan(held, "paymentCollect"));
    collect.put("freight", yuan(held, "freightCollect"));
    order.put("collect", collect.into_value());
    let copies = integer(held, "receiptCount").and_then(|copies| u32::try_from(copies).ok());
    order.put("proofOfDelivery", copies.map(|copies| json!({"copies": copies})));
    order.put("dispatch", dispatch(held));
    order.put("remarks", text(held, "note"));
    order.put("customFields", held.get("extraFields").and_then(|fields| custom_fields(fields, ORDER_NOTES)));
    order.put("extensions", text(held, "wmsLocation").map(|location| json!({"ttms": {"wmsLocation": location}})));
    order.into_object()
}

fn charges(held: &Value) -> Option<Value> {
    let mut charges = Members::default();
    charges.put("revenue", charge_side(held.get("freightIn")));
    charges.put("cost", charge_side(held.get("freightOut")));
    charges.into_value()
}

/// Who drives it.
fn dispatch(held: &Value) -> Option<Value> {
    let assigned = held.get("dispatchDriver")?;
    let (mut dispatch, mut driver) = (Members::default(), Members::default());
    driver.put("name", text(assigned, "username"));
    driver.put("phone", text(assigned, "phoneNumber"));
    dispatch.put("vehicle", text(assigned, "carNumber").map(|plate| json!({"licensePlate": plate})));
    dispatch.put("driver", driver.into_value());
    dispatch.into_value()
}
