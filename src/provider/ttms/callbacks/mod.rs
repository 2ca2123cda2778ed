//! What 3TMS calls back (订阅返回报文): orders, prints, trips, acceptance orders, positions. Calls carry no signature; the
//! secret of the callback's path is what proves them.

mod acceptance;
mod order;
mod position;
mod print;
mod trip;

use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};

use super::held::members::{Members, instant, integer, text};
use crate::canonical::{EventType, Happening, OrderMention, OrderStatus};
use crate::provider::{CallbackReply, Reception, Refusal, dedupe_key};

/// What a call says; one happening for each order that it names.
pub fn parse(body: &[u8]) -> Result<Vec<Happening>, Refusal> {
    let message = Message::read(body)?;
    let state = integer(&message.document, "subscribeState");
    match state {
        Some(600 | 601) => acceptance::parse(&message, state == Some(601)),
        Some(602) => position::parse(&message),
        // A trip's own state counts: the document's example has another one subscribed to.
        _ if trip::state(&message.document).is_some() => trip::parse(&message),
        _ if message.document.get("printType").is_some() => print::parse(&message),
        Some(state) => order::parse(&message, state),
        None => Err(Refusal::unparsable(
            "it has neither subscribeState nor printType, so that nobody can tell what it is about",
            "报文缺少 subscribeState 和 printType,无法识别",
        )),
    }
}

/// A call as it came.
struct Message {
    /// Names without white space around: the document writes `"number "`.
    document: Value,
    /// When 3TMS made it (messageTimeStamp)
    made_at: Option<DateTime<Utc>>,
    /// Equal for calls that say the same, however it is written
    content: String,
}

impl Message {
    fn read(body: &[u8]) -> Result<Self, Refusal> {
        let document: Value = serde_json::from_slice(body).map_err(|error| {
            Refusal::unparsable(
                format!("the body is not JSON in UTF-8: {error}"),
                format!("报文不是 UTF-8 编码的 JSON:{error}"),
            )
        })?;
        let Value::Object(members) = document else {
            return Err(Refusal::unparsable("the body must be an object", "报文必须为 JSON 对象"));
        };
        let document = Value::Object(trimmed(members));
        Ok(Message { made_at: instant(&document, "messageTimeStamp"), content: sorted(&document), document })
    }

    /// A happening of this message, with what all of them have.
    fn happening(&self, event: EventType, order: OrderMention, data: Members) -> Happening {
        let number = order.provider_order_number.as_deref().or(order.order_number.as_deref()).unwrap_or_default();
        let dedupe_key = dedupe_key(&[&self.content, number]);
        let mut data = data;
        data.put("providerOrderNumber", order.provider_order_number.clone());
        data.put("orderNumber", order.order_number.clone());
        data.put("subscribedState", integer(&self.document, "subscribeState"));
        data.put("reportedAt", self.made_at.map(|at| json!(at)));
        let without_order = order.order_number.is_none() && order.provider_order_number.is_none();
        Happening {
            event,
            order,
            without_order,
            occurred_at: self.made_at,
            status: None,
            receipt: None,
            data: match data.into_object() {
                Value::Object(members) => members,
                _ => Map::new(),
            },
            warnings: Vec::new(),
            dedupe_key,
        }
    }

    /// The call, with one number only in a list of several: each order's event has its own.
    fn raw_of(&self, list: &str, number: &str) -> Value {
        let mut raw = self.document.clone();
        if let Some(numbers) = raw.get_mut(list) {
            *numbers = json!([number]);
        }
        raw
    }
}

/// Members by their names without white space around. One that says nothing never hides one that does.
fn trimmed(members: Map<String, Value>) -> Map<String, Value> {
    let mut trimmed: Map<String, Value> = Map::new();
    for (name, value) in members {
        let known = trimmed.entry(name.trim().to_owned()).or_insert(Value::Null);
        if known.is_null() {
            *known = value;
        }
    }
    trimmed
}

/// The document with the members of every object in the order of their names.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            let members = members.into_iter().map(|(name, value)| format!("{}:{}", json!(name), sorted(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// The texts of a list; nothing where it is none.
fn texts(document: &Value, name: &str) -> Vec<String> {
    let items = document.get(name).and_then(Value::as_array);
    let said = |item: &Value| text(&json!({"item": item}), "item");
    items.into_iter().flatten().filter_map(said).collect()
}

/// A list as it came, if there is anything in it.
fn list(document: &Value, name: &str) -> Option<Value> {
    let items = texts(document, name);
    (!items.is_empty()).then(|| json!(items))
}

/// Who drives: the name, and the telephone that stands in `phone`.
fn driver(document: &Value, phone: &str) -> Option<Value> {
    let mut driver = Members::default();
    driver.put("name", text(document, "driver"));
    driver.put("phone", text(document, phone));
    driver.into_value()
}

fn vehicle(document: &Value) -> Option<Value> {
    text(document, "carNumber").map(|plate| json!({"licensePlate": plate}))
}

/// 受理单状态,0:已撤销 1000:待处理 2000:进行中 3000:已完成
fn acceptance_status(state: Option<i64>) -> Option<OrderStatus> {
    match state? {
        0 => Some(OrderStatus::Cancelled),
        1000 => Some(OrderStatus::Requested),
        2000 => Some(OrderStatus::InTransit),
        3000 => Some(OrderStatus::Completed),
        _ => None,
    }
}

fn names_no_order() -> Refusal {
    Refusal::unparsable("it names no order", "报文未包含单号")
}

/// How calls are answered is not documented: as 3TMS itself answers.
pub fn reply(reception: Reception<'_>) -> CallbackReply {
    let body = match reception {
        Reception::Accepted => json!({"code": 200, "message": null}),
        Reception::Refused(refusal) => json!({"status": 500, "message": refusal.detail_zh}),
    };
    CallbackReply::json(200, &body)
}
