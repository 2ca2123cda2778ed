//! What JSON Schema cannot say about an order: rules across members. Every broken rule is reported.

use std::fmt::Write as _;

use serde_json::Value;

use super::field_error::FieldError;
use super::order::Order;
use super::pointer::{JsonNode, push_token};
use super::stop::Stop;
use super::terms::TimeWindow;

/// Checks the rules across members; an empty answer means that the order is coherent.
pub fn check_order(order: &Order) -> Vec<FieldError> {
    let mut errors = Vec::new();
    check_stop(&order.ship_from, "/shipFrom", &mut errors);
    if let Some(stop) = &order.ship_to {
        check_stop(stop, "/shipTo", &mut errors);
    }
    for (index, stop) in order.additional_ship_to.iter().flatten().enumerate() {
        check_stop(stop, &format!("/additionalShipTo/{index}"), &mut errors);
    }
    check_window(order.pickup.as_ref(), "/pickup", &mut errors);
    check_window(order.delivery.as_ref(), "/delivery", &mut errors);
    check_lines(order, &mut errors);
    check_packages(order, &mut errors);
    check_temperature(order, &mut errors);
    errors
}

fn excluded(pointer: String, by: &str) -> FieldError {
    FieldError::new(
        pointer,
        "validation.inconsistent",
        format!("must be absent when {by} is given"),
        format!("提供 {by} 时不得填写"),
    )
}

fn check_stop(stop: &Stop, at: &str, errors: &mut Vec<FieldError>) {
    if stop.external_id.is_none() {
        return;
    }
    let inline = [
        ("companyName", stop.company_name.is_some()),
        ("address", stop.address.is_some()),
        ("contact", stop.contact.is_some()),
    ];
    for (member, present) in inline {
        if present {
            errors.push(excluded(format!("{at}/{member}"), "externalId"));
        }
    }
}

fn check_window(window: Option<&TimeWindow>, at: &str, errors: &mut Vec<FieldError>) {
    let Some(TimeWindow { date, start_time, end_time, remarks: _ }) = window else { return };
    if date.is_none() && start_time.is_none() && end_time.is_none() {
        errors.push(FieldError::new(
            at,
            "validation.missing",
            "needs date, or startTime, or endTime",
            "必须提供 date、startTime 或 endTime 之一",
        ));
    }
    if date.is_some() {
        for (member, present) in [("startTime", start_time.is_some()), ("endTime", end_time.is_some())] {
            if present {
                errors.push(excluded(format!("{at}/{member}"), "date"));
            }
        }
    }
    if let (Some(start), Some(end)) = (start_time, end_time)
        && end < start
    {
        errors.push(FieldError::new(
            format!("{at}/endTime"),
            "validation.inconsistent",
            "must not be before startTime",
            "不得早于 startTime",
        ));
    }
}

fn check_lines(order: &Order, errors: &mut Vec<FieldError>) {
    let mut seen = std::collections::HashSet::new();
    for (index, line) in order.lines().iter().enumerate() {
        if let Some(id) = &line.line_id
            && !seen.insert(id.as_str())
        {
            errors.push(FieldError::new(
                format!("/lines/{index}/lineId"),
                "validation.duplicate",
                "is used by another line of this order",
                "与本订单的另一行重复",
            ));
        }
        if line.external_id.is_some() {
            let inline = [("sku", line.sku.is_some()), ("name", line.name.is_some()), ("unit", line.unit.is_some())];
            for (member, present) in inline {
                if present {
                    errors.push(excluded(format!("/lines/{index}/{member}"), "externalId"));
                }
            }
        }
    }
}

fn check_packages(order: &Order, errors: &mut Vec<FieldError>) {
    let (Some(packages), Some(count)) =
        (order.packages.as_ref(), order.totals.as_ref().and_then(|totals| totals.package_count))
    else {
        return;
    };
    if packages.len() != count as usize {
        errors.push(FieldError::new(
            "/totals/packageCount",
            "validation.inconsistent",
            format!("must equal the number of packages, which is {}", packages.len()),
            format!("必须等于 packages 的数量 {}", packages.len()),
        ));
    }
}

fn check_temperature(order: &Order, errors: &mut Vec<FieldError>) {
    let Some(temperature) = &order.temperature else { return };
    let controlled = order.cargo.as_ref().and_then(|cargo| cargo.temperature_controlled).unwrap_or(false);
    if !controlled {
        errors.push(FieldError::new(
            "/temperature",
            "validation.inconsistent",
            "is only for cargo with temperatureControlled = true",
            "仅适用于 cargo.temperatureControlled 为 true 的货物",
        ));
    }
    for (member, value) in [("min", temperature.min), ("max", temperature.max)] {
        if value.is_some_and(|value| !value.is_in_temperature_range()) {
            errors.push(FieldError::new(
                format!("/temperature/{member}"),
                "validation.out_of_range",
                "must lie between -10000 and 10000 °C",
                "必须在 -10000 至 10000 摄氏度之间",
            ));
        }
    }
    if let (Some(min), Some(max)) = (temperature.min, temperature.max)
        && max < min
    {
        errors.push(FieldError::new(
            "/temperature/max",
            "validation.inconsistent",
            "must not be below min",
            "不得低于 min",
        ));
    }
}

