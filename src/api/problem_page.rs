//! `GET /problems/{name}`: where the `type` of a problem document leads.

use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use strum::VariantArray;

use super::problem::{Facts, Kind, Problem, ProblemDocument};

/// Tells what a kind of problem means.
///
/// And what to do about it, in plain text. `type` of a problem document is this path. Needs no API key.
#[utoipa::path(
    get, path = "/problems/{name}", operation_id = "getProblemType", tag = "problems",
    params(("name" = String, Path, description = "Last part of a problem's `type`")),
    responses(
        (status = 200, description = "The kind of problem, in words", body = String, content_type = "text/plain"),
        (status = 404, description = "There is no such kind of problem", body = ProblemDocument, content_type = "application/problem+json"),
    ),
)]
pub async fn handler(Path(name): Path<String>) -> Result<Response, Problem> {
    let found = Kind::VARIANTS.iter().map(|kind| kind.facts()).find(|facts| facts.name == name);
    let Some(Facts { status, name, title, advice }) = found else {
        return Err(Problem::new(Kind::NotFound, "There is no kind of problem with this name."));
    };
    let page = format!("{title}\n\nType:   /problems/{name}\nStatus: {status}\n\nWhat to do\n\n{advice}\n");
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], page).into_response())
}
