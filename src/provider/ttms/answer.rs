//! What all answers have alike. A failure is HTTP 200 with `status` 500 and a message, and without `code`;
//! success has `code` 200.

use std::time::Duration;

use serde_json::Value;

use super::codes;
use crate::canonical::{RetryPolicy, Severity, SubmissionResult};
use crate::provider::{Answer, Reply};

/// What an answer says, whatever was asked.
#[derive(Debug, PartialEq)]
pub enum Answered {
    /// It was done; `data`, null where there is none
    Taken(Value),
    Failed(Failure),
    Throttled(Option<Duration>),
    SessionExpired,
    UnknownInterface,
    Unreadable(String),
}

/// A failure with its message.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// `status`, or a `code` that is not 200
    pub raw_code: String,
    pub message: String,
}

impl Failure {
    pub fn classified(&self) -> (SubmissionResult, RetryPolicy) {
        codes::failure(&self.raw_code, &self.message)
    }
}

/// Reads the HTTP status and the members that every body has.
pub fn read(answer: &Answer<'_>) -> Answered {
    match answer.status {
        // 200,201,20*表示调用接口成功
        200..=209 => read_body(answer.body),
        401 => Answered::SessionExpired,
        404 => Answered::UnknownInterface,
        // Not documented; what HTTP says of it is clear enough.
        429 => Answered::Throttled(answer.retry_after),
        status => Answered::Unreadable(format!("the answer has HTTP status {status}, which is not documented")),
    }
}

fn read_body(body: &[u8]) -> Answered {
    let unreadable = |why: &str| Answered::Unreadable(format!("the answer {why}"));
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let mut members = match serde_json::from_slice::<Value>(body) {
        Ok(Value::Object(members)) => members,
        Ok(_) => return unreadable("is no JSON object"),
        Err(error) => return unreadable(&format!("is no JSON document: {error}")),
    };
    let [code, status] = ["code", "status"].map(|name| members.get(name).and_then(as_code));
    let message = || members.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    match (code, status) {
        (Some(code), status) if code == "200" && status.as_ref().is_none_or(|status| *status == code) => {
            Answered::Taken(members.remove("data").unwrap_or(Value::Null))
        }
        (Some(code), _) if code != "200" => Answered::Failed(Failure { raw_code: code, message: message() }),
        (None, Some(status)) if status != "200" => Answered::Failed(Failure { raw_code: status, message: message() }),
        (Some(_), _) => unreadable("has code 200 and the status of a failure"),
        (None, _) => unreadable("has no code"),
    }
}

/// A code, which is a number; written as text it is taken for the same.
fn as_code(value: &Value) -> Option<String> {
    match value {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        _ => None,
    }
}

/// The reply to a call; `done` reads `data`, or says why it cannot be read.
pub fn reply<T>(answer: &Answer<'_>, done: impl FnOnce(Value) -> Result<T, String>) -> Reply<T> {
    match read(answer) {
        Answered::Taken(data) => match done(data) {
            Ok(value) => Reply::Done(value),
            Err(why) => Reply::Unreadable(why),
        },
        Answered::Failed(failure) => {
            let (result, _) = failure.classified();
            match result.code.as_str() {
                "limit.rate_limited" => Reply::Throttled { retry_after: answer.retry_after },
                "auth.invalid_credentials" => Reply::CredentialsRefused(vec![result]),
                _ => Reply::Refused(vec![result]),
            }
        }
        Answered::Throttled(retry_after) => Reply::Throttled { retry_after },
        Answered::SessionExpired => Reply::SessionExpired,
        // A wrong base URL is for a person to correct, as wrong credentials are.
        Answered::UnknownInterface => Reply::CredentialsRefused(vec![codes::unknown_interface()]),
        Answered::Unreadable(why) => Reply::Unreadable(why),
    }
}

/// The result of an answer that cannot be read.
pub fn not_understood(why: &str) -> SubmissionResult {
    SubmissionResult::gateway(
        "transport.unreadable_response",
        Severity::Error,
        false,
        "Answer not understood; outcome unknown",
        "响应无法解析,结果未知",
    )
    .with_raw_message(why)
}
