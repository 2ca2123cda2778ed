//! What is wrong with a URL before anything is sent to it.

use std::net::IpAddr;

use reqwest::Url;

use super::networks::AllowedNetworks;

/// Why nothing may be sent to a URL, in words for both languages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{en}")]
pub struct BadTarget {
    pub en: &'static str,
    pub zh: &'static str,
}

const NO_URL: BadTarget = BadTarget { en: "is no URL", zh: "不是有效的 URL" };
const OTHER_SCHEME: BadTarget =
    BadTarget { en: "must begin with https:// or http://", zh: "必须以 https:// 或 http:// 开头" };
const CREDENTIALS: BadTarget =
    BadTarget { en: "must hold no user name and no password", zh: "不得包含用户名或密码" };
const FRAGMENT: BadTarget = BadTarget { en: "must hold no fragment", zh: "不得包含片段(#)" };
const REFUSED: BadTarget = BadTarget {
    en: "lies in a network that is not public; the operator allows such networks with ONELANE_ALLOWED_NETWORKS",
    zh: "位于非公网地址;运维可通过 ONELANE_ALLOWED_NETWORKS 放行",
};

/// The URL, if something may be sent to it as far as can be told without asking for its name's addresses.
pub fn check(text: &str, networks: &AllowedNetworks) -> Result<Url, BadTarget> {
    let url = Url::parse(text).map_err(|_| NO_URL)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(OTHER_SCHEME);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(CREDENTIALS);
    }
    if url.fragment().is_some() {
        return Err(FRAGMENT);
    }
    check_address(&url, networks)?;
    Ok(url)
}

/// Refuses a URL with an address in the place of a name when that must not be reached: it is dialled as it stands,
/// and no name is looked up that could be checked then.
pub fn check_address(url: &Url, networks: &AllowedNetworks) -> Result<(), BadTarget> {
    let address = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
    if address.is_some_and(|address| !networks.permit(address)) { Err(REFUSED) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_cannot_be_or_must_not_be() {
        let networks = "10.1.0.0/16".parse().unwrap();
        for (text, expected) in [
            ("", Some(NO_URL)),
            ("/hook", Some(NO_URL)),
            ("https://", Some(NO_URL)),
            ("https://a b/", Some(NO_URL)),
            ("ftp://example.com/", Some(OTHER_SCHEME)),
            ("file:///etc/passwd", Some(OTHER_SCHEME)),
            ("https://user@example.com/", Some(CREDENTIALS)),
            ("https://:password@example.com/", Some(CREDENTIALS)),
            ("https://example.com/#here", Some(FRAGMENT)),
            ("http://127.0.0.1:5432/", Some(REFUSED)),
            ("http://127.1/", Some(REFUSED)),
            ("http://2130706433/", Some(REFUSED)),
            ("http://0x7f.0.0.1/", Some(REFUSED)),
            ("http://0177.0.0.1/", Some(REFUSED)),
            ("http://127.0.0.1./", Some(REFUSED)),
            ("http://[::1]/", Some(REFUSED)),
            ("http://[::ffff:a9fe:a9fe]/", Some(REFUSED)),
            ("http://169.254.169.254/latest/meta-data", Some(REFUSED)),
            ("http://10.2.0.1/", Some(REFUSED)),
            ("http://10.1.0.1/", None),
            ("https://example.com/hooks?token=x", None),
            ("https://1.1.1.1/", None),
            ("http://localhost/", None),
        ] {
            assert_eq!(check(text, &networks).err(), expected, "{text}");
        }
    }
}
