//! Headers that tell a browser to do nothing with an answer but what it is meant for.

use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue};

use super::origin;

/// For answers that are data.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// For the pages of Swagger UI: its own scripts, styles that it sets inline, and calls to this gateway.
const DOCS_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; \
                           img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// What the answer to a request needs.
pub struct Protection {
    docs: bool,
    data: bool,
    encrypted: bool,
}

impl Protection {
    pub fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let encrypted = origin::is_encrypted(request.extensions());
        Protection { docs: path.starts_with("/docs"), data: path.starts_with("/v1/"), encrypted }
    }

    /// Adds what the handler did not say itself.
    pub fn add(&self, headers: &mut HeaderMap) {
        if self.encrypted {
            // A year; whatever else lives under the name of this host is not ours to decide on.
            add_absent(headers, STRICT_TRANSPORT_SECURITY, "max-age=31536000");
        }
        add_absent(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
        add_absent(headers, X_FRAME_OPTIONS, "DENY");
        add_absent(headers, REFERRER_POLICY, "no-referrer");
        add_absent(headers, PERMISSIONS_POLICY, "camera=(), geolocation=(), microphone=()");
        add_absent(headers, OPENER_POLICY, "same-origin");
        add_absent(headers, RESOURCE_POLICY, "same-origin");
        add_absent(headers, CONTENT_SECURITY_POLICY, if self.docs { DOCS_POLICY } else { DATA_POLICY });
        if self.data {
            // Orders have the names and numbers of people in them.
            add_absent(headers, CACHE_CONTROL, "no-store");
        }
    }
}

fn add_absent(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
