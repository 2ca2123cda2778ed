//! `GET /v1/providers`

use axum::Json;

use super::ProviderView;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Page, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::provider;

/// Every provider and what it can do.
///
/// In one list, each as `GET /v1/providers/{provider}` shows it. Any API key will do.
#[utoipa::path(
    get, path = "/v1/providers", operation_id = "listProviders", tag = "providers",
    responses(
        (status = 200, description = "The providers, all on one page", body = Page<ProviderView>),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = [])),
)]
pub async fn handler(_: Caller, _: Params<NoParams>) -> Result<Json<Page<ProviderView>>, Problem> {
    let items = provider::ALL.iter().map(|provider| ProviderView::from(*provider)).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
