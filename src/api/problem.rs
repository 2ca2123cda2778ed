//! Problem documents (RFC 9457): what is wrong, where, and what to do about it.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::canonical::FieldError;
use crate::store::StoreError;

/// Kinds of problem; each has a page under `/problems/` in its `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::VariantArray)]
pub enum Kind {
    MalformedRequest,
    IdempotencyKeyMissing,
    Unauthenticated,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    OrderExists,
    AccountExists,
    StateConflict,
    IncompleteProviderState,
    IdempotencyInProgress,
    CursorExpired,
    PreconditionFailed,
    BodyTooLarge,
    BatchTooLarge,
    UnsupportedMediaType,
    ValidationFailed,
    UnknownAccount,
    UnsupportedByProvider,
    FieldNotAmendable,
    FieldNotClearable,
    IdempotencyKeyReused,
    RateLimited,
    QueueFull,
    ProviderError,
    ProviderTimeout,
    Unavailable,
    Internal,
}

/// What a kind of problem always says.
pub struct Facts {
    pub status: StatusCode,
    /// Last part of `type`
    pub name: &'static str,
    pub title: &'static str,
    /// What the caller can do about it
    pub advice: &'static str,
}

impl Kind {
    /// What the metrics call it, where it says that there is no room.
    fn refusal(self) -> Option<&'static str> {
        match self {
            Kind::RateLimited => Some("rate_limited"),
            Kind::QueueFull => Some("queue_full"),
            Kind::Unavailable => Some("unavailable"),
            _ => None,
        }
    }

    #[expect(clippy::too_many_lines, reason = "a table: one entry for each kind")]
    pub fn facts(self) -> Facts {
        let (status, name, title, advice) = match self {
            Kind::MalformedRequest => (
                StatusCode::BAD_REQUEST,
                "malformed-request",
                "The request cannot be read",
                "Compare path, parameters, headers and body with /openapi.json. The detail says what could not be read. The same request will fail again.",
            ),
            Kind::IdempotencyKeyMissing => (
                StatusCode::BAD_REQUEST,
                "idempotency-key-missing",
                "An Idempotency-Key is needed",
                "Send an Idempotency-Key of your own making, a new one for each new request: a UUID will do. Repeat a request with the key of its first try.",
            ),
            Kind::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "An API key is needed",
                "Send `Authorization: Bearer <api key>` with a key that is neither revoked nor expired. Administrators make keys with POST /v1/api-keys.",
            ),
            Kind::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "The API key lacks the right",
                "Use a key with the scope that the detail names, or one that is not limited to other accounts.",
            ),
            Kind::NotFound => (
                StatusCode::NOT_FOUND,
                "not-found",
                "There is no such thing",
                "Check the path and the id. What belongs to an account that your key may not use does not exist for it either.",
            ),
            Kind::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method-not-allowed",
                "The method is not allowed here",
                "Use one of the methods that the header Allow names.",
            ),
            Kind::RequestTimeout => (
                StatusCode::REQUEST_TIMEOUT,
                "request-timeout",
                "The request took too long to arrive",
                "Send the request again, with the same Idempotency-Key if it had one.",
            ),
            Kind::OrderExists => (
                StatusCode::CONFLICT,
                "order-exists",
                "The account has an order of this number",
                "Read the order that orderId names. To change it, PATCH it; for another order, use another orderNumber.",
            ),
            Kind::AccountExists => (
                StatusCode::CONFLICT,
                "account-exists",
                "There is an account of this id",
                "PATCH the account that is there, or choose another id.",
            ),
            Kind::StateConflict => (
                StatusCode::CONFLICT,
                "state-conflict",
                "Its state does not allow this",
                "Read the object again: the detail says which state stands in the way. Some states pass by themselves.",
            ),
            Kind::IncompleteProviderState => (
                StatusCode::CONFLICT,
                "incomplete-provider-state",
                "The whole order is not known",
                "The provider takes changes only as a whole document. Name the members that errors points to in your patch.",
            ),
            Kind::IdempotencyInProgress => (
                StatusCode::CONFLICT,
                "idempotency-in-progress",
                "The first request with this key is still running",
                "Wait a little, then send the same request with the same Idempotency-Key.",
            ),
            Kind::CursorExpired => (
                StatusCode::GONE,
                "cursor-expired",
                "The feed does not have what comes after this cursor",
                "Some events after your cursor are not kept any more, or the ledger was set back. Begin anew without a cursor, with the oldest event that is kept, or with `after=latest`; read the orders that you may have missed.",
            ),
            Kind::PreconditionFailed => (
                StatusCode::PRECONDITION_FAILED,
                "precondition-failed",
                "It was changed meanwhile",
                "Read the object again, decide whether your change still makes sense, and send it with the new ETag in If-Match.",
            ),
            Kind::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The body is too large",
                "Send less at once, for example an order batch in several parts. The limit is 10 MiB unless the operator set another.",
            ),
            Kind::BatchTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "batch-too-large",
                "The batch holds too many orders",
                "Send the orders in several batches of up to 1,000, each with an Idempotency-Key of its own.",
            ),
            Kind::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The media type is not supported",
                "Send the body as application/json, or a merge patch as application/merge-patch+json.",
            ),
            Kind::ValidationFailed => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "validation-failed",
                "The document is not valid",
                "Correct every member that errors points to: all that is wrong is listed at once. The schemas are in /openapi.json.",
            ),
            Kind::UnknownAccount => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "unknown-account",
                "There is no such account",
                "Name an account that exists and that your key may use.",
            ),
            Kind::UnsupportedByProvider => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "unsupported-by-provider",
                "The provider cannot do this",
                "See what the account's provider can do with GET /v1/providers/{provider}. Take out the members that errors points to, or use an account of another provider.",
            ),
            Kind::FieldNotAmendable => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "field-not-amendable",
                "A member cannot be changed",
                "Take the members that errors points to out of the change. Where the provider cannot change them, cancel the order and create a new one.",
            ),
            Kind::FieldNotClearable => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "field-not-clearable",
                "A member cannot be cleared",
                "The provider can change the members that errors points to, but not take them away. Give them another value, or leave them as they are.",
            ),
            Kind::IdempotencyKeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency-key-reused",
                "The idempotency key was used with another body",
                "Send a new request with a new Idempotency-Key; keep the old one for repetitions of the first request only.",
            ),
            Kind::RateLimited => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate-limited",
                "Requests come too often",
                "Repeat the request after Retry-After seconds. RateLimit-Policy and RateLimit say what an API key may do, where it is limited.",
            ),
            Kind::QueueFull => (
                StatusCode::TOO_MANY_REQUESTS,
                "queue-full",
                "Too much waits for the account",
                "Nothing was accepted. Send the order again after Retry-After seconds. GET /v1/accounts/{account}/throttle shows what waits, and for how long; a cancellation is always accepted.",
            ),
            Kind::ProviderError => (
                StatusCode::BAD_GATEWAY,
                "provider-error",
                "The provider refused, or was not understood",
                "The detail and errors say what the provider said. Only calls that go straight to the provider answer like this; an order that a provider refuses is a submission's state.",
            ),
            Kind::ProviderTimeout => (
                StatusCode::GATEWAY_TIMEOUT,
                "provider-timeout",
                "The provider did not answer in time",
                "Repeat the request later. If it was to change something at the provider, it may have done so; all these calls may be repeated.",
            ),
            Kind::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "unavailable",
                "The gateway cannot take work now",
                "Repeat the request after Retry-After seconds, with the same Idempotency-Key if it had one: no answer of 2xx says that it was accepted, and none says for certain that it was not. Without a key, an order that was accepted is answered with 409 order-exists and its id.",
            ),
            Kind::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "The gateway failed",
                "This is a fault of the gateway. Give its operator the requestId: the log says more under it. It is safe to repeat a request that had an Idempotency-Key.",
            ),
        };
        Facts { status, name, title, advice }
    }

    /// The kind for a status that a layer below the handlers answered with.
    pub(super) fn of_status(status: StatusCode) -> Kind {
        match status {
            StatusCode::NOT_FOUND => Kind::NotFound,
            StatusCode::METHOD_NOT_ALLOWED => Kind::MethodNotAllowed,
            StatusCode::REQUEST_TIMEOUT => Kind::RequestTimeout,
            StatusCode::PRECONDITION_FAILED => Kind::PreconditionFailed,
            StatusCode::PAYLOAD_TOO_LARGE => Kind::BodyTooLarge,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Kind::UnsupportedMediaType,
            StatusCode::SERVICE_UNAVAILABLE => Kind::Unavailable,
            status if status.is_client_error() => Kind::MalformedRequest,
            _ => Kind::Internal,
        }
    }
}

