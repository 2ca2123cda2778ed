//! 自定义备注: twelve texts of an order and six of a cargo. The canonical slots `text1`… are their places, and an
//! alias of the account's `customFieldMap` names a slot.

use super::encoder::OrderEncoder;
use super::profile::ID;
use super::settings::order_extension;
use crate::canonical::{CustomFields, Order, escape_token};
use crate::provider::pointer::at;

/// note1 to note12 of an order
pub const ORDER_NOTES: u8 = 12;
/// note1 to note6 of a cargo
pub const CARGO_NOTES: u8 = 6;

/// One custom field in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub slot: u8,
    pub value: String,
    /// Pointer of the canonical member, below the order
    pub from: String,
}

/// The custom fields that count for 3TMS, and where they stand below the order: the extension's own replace the
/// shared ones.
pub fn effective(order: &Order) -> Option<(CustomFields, String)> {
    match order_extension(order).custom_fields {
        Some(own) => Some((own, own_fields_at())),
        None => order.custom_fields.clone().map(|shared| (shared, SHARED_AT.to_owned())),
    }
}

pub const SHARED_AT: &str = "/customFields";

pub fn own_fields_at() -> String {
    format!("/extensions/{ID}/customFields")
}

impl OrderEncoder<'_, '_, '_> {
    /// The notes of an order.
    pub fn order_notes(&mut self, order: &Order) -> Vec<Note> {
        let Some((fields, fields_at)) = effective(order) else { return Vec::new() };
        if fields_at != SHARED_AT && order.custom_fields.is_some() {
            // Replaced on the caller's own word.
            self.implied(SHARED_AT);
        }
        self.notes_of(Some(&fields), &fields_at, ORDER_NOTES)
    }

    /// Puts each field into its slot. A null counts as absent; what has no slot is left to the carriage check,
    /// which makes it a notice. Two names of one slot are refused: 3TMS would take one of the two.
    pub fn notes_of(&mut self, fields: Option<&CustomFields>, fields_at: &str, most: u8) -> Vec<Note> {
        let account = self.account;
        let mut notes: Vec<(Note, &str)> = Vec::new();
        for (name, value) in fields.map(|fields| &fields.0).into_iter().flatten() {
            let from = format!("{fields_at}/{}", escape_token(name));
            let Some(value) = value.as_text() else {
                self.implied(&from);
                continue;
            };
            let Some(slot) = slot(account.common.custom_field_slot(name), most) else { continue };
            if let Some((_, earlier)) = notes.iter().find(|(note, _)| note.slot == slot) {
                let (detail, detail_zh) = (
                    format!("goes to note{slot}, to which {earlier} goes too"),
                    format!("与 {earlier} 对应同一自定义备注 note{slot}"),
                );
                self.refuse(&from, "validation.duplicate", &detail, &detail_zh);
                continue;
            }
            notes.push((Note { slot, value: value.to_owned(), from }, name));
        }
        notes.sort_by_key(|(note, _)| note.slot);
        notes.into_iter().map(|(note, _)| note).collect()
    }

    /// note1… in the open object.
    pub fn put_notes(&mut self, notes: &[Note]) {
        for Note { slot, value, from } in notes {
            let name = format!("note{slot}");
            self.json.constant(&name, value);
            if self.json.trace().is_on() {
                let pointer = self.pointer(from);
                let (parent, member) = pointer.rsplit_once('/').unwrap_or(("", &pointer));
                self.json.note(&name, at(parent, member), None);
            }
        }
    }
}

/// The number of a slot such as `text3`, if 3TMS has it.
pub fn slot(name: &str, most: u8) -> Option<u8> {
    let digits = name.strip_prefix("text")?;
    let number: u8 = digits.parse().ok()?;
    ((1..=most).contains(&number) && !digits.starts_with(['0', '+'])).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots() {
        assert_eq!((slot("text1", ORDER_NOTES), slot("text12", ORDER_NOTES)), (Some(1), Some(12)));
        assert_eq!((slot("text6", CARGO_NOTES), slot("text7", CARGO_NOTES)), (Some(6), None));
        for name in ["text0", "text13", "text01", "text+1", "text", "number1", "enum1", "note1", "text999"] {
            assert_eq!(slot(name, ORDER_NOTES), None, "{name}");
        }
    }
}
