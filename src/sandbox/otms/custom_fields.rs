//! ImportedCustomFields, which orders, locations and order lines have alike.

use super::codes;
use super::members::{Members, WrittenNumber, parse_integer};

/// One element of ImportedCustomFields
#[derive(Debug)]
pub struct CustomField {
    /// Where it stands, such as `orderLines/orderLine[2]/customFields/customNum1`.
    pub path: String,
    pub value: CustomValue,
}

#[derive(Debug)]
pub enum CustomValue {
    Text(String),
    Number(WrittenNumber),
    Enumeration(String),
}

/// ImportedCustomFields: customText1 to 80, customNum1 to 10, customEnum1 to 10, in this order.
pub fn read_custom_fields(members: &mut Members) -> Vec<CustomField> {
    read(members, |_| false).unwrap_or_default()
}

/// The same where an empty element clears its field; such a field has no value. `None` when there
/// is no `customFields`.
pub fn read_custom_field_changes(members: &mut Members) -> Option<Vec<CustomField>> {
    read(members, str::is_empty)
}

fn read(members: &mut Members, is_cleared: impl Fn(&str) -> bool) -> Option<Vec<CustomField>> {
    let read = |members: &mut Members| {
        let mut fields = Vec::new();
        let mut last = None;
        while let Some((name, text)) = members.any_text() {
            let Some(slot) = Slot::parse(&name) else {
                let reason = "is not a custom field of this company";
                members.member_fault(codes::CUSTOM_FIELD_UNKNOWN, &name, reason);
                continue;
            };
            if last >= Some(slot) {
                let reason = "is repeated or not in the documented order";
                members.member_fault(codes::INVALID, &name, reason);
            }
            last = Some(slot);
            if is_cleared(&text) {
                continue;
            }
            let value = match slot {
                Slot::Text(_) => Some(CustomValue::Text(text)),
                Slot::Number(_) => WrittenNumber::parse(text.trim()).map(CustomValue::Number),
                Slot::Enumeration(_) => Some(CustomValue::Enumeration(text)),
            };
            match value {
                Some(value) => fields.push(CustomField { path: members.path_of(&name), value }),
                None => members.member_fault(codes::INVALID_DATA_TYPE, &name, "is not a number"),
            }
        }
        fields
    };
    members.group("customFields", read)
}

/// A custom field's element name; ordered as the document's table is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Slot {
    Text(i32),
    Number(i32),
    Enumeration(i32),
}

impl Slot {
    fn parse(name: &str) -> Option<Self> {
        let number = |prefix: &str, last: i32| {
            let digits = name.strip_prefix(prefix)?;
            let number = parse_integer(digits)?;
            let documented = (1..=last).contains(&number) && !digits.starts_with('0');
            documented.then_some(number)
        };
        let text = || number("customText", 80).map(Self::Text);
        let numeric = || number("customNum", 10).map(Self::Number);
        let enumeration = || number("customEnum", 10).map(Self::Enumeration);
        text().or_else(numeric).or_else(enumeration)
    }
}
