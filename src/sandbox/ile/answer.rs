//! Answers in ILE's form, as in the document's example: `body`, `code`, `msg`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

pub const UNAUTHORIZED: i32 = 401;
pub const NOT_FOUND: i32 = 404;
pub const SYSTEM_ERROR: i32 = 500;

pub fn edited() -> Response {
    let words = "订单编辑成功";
    answer(json!(words), 200, words)
}

pub fn refused(code: i32) -> Response {
    answer(Value::Null, code, words(code))
}

pub fn refused_because(code: i32, reason: &str) -> Response {
    answer(Value::Null, code, &format!("{}: {reason}", words(code)))
}

/// 响应状态
fn words(code: i32) -> &'static str {
    match code {
        200 => "订单编辑成功",
        UNAUTHORIZED => "Unauthorized",
        403 => "Forbidden",
        NOT_FOUND => "Not Found",
        SYSTEM_ERROR => "系统异常",
        _ => "the sandbox was told to answer this code",
    }
}

fn answer(body: Value, code: i32, msg: &str) -> Response {
    Json(json!({ "body": body, "code": code, "msg": msg })).into_response()
}
