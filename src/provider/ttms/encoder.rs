//! Writes one order of a request, and collects what is wrong with it.

use super::carried::{Carried, How, Reduced, Source};
use super::request;
use crate::canonical::{FieldError, Money, Severity, SubmissionResult};
use crate::provider::json::{JsonValue, JsonWriter};
use crate::provider::pointer::at;
use crate::provider::{Account, Batch, Encoding, Item, ItemEncoding, Trace};

/// Writes one order and collects what is wrong with it.
pub struct OrderEncoder<'w, 't, 'a> {
    pub json: &'w mut JsonWriter<'t>,
    pub account: &'a Account,
    /// Where the order stands in what was asked: nothing, or its place among the orders of a trip
    pub at: String,
    pub encoding: ItemEncoding,
}

impl<'w, 't, 'a> OrderEncoder<'w, 't, 'a> {
    pub fn new(json: &'w mut JsonWriter<'t>, account: &'a Account) -> Self {
        OrderEncoder { json, account, at: String::new(), encoding: ItemEncoding::default() }
    }
}

impl OrderEncoder<'_, '_, '_> {
    /// The pointer of what stands at `below` of the order.
    pub fn pointer(&self, below: &str) -> String {
        format!("{}{below}", self.at)
    }

    /// A member with a value from the canonical members below `parent` of the order; nothing without a value.
    pub fn put<T: JsonValue>(&mut self, name: &str, carried: Option<Carried<T>>, parent: &str) {
        let Some(Carried { value, from, reduced }) = carried else { return };
        self.json.constant(name, value);
        if let (Some(reduced), Some(Source { member, .. })) = (reduced, from.first()) {
            let (detail, detail_zh) = match reduced {
                Reduced::Day => {
                    ("3TMS takes an instant where the order names a day", "3TMS 要求具体时间,订单仅提供日期")
                }
                Reduced::Fraction => ("3TMS takes whole seconds", "3TMS 时间精确到秒"),
            };
            let pointer = format!("{}{parent}/{member}", self.at);
            self.notice("translation.precision_reduced", detail, detail_zh, pointer);
        }
        if !self.json.trace().is_on() {
            return;
        }
        let parent = self.pointer(parent);
        for Source { member, how } in from {
            let pointer = at(&parent, member);
            match how {
                How::Carried(note) => self.json.note(name, pointer, note),
                How::Derived(note) => self.json.derived(name, pointer, note),
                How::Implied => self.json.implied(pointer),
            }
        }
    }

    /// A member with the value of the canonical member `member` below `parent` of the order.
    pub fn value(&mut self, name: &str, value: Option<impl JsonValue>, parent: &str, member: &'static str) {
        self.put(name, value.map(|value| Carried::of(value, member)), parent);
    }

    /// An amount in yuan; 3TMS knows no other currency.
    pub fn money(&mut self, name: &str, money: Option<&Money>, parent: &str, member: &'static str) {
        let Some(Money { amount, currency }) = money else { return };
        if currency != "CNY" {
            self.unsupported_value(&format!("{parent}/{member}"), "must be in CNY for 3TMS", "3TMS 仅支持人民币 CNY");
        }
        self.value(name, Some(amount), parent, member);
    }

    /// An object; left out when nothing is written inside.
    pub fn object(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        let opened = self.json.begin_object(name);
        content(self);
        self.json.end(&opened, false);
    }

    /// An object in the open list.
    pub fn list_item(&mut self, index: usize, content: impl FnOnce(&mut Self)) {
        let opened = self.json.begin_item(index);
        content(self);
        self.json.end(&opened, true);
    }

    /// Tells the trace that what the member at `below` of the order says holds without a place of its own.
    pub fn implied(&mut self, below: &str) {
        if self.json.trace().is_on() {
            let pointer = self.pointer(below);
            self.json.trace().implied(pointer);
        }
    }

    pub fn notice(&mut self, code: &str, detail: &str, detail_zh: &str, pointer: String) {
        let notice = SubmissionResult::gateway(code, Severity::Warning, false, detail, detail_zh);
        self.encoding.notices.push(notice.at(pointer));
    }

    pub fn missing(&mut self, below: &str, detail: &str, detail_zh: &str) {
        self.refuse(below, "validation.missing", detail, detail_zh);
    }

    pub fn invalid_format(&mut self, below: &str, detail: &str, detail_zh: &str) {
        self.refuse(below, "validation.invalid_format", detail, detail_zh);
    }

    pub fn unsupported_value(&mut self, below: &str, detail: &str, detail_zh: &str) {
        self.refuse(below, "translation.unsupported_value", detail, detail_zh);
    }

    pub fn refuse(&mut self, below: &str, code: &str, detail: &str, detail_zh: &str) {
        self.encoding.refusals.push(FieldError::new(self.pointer(below), code, detail, detail_zh));
    }
}

/// The request of a batch as one list, each order written by `write_order`. Refused orders are left out.
pub fn list_request(
    batch: &Batch<'_>,
    list_name: &str,
    trace: &mut Trace,
    write_order: impl Fn(&mut OrderEncoder<'_, '_, '_>, &Item<'_>),
) -> Encoding {
    let mut written = 0;
    let mut items = Vec::with_capacity(batch.items.len());
    let json = request::document(trace, |json| {
        let list = json.begin_list(list_name);
        for item in batch.items {
            let mark = json.mark();
            let place = json.begin_item(written);
            let mut encoder = OrderEncoder::new(json, batch.account);
            write_order(&mut encoder, item);
            let encoding = encoder.encoding;
            json.end(&place, true);
            if encoding.refusals.is_empty() {
                written += 1;
            } else {
                json.back_to(&mark);
            }
            items.push(encoding);
        }
        json.end(&list, true);
    });
    let request = (written > 0).then(|| request::authorized(batch.account, batch.endpoint.id, json));
    Encoding { request, items }
}

/// The request of an operation that takes one order at a time, as its batch limit says.
pub fn single_request(
    batch: &Batch<'_>,
    trace: &mut Trace,
    write: impl FnOnce(&mut OrderEncoder<'_, '_, '_>, &Item<'_>),
) -> Encoding {
    let mut items = Vec::with_capacity(1);
    let json = request::document(trace, |json| {
        if let Some(item) = batch.items.first() {
            let mut encoder = OrderEncoder::new(json, batch.account);
            write(&mut encoder, item);
            items.push(encoder.encoding);
        }
    });
    items.resize_with(batch.items.len(), one_too_many);
    let goes = items.first().is_some_and(|encoding| encoding.refusals.is_empty());
    let request = goes.then(|| request::authorized(batch.account, batch.endpoint.id, json));
    Encoding { request, items }
}

/// An item that no request has room for.
fn one_too_many() -> ItemEncoding {
    let refusal = FieldError::new(
        "",
        "limit.batch_too_large",
        "does not fit into a request of one order",
        "该接口一次仅处理一个订单",
    );
    ItemEncoding { refusals: vec![refusal], notices: Vec::new() }
}
