//! A gateway's problem document, read.

use std::fmt;

use serde_json::{Value, json};

/// What a gateway answered instead of doing what it was asked for.
#[derive(Debug, Clone)]
pub struct RemoteProblem {
    pub status: u16,
    pub document: Value,
}

impl RemoteProblem {
    /// From an answer. What is no problem document, as of a proxy on the way, is made one.
    pub fn of(status: u16, body: &Value) -> Self {
        if body["title"].is_string() && body["type"].is_string() {
            return RemoteProblem { status, document: body.clone() };
        }
        let said = match body {
            Value::Null => "It said nothing more.".to_owned(),
            Value::String(text) => text.chars().take(300).collect(),
            other => other.to_string().chars().take(300).collect(),
        };
        let title = "The answer is none of this gateway";
        RemoteProblem { status, document: json!({"type": "", "title": title, "status": status, "detail": said}) }
    }

    #[cfg(test)]
    pub fn of_status(status: u16) -> Self {
        Self::of(status, &Value::Null)
    }

    /// Last part of its type.
    pub fn kind(&self) -> &str {
        let kind = self.document["type"].as_str().unwrap_or_default();
        kind.strip_prefix("/problems/").unwrap_or(kind)
    }
}

impl fmt::Display for RemoteProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name: &str| self.document[name].as_str().unwrap_or_default();
        write!(formatter, "{}: {}", text("title"), text("detail"))
    }
}
