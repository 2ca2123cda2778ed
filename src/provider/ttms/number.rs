//! Orders that exist are addressed by the number that 3TMS gave them; cancellation has nothing else.

use super::encoder::OrderEncoder;
use super::request;
use crate::canonical::FieldError;
use crate::provider::json::JsonWriter;
use crate::provider::pointer::at;
use crate::provider::{Batch, Encoding, Item, ItemEncoding, Trace};

const NUMBER: &str = "/providerOrderNumber";

/// The order's number at 3TMS; one that the order itself names counts for an order that was made there.
pub fn known<'i>(item: &Item<'i>) -> Option<&'i str> {
    let written = item.order.provider_order_number.as_deref();
    item.provider_order_number.or(written.filter(|_| item.adopted)).filter(|number| !number.trim().is_empty())
}

impl OrderEncoder<'_, '_, '_> {
    /// The member that says which order is meant.
    pub fn provider_number(&mut self, name: &str, item: &Item<'_>) {
        let Some(number) = known(item) else {
            self.encoding.refusals.push(unknown());
            return;
        };
        self.json.constant(name, number);
        note(self.json, name, item, number);
        // The gateway's own name for what the number at 3TMS names.
        self.implied("/orderNumber");
    }
}

/// Encodes a batch for one of the cancellations: numbers joined by commas.
pub fn cancellation(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    let mut numbers = String::new();
    let mut items = Vec::with_capacity(batch.items.len());
    let json = request::document(trace, |json| {
        for item in batch.items {
            let mut encoding = ItemEncoding::default();
            match known(item) {
                None => encoding.refusals.push(unknown()),
                // It would be read as several numbers.
                Some(number) if number.contains(',') => encoding.refusals.push(FieldError::new(
                    NUMBER,
                    "validation.invalid_format",
                    "must not contain a comma, which separates numbers at 3TMS",
                    "不得包含逗号:3TMS 以逗号分隔多个单号",
                )),
                Some(number) => {
                    if !numbers.is_empty() {
                        numbers.push(',');
                    }
                    numbers.push_str(number);
                    note(json, "numbers", item, number);
                }
            }
            items.push(encoding);
        }
        json.constant("numbers", &numbers);
    });
    let request = (!numbers.is_empty()).then(|| request::authorized(batch.account, batch.endpoint.id, json));
    Encoding { request, items }
}

/// The number comes from the order where the order names it.
fn note(json: &mut JsonWriter<'_>, name: &str, item: &Item<'_>, number: &str) {
    if item.order.provider_order_number.as_deref() == Some(number) {
        json.note(name, at("", "providerOrderNumber"), None);
    }
}

fn unknown() -> FieldError {
    FieldError::new(
        NUMBER,
        "validation.missing",
        "is required: 3TMS knows orders by the numbers that it gives, and this order's is not known",
        "必须提供:3TMS 以其系统单号识别订单,而本订单的系统单号未知",
    )
}
