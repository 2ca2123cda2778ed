//! Which addresses may be reached: public ones, and those of networks that the operator allows.
//!
//! Whoever may choose a URL could otherwise have the gateway call what only the gateway can reach: a database's
//! port, a router, the metadata service of the cloud that hands out credentials.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// IPv4 addresses that are not public (IANA's special-purpose registry), and one that answers in a cloud.
const NOT_PUBLIC_V4: &[(Ipv4Addr, u8)] = &[
    (Ipv4Addr::UNSPECIFIED, 8),            // this host
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // shared by a provider's customers; metadata of Alibaba Cloud
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // the host agent of Azure
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local; metadata of most clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // protocol assignments; metadata of Oracle Cloud
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // relays from IPv6
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// The IPv6 addresses that are given to networks; loopback, link-local, unique local and multicast lie outside.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Those among them that are not public.
const NOT_PUBLIC_V6: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];
/// Addresses that carry an IPv4 address, which is where they lead: translators (NAT64) and 6to4.
const NAT64: (Ipv6Addr, u8) = (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96);
const SIX_TO_FOUR: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16);

/// The networks beside the public ones that may be reached: `ONELANE_ALLOWED_NETWORKS`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedNetworks(Vec<IpNet>);

/// A text that is no network.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no network like 10.0.0.0/8 or fd00::/8, and no address")]
pub struct NoNetwork(String);

impl FromStr for AllowedNetworks {
    type Err = NoNetwork;

    /// Reads networks (CIDR) and single addresses with commas between them.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        parse_networks(text).map(Self)
    }
}

/// Reads networks (CIDR) and single addresses with commas between them.
pub fn parse_networks(text: &str) -> Result<Vec<IpNet>, NoNetwork> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(network).collect()
}

fn network(text: &str) -> Result<IpNet, NoNetwork> {
    let network = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
    network.map_err(|_| NoNetwork(text.to_owned()))
}

impl fmt::Display for AllowedNetworks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        formatter.write_str(&networks.join(","))
    }
}

impl AllowedNetworks {
    /// Loopback alone, for a laptop.
    pub fn loopback() -> Self {
        AllowedNetworks(vec![
            IpNet::from(IpAddr::from(Ipv6Addr::LOCALHOST)),
            IpNet::V4(Ipv4Net::new(Ipv4Addr::new(127, 0, 0, 0), 8).unwrap_or_default()),
        ])
    }

    /// These and others.
    #[must_use]
    pub fn and(mut self, others: AllowedNetworks) -> Self {
        self.0.extend(others.0);
        self
    }

    /// Whether something may be sent to this address.
    pub fn permit(&self, address: IpAddr) -> bool {
        let address = leads_to(address);
        self.0.iter().any(|network| network.contains(&address)) || is_public(address)
    }
}

/// Where an address leads: to the IPv4 address that it carries, or to itself.
fn leads_to(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address.to_canonical() else { return address.to_canonical() };
    let octets = v6.octets();
    let carried = |at: usize| IpAddr::from([octets[at], octets[at + 1], octets[at + 2], octets[at + 3]]);
    if within_v6(v6, NAT64) {
        carried(12)
    } else if within_v6(v6, SIX_TO_FOUR) {
        carried(2)
    } else {
        IpAddr::V6(v6)
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !NOT_PUBLIC_V4
            .iter()
            .any(|(network, length)| Ipv4Net::new(*network, *length).is_ok_and(|network| network.contains(&address))),
        IpAddr::V6(address) => {
            within_v6(address, GLOBAL_V6) && !NOT_PUBLIC_V6.iter().any(|network| within_v6(address, *network))
        }
    }
}

fn within_v6(address: Ipv6Addr, (network, length): (Ipv6Addr, u8)) -> bool {
    Ipv6Net::new(network, length).is_ok_and(|network| network.contains(&address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permitted(allowed: &str, address: &str) -> bool {
        allowed.parse::<AllowedNetworks>().unwrap().permit(address.parse().unwrap())
    }

    #[test]
    fn what_is_not_public_is_refused() {
        for address in [
            "0.0.0.0",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.0.1",
            "198.19.255.255",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!permitted("", address), "{address}");
        }
    }

    #[test]
    fn what_is_public_is_permitted() {
        for address in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.169.0.0",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
            "2400:3200::1",
            "2606:4700:4700::1111",
        ] {
            assert!(permitted("", address), "{address}");
        }
    }

    #[test]
    fn the_operator_may_allow_more() {
        assert!(permitted("10.0.0.0/8", "10.1.2.3"));
        assert!(permitted("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(permitted("10.0.0.0/8", "64:ff9b::a01:203"));
        assert!(!permitted("10.0.0.0/8", "127.0.0.1"));
        assert!(permitted("192.168.7.7", "192.168.7.7"));
        assert!(!permitted("192.168.7.7", "192.168.7.8"));
        assert!(permitted(" 10.0.0.0/8 , fd00::/8,", "fd12::1"));
        assert!(AllowedNetworks::loopback().permit(IpAddr::from(Ipv6Addr::LOCALHOST)));
        assert!(AllowedNetworks::loopback().permit(IpAddr::from([127, 3, 2, 1])));
        assert!(!AllowedNetworks::loopback().permit(IpAddr::from([10, 0, 0, 1])));
    }

    #[test]
    fn a_text_that_is_no_network_is_refused() {
        assert_eq!("".parse(), Ok(AllowedNetworks::default()));
        for text in ["10.0.0.0/33", "10.0.0", "internal", "10.0.0.0/8 192.168.0.0/16", "::/129"] {
            assert_eq!(text.parse::<AllowedNetworks>(), Err(NoNetwork(text.to_owned())));
        }
        let networks: AllowedNetworks = "10.0.0.0/8,fd00::/8".parse().unwrap();
        assert_eq!(networks.to_string().parse(), Ok(networks));
    }
}
