//! `onelane sandbox`

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use tokio::net::TcpListener;

use super::output;
use crate::gateway::stop_on_signal;
use crate::sandbox::{Pace, Sandbox, SandboxOptions, seeded};
use crate::telemetry;
use crate::vault::random_bytes;

/// How simulated orders go on by themselves; the control call `life` changes it.
#[derive(clap::Args)]
pub struct LifeArguments {
    /// Seconds that a simulated order stands at a stage before it goes on by itself; 0: by hand only
    #[arg(long)]
    seconds_per_stage: Option<f64>,
    /// Share of the calls of such orders that are made twice
    #[arg(long, default_value_t = 0.0)]
    duplicates: f64,
    /// Share of them that come later than what happened after them
    #[arg(long, default_value_t = 0.0)]
    disorder: f64,
    /// Share of them before which somebody makes the same with a wrong signature
    #[arg(long, default_value_t = 0.0)]
    bad_signatures: f64,
}

impl LifeArguments {
    /// As asked for; for who did not ask, with this many seconds at each stage.
    pub fn pace(&self, seconds_per_stage: f64) -> Pace {
        let Self { seconds_per_stage: asked, duplicates, disorder, bad_signatures } = *self;
        let seconds_per_stage = asked.unwrap_or(seconds_per_stage);
        Pace { seconds_per_stage, duplicates, disorder, bad_signatures }
    }
}

/// Where the sandbox listens.
pub fn listen_address() -> anyhow::Result<SocketAddr> {
    std::env::var("ONELANE_SANDBOX_LISTEN")
        .unwrap_or_else(|_| "127.0.0.1:8081".to_owned())
        .parse()
        .context("ONELANE_SANDBOX_LISTEN is no address like 127.0.0.1:8081")
}

/// The simulators on the real clock, their orders at this pace. `ONELANE_SANDBOX_SEED`, a number, makes their chances come
/// again the same.
#[expect(clippy::disallowed_methods, reason = "the edge of the program: simulators run on real time here")]
pub fn simulators(pace: Pace) -> anyhow::Result<Sandbox> {
    let seed = match std::env::var("ONELANE_SANDBOX_SEED") {
        Ok(seed) => seed.parse().context("ONELANE_SANDBOX_SEED is no whole number")?,
        Err(_) => u64::from_ne_bytes(random_bytes()?),
    };
    let sandbox = Sandbox::new(&SandboxOptions { clock: Arc::new(chrono::Utc::now), random: seeded(seed) });
    sandbox.set_pace(pace).map_err(anyhow::Error::msg)?;
    Ok(sandbox)
}

pub async fn run(life: &LifeArguments) -> anyhow::Result<()> {
    telemetry::set_up("info");
    let listener = bind(listen_address()?).await?;
    let address = listener.local_addr()?;
    let sandbox = simulators(life.pace(0.0))?;
    output::line(format!("Provider simulators on http://{address}, with these credentials:"))?;
    for account in sandbox.demo_accounts(&format!("http://{address}")) {
        output::line(format!("  {:10} {}  {}", account.provider, account.base_url, account.credentials))?;
    }
    sandbox.serve(listener, stop_on_signal().cancelled_owned()).await?;
    Ok(())
}

/// A listener for the sandbox.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("the sandbox cannot listen on {address}; ONELANE_SANDBOX_LISTEN chooses another place")
    })
}