/// An answer that says what is wrong.
#[derive(Debug, Clone)]
pub struct Problem {
    kind: Kind,
    detail: String,
    errors: Vec<FieldError>,
    order_id: Option<Uuid>,
    retry_after_seconds: Option<u32>,
    /// How the metrics count it, where it says that there is no room
    pub(super) refusal: Option<&'static str>,
}

/// The document of a problem, `application/problem+json`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDocument {
    /// A path under `/problems/` that names the kind of problem
    #[schema(example = "/problems/validation-failed")]
    pub r#type: String,
    /// The kind of problem in words
    pub title: &'static str,
    /// HTTP status
    pub status: u16,
    /// What is wrong in this case
    pub detail: String,
    /// The path that was asked for
    pub instance: String,
    /// Also in `X-Request-Id` and in every log line
    pub request_id: String,
    /// All that is wrong with the body
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With `order-exists`: the order that exists
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub order_id: Option<Uuid>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Problem {
            kind,
            detail: detail.into(),
            errors: Vec::new(),
            order_id: None,
            retry_after_seconds: None,
            refusal: kind.refusal(),
        }
    }

    /// Something that passes keeps the gateway from its work.
    pub fn unavailable(why: &str) -> Self {
        let advice = "Repeat the request with the same Idempotency-Key: what it did, if anything, is done once.";
        let mut problem = Problem::new(Kind::Unavailable, format!("{why} {advice}"));
        problem.retry_after_seconds = Some(2);
        problem
    }

    pub fn not_found(what: &str) -> Self {
        Problem::new(Kind::NotFound, format!("There is no {what} with this id that your key may see."))
    }

    /// Everything that is wrong with a document.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Problem::new(Kind::ValidationFailed, summary(&errors)).with_errors(errors)
    }

    /// The same problem as another kind.
    #[must_use]
    pub fn of_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self.refusal = kind.refusal();
        self
    }

    /// The same problem of a document that stands at `prefix` of the request body.
    #[must_use]
    pub fn below(self, prefix: &str) -> Self {
        self.relocate(|_| prefix)
    }

    /// The same problem of a document whose members stand below what `prefix_of` their pointers says.
    #[must_use]
    pub fn relocate<'a>(mut self, prefix_of: impl Fn(&str) -> &'a str) -> Self {
        let is_summary = self.detail == summary(&self.errors);
        for error in &mut self.errors {
            let prefix = prefix_of(&error.pointer);
            error.pointer.insert_str(0, prefix);
        }
        if is_summary {
            self.detail = summary(&self.errors);
        }
        self
    }

    #[must_use]
    pub fn with_detail(mut self, detail: &str) -> Self {
        detail.clone_into(&mut self.detail);
        self
    }

    /// All that is wrong with the document; where the problem names nothing, the problem itself.
    pub fn into_errors(self) -> Vec<FieldError> {
        if self.errors.is_empty() {
            return vec![FieldError::new("", "validation.invalid_value", self.detail.clone(), self.detail)];
        }
        self.errors
    }

    /// Whether all that is wrong is that members are missing.
    pub fn lacks_members(&self) -> bool {
        !self.errors.is_empty() && self.errors.iter().all(|error| error.code == "validation.missing")
    }

    /// The problem of one item of a request, which has no path and id of its own.
    pub fn to_value(&self) -> Value {
        let Facts { status, name, title, advice: _ } = self.kind.facts();
        let mut document = json!({
            "type": format!("/problems/{name}"), "title": title, "status": status.as_u16(), "detail": self.detail,
        });
        if !self.errors.is_empty() {
            document["errors"] = json!(self.errors);
        }
        document
    }

    #[must_use]
    pub fn with_errors(mut self, errors: Vec<FieldError>) -> Self {
        self.errors = errors;
        self
    }

    #[must_use]
    pub fn with_retry_after(mut self, wait: std::time::Duration) -> Self {
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        self.retry_after_seconds = Some(seconds);
        self
    }

    /// The metrics have a word of their own for why there is no room.
    #[must_use]
    pub fn counted_as(mut self, refusal: &'static str) -> Self {
        self.refusal = Some(refusal);
        self
    }

    #[must_use]
    pub fn with_order(mut self, order_id: Uuid) -> Self {
        self.order_id = Some(order_id);
        self
    }

    pub(super) fn into_document(self, instance: String, request_id: String) -> Response {
        let Facts { status, name, title, advice: _ } = self.kind.facts();
        let document = ProblemDocument {
            r#type: format!("/problems/{name}"),
            title,
            status: status.as_u16(),
            detail: self.detail,
            instance,
            request_id,
            errors: self.errors,
            order_id: self.order_id,
        };
        let body = serde_json::to_vec(&document).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.kind == Kind::Unauthenticated {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// What is wrong with a document, in one sentence.
fn summary(errors: &[FieldError]) -> String {
    match errors {
        [only] if only.pointer.is_empty() => format!("The document {}.", only.detail),
        [only] => format!("{} {}.", only.pointer, only.detail),
        several => format!("{} members of the document are wrong; see errors.", several.len()),
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        if error.is_outage() {
            tracing::error!(%error, "the ledger cannot be used");
            return Problem::unavailable("The ledger cannot be used now.");
        }
        tracing::error!(%error, "the ledger did not do what was asked of it");
        Problem::new(Kind::Internal, "The ledger did not do what was asked of it; the log says why.")
    }
}

impl IntoResponse for Problem {
    /// The document is written by [`Asked::complete`](super::completing::Asked::complete), which knows path and request id.
    fn into_response(self) -> Response {
        let mut response = self.kind.facts().status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}
