//! 入库单状态确认: what came in of an inbound order, and the answer to it.

use serde_json::{Map, Value, json};

use super::moment;
use super::settings::HongxunSettings;
use super::wire::Envelope;
use crate::canonical::{Counting, EventType, Happening, OrderMention, OrderStatus, Receipt, Warning};
use crate::provider::{Account, CallbackReply, Reception, Refusal, dedupe_key};

/// 完成, the only state that the document has.
const FULFILLED: &str = "FULFILLED";
/// More than any order holds; what adds up from such quantities can be counted.
const MOST_QUANTITY: i64 = 1_000_000_000_000;

/// What a confirmation says.
pub fn parse(account: &Account, body: &[u8]) -> Result<Happening, Refusal> {
    let envelope = Envelope::read(body)?;
    let request = envelope.request();
    let number = text(request, "customerNumber")?;
    let state = text(request, "orderStatus")?;
    let total = quantity(request, "totalQuantity")?;
    let actual = quantity(request, "actualQuantity")?;
    let timestamp = envelope.text("timestamp");
    let reported_at = moment::read(timestamp);
    let counting = HongxunSettings::of(account).quantity_mode;
    let known = state == FULFILLED;

    let data = json!({
        "orderNumber": number,
        "providerStatus": state,
        "totalQuantity": total,
        "actualQuantity": actual,
        "counting": <&str>::from(counting),
        "reportedAt": reported_at,
        "sender": {"createBy": envelope.text("createBy"), "dataSource": envelope.text("dataSource")},
        "raw": envelope.document,
    });
    let (total_text, actual_text) = (total.to_string(), actual.to_string());
    // There is no number of the message. Where each says how much has come by then, the same again is a repetition;
    // where each says how much came with it, only the same at the same time is.
    let repeated_at = if counting == Counting::Incremental { timestamp } else { "" };
    Ok(Happening {
        event: EventType::WarehouseReceiptConfirmed,
        order: OrderMention { order_number: Some(number.to_owned()), ..OrderMention::default() },
        without_order: true,
        occurred_at: reported_at,
        status: None,
        receipt: Some(Receipt {
            subject: number.to_owned(),
            quantity: actual,
            total,
            counting,
            status_when_complete: known.then_some(OrderStatus::Completed),
        }),
        warnings: if known { Vec::new() } else { vec![unknown_state(state)] },
        dedupe_key: dedupe_key(&["receipt", number, state, &total_text, &actual_text, repeated_at]),
        data: members(data),
    })
}

fn members(data: Value) -> Map<String, Value> {
    match data {
        Value::Object(members) => members,
        _ => Map::new(),
    }
}

fn unknown_state(state: &str) -> Warning {
    Warning::new(
        "status.unknown",
        format!("orderStatus is {state:?}, which the document does not have; the order's status was left as it is"),
        format!("单据状态 {state:?} 未在文档中定义,订单状态保持不变"),
    )
}

fn text<'a>(request: &'a Value, name: &str) -> Result<&'a str, Refusal> {
    request[name].as_str().map(str::trim).filter(|text| !text.is_empty()).ok_or_else(|| {
        Refusal::unparsable(
            format!("request.{name} must be a text that is not empty"),
            format!("request.{name} 不能为空"),
        )
    })
}

/// A whole number; in quotes, too.
fn quantity(request: &Value, name: &str) -> Result<i64, Refusal> {
    let given = &request[name];
    let text = match given {
        Value::Number(number) => number.as_str(),
        Value::String(text) => text.trim(),
        _ => "",
    };
    let whole = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => whole,
        _ => text,
    };
    whole.parse().ok().filter(|quantity| (0..=MOST_QUANTITY).contains(quantity)).ok_or_else(|| {
        Refusal::unparsable(
            format!("request.{name} is {given}, and no whole number from 0 to {MOST_QUANTITY}"),
            format!("request.{name} 为 {given},应为 0 至 {MOST_QUANTITY} 的整数"),
        )
    })
}

/// `flag` and `code` agree. The HTTP status is 200 in any case: the document has no other.
pub fn reply(reception: Reception<'_>) -> CallbackReply {
    let body = match reception {
        Reception::Accepted => json!({"code": 200, "message": "响应成功", "flag": true}),
        Reception::Refused(refusal) => {
            let code = match refusal.code {
                "callback.unknown_sender" | "callback.wrong_signature" | "callback.stale_timestamp" => 401,
                "callback.unparsable" => 400,
                _ => 500,
            };
            json!({"code": code, "message": refusal.detail_zh, "flag": false})
        }
    };
    CallbackReply::json(200, &body)
}
