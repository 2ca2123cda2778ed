//! The answers' form: `{"code":200,"message":null,"data":…}`, or with HTTP 200 just the same
//! `{"status":500,"message":"…"}` and no `code`. Only a bad token has a status of HTTP.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// What an operation answers, or why it does not do what it was asked.
pub type Outcome = Result<Value, Failure>;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The whole message.
    Says(String),
    /// Goes on from the words that the document has for a failure of the operation.
    Because(String),
}

impl Failure {
    pub fn because(reason: impl Into<String>) -> Self {
        Self::Because(reason.into())
    }

    pub fn message(self, documented: &str) -> String {
        match self {
            Self::Says(message) => message,
            Self::Because(reason) if documented.is_empty() => reason,
            Self::Because(reason) => format!("{documented}:{reason}"),
        }
    }
}

/// 超过会提示操作频繁
pub const TOO_FREQUENT: &str = "操作频繁";

/// The answer of operations whose example has no `data`.
pub fn done() -> Value {
    json!({ "code": 200, "message": null })
}

pub fn data(data: impl Into<Value>) -> Value {
    json!({ "code": 200, "message": null, "data": data.into() })
}

pub fn answered(answer: &Value) -> Response {
    response(StatusCode::OK, answer)
}

pub fn failed(message: &str) -> Response {
    response(StatusCode::OK, &failure("500", message))
}

/// 401表示授权失败,需要重新登陆获取access_token
pub fn unauthorised() -> Response {
    let message = "授权失败,需要重新登陆获取access_token";
    response(StatusCode::UNAUTHORIZED, &failure("401", message))
}

/// 404表示接口不存在
pub fn unknown_operation() -> Response {
    response(StatusCode::NOT_FOUND, &failure("404", "接口不存在"))
}

/// A refusal with a code that somebody chose: `401` and `404` are the answers of HTTP, another
/// number is the `status`, and whatever else the message of the usual failure.
pub fn refused(code: &str, status: Option<&str>) -> Response {
    match code {
        "401" => unauthorised(),
        "404" => unknown_operation(),
        code if is_number(code) => response(StatusCode::OK, &failure(code, "")),
        message => response(StatusCode::OK, &failure(status.unwrap_or("500"), message)),
    }
}

fn failure(status: &str, message: &str) -> Value {
    let status = status.parse::<u32>().map_or_else(|_| json!(status), |number| json!(number));
    json!({ "status": status, "message": message })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn response(status: StatusCode, answer: &Value) -> Response {
    let content_type = [(header::CONTENT_TYPE, "application/json;charset=UTF-8")];
    (status, content_type, answer.to_string()).into_response()
}
