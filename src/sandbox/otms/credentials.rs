//! Who sends a request: HTTP Basic when the Authorization header is not empty, and otherwise the
//! `login` and `password` attributes of the document (如果不为空,则优先使用该值作身份认证).

use axum::http::{HeaderMap, header};
use data_encoding::BASE64;

/// The only account of this simulator. No secret: it is printed by the sandbox.
pub const USERNAME: &str = "demo";
pub const PASSWORD: &str = "onelane-demo-password";

/// How the meter calls everybody whose credentials are wrong. They share one quota, so that
/// guessing cannot use up the real account's.
pub const NOT_ACCEPTED: &str = "(not accepted)";

/// The company that credentials stand for, if they are right.
pub type Company = Option<&'static str>;

/// What the Authorization header says; `None` when there is none, or an empty one.
pub fn from_header(headers: &HeaderMap) -> Option<Company> {
    let value = headers.get(header::AUTHORIZATION)?;
    if value.as_bytes().trim_ascii().is_empty() {
        return None;
    }
    Some(decode_basic(value.as_bytes()).and_then(|(user, password)| check(&user, &password)))
}

pub fn check(username: &str, password: &str) -> Company {
    (username == USERNAME && password == PASSWORD).then_some(USERNAME)
}

/// RFC 7617, with UTF-8.
fn decode_basic(value: &[u8]) -> Option<(String, String)> {
    let value = std::str::from_utf8(value).ok()?;
    let (scheme, encoded) = value.trim().split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let decoded = String::from_utf8(decoded).ok()?;
    let (username, password) = decoded.split_once(':')?;
    Some((username.to_owned(), password.to_owned()))
}
