//! What an application may post as an order: read as `POST /v1/orders` does, then put into the words of every provider.

use serde_json::{Value, json};

use super::adapters::{SENDING, Sending};
use super::soundness::{is_storable, is_whole};
use crate::api::orders::create::{read, read_as_written};
use crate::canonical::{Operation, Order, merge_patch};
use crate::provider::{Batch, Item, Request, Trace, Translation, Trip, Written, translate, translate_with};
use crate::tree::Tree;

/// An order is taken or refused, and never brings the gateway down. What was taken is taken again as it was kept, and
/// every provider either carries it, always by the same bytes, or says why not.
///
/// The bytes are an order, or a merge patch of a whole one, which goes deeper.
pub fn orders(bytes: &[u8]) {
    let Ok(document) = serde_json::from_slice::<Value>(bytes) else {
        return assert!(Tree::read(bytes).is_none(), "what is no JSON is not read");
    };
    check(&document);
    if document.is_object() {
        for sending in SENDING.iter() {
            let mut patched = sending.whole_order.clone();
            merge_patch(&mut patched, &document);
            check(&patched);
        }
    }
}

fn check(document: &Value) {
    let text = document.to_string();
    let tree = Tree::read(text.as_bytes());
    let as_written = tree.as_ref().and_then(read_as_written);
    let order = match read(document) {
        Ok(order) => order,
        Err(problem) => {
            assert!(as_written.is_none(), "what is refused is not taken as it was written");
            return assert!(!format!("{problem:?}").is_empty());
        }
    };
    assert!(as_written.is_none_or(|as_written| as_written == order), "what is taken as it was written is the same");
    let kept = json!(order);
    let again = read(&kept).expect("what was taken is taken again");
    assert_eq!(json!(again), kept, "what was taken is kept as it was");
    for sending in SENDING.iter() {
        check_as_written(sending, &order, Written::Value(document));
        if let Some(tree) = &tree {
            check_as_written(sending, &order, Written::Tree(tree));
        }
        for operation in sending.profile.operations {
            if operation.document_type == order.document_type() {
                carry(sending, operation.operation, &order);
            }
        }
    }
}

/// Whoever looks through the document as it was written finds what is in the order, and nothing else.
fn check_as_written(sending: &Sending, order: &Order, document: Written<'_>) {
    let Sending { profile, outward, account, whole_order: _ } = sending;
    // Members may come in any order.
    let told = |written, trace| {
        let translation = translate_with(profile, *outward, account, Item::create(order), trace, written);
        let refusals = translation.refusals.into_iter().map(|refusal| format!("{refusal:?}"));
        let mut told: Vec<String> =
            refusals.chain(translation.notices.iter().map(|notice| format!("{notice:?}"))).collect();
        told.extend(translation.dropped);
        told.sort_unstable();
        told
    };
    let (of_document, of_order) = (told(Some(document), Trace::of_members()), told(None, Trace::on()));
    let differs = of_document.iter().zip(&of_order).find(|(one, other)| one != other);
    assert!(of_document.len() == of_order.len() && differs.is_none(), "{differs:?}");
}

fn carry(sending: &Sending, operation: Operation, order: &Order) {
    let change = json!({"customFields": order.custom_fields, "remarks": order.remarks});
    let orders = std::slice::from_ref(order);
    let item = Item {
        operation,
        change: (operation == Operation::UpdateCustomFields).then_some(&change),
        provider_order_number: (operation != Operation::Create).then_some("PN-1"),
        trip: (operation == Operation::CreateTrip).then_some(Trip { orders, driver_phone: "13700000003" }),
        ..Item::create(order)
    };
    check_translation(sending, item);
}

/// A request or a reason, and the request is sound.
pub(super) fn check_translation(sending: &Sending, item: Item<'_>) {
    let Sending { profile, outward, account, whole_order: _ } = sending;
    let Translation { request, refusals, notices, lineage, dropped } = translate(profile, *outward, account, item);
    assert_eq!(request.is_some(), refusals.is_empty(), "a request, or a reason: {refusals:?}");
    for refusal in &refusals {
        assert!(refusal.pointer.is_empty() || refusal.pointer.starts_with('/'), "{refusal:?}");
        assert!(!refusal.detail.is_empty() && !refusal.detail_zh.is_empty() && is_storable(&refusal.detail));
    }
    assert!(lineage.iter().all(|lineage| !lineage.target.is_empty()));
    assert!(dropped.iter().all(|pointer| pointer.starts_with('/')), "{dropped:?}");
    assert!(notices.iter().all(|notice| is_storable(&notice.message_en)));
    let Some(request) = request else { return };
    check_request(&request);
    // What is sent is encoded anew, from what was kept, and without a trace.
    let entry = profile.operation(item.operation, item.order.document_type()).expect("it was translated");
    let endpoint = profile.endpoint(entry.endpoint).expect("every operation has its endpoint");
    let encode = |items: &[Item<'_>]| outward.encode(&Batch { endpoint, account, items }, &mut Trace::off());
    let sent = encode(&[item]).request.expect("what was translated is sent");
    assert_eq!(String::from_utf8_lossy(&sent.body), String::from_utf8_lossy(&request.body), "the same bytes");
    assert_eq!((&sent.url, &sent.headers), (&request.url, &request.headers));
    if endpoint.batch_limit > 1 {
        let both = encode(&[item, item]);
        assert_eq!(both.items.len(), 2);
        assert!(both.request.is_some(), "what goes alone goes with others");
    }
}

fn check_request(request: &Request) {
    let body = std::str::from_utf8(&request.body).expect("documents are UTF-8");
    let form = request.headers.iter().any(|(_, value)| value.contains("form-urlencoded"));
    assert!(body.is_empty() || form || is_whole(&request.body), "a sound document: {body}");
    assert!(reqwest::Url::parse(&request.url).is_ok(), "{}", request.url);
    let masked = request.masked_body();
    assert!(body.is_empty() || form || is_whole(&masked), "a masked document is one, too");
    for secret in &request.secrets {
        assert!(body.is_char_boundary(secret.start) && body.is_char_boundary(secret.end));
    }
    let mut ends: Vec<usize> = request.secrets.iter().flat_map(|secret| [secret.start, secret.end]).collect();
    let written = ends.clone();
    ends.sort_unstable();
    assert_eq!(ends, written, "in ascending order");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_orders_are_taken_as_they_were_written() {
        for sending in SENDING.iter() {
            let text = sending.whole_order.to_string();
            let order = Tree::read(text.as_bytes()).as_ref().and_then(read_as_written);
            assert_eq!(order.map(|order| json!(order)), Some(json!(read(&sending.whole_order).unwrap())));
        }
    }
}
