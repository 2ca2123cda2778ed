//! A confirmation as the control call asks for it, and as it goes out.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value, json};

use super::signature::sign;
use super::{CREATE_BY, DATA_SOURCE};

/// 完成
pub const FULFILLED: &str = "FULFILLED";
/// 时间误差为10分钟
const TOO_OLD: TimeDelta = TimeDelta::minutes(11);
const MOST_TIMES: usize = 20;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    pub customer_number: String,
    pub total_quantity: i64,
    pub actual_quantity: i64,
    #[serde(default = "fulfilled")]
    pub order_status: String,
    #[serde(default)]
    signature: Signature,
    #[serde(default = "now")]
    timestamp: String,
    /// How often the very same call is made.
    #[serde(default = "once")]
    pub times: usize,
    /// Of `request`, besides the documented ones.
    #[serde(default)]
    members: Map<String, Value>,
    pub callback_url: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Signature {
    #[default]
    Right,
    Wrong,
    Missing,
}

fn fulfilled() -> String {
    FULFILLED.to_owned()
}

fn now() -> String {
    "now".to_owned()
}

fn once() -> usize {
    1
}

/// A call, and what it is about.
pub struct Confirmation {
    pub request: Value,
    pub body: String,
}

impl Asked {
    pub fn read(asked: Value) -> Result<Self, String> {
        let asked: Self = serde_json::from_value(asked).map_err(|error| error.to_string())?;
        if asked.customer_number.is_empty() {
            return Err("customerNumber must not be empty".to_owned());
        }
        if !(1..=MOST_TIMES).contains(&asked.times) {
            return Err(format!("times must lie between 1 and {MOST_TIMES}"));
        }
        Ok(asked)
    }

    /// That all of an order came.
    pub fn all_of(customer_number: &str, total: i64) -> Self {
        Self {
            customer_number: customer_number.to_owned(),
            total_quantity: total,
            actual_quantity: total,
            order_status: fulfilled(),
            signature: Signature::Right,
            timestamp: now(),
            times: 1,
            members: Map::new(),
            callback_url: None,
        }
    }

    pub fn confirmation(&self, now: DateTime<Utc>) -> Confirmation {
        let mut request = Map::from_iter([
            ("customerNumber".to_owned(), json!(self.customer_number)),
            ("orderStatus".to_owned(), json!(self.order_status)),
            ("totalQuantity".to_owned(), json!(self.total_quantity)),
            ("actualQuantity".to_owned(), json!(self.actual_quantity)),
        ]);
        request.extend(self.members.clone());
        let request = Value::Object(request);
        let timestamp = match self.timestamp.as_str() {
            "now" => in_china(now),
            "stale" => in_china(now - TOO_OLD),
            text => text.to_owned(),
        };
        let mut body = json!({ "createBy": CREATE_BY, "dataSource": DATA_SOURCE });
        let right = sign(&request, &timestamp);
        match self.signature {
            Signature::Right => body["sign"] = json!(right),
            Signature::Wrong => body["sign"] = wrong(&right).into(),
            Signature::Missing => {}
        }
        body["timestamp"] = json!(timestamp);
        body["request"] = request.clone();
        Confirmation { request, body: body.to_string() }
    }
}

/// A call with a wrong signature in the place of its own.
pub fn forged(body: &str) -> String {
    // What goes out is JSON.
    let mut body: Value = serde_json::from_str(body).unwrap_or_default();
    body["sign"] = wrong(body["sign"].as_str().unwrap_or_default()).into();
    body.to_string()
}

/// As long as the right one.
fn wrong(right: &str) -> String {
    right.chars().rev().collect()
}

/// `yyyy-MM-dd HH:mm:ss`, as clocks in China show it.
fn in_china(at: DateTime<Utc>) -> String {
    (at + TimeDelta::hours(8)).format("%Y-%m-%d %H:%M:%S").to_string()
}

/// A value always serialises.
pub fn raw(request: &Value) -> Arc<RawValue> {
    to_raw_value(request).unwrap_or_else(|_| RawValue::NULL.to_owned()).into()
}
