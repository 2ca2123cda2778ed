//! `If-Match`: a change is made only to the version that the caller has seen.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;

use super::problem::{Kind, Problem};

/// What stands before a weak entity tag.
const WEAK: &str = "W/";

/// The versions that `If-Match` names (RFC 9110, 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// No header, or `*`: any version will do.
    Any,
    /// One of these, each the text between the quotes.
    OneOf(Vec<String>),
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        IfMatch::read(&parts.headers)
    }
}

/// The text of an entity tag. A weak one never matches (RFC 9110, 8.8.3.2), and keeps its mark so that it
/// cannot.
fn strong_tag(tag: &str) -> Option<String> {
    let (mark, opaque) = if tag.starts_with(WEAK) { tag.split_at(WEAK.len()) } else { ("", tag) };
    let text = opaque.strip_prefix('"')?.strip_suffix('"')?;
    Some(format!("{mark}{text}"))
}

impl IfMatch {
    /// What the headers name.
    pub fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut tags = Vec::new();
        let mut any = true;
        for value in headers.get_all(IF_MATCH) {
            any = false;
            let value = value.to_str().unwrap_or_default().trim();
            if value == "*" {
                return Ok(IfMatch::Any);
            }
            for tag in value.split(',') {
                tags.push(strong_tag(tag.trim()).ok_or_else(|| {
                    Problem::new(
                        Kind::MalformedRequest,
                        "If-Match must hold entity tags as this API gave them, e.g. \"3\".",
                    )
                })?);
            }
        }
        Ok(if any { IfMatch::Any } else { IfMatch::OneOf(tags) })
    }

    /// Refuses a change to another version than the caller has seen.
    pub fn require(&self, version: i64) -> Result<(), Problem> {
        match self {
            IfMatch::Any => Ok(()),
            IfMatch::OneOf(tags) if tags.contains(&version.to_string()) => Ok(()),
            IfMatch::OneOf(_) => Err(Problem::new(
                Kind::PreconditionFailed,
                format!("It was changed meanwhile: its version is {version} now. Read it again, then decide."),
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn read(values: &[&str]) -> Result<IfMatch, Problem> {
        let mut request = Request::builder();
        for value in values {
            request = request.header(IF_MATCH, *value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IfMatch::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn tags_are_compared_strongly() {
        assert_eq!(read(&[]).await.unwrap(), IfMatch::Any);
        assert_eq!(read(&["*"]).await.unwrap(), IfMatch::Any);
        let tags = read(&["\"3\", \"4\"", "\"5\""]).await.unwrap();
        assert!(tags.require(4).is_ok() && tags.require(5).is_ok() && tags.require(6).is_err());
        assert!(read(&["W/\"3\""]).await.unwrap().require(3).is_err());
        for wrong in ["3", "\"", "W/3", "W/W/\"3\"", "W/", ""] {
            assert!(read(&[wrong]).await.is_err(), "{wrong}");
        }
    }

    /// A head may hold hundreds of kilobytes.
    #[tokio::test]
    async fn a_mark_that_is_repeated_does_not_exhaust_the_stack() {
        assert!(read(&[&"W/".repeat(150_000)]).await.is_err());
    }
}
