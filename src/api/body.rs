//! Reading request bodies: JSON, validated against the schema in the OpenAPI file, all errors at once.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::header;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use super::AppState;
use super::bodies::{Held, Sender};
use super::openapi::CONTRACT;
use super::problem::{Kind, Problem};
use crate::canonical::{FieldError, control_characters, has_control_character};
use crate::tree::Tree;

/// A JSON body as it came.
pub struct JsonText {
    pub bytes: Bytes,
    /// Given back when this is dropped
    _memory: Held,
}

impl JsonText {
    /// Its value, which has not been validated yet.
    pub fn value(&self) -> Result<Value, Problem> {
        serde_json::from_slice(&self.bytes)
            .map_err(|error| Problem::new(Kind::MalformedRequest, format!("The body is not JSON: {error}.")))
    }
}

impl FromRequest<AppState> for JsonText {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        if content_type != "application/json" && !content_type.ends_with("+json") {
            return Err(Problem::new(Kind::UnsupportedMediaType, "Send the body as `Content-Type: application/json`."));
        }
        // What is packed may be a thousand times as long as it looks.
        if request.headers().get(header::CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(Problem::new(Kind::UnsupportedMediaType, "Send the body without `Content-Encoding`."));
        }
        let (parts, body) = request.into_parts();
        let bodies = &state.bodies;
        let (bytes, mut memory) = bodies.read(&parts.headers, body, bodies.most(), Sender::Caller).await?;
        bodies.for_values(&bytes, &mut memory)?;
        Ok(JsonText { bytes, _memory: memory })
    }
}

/// A JSON body that has not been validated yet, with its text for fingerprints.
pub struct JsonBody {
    pub value: Value,
    pub text: JsonText,
}

impl FromRequest<AppState> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Problem> {
        let text = JsonText::from_request(request, state).await?;
        Ok(JsonBody { value: text.value()?, text })
    }
}

/// A document in its type if it is valid. What is wrong with it else, its [`Value`] tells.
pub fn if_valid<T: ToSchema + DeserializeOwned>(document: &Tree<'_>) -> Option<T> {
    if !CONTRACT.validator::<T>().is_valid(document) || has_control_character(document) {
        return None;
    }
    T::deserialize(document).ok()
}

/// Everything that is wrong with the value by the schema of its type.
pub fn errors_of<T: ToSchema>(value: &Value) -> Vec<FieldError> {
    let mut errors = CONTRACT.validator::<T>().errors(value);
    errors.extend(control_characters(value));
    errors
}

/// What is wrong with a member of a patch that no caller may change.
pub fn read_only(name: &str) -> FieldError {
    FieldError::new(format!("/{name}"), "validation.read_only", "cannot be changed", "为只读字段,不可修改")
}

/// The value in its type, or everything that is wrong with it.
pub fn validate<T: ToSchema + DeserializeOwned>(value: &Value) -> Result<T, Problem> {
    let errors = errors_of::<T>(value);
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    T::deserialize(value).map_err(|error| {
        // The schema lets nothing through that the type does not take, but for what it cannot say.
        Problem::invalid(vec![FieldError::new(
            "",
            "validation.invalid_value",
            format!("cannot be read: {error}"),
            format!("无法读取:{error}"),
        )])
    })
}
