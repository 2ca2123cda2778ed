//! What an application may send as a change to an order: a merge patch, read as `PATCH /v1/orders/{id}` does.

use serde_json::Value;

use super::adapters::SENDING;
use super::orders::check_translation;
use crate::api::orders::create;
use crate::api::patch;
use crate::canonical::{Operation, merge_patch};
use crate::provider::Item;

/// A change is taken or refused. What was taken makes the order that was checked, whenever it is applied, and every
/// provider carries it or says why not.
pub fn amendments(bytes: &[u8]) {
    let Ok(wanted) = serde_json::from_slice::<Value>(bytes) else { return };
    for sending in SENDING.iter() {
        let standing = create::read(&sending.whole_order).expect("the whole order is one");
        let document = serde_json::to_value(&standing).expect("an order is JSON");
        for operation in [Operation::Amend, Operation::UpdateCustomFields] {
            if patch::check(operation, &wanted, &document).is_err() {
                continue;
            }
            let Ok((order, kept)) = patch::apply(&document, &wanted) else { continue };
            // Delivery puts the document together anew from what is kept.
            let mut together = document.clone();
            merge_patch(&mut together, &kept);
            let delivered = serde_json::from_value(together).expect("what was checked can be delivered");
            assert_eq!(order, delivered, "what was checked is what is delivered");
            if sending.profile.operation(operation, order.document_type()).is_some() {
                let item = Item {
                    operation,
                    change: Some(&kept),
                    standing: Some(&standing),
                    provider_order_number: Some("PN-1"),
                    ..Item::create(&order)
                };
                check_translation(sending, item);
            }
        }
    }
}
