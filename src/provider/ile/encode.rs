//! editOrderByApi's request: the credentials, and `data` with one order. Members stand in the order of the
//! document's table, those of its example behind the ones that they resemble.

use super::encoder::OrderEncoder;
use super::profile::ID;
use super::settings::{IleCredentials, IleSettings, order_extension};
use crate::canonical::FieldError;
use crate::provider::json::JsonWriter;
use crate::provider::pointer::at;
use crate::provider::{Batch, Encoding, Item, ItemEncoding, Request, Trace};

/// Encodes the change of one order, which is the whole order as it shall stand.
pub fn edit_order(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    let Some((item, others)) = batch.items.split_first() else {
        return Encoding { request: None, items: Vec::new() };
    };
    let account = batch.account;
    let credentials = account.credentials.read::<IleCredentials>().unwrap_or_default();
    let mut json = JsonWriter::new(trace);
    let document = json.begin_document();
    for (name, value) in [("userId", &credentials.user_id), ("ileId", &credentials.ile_id), ("sign", &credentials.sign)]
    {
        match value {
            Some(value) => json.secret(name, value),
            // The table has all three; one that is not in use is empty (若userId为空).
            None => json.constant(name, ""),
        }
    }
    let mut encoder = OrderEncoder { json: &mut json, encoding: ItemEncoding::default() };
    encoder.object("data", |encoder| encoder.order(item, &IleSettings::of(account)));
    let first = encoder.encoding;
    json.end(&document, true);
    let (body, secrets) = json.into_parts();
    let request = first.refusals.is_empty().then(|| Request {
        method: batch.endpoint.method,
        url: account.url(batch.endpoint.path),
        headers: vec![("content-type", "application/json".to_owned()), ("accept", "application/json".to_owned())],
        secret_headers: &[],
        secret_parameters: &[],
        body,
        secrets,
    });
    let items = std::iter::once(first).chain(others.iter().map(|_| one_order_a_request())).collect();
    Encoding { request, items }
}

/// Never said as long as the batch limit is kept.
fn one_order_a_request() -> ItemEncoding {
    let refusal = FieldError::new(
        "",
        "limit.batch_too_large",
        "cannot go with another order: ILE takes one order a request",
        "ILE 每次请求仅支持一个订单",
    );
    ItemEncoding { refusals: vec![refusal], notices: Vec::new() }
}

impl OrderEncoder<'_, '_> {
    fn order(&mut self, item: &Item<'_>, settings: &IleSettings) {
        let order = item.order;
        let own = order_extension(order);
        let own_at = format!("/extensions/{ID}");
        let own_at = own_at.as_str();

        self.order_number(item);
        let reference = settings.customer_reference_member.name();
        self.json.value(reference, order.customer_reference.as_ref(), at("", "customerReference"));
        self.totals(order);
        self.battery(order);
        self.text_or_empty("amazon_shipment_ids", own.amazon_shipment_ids.as_ref(), at(own_at, "amazonShipmentIds"));
        self.text_or_empty("amazon_po", own.amazon_po.as_ref(), at(own_at, "amazonPo"));
        self.currency(order.lines());
        self.json.value("fbaWarehouseCode", own.fba_warehouse_code.as_ref(), at(own_at, "fbaWarehouseCode"));
        self.shipper(&order.ship_from);
        self.consignee(order.ship_to.as_ref(), item.standing);
        self.items(order.lines());
        self.parcels(order.packages());
    }

    /// ILE knows an order by the number of its own waybill, or that of the last mile. Ours is the gateway's
    /// name for the same order, and needs no place.
    fn order_number(&mut self, item: &Item<'_>) {
        self.json.implied(at("", "orderNumber"));
        let written = item.order.provider_order_number.as_deref();
        match item.provider_order_number {
            // What the document says of another number is left to the carriage check, which makes it a notice.
            Some(known) if written.is_some_and(|written| written != known) => self.json.constant("orderNumber", known),
            known => self.required("orderNumber", known.or(written), at("", "providerOrderNumber")),
        }
    }
}
