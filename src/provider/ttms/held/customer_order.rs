//! An acceptance order (受理单) of query_customer_orders. Everything that an update could clear is read back.

use serde_json::{Value, json};

use super::super::custom_fields::ORDER_NOTES;
use super::members::{
    Members, charge_side, custom_fields, delivery_method, instant, integer, lines, milestones, stop, text, totals,
    window, yuan,
};
use crate::canonical::{EventType, OrderStatus};
use crate::provider::ProviderOrder;

pub fn customer_order(element: Value) -> Result<ProviderOrder, String> {
    let held = element.get("order").ok_or("an element of the answer has no order")?;
    let number = text(held, "number").ok_or("an order of the answer has no number")?;
    Ok(ProviderOrder {
        order_number: None,
        customer_reference: text(held, "originalOrderNumber"),
        provider_trip_number: None,
        status: status(held),
        created_at: instant(held, "created"),
        milestones: milestones(vec![
            (EventType::OrderPlaced, instant(held, "openTime").or_else(|| instant(held, "publishTime"))),
            (EventType::TransportPickedUp, instant(held, "departureTime")),
            (EventType::TransportDelivered, instant(held, "lastSignTime")),
        ]),
        order: order(held, element.get("cargoes"), &number),
        provider_order_number: number,
        raw: element,
    })
}

/// 0已撤销,1000待处理,2000进行中,3000已完成. While it has not departed, what is under way was only taken on.
fn status(held: &Value) -> Option<OrderStatus> {
    match integer(held, "state")? {
        0 => Some(OrderStatus::Cancelled),
        1000 => Some(OrderStatus::Requested),
        2000 if held.get("departured") == Some(&Value::Bool(false)) => Some(OrderStatus::Confirmed),
        2000 => Some(OrderStatus::InTransit),
        3000 => Some(OrderStatus::Completed),
        _ => None,
    }
}

fn order(held: &Value, cargoes: Option<&Value>, number: &str) -> Value {
    let mut order = Members::default();
    order.put("documentType", Some("customer_order"));
    order.put("customerReference", text(held, "originalOrderNumber"));
    order.put("providerOrderNumber", Some(number));
    order.put("branch", text(held, "createOrganizationPath"));
    let from = stop(held.get("consigner"), text(held, "startAddress"));
    order.put("shipFrom", Some(from.unwrap_or_else(|| json!({}))));
    order.put("shipTo", stop(held.get("consignee"), text(held, "endAddress")));
    order.put("pickup", window(held, "deliveryTime", "startTime"));
    order.put("delivery", window(held, "appointArriveTime", "endTime"));
    order.put("deliveryMethod", delivery_method(held));
    let lines = lines(cargoes, "remarks");
    if lines.is_none() {
        order.put("totals", totals(held.get("cargo")));
    }
    order.put("lines", lines);
    order.put("charges", charge_side(held.get("freightIn")).map(|revenue| json!({"revenue": revenue})));
    order.put("collect", yuan(held, "paymentCollect").map(|goods| json!({"goods": goods})));
    let copies = integer(held, "receiptCount").and_then(|copies| u32::try_from(copies).ok());
    order.put("proofOfDelivery", copies.map(|copies| json!({"copies": copies})));
    order.put("trackingDevices", text(held, "currentBindDevice").map(|device| vec![device]));
    order.put("remarks", text(held, "remarks"));
    order.put("customFields", custom_fields(held, ORDER_NOTES));
    order.into_object()
}
