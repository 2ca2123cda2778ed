//! orderCustomUpdate's request: custom fields of orders that exist. Its document has no table of members:
//! they, and their order, are those of its example, its codes, and orderImport.

use serde::Deserialize;
use serde_json::Value;

use super::custom_fields::{Extent, says_something};
use super::encoder::OrderEncoder;
use super::head;
use super::profile::ID;
use super::settings::order_extension;
use crate::canonical::{CustomFields, Order, escape_token};
use crate::provider::{Batch, Encoding, Item, Trace};

const SHARED_AT: &str = "/customFields";

/// Encodes a batch for orderCustomUpdate: for each order the custom fields that change, or all that it has.
pub fn order_custom_update(batch: &Batch<'_>, trace: &mut Trace) -> Encoding {
    let root = head::Root { name: "orderCustomUpdateRequest", source: None };
    head::request(batch, &root, trace, |encoder, item| {
        encoder.client_code(item.order);
        encoder.order_key(item);
        match item.change {
            Some(change) => encoder.changed_fields(change, item),
            None => encoder.all_fields(item.order),
        }
    })
}

impl OrderEncoder<'_, '_> {
    fn all_fields(&mut self, order: &Order) {
        let own = order_extension(order).custom_fields;
        self.only_fields(order.custom_fields.as_ref(), own.as_ref(), Extent::Alone);
    }

    fn changed_fields(&mut self, change: &Value, item: &Item<'_>) {
        let own_at = own_at();
        self.refuse_other_members(change);
        self.refuse_null(change, &["/extensions", &own_at]);
        let shared = self.fields_at(change, SHARED_AT);
        let own = self.fields_at(change, &format!("{own_at}/customFields"));
        if !self.encoding.refusals.is_empty() {
            return;
        }
        if own.is_none() && shared.is_some() && order_extension(item.order).custom_fields.is_some() {
            self.refuse(
                SHARED_AT,
                "validation.inconsistent",
                &format!("changes nothing at oTMS: this order has {own_at}/customFields, which replace these"),
                &format!("对 oTMS 无效:本订单的 {own_at}/customFields 已取代这些字段"),
            );
            return;
        }
        self.only_fields(shared.as_ref(), own.as_ref(), Extent::Change);
    }

    /// Custom fields, of which there must be one: a request has nothing else.
    fn only_fields(&mut self, shared: Option<&CustomFields>, own: Option<&CustomFields>, extent: Extent) {
        if own.or(shared).is_some_and(|fields| says_something(fields, extent)) {
            self.custom_fields(shared, own, "", &own_at(), extent);
        } else {
            self.missing(SHARED_AT, "needs at least one custom field", "必须提供至少一个自定义字段");
        }
    }

    /// The fields that the change holds at `pointer`.
    fn fields_at(&mut self, change: &Value, pointer: &str) -> Option<CustomFields> {
        self.refuse_null(change, &[pointer]);
        let value = change.pointer(pointer).filter(|value| !value.is_null())?;
        let fields = CustomFields::deserialize(value);
        if fields.is_err() {
            self.refuse(
                pointer,
                "validation.invalid_type",
                "must be an object of texts, numbers and nulls",
                "必须为对象,其值为字符串、数字或 null",
            );
        }
        fields.ok()
    }

    /// A null that clears all fields at once: which of them stand at oTMS is not known here.
    fn refuse_null(&mut self, change: &Value, pointers: &[&str]) {
        for pointer in pointers {
            if change.pointer(pointer).is_some_and(Value::is_null) {
                self.missing(
                    pointer,
                    "must name each custom field that is cleared, with null",
                    "必须逐一列出要清除的自定义字段,值为 null",
                );
            }
        }
    }

    /// The interface changes custom fields and nothing else.
    fn refuse_other_members(&mut self, change: &Value) {
        let (of_order, of_extension) = (["customFields", "extensions"], ["customFields"]);
        for (parent, known) in [("", of_order.as_slice()), (own_at().as_str(), of_extension.as_slice())] {
            let members = change.pointer(parent).and_then(Value::as_object);
            for name in members.into_iter().flat_map(|members| members.keys()) {
                if !known.contains(&name.as_str()) {
                    self.refuse(
                        format!("{parent}/{}", escape_token(name)),
                        "translation.unsupported_field",
                        "is no custom field: amend the order instead",
                        "不是自定义字段,请改用订单修改操作",
                    );
                }
            }
        }
    }
}

fn own_at() -> String {
    format!("/extensions/{ID}")
}
