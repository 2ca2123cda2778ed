//! Looking names up. The addresses of a name are checked when it is connected to, by the resolver that the client
//! itself uses: a name that leads elsewhere a moment after it was checked gains nothing.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::AllowedNetworks;

/// Gives a name's addresses to the connector, but for those that must not be reached.
pub struct GuardedResolver {
    networks: Arc<AllowedNetworks>,
}

impl GuardedResolver {
    pub fn new(networks: Arc<AllowedNetworks>) -> Self {
        GuardedResolver { networks }
    }
}

/// A name that leads to no address that may be reached.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the name has no address")]
    NoAddress,
    #[error(
        "the name leads to networks that are not public; the operator allows such networks with ONELANE_ALLOWED_NETWORKS"
    )]
    NotPublic,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = Arc::clone(&self.networks);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            let permitted = permitted(&addresses, &networks)?;
            let permitted = permitted.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(permitted) as Addrs)
        })
    }
}

fn permitted(addresses: &[IpAddr], networks: &AllowedNetworks) -> Result<Vec<IpAddr>, Refused> {
    if addresses.is_empty() {
        return Err(Refused::NoAddress);
    }
    let permitted: Vec<IpAddr> = addresses.iter().copied().filter(|address| networks.permit(*address)).collect();
    if permitted.is_empty() { Err(Refused::NotPublic) } else { Ok(permitted) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_that_leads_to_several_addresses_only_those_that_may_be_reached_are_dialled() {
        let networks = AllowedNetworks::default();
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let mixed = addresses(&["10.0.0.1", "1.1.1.1", "::1"]);
        assert_eq!(permitted(&mixed, &networks).unwrap(), addresses(&["1.1.1.1"]));
        assert!(matches!(permitted(&addresses(&["10.0.0.1", "fe80::1"]), &networks), Err(Refused::NotPublic)));
        assert!(matches!(permitted(&[], &networks), Err(Refused::NoAddress)));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads_when_it_is_dialled() {
        let resolve = async |networks: AllowedNetworks| {
            GuardedResolver::new(Arc::new(networks)).resolve("localhost".parse().unwrap()).await
        };
        assert!(resolve(AllowedNetworks::default()).await.is_err());
        let found: Vec<SocketAddr> = resolve(AllowedNetworks::loopback()).await.unwrap().collect();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }
}
