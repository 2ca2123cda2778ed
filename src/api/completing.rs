//! Error answers in their form: each becomes a problem document that names its request.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::around::REQUEST_ID;
use super::masking;
use super::problem::{Kind, Problem};
use crate::metrics::HTTP_REFUSALS;

/// Stands among the extensions of an answer to somebody who knows no problem documents.
#[derive(Debug, Clone, Copy)]
pub struct InAnotherForm;

/// What the documents of a request's problems say of the request.
pub struct Asked {
    uri: Uri,
    request_id: Option<HeaderValue>,
}

impl Asked {
    /// The request has its id by now.
    pub fn of(request: &Request) -> Self {
        Asked { uri: request.uri().clone(), request_id: request.headers().get(REQUEST_ID).cloned() }
    }

    /// Turns every error answer, also those of layers below the handlers, into a problem document.
    pub fn complete(self, mut response: Response) -> Response {
        if let Some(problem) = response.extensions_mut().remove::<Problem>() {
            if let Some(reason) = problem.refusal {
                HTTP_REFUSALS.increment([reason]);
            }
            let mut complete = self.document_of(problem);
            // Headers that the handler added to its problem stay.
            for (name, value) in response.headers() {
                complete.headers_mut().entry(name).or_insert_with(|| value.clone());
            }
            return complete;
        }
        if response.extensions().get::<InAnotherForm>().is_some() {
            return response;
        }
        let status = response.status();
        let is_problem = content_type(response.headers()).starts_with("application/problem+json");
        if (status.is_client_error() || status.is_server_error()) && !is_problem {
            let mut complete = self.document_of(Problem::new(Kind::of_status(status), words_for(status)));
            if let Some(allow) = response.headers().get(header::ALLOW) {
                complete.headers_mut().insert(header::ALLOW, allow.clone());
            }
            return complete;
        }
        response
    }

    fn document_of(&self, problem: Problem) -> Response {
        let request_id = self.request_id.as_ref().and_then(|id| id.to_str().ok()).unwrap_or_default();
        problem.into_document(masking::path(self.uri.path()).into_owned(), request_id.to_owned())
    }
}

/// Refuses a path or query with a NUL: no text in the ledger can hold one, so nothing can be meant by it.
pub fn refuse_nul(uri: &Uri) -> Option<Problem> {
    let holds_nul = uri.path().contains("%00") || uri.query().is_some_and(|query| query.contains("%00"));
    holds_nul.then(|| Problem::new(Kind::MalformedRequest, "Neither path nor query may contain a NUL (%00)."))
}

/// Both, where nothing else goes around a request.
pub async fn enclose(request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let response = match refuse_nul(request.uri()) {
        Some(refusal) => refusal.into_response(),
        None => next.run(request).await,
    };
    asked.complete(response)
}

fn words_for(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "There is nothing at this path.",
        StatusCode::METHOD_NOT_ALLOWED => "This path has other methods; see Allow.",
        StatusCode::PAYLOAD_TOO_LARGE => "The body is longer than this gateway takes.",
        StatusCode::REQUEST_TIMEOUT => "The request did not arrive in time.",
        status if status.is_client_error() => "The request cannot be read.",
        _ => "The gateway failed; the log says why under this request id.",
    }
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
