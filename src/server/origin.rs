//! Where a request comes from: who connected, or whom a trusted proxy names, and whether it came encrypted.

use std::net::IpAddr;
use std::str::FromStr;

use axum::http::{HeaderMap, HeaderName};
use ipnet::IpNet;

use crate::reach::{NoNetwork, parse_networks};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Where a request comes from; among its extensions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    pub address: IpAddr,
    /// The caller used TLS, to this process or to the proxy before it
    pub encrypted: bool,
}

/// The proxies whose word on where a request comes from is taken: `ONELANE_TRUSTED_PROXIES`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl FromStr for TrustedProxies {
    type Err = NoNetwork;

    /// Reads networks (CIDR) and single addresses with commas between them.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        parse_networks(text).map(Self)
    }
}

impl TrustedProxies {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Who sent a request that came over a connection from `peer`.
    ///
    /// Each proxy adds to the end of X-Forwarded-For from whom it had the request. So the list is read from its end,
    /// for as long as proxies that are trusted wrote it: what stands before that anybody can have invented.
    pub fn origin(&self, peer: Origin, headers: &HeaderMap) -> Origin {
        if !self.trust(peer.address) {
            return peer;
        }
        let mut origin = Origin { address: peer.address, encrypted: encrypted(headers).unwrap_or(peer.encrypted) };
        for named in listed(headers, &FORWARDED_FOR).rev() {
            let Some(address) = address(named) else { break };
            origin.address = address;
            if !self.trust(address) {
                break;
            }
        }
        origin
    }
}

/// What the proxy that connected says of the connection to it.
fn encrypted(headers: &HeaderMap) -> Option<bool> {
    listed(headers, &FORWARDED_PROTO).next_back().map(|scheme| scheme.eq_ignore_ascii_case("https"))
}

/// The items of a list that may stand in several headers.
fn listed<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl DoubleEndedIterator<Item = &'a str> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.into_iter().flat_map(|value| value.split(',')).map(str::trim)
}

/// An address, as proxies write it: also with a port, and of version 6 in brackets.
fn address(text: &str) -> Option<IpAddr> {
    let plain = text.trim_start_matches('[').trim_end_matches(']');
    let address =
        plain.parse().ok().or_else(|| text.parse::<std::net::SocketAddr>().ok().map(|with_port| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(peer: &str, headers: &[(&'static str, &str)]) -> (String, bool) {
        let trusted: TrustedProxies = "10.0.0.0/8, fd00::1".parse().unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), value.parse().unwrap());
        }
        let origin = trusted.origin(Origin { address: peer.parse().unwrap(), encrypted: false }, &map);
        (origin.address.to_string(), origin.encrypted)
    }

    #[test]
    fn only_trusted_proxies_say_where_a_request_comes_from() {
        let says = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")];
        assert_eq!(origin("10.1.1.1", &says), ("1.2.3.4".to_owned(), true));
        assert_eq!(origin("fd00::1", &says), ("1.2.3.4".to_owned(), true));
        assert_eq!(origin("203.0.113.9", &says), ("203.0.113.9".to_owned(), false));
        assert_eq!(origin("fd00::2", &says), ("fd00::2".to_owned(), false));
        assert!("10.0.0.0/99".parse::<TrustedProxies>().is_err());
        assert!("".parse::<TrustedProxies>().unwrap().is_empty());
    }

    #[test]
    fn what_stands_before_the_word_of_a_trusted_proxy_is_not_believed() {
        for (list, expected) in [
            ("6.6.6.6, 1.2.3.4", "1.2.3.4"),
            ("6.6.6.6, 1.2.3.4, 10.0.0.7", "1.2.3.4"),
            ("10.9.9.9, 1.2.3.4, 10.0.0.7", "1.2.3.4"),
            // Everybody in it is trusted: the first is the caller.
            ("10.0.0.8, 10.0.0.7", "10.0.0.8"),
            // Nobody can tell what came before it.
            ("1.2.3.4, nonsense, 10.0.0.7", "10.0.0.7"),
            ("nonsense", "10.1.1.1"),
            ("", "10.1.1.1"),
            ("1.2.3.4:55", "1.2.3.4"),
            ("[2001:db8::1]:55", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!(origin("10.1.1.1", &[("x-forwarded-for", list)]).0, expected, "{list}");
        }
        let twice = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.2.3.4")];
        assert_eq!(origin("10.1.1.1", &twice).0, "1.2.3.4");
        let schemes = [("x-forwarded-proto", "https"), ("x-forwarded-proto", "http")];
        assert!(!origin("10.1.1.1", &schemes).1);
        assert!(origin("10.1.1.1", &[("x-forwarded-proto", "http, HTTPS")]).1);
    }
}
