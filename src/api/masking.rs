//! Secrets that stand in paths, kept out of logs and answers.

use std::borrow::Cow;

const MASK: &str = "***";

/// What keys and secrets that the gateway makes begin with.
const PREFIXES: [&str; 2] = ["olk_", "whsec_"];

/// A path as it may be shown: what follows the account of a callback's path is masked, and so is a key or secret of
/// this gateway that somebody put where an id belongs.
pub fn path(path: &str) -> Cow<'_, str> {
    let path = callback_path(path);
    if !PREFIXES.iter().any(|prefix| path.contains(prefix)) {
        return path;
    }
    let shown = path
        .split('/')
        .map(|segment| if PREFIXES.iter().any(|prefix| segment.contains(prefix)) { MASK } else { segment });
    Cow::Owned(shown.collect::<Vec<_>>().join("/"))
}

fn callback_path(path: &str) -> Cow<'_, str> {
    const FIRST: &str = "callbacks";
    let mut kept = 0;
    let mut segments = path.split_inclusive('/');
    let is_callback = segments.by_ref().any(|segment| {
        kept += segment.len();
        segment.trim_end_matches('/').eq_ignore_ascii_case(FIRST)
    });
    if !is_callback || path[..kept].starts_with("/v1/") {
        return Cow::Borrowed(path);
    }
    kept += segments.by_ref().take(2).map(str::len).sum::<usize>();
    if kept >= path.len() { Cow::Borrowed(path) } else { Cow::Owned(format!("{}{MASK}", &path[..kept])) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_secret_of_a_callback_path_is_masked_and_nothing_else() {
        for (path, shown) in [
            ("/callbacks/tms/acme/s3cret", "/callbacks/tms/acme/***"),
            ("/callbacks/tms/acme/s3cret/more", "/callbacks/tms/acme/***"),
            ("//callbacks/tms/acme/s3cret", "//callbacks/tms/acme/***"),
            ("/callbacks/tms/acme", "/callbacks/tms/acme"),
            ("/callbacks", "/callbacks"),
            (
                "/v1/callbacks/018f2b5c-0000-7000-8000-000000000000/reprocess",
                "/v1/callbacks/018f2b5c-0000-7000-8000-000000000000/reprocess",
            ),
            ("/v1/orders", "/v1/orders"),
            ("/v1/api-keys/olk_s3cret", "/v1/api-keys/***"),
            ("/v1/webhook-endpoints/whsec_s3cret/deliveries", "/v1/webhook-endpoints/***/deliveries"),
            ("", ""),
        ] {
            assert_eq!(super::path(path), shown);
        }
    }
}
