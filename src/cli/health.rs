//! `onelane health`

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context, ensure};

/// How long the gateway may take to say that it lives.
const PATIENCE: Duration = Duration::from_secs(3);

/// Asks the gateway on this machine whether it lives; for health checks of containers.
pub async fn run(listen: SocketAddr, encrypted: bool) -> anyhow::Result<()> {
    let scheme = if encrypted { "https" } else { "http" };
    let url = format!("{scheme}://{}/healthz", reachable(listen));
    let status =
        tokio::time::timeout(PATIENCE, ask(&url)).await.with_context(|| format!("{url} did not answer in time"))??;
    ensure!(status.is_success(), "{url} answered {status}");
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "it asks this gateway, and no provider")]
async fn ask(url: &str) -> anyhow::Result<reqwest::StatusCode> {
    // No proxy reaches this machine's own address, and no certificate is for it. Nothing secret is said.
    let client = reqwest::Client::builder().no_proxy().tls_danger_accept_invalid_certs(true).build()?;
    Ok(client.get(url).send().await?.status())
}

/// Who listens everywhere is asked on the loopback address.
fn reachable(mut listen: SocketAddr) -> SocketAddr {
    if listen.ip().is_unspecified() {
        listen.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    listen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_listens_everywhere_is_asked_on_loopback() {
        assert_eq!(reachable("0.0.0.0:8080".parse().unwrap()).to_string(), "127.0.0.1:8080");
        assert_eq!(reachable("10.0.0.1:9".parse().unwrap()).to_string(), "10.0.0.1:9");
    }
}
