//! The console's cookies: all of them for the server alone, for requests of our own pages only, and below `/console`.

use axum::http::{HeaderMap, header};
use axum::response::AppendHeaders;
use cookie::time::Duration;
use cookie::{Cookie, SameSite};

/// The sealed session
pub const SESSION: &str = "onelane_session";
/// The language that was chosen
pub const LANGUAGE: &str = "onelane_language";
/// What an action came to, until a page has shown it
pub const NOTICE: &str = "onelane_notice";

/// How the browser came, as the proxy before us says, or as we know ourselves
pub const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// How long a cookie is kept.
#[derive(Clone, Copy)]
pub enum Lasting {
    /// Until the next page, which follows at once
    Moment,
    /// As long as a session
    HalfDay,
    Year,
    /// It is taken back
    Ended,
}

/// A header that sets, or takes back, one cookie.
pub type SetCookie = AppendHeaders<[(header::HeaderName, String); 1]>;

/// The value of a cookie that came with a request.
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        (key.trim() == name).then(|| value.trim())
    })
}

/// Sets a cookie in answer to a request with these headers.
pub fn set(headers: &HeaderMap, name: &'static str, value: String, lasting: Lasting) -> SetCookie {
    let life = match lasting {
        Lasting::Moment => Duration::minutes(1),
        Lasting::HalfDay => Duration::hours(12),
        Lasting::Year => Duration::days(365),
        Lasting::Ended => Duration::ZERO,
    };
    let cookie = Cookie::build((name, value))
        .path("/console")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(came_over_tls(headers))
        .max_age(life)
        .build();
    AppendHeaders([(header::SET_COOKIE, cookie.to_string())])
}

/// Takes a cookie back.
pub fn end(headers: &HeaderMap, name: &'static str) -> SetCookie {
    set(headers, name, String::new(), Lasting::Ended)
}

/// Whether the browser reached us by HTTPS. Who invents this keeps a cookie from nobody but themselves.
fn came_over_tls(headers: &HeaderMap) -> bool {
    let said = headers.get(FORWARDED_PROTO).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(',').next().unwrap_or_default().trim().eq_ignore_ascii_case("https")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn cookies_are_read_and_set() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=1; onelane_session=k.v=="));
        headers.append(header::COOKIE, HeaderValue::from_static("b=2"));
        assert_eq!(read(&headers, "onelane_session"), Some("k.v=="));
        assert_eq!((read(&headers, "b"), read(&headers, "c")), (Some("2"), None));
        let line = |headers: &HeaderMap| set(headers, SESSION, "x".into(), Lasting::HalfDay).0[0].1.clone();
        let plain = line(&headers);
        assert_eq!(plain, "onelane_session=x; HttpOnly; SameSite=Strict; Path=/console; Max-Age=43200");
        headers.insert("x-forwarded-proto", HeaderValue::from_static("https, http"));
        assert!(line(&headers).contains("Secure"));
        assert!(end(&headers, SESSION).0[0].1.contains("Max-Age=0"));
    }
}
