//! The signature (附录一): MD5 in lower hex of createBy, dataSource, the canonical JSON of `request`, the secret key and
//! timestamp, joined by `&`; and the time, which may be off by ten minutes.

use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde_json::{Map, Number, Value};

use super::moment;
use super::settings::{HongxunCredentials, HongxunSettings, Verify};
use super::wire::Envelope;
use crate::canonical::Warning;
use crate::provider::{Account, Refusal, Verification};

/// 服务端允许客户端请求时间误差为10分钟
const MOST_DRIFT: TimeDelta = TimeDelta::minutes(10);
/// So much of a canonical request is shown to people.
const MOST_SHOWN: usize = 500;

/// Whether a call comes from Hongxun, and just now.
pub fn verify(account: &Account, body: &[u8], now: DateTime<Utc>) -> Verification {
    let envelope = match Envelope::read(body) {
        Ok(envelope) => envelope,
        Err(refusal) => return Verification::Failed(refusal),
    };
    let Ok(credentials) = account.credentials.read::<HongxunCredentials>() else {
        return Verification::Failed(Refusal::new(
            "callback.account_unusable",
            "it cannot be verified: the account's credentials cannot be read",
            "账户凭据无法读取",
        ));
    };
    let checks = [
        check_sender(&envelope, &credentials).err(),
        check_signature(&envelope, &credentials).err(),
        check_time(&envelope, now).err(),
    ];
    let mut refusals = checks.into_iter().flatten().peekable();
    if refusals.peek().is_none() {
        return Verification::Genuine;
    }
    match HongxunSettings::of(account).verify {
        Verify::Warn => Verification::Doubtful(refusals.map(Refusal::into_warning).collect::<Vec<Warning>>()),
        Verify::Enforce => refusals.next().map_or(Verification::Genuine, Verification::Failed),
    }
}

fn check_sender(envelope: &Envelope, credentials: &HongxunCredentials) -> Result<(), Refusal> {
    for (name, expected) in [("createBy", &credentials.create_by), ("dataSource", &credentials.data_source)] {
        let given = envelope.text(name);
        if given != expected {
            return Err(Refusal::new(
                "callback.unknown_sender",
                format!("{name} is {given:?}, and the account's is {expected:?}"),
                format!("{name} 为 {given:?},与账户的 {expected:?} 不一致"),
            ));
        }
    }
    Ok(())
}

fn check_signature(envelope: &Envelope, credentials: &HongxunCredentials) -> Result<(), Refusal> {
    let HongxunCredentials { create_by: _, data_source: _, secret_key } = credentials;
    // What the sender wrote is what the sender signed.
    let (create_by, data_source, timestamp) =
        (envelope.text("createBy"), envelope.text("dataSource"), envelope.text("timestamp"));
    let request = canonical_json(envelope.request());
    let expected = sign(create_by, data_source, &request, secret_key, timestamp);
    let given = envelope.text("sign").to_ascii_lowercase();
    if verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).is_ok() {
        return Ok(());
    }
    let shown: String = request.chars().take(MOST_SHOWN).collect();
    let signed = format!("{create_by}&{data_source}&{shown}&***&{timestamp}");
    Err(Refusal::new(
        "callback.wrong_signature",
        format!("sign is not the MD5 in hex of {signed}, with the account's secretKey in the place of ***"),
        format!("签名错误:sign 应为 {signed}(*** 处为账户的 secretKey)的 MD5"),
    ))
}

fn check_time(envelope: &Envelope, now: DateTime<Utc>) -> Result<(), Refusal> {
    let timestamp = envelope.text("timestamp");
    let Some(at) = moment::read(timestamp) else {
        return Err(Refusal::new(
            "callback.stale_timestamp",
            format!("timestamp is {timestamp:?}, and no time in the form yyyy-MM-dd HH:mm:ss"),
            format!("时间戳 {timestamp:?} 格式错误,应为 yyyy-MM-dd HH:mm:ss"),
        ));
    };
    if (now - at).abs() <= MOST_DRIFT {
        return Ok(());
    }
    let minutes = MOST_DRIFT.num_minutes();
    let arrived = moment::write(now);
    Err(Refusal::new(
        "callback.stale_timestamp",
        format!("timestamp is {timestamp}, more than {minutes} minutes off {arrived} in China, when the call arrived"),
        format!("时间戳 {timestamp} 与到达时间 {arrived} 相差超过 {minutes} 分钟"),
    ))
}

/// The signature of a call.
pub fn sign(create_by: &str, data_source: &str, request: &str, secret_key: &str, timestamp: &str) -> String {
    let signed = format!("{create_by}&{data_source}&{request}&{secret_key}&{timestamp}");
    HEXLOWER.encode(&Md5::digest(signed.as_bytes()))
}

/// JSON as it is signed: members sorted at every level and without those that are null, no white space, whole numbers
/// without a point, nothing escaped for HTML.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => write_members(members, out),
    }
}

fn write_members(members: &Map<String, Value>, out: &mut String) {
    let mut members: Vec<_> = members.iter().filter(|(_, value)| !value.is_null()).collect();
    // The sender sorts as Java does: by UTF-16.
    members.sort_by(|(one, _), (other, _)| one.encode_utf16().cmp(other.encode_utf16()));
    out.push('{');
    for (index, (name, value)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_text(name, out);
        out.push(':');
        write_value(value, out);
    }
    out.push('}');
}

/// `1.0` is written `1`; a fraction as it came.
fn write_number(number: &Number, out: &mut String) {
    let text = number.as_str();
    match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|digit| digit == b'0') => out.push_str(whole),
        _ => out.push_str(text),
    }
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\u{0}'..='\u{1f}' | '\u{2028}' | '\u{2029}' => {
                // Writing into a text does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
