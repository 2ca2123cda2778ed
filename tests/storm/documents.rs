//! The orders as callers write them.

use serde_json::{Value, json};

use super::harness::order;
use super::plan::{Kind, PlannedOrder};

/// The account that an order goes to.
pub fn account(kind: Kind) -> &'static str {
    match kind {
        Kind::Import => "otms-demo",
        Kind::Transport | Kind::Acceptance | Kind::Trip => "ttms-demo",
        Kind::Edited => "ile-demo",
        Kind::Inbound => "hongxun-demo",
    }
}

pub fn provider(kind: Kind) -> &'static str {
    match kind {
        Kind::Import => "otms",
        Kind::Transport | Kind::Acceptance | Kind::Trip => "ttms",
        Kind::Edited => "ile",
        Kind::Inbound => "hongxun",
    }
}

pub fn document_type(kind: Kind) -> &'static str {
    if kind == Kind::Acceptance { "customer_order" } else { "transport_order" }
}

/// The order that is created.
pub fn document(planned: &PlannedOrder) -> Value {
    let mut document = order(&planned.number);
    document["account"] = json!(account(planned.kind));
    match planned.kind {
        Kind::Acceptance => document["documentType"] = json!("customer_order"),
        // The trip names the account.
        Kind::Trip => {
            document.as_object_mut().unwrap().remove("account");
        }
        Kind::Import | Kind::Transport | Kind::Edited | Kind::Inbound => {}
    }
    document
}

/// What is registered of an order that its provider has already; `place` is its place in the plan.
pub fn adoption(planned: &PlannedOrder, place: usize) -> Value {
    let account = account(planned.kind);
    if planned.kind == Kind::Inbound {
        return json!({"account": account, "orderNumber": planned.number});
    }
    let mut document: Value = serde_json::from_str(include_str!("../fixtures/ile/edit-order-order.json")).unwrap();
    for identity in ["account", "orderNumber", "providerOrderNumber"] {
        document.as_object_mut().unwrap().remove(identity);
    }
    document["customerReference"] = json!(planned.number);
    let number = edited_number(place);
    json!({"account": account, "orderNumber": planned.number, "providerOrderNumber": number, "order": document})
}

/// The number that ILE gave an order: four digits, a letter, seven digits.
pub fn edited_number(place: usize) -> String {
    format!("4711S{place:07}")
}

/// The change that puts a text of its own into the order.
pub fn amendment(kind: Kind, marker: &str) -> Value {
    // ILE has no place for remarks, and a consignee's name for every text.
    if kind == Kind::Edited { json!({"shipTo": {"contact": {"name": marker}}}) } else { json!({"remarks": marker}) }
}

pub fn custom_fields(marker: &str) -> Value {
    json!({"customFields": {"text1": marker}})
}
