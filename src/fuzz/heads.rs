//! Small things that callers write into heads of requests, URLs and settings: cursors, entity tags, preferences,
//! targets of webhooks, networks.

use axum::http::header::{HeaderMap, HeaderValue, IF_MATCH};
use reqwest::Url;
use std::net::IpAddr;
use std::time::Duration;

use crate::api::etag::IfMatch;
use crate::api::events::{read_start, write_feed_cursor};
use crate::api::params::{prefer_wait, read_cursor, read_time_cursor, write_cursor, write_time_cursor};
use crate::reach::{self, AllowedNetworks};
use crate::store::feed::FeedStart;

/// None of them is read in two ways, or as something that must not be.
pub fn heads(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    check_cursors(text);
    check_headers(bytes);
    check_target(text, &AllowedNetworks::default());
    if let Ok(networks) = text.parse::<AllowedNetworks>() {
        assert_eq!(networks.to_string().parse(), Ok(networks), "networks are read as they are written");
    }
}

fn check_cursors(text: &str) {
    let written = write_cursor(text);
    assert_eq!(read_cursor(&written).ok().as_deref(), (!text.contains('\0')).then_some(text));
    // Both the text as a cursor, and the cursor with the text in it.
    for cursor in [text, &written] {
        if let Ok((at, id)) = read_time_cursor(cursor) {
            assert_eq!(read_time_cursor(&write_time_cursor(at, id)).ok(), Some((at, id)));
        }
        if let Ok(FeedStart::After(position)) = read_start(Some(cursor)) {
            assert!(position >= 0);
            assert_eq!(read_start(Some(&write_feed_cursor(position))).ok(), Some(FeedStart::After(position)));
            assert!(read_time_cursor(cursor).is_err(), "a cursor belongs to one list");
        }
    }
}

fn check_headers(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let mut headers = HeaderMap::new();
    headers.insert("prefer", value.clone());
    headers.insert(IF_MATCH, value);
    assert!(prefer_wait(&headers).is_none_or(|wait| wait <= Duration::from_secs(30)));
    if let Ok(IfMatch::OneOf(tags)) = IfMatch::read(&headers) {
        assert!(!tags.is_empty(), "a condition is never dropped");
    }
}

/// What may be called is a web address with nothing secret in it, and not within the gateway's own network.
fn check_target(text: &str, networks: &AllowedNetworks) {
    let Ok(url) = reach::check(text, networks) else { return };
    assert!(matches!(url.scheme(), "http" | "https"), "{url}");
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none(), "{url}");
    let host = url.host_str().expect("a web address has a host").trim_matches(['[', ']']);
    if let Ok(address) = host.parse::<IpAddr>() {
        let address = address.to_canonical();
        assert!(!address.is_loopback() && !address.is_unspecified() && !address.is_multicast(), "{url}");
        if let IpAddr::V4(address) = address {
            assert!(!address.is_private() && !address.is_link_local() && !address.is_broadcast(), "{url}");
        }
    }
    assert_eq!(reach::check(url.as_str(), networks), Ok(url.clone()), "what was taken is taken again");
    assert_eq!(Url::parse(url.as_str()), Ok(url));
}
