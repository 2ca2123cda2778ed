//! Queries toward the API, links with filters in them, and where a page may lead.

use std::fmt::Write as _;

/// Where somebody is led who was on no page.
pub const HOME: &str = "/console";

/// A path with those parameters that have a value.
pub fn with_query(path: &str, parameters: &[(&str, Option<&str>)]) -> String {
    let given: Vec<(&str, &str)> = parameters
        .iter()
        .filter_map(|(name, value)| value.filter(|value| !value.is_empty()).map(|value| (*name, value)))
        .collect();
    let mut address = path.to_owned();
    if let Ok(query) = serde_urlencoded::to_string(&given)
        && !query.is_empty()
    {
        // Writing to a string has no way to fail.
        let _ = write!(address, "?{query}");
    }
    address
}

/// A page of the console that somebody asked to be led to; the first page in the place of anything else.
pub fn own_page(wanted: Option<&str>) -> &str {
    wanted.filter(|wanted| is_own_page(wanted)).unwrap_or(HOME)
}

/// Whether an address is a path below `/console` that no browser reads otherwise.
fn is_own_page(address: &str) -> bool {
    let (path, _) = address.split_once('?').unwrap_or((address, ""));
    let Some(below) = path.strip_prefix(HOME) else { return false };
    let plain =
        address.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'\\' | b'#' | b'"' | b'<' | b'>'));
    let decoded = below.to_ascii_lowercase().replace("%2e", ".");
    let climbs = decoded.split('/').any(|segment| matches!(segment, "." | ".."));
    plain && !climbs && (below.is_empty() || below.starts_with('/')) && !below.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_out_of_the_console() {
        for own in ["/console", "/console/orders?q=%2F&a=b", "/console/orders/018f"] {
            assert_eq!(own_page(Some(own)), own);
        }
        for other in [
            "https://example.com/console",
            "//example.com/console",
            "/consoles",
            "/v1/orders",
            "/console//example.com",
            "/console/../v1/orders",
            "/console/%2E%2e/v1",
            "/console/\\example.com",
            "/console/\r\nset-cookie: a=b",
            "javascript:alert(1)",
            "",
        ] {
            assert_eq!(own_page(Some(other)), HOME, "{other:?}");
        }
        assert_eq!(own_page(None), HOME);
    }

    #[test]
    fn parameters_without_a_value_are_left_out() {
        let address = with_query("/v1/orders", &[("account", Some("a b")), ("status", None), ("q", Some(""))]);
        assert_eq!(address, "/v1/orders?account=a+b");
        assert_eq!(with_query("/v1/orders", &[("q", None)]), "/v1/orders");
    }
}