/// Finds every text (names of members included) with a character that no provider document could hold:
/// control characters other than tab, line feed and carriage return, and the two non-characters of XML.
pub fn control_characters(document: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    // Where it stands is of interest only if there is one.
    if has_control_character(document) {
        find_control_characters(document, &mut String::new(), &mut errors);
    }
    errors
}

/// Whether there is any.
pub fn has_control_character<N: JsonNode>(value: &N) -> bool {
    if let Some(text) = value.text() {
        return forbidden_character(text).is_some();
    }
    if let Some(items) = value.items() {
        return items.iter().any(has_control_character);
    }
    let Some(mut members) = value.members() else { return false };
    members.any(|(name, member)| forbidden_character(name).is_some() || has_control_character(member))
}

fn find_control_characters(value: &Value, at: &mut String, errors: &mut Vec<FieldError>) {
    let depth = at.len();
    match value {
        Value::String(text) => {
            if let Some(character) = forbidden_character(text) {
                errors.push(control_character_error(at, character));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                // Writing to a string does not fail.
                let _ = write!(at, "/{index}");
                find_control_characters(item, at, errors);
                at.truncate(depth);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                at.push('/');
                push_token(at, name);
                if let Some(character) = forbidden_character(name) {
                    errors.push(control_character_error(at, character));
                }
                find_control_characters(member, at, errors);
                at.truncate(depth);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn forbidden_character(text: &str) -> Option<char> {
    // Bytes with which each of them begins; few texts have any. Without an early end, so that many are looked at at once.
    let may_begin_one = |byte: u8| u8::from(byte < 0x20 || matches!(byte, 0x7F | 0xC2 | 0xEF));
    if text.bytes().map(may_begin_one).fold(0, |found, begins| found | begins) == 0 {
        return None;
    }
    text.chars().find(|character| match character {
        '\t' | '\n' | '\r' => false,
        '\u{FFFE}' | '\u{FFFF}' => true,
        other => other.is_control(),
    })
}

fn control_character_error(at: &str, character: char) -> FieldError {
    let code = u32::from(character);
    FieldError::new(
        at,
        "validation.control_character",
        format!("contains the control character U+{code:04X}"),
        format!("包含控制字符 U+{code:04X}"),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pointers(order: Value) -> Vec<String> {
        check_order(&serde_json::from_value(order).unwrap()).into_iter().map(|error| error.pointer).collect()
    }

    #[test]
    fn all_broken_rules_are_reported_at_once() {
        let found = pointers(json!({
            "account": "a1", "orderNumber": "1",
            "shipFrom": {"externalId": "W1", "companyName": "x", "contact": {}},
            "shipTo": {"externalId": "W2", "address": {}},
            "pickup": {"remarks": "x"},
            "delivery": {"startTime": "2026-11-25T08:00:00+08:00", "endTime": "2026-11-25T07:00:00+08:00"},
            "lines": [{"lineId": "1", "externalId": "P", "sku": "x", "name": "y", "unit": {}}, {"lineId": "1"}],
            "packages": [{"barcode": "1"}], "totals": {"packageCount": 2},
            "temperature": {"min": 5, "max": -5},
        }));
        assert_eq!(
            found,
            [
                "/shipFrom/companyName",
                "/shipFrom/contact",
                "/shipTo/address",
                "/pickup",
                "/delivery/endTime",
                "/lines/0/sku",
                "/lines/0/name",
                "/lines/0/unit",
                "/lines/1/lineId",
                "/totals/packageCount",
                "/temperature",
                "/temperature/max",
            ]
        );
    }

    #[test]
    fn a_day_excludes_instants() {
        let found = pointers(json!({
            "account": "a1", "orderNumber": "1", "shipFrom": {},
            "pickup": {"date": "2026-11-25", "endTime": "2026-11-25T07:00:00+08:00"},
        }));
        assert_eq!(found, ["/pickup/endTime"]);
    }

    #[test]
    fn control_characters_are_found_in_values_and_names() {
        let found = control_characters(&json!({"a": ["ok\n\t", "\u{0}"], "b\u{1}": 1, "c": "\u{FFFE}", "d": "\u{85}"}));
        let at: Vec<_> = found.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(at, ["/a/1", "/b\u{1}", "/c", "/d"]);
    }
}
