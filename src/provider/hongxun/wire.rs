//! The call as Hongxun writes it.

use serde_json::Value;

use crate::provider::Refusal;

/// A call: the envelope that all of Hongxun's interfaces have, and what is in it.
pub struct Envelope {
    /// Everything, as it came
    pub document: Value,
}

impl Envelope {
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let document: Value = serde_json::from_slice(body).map_err(|error| {
            Refusal::unparsable(
                format!("the body is not JSON in UTF-8: {error}"),
                format!("报文不是 UTF-8 编码的 JSON:{error}"),
            )
        })?;
        if !document.is_object() || !document["request"].is_object() {
            return Err(Refusal::unparsable(
                "the body must be an object whose member request is an object",
                "报文必须为对象,且 request 为对象",
            ));
        }
        Ok(Envelope { document })
    }

    pub fn request(&self) -> &Value {
        &self.document["request"]
    }

    /// A text of the envelope; empty where it is missing.
    pub fn text(&self, name: &str) -> &str {
        self.document[name].as_str().unwrap_or_default()
    }
}
