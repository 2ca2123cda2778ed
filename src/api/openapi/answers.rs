//! Answers that every operation may give, whatever it does: the same everywhere, and said once here.

use serde_json::{Map, Value, json};

use super::operations;

pub(super) fn add(document: &mut Value) {
    for operation in operations(document) {
        let (has_key, has_body) = (operation["security"].is_array(), operation["requestBody"].is_object());
        let Some(responses) = operation["responses"].as_object_mut() else { continue };
        if !responses.contains_key("400") {
            may_answer(responses, "400", "Path or query hold what cannot be read", json!({}));
        }
        if has_body {
            may_answer(responses, "408", "The body did not arrive in time", json!({}));
        }
        if has_key {
            let mut headers = json!({
                "RateLimit-Policy": {"description": "What the API key may do, where it is limited", "schema": {"type": "string"}},
                "RateLimit": {"description": "What is left of it", "schema": {"type": "string"}},
            });
            headers["Retry-After"] = retry_after();
            may_answer(responses, "429", "The API key comes too often", headers);
        }
        if has_key || has_body {
            may_answer(
                responses,
                "503",
                "Too much is asked of the gateway at once",
                json!({"Retry-After": retry_after()}),
            );
        }
        responses.sort_keys();
    }
}

fn retry_after() -> Value {
    json!({"description": "Seconds until it is worth to come again", "schema": {"type": "integer", "format": "int32", "minimum": 1}})
}

/// Adds an answer, or what else it may mean and which headers it has.
fn may_answer(responses: &mut Map<String, Value>, status: &str, description: &str, headers: Value) {
    let response = responses.entry(status).or_insert_with(|| {
        json!({"description": "", "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        }})
    });
    let before = response["description"].as_str().unwrap_or_default();
    let all = if before.is_empty() { description.to_owned() } else { format!("{before}; or: {description}") };
    response["description"] = json!(all);
    if let (Some(headers), false) = (headers.as_object(), headers.as_object().is_none_or(Map::is_empty)) {
        let known = response.as_object_mut().map(|response| response.entry("headers").or_insert_with(|| json!({})));
        if let Some(known) = known.and_then(Value::as_object_mut) {
            known.extend(headers.clone());
        }
    }
}
