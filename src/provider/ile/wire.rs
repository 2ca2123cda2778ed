//! The answer as ILE writes it.

use serde::Deserialize;
use serde::de::Error as _;
use serde_json::Value;

/// `{"body": …, "code": …, "msg": …}`. An answer of something else, such as the page of an unknown route, has
/// no `code` or is no JSON.
#[derive(Debug, PartialEq, Deserialize)]
pub struct EditAnswer {
    pub code: i32,
    #[serde(default)]
    pub msg: Option<String>,
    /// Typed object in the document, a text in its example
    #[serde(default)]
    pub body: Value,
}

impl EditAnswer {
    pub fn read(body: &[u8]) -> serde_json::Result<Self> {
        // Of a list, the members would be taken by their places.
        if !body.trim_ascii_start().starts_with(b"{") {
            return Err(serde_json::Error::custom("not an object"));
        }
        // Of bytes, what stands in members that nobody reads is not looked at.
        serde_json::from_str(std::str::from_utf8(body).map_err(serde_json::Error::custom)?)
    }

    /// ILE's own words: `msg`, and `body` where it says something else.
    pub fn words(&self) -> Option<String> {
        let msg = self.msg.as_deref().unwrap_or_default();
        let body = match &self.body {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let words: Vec<&str> = match (msg, body.as_str()) {
            (msg, body) if msg == body => vec![msg],
            (msg, body) => vec![msg, body],
        };
        let words = words.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join("; ");
        (!words.is_empty()).then_some(words)
    }
}
