//! `GET /v1/providers/{provider}`

use axum::Json;
use axum::extract::Path;

use super::{ProviderView, find};
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};

/// What a provider can do.
///
/// With its limits, and the schemas of its accounts and extensions. Any API key will do.
#[utoipa::path(
    get, path = "/v1/providers/{provider}", operation_id = "getProvider", tag = "providers",
    params(("provider" = String, Path, description = "Id of the provider")),
    responses(
        (status = 200, description = "The provider", body = ProviderView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such provider", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = [])),
)]
pub async fn handler(
    _: Caller,
    Path(provider): Path<String>,
    _: Params<NoParams>,
) -> Result<Json<ProviderView>, Problem> {
    Ok(Json(ProviderView::from(find(&provider)?)))
}
