//! customNotes of modify_order: the notes that change. Those that are absent or null stay as they are.

use serde_json::Value;

use super::change::{Change, Touch};
use super::custom_fields::{ORDER_NOTES, SHARED_AT, effective, own_fields_at, slot};
use super::encoder::OrderEncoder;
use super::settings::order_extension;
use crate::canonical::{Order, escape_token};

impl OrderEncoder<'_, '_, '_> {
    /// The notes that the patch changes, in the open object.
    pub fn custom_notes(&mut self, order: &Order, change: &Change<'_>) {
        let fields_at = effective(order).map_or_else(|| SHARED_AT.to_owned(), |(_, fields_at)| fields_at);
        let refused = self.encoding.refusals.len();
        let notes = self.order_notes(order);
        if self.encoding.refusals.len() > refused {
            return;
        }
        let touched: Vec<_> = notes.into_iter().filter(|note| touched(change, &note.from)).collect();
        self.put_notes(&touched);
        self.cleared_notes(order, change, &fields_at);
    }

    /// A change of custom fields and nothing else: what has no note is refused, since the request has nothing
    /// else.
    pub fn only_custom_notes(&mut self, order: &Order, change: &Change<'_>) {
        let own_at = own_fields_at();
        self.refuse_other_members(change.patch);
        if order_extension(order).custom_fields.is_some() && change.touches(SHARED_AT) && !change.touches(&own_at) {
            self.refuse(
                SHARED_AT,
                "validation.inconsistent",
                &format!("changes nothing at 3TMS: this order has {own_at}, which replace these"),
                &format!("对 3TMS 无效:本订单的 {own_at} 已取代这些字段"),
            );
        }
        for fields_at in [SHARED_AT, own_at.as_str()] {
            for name in members(change.patch, fields_at) {
                if slot(self.account.common.custom_field_slot(name), ORDER_NOTES).is_none() {
                    self.refuse(
                        &format!("{fields_at}/{}", escape_token(name)),
                        "custom_field.unsupported",
                        "has no place at 3TMS: text1 to text12, or an alias of the account's customFieldMap",
                        "3TMS 没有对应的自定义备注:text1 至 text12,或账户 customFieldMap 中的别名",
                    );
                }
            }
        }
        if !self.encoding.refusals.is_empty() {
            return;
        }
        self.object("customNotes", |encoder| encoder.custom_notes(order, change));
        let some = [SHARED_AT, own_at.as_str()].iter().any(|fields_at| !members(change.patch, fields_at).is_empty());
        if !some && self.encoding.refusals.is_empty() {
            self.missing(SHARED_AT, "needs at least one custom field", "必须提供至少一个自定义字段");
        }
    }

    /// Notes that the patch takes away. Where the order is known not to have had them, there is nothing to do.
    fn cleared_notes(&mut self, order: &Order, change: &Change<'_>, fields_at: &str) {
        let before = change.before.map(effective);
        if let Touch::Cleared(null) = change.touch(fields_at) {
            let had_none = matches!(&before, Some(None));
            if !had_none {
                self.not_clearable(&null);
            }
            return;
        }
        // The shared fields count where the extension's own are taken away.
        if let Touch::Cleared(null) = change.touch(&own_fields_at())
            && change.before.is_none_or(|before| order_extension(before).custom_fields.is_some())
            && order_extension(order).custom_fields.is_none()
        {
            self.not_clearable(&null);
        }
        for (name, value) in change.patch.pointer(fields_at).and_then(Value::as_object).into_iter().flatten() {
            let of_an_order = slot(self.account.common.custom_field_slot(name), ORDER_NOTES).is_some();
            let known_absent = before.as_ref().is_some_and(|before| {
                before
                    .as_ref()
                    .is_none_or(|(fields, _)| fields.0.get(name).is_none_or(|value| value.as_text().is_none()))
            });
            if value.is_null() && of_an_order && !known_absent {
                self.not_clearable(&format!("{fields_at}/{}", escape_token(name)));
            } else if value.is_null() {
                self.implied(&format!("{fields_at}/{}", escape_token(name)));
            }
        }
    }

    fn refuse_other_members(&mut self, patch: &Value) {
        let own = own_fields_at();
        let extension = own.rsplit_once('/').map_or("", |(parent, _)| parent);
        for (parent, known) in
            [("", ["customFields", "extensions"].as_slice()), (extension, ["customFields"].as_slice())]
        {
            for name in members(patch, parent) {
                if !known.contains(&name.as_str()) {
                    self.refuse(
                        &format!("{parent}/{}", escape_token(name)),
                        "translation.unsupported_field",
                        "is no custom field: amend the order instead",
                        "不是自定义字段,请改用订单修改操作",
                    );
                }
            }
        }
    }
}

/// Whether the patch says something of the note that comes from `pointer`.
fn touched(change: &Change<'_>, pointer: &str) -> bool {
    change.patch.pointer(pointer).is_some()
        // The fields as a whole are new.
        || pointer.rsplit_once('/').is_some_and(|(fields_at, _)| {
            fields_at == SHARED_AT && matches!(change.touch(&own_fields_at()), Touch::Cleared(_))
        })
}

fn members<'v>(value: &'v Value, pointer: &str) -> Vec<&'v String> {
    value.pointer(pointer).and_then(Value::as_object).map(|members| members.keys().collect()).unwrap_or_default()
}
