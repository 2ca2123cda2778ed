//! Query parameters, paths and headers that several endpoints share.

use axum::extract::{FromRequestParts, Path, Query};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use chrono::{DateTime, Datelike, Utc};
use data_encoding::BASE64URL_NOPAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::str::FromStr;
use std::time::Duration;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::problem::{Kind, Problem};

/// Query parameters; an unknown or unreadable one is refused.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(params) = Query::<T>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::new(Kind::MalformedRequest, format!("{}.", rejection.body_text())))?;
        Ok(Params(params))
    }
}

/// An id in the path. What is no id names nothing.
pub struct Id(pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::new(Kind::MalformedRequest, rejection.body_text()))?;
        text.parse().map(Id).map_err(|_| Problem::not_found("object"))
    }
}

/// An id in the path, and one below it.
pub struct TwoIds(pub Uuid, pub Uuid);

impl<S: Send + Sync> FromRequestParts<S> for TwoIds {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path((outer, inner)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::new(Kind::MalformedRequest, rejection.body_text()))?;
        match (outer.parse(), inner.parse()) {
            (Ok(outer), Ok(inner)) => Ok(TwoIds(outer, inner)),
            _ => Err(Problem::not_found("object")),
        }
    }
}

/// No query parameters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParams {}

/// How a mutation is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MutationParams {
    /// Store and send nothing; answer 200 with the document that would be sent (AIP-163)
    #[serde(default)]
    pub validate_only: bool,
}

/// Paging of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// Items on a page, 1 to 200
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `nextCursor` of the page before
    pub cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Where the next page begins; null at the end
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of what was asked for with one more than its `limit`, which tells whether there is a next page;
    /// `cursor` says where an item stands.
    pub fn cut(mut found: Vec<T>, limit: i64, cursor: impl FnOnce(&T) -> String) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| more).map(cursor);
        Page { items: found, next_cursor }
    }

    /// The same page of other values.
    pub fn map<U>(self, view: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(view).collect(), next_cursor: self.next_cursor }
    }
}

/// Checks a page size.
pub fn page_limit(limit: Option<u16>) -> Result<i64, Problem> {
    match limit.unwrap_or(50) {
        limit @ 1..=200 => Ok(limit.into()),
        _ => Err(Problem::new(Kind::MalformedRequest, "limit must lie between 1 and 200.")),
    }
}

/// An opaque cursor.
pub fn write_cursor(text: &str) -> String {
    BASE64URL_NOPAD.encode(text.as_bytes())
}

/// What [`write_cursor`] wrote.
pub fn read_cursor(cursor: &str) -> Result<String, Problem> {
    BASE64URL_NOPAD
        .decode(cursor.as_bytes())
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .filter(|text| !text.contains('\0'))
        .ok_or_else(no_cursor)
}

/// The id or number in a cursor; nothing where there is no cursor.
pub fn read_cursor_of<T: FromStr>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    cursor.map(|cursor| read_cursor(cursor)?.parse().map_err(|_| no_cursor())).transpose()
}

fn no_cursor() -> Problem {
    Problem::new(Kind::MalformedRequest, "The cursor is none that this API gave.")
}

/// A cursor into a list that is ordered by creation.
pub fn write_time_cursor(created_at: DateTime<Utc>, id: Uuid) -> String {
    write_cursor(&format!("{}:{id}", created_at.timestamp_micros()))
}

/// What [`write_time_cursor`] wrote.
pub fn read_time_cursor(cursor: &str) -> Result<(DateTime<Utc>, Uuid), Problem> {
    let text = read_cursor(cursor)?;
    text.split_once(':')
        .and_then(|(micros, id)| Some((DateTime::from_timestamp_micros(micros.parse().ok()?)?, id.parse().ok()?)))
        .filter(|(at, _)| is_storable(*at))
        .ok_or_else(no_cursor)
}

/// Whether the ledger can hold an instant; it could hold more, but nothing is ever accepted outside these years.
fn is_storable(at: DateTime<Utc>) -> bool {
    (1..=9999).contains(&at.year())
}

/// Checks an instant that a query parameter names.
pub fn storable(name: &str, at: Option<DateTime<Utc>>) -> Result<Option<DateTime<Utc>>, Problem> {
    if at.is_none_or(is_storable) {
        return Ok(at);
    }
    Err(Problem::new(Kind::MalformedRequest, format!("{name} must lie in the years 1 to 9999.")))
}

/// The longest that `Prefer: wait` waits.
const LONGEST_WAIT: u64 = 30;

/// `Prefer: wait=N` (RFC 7240), at most 30 seconds.
#[derive(Debug, Clone, Copy)]
pub struct PreferWait(pub Option<Duration>);

impl<S: Send + Sync> FromRequestParts<S> for PreferWait {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Self::Rejection> {
        Ok(PreferWait(prefer_wait(&parts.headers)))
    }
}

/// A preference that cannot be read is none (RFC 7240, 2).
pub fn prefer_wait(headers: &HeaderMap) -> Option<Duration> {
    let preferences = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    preferences.flat_map(|value| value.split([',', ';'])).find_map(|preference| {
        let (name, value) = preference.split_once('=')?;
        let seconds: u64 = value.trim().trim_matches('"').parse().ok()?;
        name.trim().eq_ignore_ascii_case("wait").then(|| Duration::from_secs(seconds.min(LONGEST_WAIT)))
    })
}

impl PreferWait {
    /// `Preference-Applied`, for an answer that came because the wait was long enough.
    pub fn applied(self) -> Option<(&'static str, HeaderValue)> {
        let seconds = self.0?.as_secs();
        Some(("preference-applied", HeaderValue::from_str(&format!("wait={seconds}")).ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preferences() {
        let wait = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("prefer", HeaderValue::from_str(value).unwrap());
            prefer_wait(&headers).map(|wait| wait.as_secs())
        };
        assert_eq!(wait("wait=5"), Some(5));
        assert_eq!(wait("respond-async, wait=10"), Some(10));
        assert_eq!(wait("Wait=\"7\""), Some(7));
        assert_eq!(wait("wait=3600"), Some(30));
        assert_eq!(wait("wait=soon"), None);
        assert_eq!(wait("return=minimal"), None);
    }

    #[test]
    fn cursors() {
        let (at, id) = (DateTime::from_timestamp_micros(1_795_482_000_123_456).unwrap(), Uuid::now_v7());
        assert_eq!(read_time_cursor(&write_time_cursor(at, id)).unwrap(), (at, id));
        assert!(read_time_cursor("nonsense!").is_err());
        assert!(read_time_cursor(&write_cursor("1:2")).is_err());
        // What Postgres would refuse is refused here.
        assert!(read_cursor(&write_cursor("a\0b")).is_err());
        assert!(read_time_cursor(&write_cursor(&format!("-8000000000000000000:{id}"))).is_err());
    }
}
