//! ImportedCustomFields: 80 texts, 10 numbers and 10 enumerations, which orders, stops and lines have alike,
//! and orderCustomUpdate alone.

use std::collections::HashMap;

use super::encoder::OrderEncoder;
use crate::canonical::{CustomFieldValue, CustomFields, escape_token};
use crate::provider::xml::at;

/// What custom fields say about what is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Part of a whole order: a null counts as absent, and what has no slot is left to the carriage check,
    /// which makes it a notice.
    OfOrder,
    /// All that a request holds: as above, but what has no slot is refused.
    Alone,
    /// A change of what stands at oTMS: a null clears the slot, and what has none is refused.
    Change,
}

/// One field in its slot; nothing clears the slot.
struct Filled<'o> {
    slot: Slot,
    value: Option<&'o str>,
    token: String,
}

impl OrderEncoder<'_, '_> {
    /// The custom fields of an order, a stop or a line. The extension's own fields replace the shared ones.
    pub fn custom_fields(
        &mut self,
        shared: Option<&CustomFields>,
        own: Option<&CustomFields>,
        parent: &str,
        own_at: &str,
        extent: Extent,
    ) {
        let (fields, fields_at) = match (own, shared) {
            (Some(own), _) => (own, format!("{own_at}/customFields")),
            (None, Some(shared)) => (shared, format!("{parent}/customFields")),
            (None, None) => return,
        };
        if own.is_some() && shared.is_some() {
            // Replaced on the caller's own word.
            self.xml.implied(at(parent, "customFields"));
        }
        self.slots(fields, &fields_at, extent);
    }

    /// customText1…80, customNum1…10, customEnum1…10, in this order.
    fn slots(&mut self, fields: &CustomFields, fields_at: &str, extent: Extent) {
        let mut filled = self.fill(fields, fields_at, extent);
        filled.sort_by_key(|field| field.slot);
        self.element("customFields", |encoder| {
            for Filled { slot, value, token } in &filled {
                let pointer = at(fields_at, token);
                if slot.kind == SlotKind::Number && value.is_some_and(|text| !is_custom_number(text)) {
                    encoder.invalid_format(
                        pointer,
                        "must be a decimal with at most 18 digits before and 6 after the point",
                        "必须为数字,整数部分不超过 18 位,小数部分不超过 6 位",
                    );
                    continue;
                }
                let note = value.is_none().then_some("null clears the slot");
                encoder.xml.converted(&slot.element(), Some(value.unwrap_or_default()), pointer, note);
            }
        });
    }

    /// Puts each field into its slot. Two names of one slot are refused: oTMS would take one of the two.
    fn fill<'o>(&mut self, fields: &'o CustomFields, fields_at: &str, extent: Extent) -> Vec<Filled<'o>> {
        let account = self.account;
        let mut filled = Vec::with_capacity(fields.0.len());
        let mut names: HashMap<Slot, &str> = HashMap::with_capacity(fields.0.len());
        for (name, value) in &fields.0 {
            let token = escape_token(name);
            let value = value.as_text();
            if value.is_none() && extent != Extent::Change {
                self.xml.implied(at(fields_at, &token));
                continue;
            }
            let Some(slot) = Slot::parse(account.common.custom_field_slot(name)) else {
                if extent != Extent::OfOrder {
                    self.refuse(
                        at(fields_at, &token),
                        "custom_field.unsupported",
                        "has no slot at oTMS: text1 to text80, number1 to number10, enum1 to enum10, or an alias of the account's customFieldMap",
                        "oTMS 没有对应的自定义字段:text1 至 text80、number1 至 number10、enum1 至 enum10,或账户 customFieldMap 中的别名",
                    );
                }
                continue;
            };
            if let Some(earlier) = names.insert(slot, name) {
                let slot = slot.name();
                self.refuse(
                    at(fields_at, &token),
                    "validation.duplicate",
                    &format!("goes to the slot {slot}, to which {earlier} goes too"),
                    &format!("与 {earlier} 对应同一自定义字段 {slot}"),
                );
                continue;
            }
            filled.push(Filled { slot, value, token });
        }
        filled
    }
}

/// Whether there is a field that says anything.
pub fn says_something(fields: &CustomFields, extent: Extent) -> bool {
    extent == Extent::Change && !fields.0.is_empty() || fields.0.values().any(|value| *value != CustomFieldValue::Null)
}

/// A custom field slot, in the order of the document's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    kind: SlotKind,
    number: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum SlotKind {
    Text,
    Number,
    Enum,
}

impl Slot {
    fn parse(name: &str) -> Option<Slot> {
        let (kind, digits, most) = if let Some(digits) = name.strip_prefix("text") {
            (SlotKind::Text, digits, 80)
        } else if let Some(digits) = name.strip_prefix("number") {
            (SlotKind::Number, digits, 10)
        } else {
            (SlotKind::Enum, name.strip_prefix("enum")?, 10)
        };
        let number: u8 = digits.parse().ok()?;
        ((1..=most).contains(&number) && !digits.starts_with(['0', '+'])).then_some(Slot { kind, number })
    }

    /// The slot of an element's name, such as `customText3`.
    pub fn of_element(element: &str) -> Option<Slot> {
        [("customText", "text"), ("customNum", "number"), ("customEnum", "enum")]
            .iter()
            .find_map(|(prefix, kind)| Slot::parse(&format!("{kind}{}", element.strip_prefix(prefix)?)))
    }

    /// The canonical name, such as `text3`.
    pub fn name(self) -> String {
        let kind = match self.kind {
            SlotKind::Text => "text",
            SlotKind::Number => "number",
            SlotKind::Enum => "enum",
        };
        format!("{kind}{}", self.number)
    }

    fn element(self) -> String {
        let kind = match self.kind {
            SlotKind::Text => "customText",
            SlotKind::Number => "customNum",
            SlotKind::Enum => "customEnum",
        };
        format!("{kind}{}", self.number)
    }
}

/// 精确到18位数、6位小数. The sign is not documented; a negative number is let through.
fn is_custom_number(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits =
        |part: &str, most: usize| (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(integer, 18) && digits(fraction, 6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots() {
        assert_eq!(Slot::parse("text80").unwrap().element(), "customText80");
        assert_eq!(Slot::parse("number10").unwrap().element(), "customNum10");
        assert_eq!(Slot::parse("enum1").unwrap().element(), "customEnum1");
        for name in ["text0", "text81", "number11", "enum11", "text", "text01", "text+1", "note1", "text999"] {
            assert!(Slot::parse(name).is_none(), "{name}");
        }
        assert_eq!(Slot::of_element("customNum10"), Slot::parse("number10"));
        assert_eq!(Slot::of_element("customText3").unwrap().name(), "text3");
        for element in ["customText81", "customText", "text3", "customText03", "erpNumber", ""] {
            assert!(Slot::of_element(element).is_none(), "{element}");
        }
        assert!(Slot::parse("text2") < Slot::parse("text10"));
        assert!(Slot::parse("text80") < Slot::parse("number1"));
    }

    #[test]
    fn custom_numbers() {
        for text in ["42.0978", "0", "-1.5", "123456789012345678.123456"] {
            assert!(is_custom_number(text), "{text}");
        }
        for text in ["", ".", "1.", "1e5", "1234567890123456789", "0.1234567", "abc", "1,5"] {
            assert!(!is_custom_number(text), "{text}");
        }
    }
}
