//! Forms, taken from our own pages only.
//!
//! Where the browser says where a request comes from, that must be here. Beside it each form has the token of its
//! session, which only our own pages know. Cookies are `SameSite=Strict` as well.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Console;
use super::failure::Failure;
use super::visitor::Visitor;

/// What somebody who is signed in sent with a form of ours.
pub struct Form<T> {
    pub visitor: Visitor,
    pub fields: T,
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: String,
}

impl<T: DeserializeOwned> FromRequest<Console> for Form<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, console: &Console) -> Result<Self, Failure> {
        check_origin(request.headers())?;
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, console).await?;
        let bytes = Bytes::from_request(Request::from_parts(parts, body), console).await;
        let bytes = bytes.map_err(|_| Failure::Unreadable)?;
        let Token { token } = serde_urlencoded::from_bytes(&bytes).map_err(|_| Failure::Unreadable)?;
        if !visitor.made(&token) {
            return Err(Failure::Forged);
        }
        let fields = serde_urlencoded::from_bytes(&bytes).map_err(|_| Failure::Unreadable)?;
        Ok(Form { visitor, fields })
    }
}

/// Refuses what a browser says that it sends for another site's page.
pub fn check_origin(headers: &HeaderMap) -> Result<(), Failure> {
    let text = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let ours = match (text("sec-fetch-site"), text("origin")) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => {
            let host = text(header::HOST.as_str()).unwrap_or_default();
            origin.split_once("://").is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host))
        }
        // No browser: nobody's cookies can be borrowed.
        (None, None) => true,
    };
    if ours { Ok(()) } else { Err(Failure::Forged) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn requests_of_other_sites_are_refused() {
        let taken = |headers: &[(&'static str, &'static str)]| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, HeaderValue::from_static(value));
            }
            check_origin(&map).is_ok()
        };
        assert!(taken(&[]));
        assert!(taken(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        assert!(taken(&[("origin", "http://gateway:8080"), ("host", "Gateway:8080")]));
        for site in ["cross-site", "same-site", "none"] {
            assert!(!taken(&[("sec-fetch-site", site)]), "{site}");
        }
        for origin in ["null", "http://gateway", "http://evil:8080", "http://gateway:8080.evil"] {
            assert!(!taken(&[("origin", origin), ("host", "gateway:8080")]), "{origin}");
        }
    }
}
