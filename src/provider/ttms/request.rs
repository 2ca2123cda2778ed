//! What all requests have alike: POST, the token in the address, everything else as JSON in the body.

use std::fmt::Write as _;

use super::profile::PROFILE;
use super::settings::Tokens;
use crate::provider::json::JsonWriter;
use crate::provider::{Account, Request, Trace};

/// The URL's parameter that holds the token.
const TOKEN: &str = "access_token";

/// A request with the account's token. In a preview, where there is none, its place is empty.
pub fn authorized(account: &Account, endpoint: &str, body: JsonWriter<'_>) -> Request {
    let session = account.session.as_ref();
    let token = session.and_then(|session| session.read::<Tokens>().ok()).map(|tokens| tokens.access_token);
    let mut request = post(account, endpoint, body);
    let _ = write!(request.url, "?{TOKEN}={}", escaped(&token.unwrap_or_default()));
    request
}

/// A request without a token: those that ask for one.
pub fn post(account: &Account, endpoint: &str, body: JsonWriter<'_>) -> Request {
    let (method, path) = PROFILE.endpoint(endpoint).map_or(("POST", ""), |endpoint| (endpoint.method, endpoint.path));
    let (body, secrets) = body.into_parts();
    Request {
        method,
        url: account.url(path),
        headers: vec![
            ("content-type", "application/json; charset=UTF-8".to_owned()),
            ("accept", "application/json".to_owned()),
        ],
        secret_headers: &[],
        secret_parameters: &[TOKEN],
        body,
        secrets,
    }
}

/// A whole body, whose members `write` writes.
pub fn document<'t>(trace: &'t mut Trace, write: impl FnOnce(&mut JsonWriter<'t>)) -> JsonWriter<'t> {
    let mut json = JsonWriter::new(trace);
    let document = json.begin_document();
    write(&mut json);
    json.end(&document, true);
    json
}

/// A text as the value of a URL's parameter (RFC 3986).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_special_in_a_url_is_escaped() {
        assert_eq!(escaped("9d0dfe02-2349-421c"), "9d0dfe02-2349-421c");
        assert_eq!(escaped("a&b=c d+号"), "a%26b%3Dc%20d%2B%E5%8F%B7");
    }
}
