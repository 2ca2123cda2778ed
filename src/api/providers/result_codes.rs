//! `GET /v1/providers/{provider}/result-codes`

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::find;
use crate::api::auth::Caller;
use crate::api::params::{Page, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::{ResultCode, RetryPolicy, Severity};

/// Which codes are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ResultCodesQuery {
    /// Where the code appears
    pub scope: Option<String>,
    /// Canonical code
    pub code: Option<String>,
    /// The code as the provider writes it
    pub raw_code: Option<String>,
}

/// A code that the provider may answer with, and what it means.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ResultCode)]
#[serde(rename_all = "camelCase")]
pub struct ResultCodeView {
    /// Where the code appears, e.g. an operation of the provider
    pub scope: &'static str,
    /// The code as the provider writes it
    pub raw_code: &'static str,
    /// Canonical code, `category.reason`
    pub code: &'static str,
    /// First part of `code`
    pub category: &'static str,
    /// How bad it is by itself; a code beside a created order is a warning
    pub severity: Severity,
    /// Whether the same document may succeed later
    pub retryable: bool,
    /// Whether and how the gateway sends the same document again
    pub retry: RetryPolicy,
    /// Members of the order that it is about
    pub pointers: &'static [String],
    /// Meaning in Chinese, in the provider's words
    pub message_zh: &'static str,
    /// Meaning in English
    pub message_en: &'static str,
}

impl From<&'static ResultCode> for ResultCodeView {
    fn from(entry: &'static ResultCode) -> Self {
        let ResultCode { scope, raw_code, code, severity, retry, pointers, message_en, message_zh } = entry;
        ResultCodeView {
            scope,
            raw_code,
            code,
            category: code.split('.').next().unwrap_or(code),
            severity: *severity,
            retryable: retry.is_retryable(),
            retry: *retry,
            pointers,
            message_zh,
            message_en,
        }
    }
}

/// The codes that a provider's answers may hold.
///
/// In the order of its documents, with what they mean in English and Chinese. Any API key will do.
#[utoipa::path(
    get, path = "/v1/providers/{provider}/result-codes", operation_id = "listResultCodes", tag = "providers",
    params(("provider" = String, Path, description = "Id of the provider"), ResultCodesQuery),
    responses(
        (status = 200, description = "The codes, all on one page", body = Page<ResultCodeView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such provider", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = [])),
)]
pub async fn handler(
    _: Caller,
    Path(provider): Path<String>,
    Params(query): Params<ResultCodesQuery>,
) -> Result<Json<Page<ResultCodeView>>, Problem> {
    let ResultCodesQuery { scope, code, raw_code } = query;
    let wanted = |filter: &Option<String>, value: &str| filter.as_ref().is_none_or(|filter| filter == value);
    let catalogue = (find(&provider)?.profile().catalogue)();
    let items = catalogue
        .entries()
        .iter()
        .filter(|entry| {
            wanted(&scope, &entry.scope) && wanted(&code, &entry.code) && wanted(&raw_code, &entry.raw_code)
        })
        .map(ResultCodeView::from)
        .collect();
    Ok(Json(Page { items, next_cursor: None }))
}
