//! Result codes: what a provider (or the gateway) said, normalised, with the raw words kept.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Origin of a result that the gateway itself states.
pub const ORIGIN_GATEWAY: &str = "gateway";

/// How bad a result is.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Severity {
    Info,
    Warning,
    Error,
}

/// Whether, and how, the same document may be sent again after a code.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum RetryPolicy {
    /// The same document cannot succeed.
    No,
    /// It may succeed soon by itself.
    Yes,
    /// It may succeed later; the wait is longer.
    Delayed,
    /// The cause is unknown: a few tries, then a person.
    Bounded,
    /// The request as a whole was too large: its items go in smaller ones.
    Split,
    /// It may succeed with a new session.
    AfterRefresh,
}

impl RetryPolicy {
    pub fn is_retryable(self) -> bool {
        self != RetryPolicy::No
    }
}

/// One entry of a provider's result-code catalogue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResultCode {
    /// Where the code appears, e.g. an operation of the provider
    pub scope: String,
    /// The code as the provider writes it
    pub raw_code: String,
    /// Canonical code, `category.reason`
    pub code: String,
    /// How bad it is by itself; a code beside a created order is a warning
    pub severity: Severity,
    /// Whether and how the same document may be sent again
    pub retry: RetryPolicy,
    /// Members of the order that it is about
    pub pointers: Vec<String>,
    /// Meaning in English
    pub message_en: String,
    /// Meaning in Chinese, in the provider's words
    pub message_zh: String,
}

/// What a provider or the gateway said about a submission, normalised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Result)]
#[serde(rename_all = "camelCase")]
pub struct SubmissionResult {
    /// Provider id, or `gateway`
    pub provider: String,
    /// Where the code appears, e.g. an operation of the provider
    pub scope: String,
    /// The code as the provider wrote it; never dropped
    pub raw_code: String,
    /// The provider's own words, where it sent any
    #[schema(required)]
    pub raw_message: Option<String>,
    /// Canonical code; `provider.unclassified` where the catalogue has none
    pub code: String,
    /// First part of `code`
    pub category: String,
    /// How bad it is in this answer
    pub severity: Severity,
    /// Whether the same document may succeed later
    pub retryable: bool,
    /// RFC 6901 pointers into the order; a list as a whole is e.g. `/lines`
    pub pointers: Vec<String>,
    /// Meaning in Chinese
    pub message_zh: String,
    /// Meaning in English
    pub message_en: String,
}

impl SubmissionResult {
    /// A result from its catalogue entry.
    pub fn from_catalogue(provider: &str, entry: &ResultCode) -> Self {
        SubmissionResult {
            provider: provider.to_owned(),
            scope: entry.scope.clone(),
            raw_code: entry.raw_code.clone(),
            raw_message: None,
            code: entry.code.clone(),
            category: category_of(&entry.code),
            severity: entry.severity,
            retryable: entry.retry.is_retryable(),
            pointers: entry.pointers.clone(),
            message_zh: entry.message_zh.clone(),
            message_en: entry.message_en.clone(),
        }
    }

    /// A code that the catalogue does not have: kept as it is, and named as unknown.
    pub fn unclassified(provider: &str, scope: &str, raw_code: &str) -> Self {
        SubmissionResult {
            provider: provider.to_owned(),
            scope: scope.to_owned(),
            raw_code: raw_code.to_owned(),
            raw_message: None,
            code: "provider.unclassified".to_owned(),
            category: "provider".to_owned(),
            severity: Severity::Error,
            retryable: false,
            pointers: Vec::new(),
            message_zh: "目标系统返回了目录之外的代码".to_owned(),
            message_en: "Provider code not in the catalogue".to_owned(),
        }
    }

    /// A statement of the gateway itself; `code` is also its raw code.
    pub fn gateway(code: &str, severity: Severity, retryable: bool, message_en: &str, message_zh: &str) -> Self {
        SubmissionResult {
            provider: ORIGIN_GATEWAY.to_owned(),
            scope: ORIGIN_GATEWAY.to_owned(),
            raw_code: code.to_owned(),
            raw_message: None,
            code: code.to_owned(),
            category: category_of(code),
            severity,
            retryable,
            pointers: Vec::new(),
            message_zh: message_zh.to_owned(),
            message_en: message_en.to_owned(),
        }
    }

    #[must_use]
    pub fn at(mut self, pointer: impl Into<String>) -> Self {
        self.pointers.push(pointer.into());
        self
    }

    #[must_use]
    pub fn with_raw_message(mut self, message: impl Into<String>) -> Self {
        self.raw_message = Some(message.into());
        self
    }
}

fn category_of(code: &str) -> String {
    code.split('.').next().unwrap_or(code).to_owned()
}
