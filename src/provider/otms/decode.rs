//! What oTMS's answers say of each order.

use super::answer::{outcomes, refused, results, unknown};
use super::custom_fields::Slot;
use super::profile::{ID, ORDER_CUSTOM_UPDATE, ORDER_IMPORT};
use super::settings::order_extension;
use super::wire::{OrderResponse, UpdateResponse};
use crate::canonical::{EventType, Operation, OrderStatus};
use crate::provider::{Answer, Item, Outcome, Verdict};

/// The only code that says that the order exists; 1009 to 1011 mean ambiguous master data.
const DUPLICATE: &str = "1022";

/// The company has no custom fields: the update was taken, and nothing was written.
const NOTHING_WRITTEN: &str = "7045";

pub fn order_import(items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
    outcomes(items, answer, "global", imported)
}

pub fn order_custom_update(items: &[Item<'_>], answer: &Answer<'_>) -> Vec<Outcome> {
    outcomes(items, answer, "orderCustomUpdate.global", updated)
}

/// What is wrong with an order depends on its importStatus: a code beside a created order is a warning.
fn imported(item: &Item<'_>, order: &OrderResponse) -> Outcome {
    let (verdict, status, created_as) = match order.import_status.as_deref() {
        Some("DRAFT") => (Verdict::PartiallyAccepted, Some(OrderStatus::Draft), Some(EventType::OrderDrafted)),
        Some("INBOX") => (Verdict::Accepted, Some(OrderStatus::Requested), Some(EventType::OrderPlaced)),
        Some("RELEASED") => (Verdict::Accepted, Some(OrderStatus::Requested), Some(EventType::OrderReleased)),
        Some("DISPATCHED") => (Verdict::Accepted, Some(OrderStatus::Confirmed), Some(EventType::OrderAssigned)),
        Some("NOT IMPORTED") => (not_imported(item, order), None, None),
        Some(other) => return unknown(&format!("importStatus {other} is not documented")),
        None => return unknown("the answer has no importStatus"),
    };
    let taken = status.is_some();
    let event = if item.operation == Operation::Amend { Some(EventType::OrderAmended) } else { created_as };
    let words: Vec<&str> =
        order.error_messages.iter().chain(&order.response_code_parameters).map(String::as_str).collect();
    let raw_message = (!words.is_empty()).then(|| words.join("; "));
    Outcome {
        verdict,
        // The number beside a refusal may be that of another order, which has the same erpNumber.
        provider_order_number: order.order_number.clone().filter(|_| taken),
        status,
        event: event.filter(|_| taken),
        results: results(ORDER_IMPORT, &order.response_codes, raw_message.as_deref(), taken),
        trip: None,
    }
}

fn not_imported(item: &Item<'_>, order: &OrderResponse) -> Verdict {
    // That the order exists is no news of an amendment, and no success.
    if item.operation == Operation::Create && order.response_codes.iter().any(|code| code == DUPLICATE) {
        return Verdict::AlreadyExists;
    }
    refused(ORDER_IMPORT, &order.response_codes)
}

/// The document names `UPDATED` only. A refusal is taken to be written as in orderImport, where an order is
/// `NOT IMPORTED`, or as in orderRecall, which knows `FAILED` and an underscore.
fn updated(item: &Item<'_>, order: &UpdateResponse) -> Outcome {
    let taken = match order.update_status.as_deref() {
        Some("UPDATED") => true,
        Some("NOT UPDATED" | "NOT_UPDATED" | "FAILED") => false,
        Some(other) => return unknown(&format!("updateStatus {other} is not documented")),
        None => return unknown("the answer has no updateStatus"),
    };
    let codes = &order.response_codes;
    let raw_message = order.error_column_name.as_ref().map(|name| format!("errorColumnName={name}"));
    let mut results = results(ORDER_CUSTOM_UPDATE, codes, raw_message.as_deref(), taken);
    let columns = columns(item, order.error_column_name.as_deref().unwrap_or_default());
    if !columns.is_empty() {
        // A code that is about the order, or about all its custom fields, is about the ones that oTMS names.
        for result in &mut results {
            if result.pointers.iter().all(|pointer| pointer == "/customFields") {
                result.pointers.clone_from(&columns);
            }
        }
    }
    if !taken {
        return Outcome::only(refused(ORDER_CUSTOM_UPDATE, codes), results);
    }
    // Each of the documented codes means that something was not written.
    let whole = codes.is_empty() && order.error_column_name.is_none();
    let nothing = codes.iter().any(|code| code == NOTHING_WRITTEN);
    Outcome {
        verdict: if whole { Verdict::Accepted } else { Verdict::PartiallyAccepted },
        provider_order_number: order.order_number.clone(),
        status: None,
        event: (!nothing).then_some(EventType::OrderAmended),
        results,
        trip: None,
    }
}

/// The custom fields that `errorColumnName` names, as pointers into the item's document.
fn columns(item: &Item<'_>, error_column_name: &str) -> Vec<String> {
    let own = order_extension(item.order).custom_fields.is_some();
    let fields_at = if own { format!("/extensions/{ID}/customFields") } else { "/customFields".to_owned() };
    let mut columns = Vec::new();
    for slot in error_column_name.split([',', ';', ' ']).filter_map(Slot::of_element) {
        let column = format!("{fields_at}/{}", slot.name());
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}
