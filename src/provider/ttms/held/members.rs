//! Members that transport orders and acceptance orders have alike, and how values are read: null, an empty text
//! and what cannot be read say nothing.

use chrono::{DateTime, Datelike, Utc};
use serde_json::{Map, Value, json};

use super::super::codes::PAYMENT_TERMS;
use super::super::moment::CHINA;
use super::super::stop::address_text;
use crate::canonical::{Decimal, EventType, Stop};
use crate::provider::{ProviderMilestone, telephone};

/// Canonical members, as they are put together.
#[derive(Default)]
pub struct Members(Map<String, Value>);

impl Members {
    /// A member, if there is a value.
    pub fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }

    /// An object, if there is anything in it.
    pub fn into_value(self) -> Option<Value> {
        (!self.0.is_empty()).then_some(Value::Object(self.0))
    }

    pub fn into_object(self) -> Value {
        Value::Object(self.0)
    }
}

/// A text that says something. A number is taken for the text of its digits.
pub fn text(object: &Value, name: &str) -> Option<String> {
    match object.get(name)? {
        Value::String(text) => Some(text.trim()).filter(|text| !text.is_empty()).map(str::to_owned),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub fn integer(object: &Value, name: &str) -> Option<i64> {
    match object.get(name)? {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_str())),
        Value::String(text) => whole(text.trim()),
        _ => None,
    }
}

/// `3.0` is a whole number, too.
fn whole(text: &str) -> Option<i64> {
    match text.split_once('.') {
        Some((integer, fraction)) if fraction.bytes().all(|byte| byte == b'0') => integer.parse().ok(),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// A decimal with the digits that it was written with.
pub fn decimal(object: &Value, name: &str) -> Option<Value> {
    let text = text(object, name)?;
    text.parse::<Decimal>().ok().map(|decimal| json!(decimal))
}

/// An amount in yuan.
pub fn yuan(object: &Value, name: &str) -> Option<Value> {
    decimal(object, name).map(|amount| json!({"amount": amount, "currency": "CNY"}))
}

/// An instant in seconds since 1970; 0 stands for none. So does what lies beyond the year 9999, such as milliseconds:
/// no time of an event could be written so.
pub fn instant(object: &Value, name: &str) -> Option<DateTime<Utc>> {
    let at = DateTime::from_timestamp(integer(object, name).filter(|seconds| *seconds > 0)?, 0)?;
    (at.year() <= 9999).then_some(at)
}

/// A time window with one instant.
pub fn window(object: &Value, name: &str, member: &str) -> Option<Value> {
    let instant = instant(object, name)?.with_timezone(&CHINA);
    Some(json!({member: instant.to_rfc3339()}))
}

/// payType and amount (上游运费, 司机运费) as one side of the charges.
pub fn charge_side(freight: Option<&Value>) -> Option<Value> {
    let freight = freight?;
    let mut side = Members::default();
    side.put("freight", yuan(freight, "amount"));
    let term = integer(freight, "payType").and_then(|number| usize::try_from(number - 1).ok());
    side.put("paymentTerm", term.and_then(|place| PAYMENT_TERMS.get(place)).map(|term| json!(term)));
    side.into_value()
}

/// deliveryType: 1 自提, 2 送货
pub fn delivery_method(object: &Value) -> Option<&'static str> {
    match integer(object, "deliveryType")? {
        1 => Some("self_pickup"),
        2 => Some("door_delivery"),
        _ => None,
    }
}

/// A consignor or consignee, with the name of its place.
pub fn stop(party: Option<&Value>, place: Option<String>) -> Option<Value> {
    let mut stop = Members::default();
    if let Some(party) = party {
        let mut contact = Members::default();
        match text(party, "name") {
            // More than a person's name may have.
            Some(name) if name.chars().count() > 64 => stop.put("companyName", Some(name)),
            name => contact.put("name", name),
        }
        if let Some(phone) = text(party, "phone") {
            let member = if telephone::mobile(&phone).is_some() { "mobile" } else { "phone" };
            contact.put(member, Some(phone));
        }
        stop.put("address", party.get("address").and_then(address));
        stop.put("contact", contact.into_value());
    }
    stop.put("extensions", place.map(|name| json!({"ttms": {"placeName": name}})));
    stop.into_value()
}

/// 3TMS has the whole address in one text. Region, city and district are told apart only where the address would
/// be written in the same way again.
fn address(held: &Value) -> Option<Value> {
    let mut address = Members::default();
    address.put("street", text(held, "address").or_else(|| text(held, "name")));
    address.put("geo", geo(held));
    let mut apart = Members(address.0.clone());
    for (member, name) in [("region", "province"), ("city", "city"), ("district", "district")] {
        apart.put(member, text(held, name));
    }
    let written = |address: &Map<String, Value>| {
        let stop: Stop = serde_json::from_value(json!({"address": address})).ok()?;
        address_text(&stop).map(|text| text.value)
    };
    if written(&apart.0) == written(&address.0) { apart.into_value() } else { address.into_value() }
}

fn geo(held: &Value) -> Option<Value> {
    let degrees = |name: &str| match held.get(name)? {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => serde_json::from_str(text.trim()).ok(),
        _ => None,
    };
    let (latitude, longitude) = (degrees("lat")?, degrees("lng")?);
    let nowhere = |number: &serde_json::Number| number.as_f64() == Some(0.0);
    if nowhere(&latitude) && nowhere(&longitude) {
        return None;
    }
    Some(json!({"latitude": latitude, "longitude": longitude, "datum": "gcj02"}))
}

/// Cargo lines; `remarks` is the name of their remarks.
pub fn lines(cargoes: Option<&Value>, remarks: &str) -> Option<Value> {
    let cargoes = cargoes?.as_array().filter(|cargoes| !cargoes.is_empty())?;
    Some(cargoes.iter().map(|cargo| line(cargo, remarks)).collect())
}

fn line(cargo: &Value, remarks: &str) -> Value {
    let mut line = Members::default();
    line.put("name", text(cargo, "name"));
    line.put("quantity", decimal(cargo, "quantity"));
    line.put("grossWeight", decimal(cargo, "weight"));
    line.put("volume", decimal(cargo, "volume"));
    line.put("declaredValue", yuan(cargo, "value"));
    line.put("remarks", text(cargo, remarks));
    line.put("customFields", custom_fields(cargo, super::super::custom_fields::CARGO_NOTES));
    line.into_object()
}

/// What all goods come to, for a query that does not tell them apart.
pub fn totals(cargo: Option<&Value>) -> Option<Value> {
    let cargo = cargo?;
    let mut totals = Members::default();
    totals.put("quantity", integer(cargo, "quantity").and_then(|quantity| u32::try_from(quantity).ok()));
    totals.put("grossWeight", decimal(cargo, "weight"));
    totals.put("volume", decimal(cargo, "volume"));
    totals.into_value()
}

/// note1… as custom fields.
pub fn custom_fields(held: &Value, most: u8) -> Option<Value> {
    let mut fields = Members::default();
    for slot in 1..=most {
        fields.put(&format!("text{slot}"), text(held, &format!("note{slot}")));
    }
    fields.into_value()
}

/// What happened, oldest first.
pub fn milestones(happened: Vec<(EventType, Option<DateTime<Utc>>)>) -> Vec<ProviderMilestone> {
    let mut milestones: Vec<ProviderMilestone> = happened
        .into_iter()
        .filter_map(|(r#type, occurred_at)| Some(ProviderMilestone { r#type, occurred_at: occurred_at? }))
        .collect();
    milestones.sort_by_key(|milestone| milestone.occurred_at);
    milestones
}
