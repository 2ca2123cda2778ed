//! `data`: the order in a request, by the document's table.

use std::sync::Arc;

use serde_json::Value;
use serde_json::value::RawValue;

use super::members::{Faults, Object};

/// What is kept of an order.
pub struct EditedOrder {
    pub number: String,
    pub customer_reference: Option<String>,
    /// The consignee's
    pub postcode: String,
    /// `data` as it was sent
    pub document: Arc<RawValue>,
}

impl EditedOrder {
    /// Takes `data` from a request. What is wrong with it is among the faults.
    pub fn read(request: &mut Object<'_>, faults: &mut Faults) -> Option<Self> {
        let document = request.peek("data").map(|data| Arc::from(data.to_owned()));
        let mut data = request.object("data", faults)?;
        let number = data.filled_text("orderNumber", faults);
        let [in_table, in_example] = ["custRef", "cust_ref"].map(|name| data.optional_text(name, faults));
        if in_table.is_some() && in_example.is_some() {
            faults.push("data.custRef is there as cust_ref, too".to_owned());
        }
        let packs = data.formed_text("packs", "count in digits", is_count, faults);
        for name in ["weight", "cbm"] {
            data.formed_text(name, "decimal", is_decimal, faults);
        }
        data.formed_text("battery", "0, 1 or 2", |text| ["0", "1", "2"].contains(&text), faults);
        for name in ["amazon_shipment_ids", "amazon_po"] {
            data.text(name, faults);
        }
        data.formed_text("currency", "currency of three letters", is_currency, faults);
        data.optional_text("fbaWarehouseCode", faults);
        if let Some(shipper) = data.object("shipper", faults) {
            read_shipper(shipper, faults);
        }
        let postcode = data.object("consignee", faults).and_then(|consignee| read_consignee(consignee, faults));
        let items = data.list("items", faults);
        if items.as_ref().is_some_and(Vec::is_empty) {
            faults.push("data.items is empty".to_owned());
        }
        for item in items.into_iter().flatten() {
            read_item(item, faults);
        }
        if let Some(parcels) = data.optional_list("parcelList", faults) {
            // 列表数据量需与packs保持一致
            if packs.is_some_and(|packs| packs != parcels.len().to_string()) {
                faults.push("data.parcelList has another length than packs".to_owned());
            }
            for parcel in parcels {
                read_parcel(parcel, faults);
            }
        }
        data.end(faults);
        let customer_reference = in_table.or(in_example);
        Some(Self { number: number?, customer_reference, postcode: postcode?, document: document? })
    }
}

fn read_shipper(mut shipper: Object<'_>, faults: &mut Faults) {
    for name in ["postcode", "country", "name", "state", "city", "address", "phone"] {
        shipper.filled_text(name, faults);
    }
    for name in ["email", "company"] {
        shipper.text(name, faults);
    }
    shipper.end(faults);
}

/// Gives the postcode.
fn read_consignee(mut consignee: Object<'_>, faults: &mut Faults) -> Option<String> {
    for name in ["name", "state", "suburb", "address", "phone"] {
        consignee.filled_text(name, faults);
    }
    // The company is in the example only.
    for name in ["email", "company"] {
        consignee.optional_text(name, faults);
    }
    let postcode = consignee.filled_text("postcode", faults);
    consignee.end(faults);
    postcode
}

fn read_item(mut item: Object<'_>, faults: &mut Faults) {
    for name in ["type", "hs"] {
        item.optional_text(name, faults);
    }
    for name in ["nameZh", "name"] {
        item.filled_text(name, faults);
    }
    for name in ["qty", "price"] {
        item.formed_text(name, "decimal", is_decimal, faults);
    }
    item.end(faults);
}

fn read_parcel(mut parcel: Object<'_>, faults: &mut Faults) {
    parcel.filled_text("barcode", faults);
    for name in ["parcelWidth", "parcelHeight", "parcelLength", "parcelWeight"] {
        parcel.number(name, faults);
    }
    parcel.end(faults);
}

/// From 1, without leading zeros.
fn is_count(text: &str) -> bool {
    !text.starts_with('0') && is_digits(text)
}

fn is_decimal(text: &str) -> bool {
    match text.split_once('.') {
        Some((whole, fraction)) => is_digits(whole) && is_digits(fraction),
        None => is_digits(text),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The numbers in a request, as far as it can be read: ILE's, and the customer's reference.
pub fn numbers(request: &[u8]) -> Vec<String> {
    let request: Value = serde_json::from_slice(request).unwrap_or_default();
    let of_data = |name: &&str| request["data"][*name].as_str().map(str::to_owned);
    ["orderNumber", "cust_ref", "custRef"].iter().filter_map(of_data).collect()
}
