//! `onelane sandbox`

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;

use crate::gateway::stop_signal;
use crate::sandbox::{Sandbox, SandboxOptions, seeded};
use crate::telemetry;
use crate::vault::random_bytes;

/// Where the sandbox listens.
pub fn listen_address() -> anyhow::Result<SocketAddr> {
    std::env::var("ONELANE_SANDBOX_LISTEN")
        .unwrap_or_else(|_| "127.0.0.1:8081".to_owned())
        .parse()
        .context("ONELANE_SANDBOX_LISTEN is no address like 127.0.0.1:8081")
}

/// The simulators on the real clock. `ONELANE_SANDBOX_SEED`, a number, makes their chances come
/// again the same.
#[expect(clippy::disallowed_methods, reason = "the edge of the program: simulators run on real time here")]
pub fn simulators() -> anyhow::Result<Sandbox> {
    let seed = match std::env::var("ONELANE_SANDBOX_SEED") {
        Ok(seed) => seed.parse().context("ONELANE_SANDBOX_SEED is no whole number")?,
        Err(_) => u64::from_ne_bytes(random_bytes()?),
    };
    Ok(Sandbox::new(&SandboxOptions { clock: Arc::new(chrono::Utc::now), random: seeded(seed) }))
}

pub async fn run() -> anyhow::Result<()> {
    telemetry::set_up("info");
    let listener = bind(listen_address()?).await?;
    let address = listener.local_addr()?;
    let sandbox = simulators()?;
    println!("Provider simulators on http://{address}, with these credentials:");
    for account in sandbox.demo_accounts(&format!("http://{address}")) {
        println!("  {:10} {}  {}", account.provider, account.base_url, account.credentials);
    }
    sandbox.serve(listener, stop_signal()).await?;
    Ok(())
}

/// A listener for the sandbox.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("the sandbox cannot listen on {address}; ONELANE_SANDBOX_LISTEN chooses another place")
    })
}
