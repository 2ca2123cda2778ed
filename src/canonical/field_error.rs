//! What is wrong with one member of a request, in both languages.

use serde::Serialize;
use utoipa::ToSchema;

/// One thing that is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FieldError {
    /// RFC 6901 pointer into the request body; empty for the body as a whole
    pub pointer: String,
    /// Stable code, `validation.*` or `translation.*`
    pub code: String,
    /// What is wrong, in English
    pub detail: String,
    /// What is wrong, in Chinese
    pub detail_zh: String,
}

impl FieldError {
    pub fn new(
        pointer: impl Into<String>,
        code: impl Into<String>,
        detail: impl Into<String>,
        detail_zh: impl Into<String>,
    ) -> Self {
        FieldError { pointer: pointer.into(), code: code.into(), detail: detail.into(), detail_zh: detail_zh.into() }
    }

    /// The same error about a document that stands at `prefix` of the request body.
    #[must_use]
    pub fn below(mut self, prefix: &str) -> Self {
        self.pointer.insert_str(0, prefix);
        self
    }
}
