//! `onelane serve` and `onelane migrate`

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::master_key;
use crate::config::ServeConfig;
use crate::gateway::{Gateway, GatewayOptions, Role, stop_on_signal};
use crate::setback::Setbacks;
use crate::store::{Store, StoreOptions};
use crate::vault::Vault;
use crate::{api, core_dump, telemetry};

/// How long the connections to the database may take to end, and how long the last spans may take to be exported.
const PATIENCE: Duration = Duration::from_secs(3);

pub async fn run(
    config: Option<&Path>,
    migrate: bool,
    role: Option<Role>,
    allow_lost_keys: bool,
) -> anyhow::Result<()> {
    telemetry::set_up_exporting("info");
    telemetry::tell_of_panics();
    let stop = stop_on_signal();
    let config = ServeConfig::read(config)?;
    if !config.core_dumps {
        core_dump::forbid();
    }
    let vault = vault(&config)?;
    let role = role.unwrap_or(config.role);
    let Some(store) = connect(&config, &stop).await? else { return Ok(()) };
    if migrate {
        store.migrate().await?;
    }
    let schema = store.schema().await?;
    ensure!(schema.may_start(), "{schema}");
    master_key::ensure_known(&store, &vault, allow_lost_keys).await?;
    if let Some(key) = &config.admin_key {
        let key = key.expose_secret();
        ensure!(
            key.len() >= api::SHORTEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "ONELANE_ADMIN_KEY must have at least {} visible ASCII characters, e.g. from `openssl rand -hex 32`",
            api::SHORTEST_KEY
        );
        api::ensure_admin_key(&store, key).await?;
    }
    let options = GatewayOptions { role, ..config.gateway_options()? };
    allow_many_files();
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    if config.is_in_the_clear() {
        tracing::warn!(
            "API keys come in the clear: set ONELANE_TLS_CERTIFICATE, or put a proxy that ends TLS before this gateway and \
             name it in ONELANE_TRUSTED_PROXIES"
        );
    }
    let speaks = if options.server.certificate.is_some() { "https" } else { "http" };
    tracing::info!(listen = %listener.local_addr()?, scheme = speaks, role = <&str>::from(role), "ready");
    Gateway::new(store.clone(), vault, options)?.serve(listener, stop.cancelled_owned()).await;
    // A database that is lost does not keep the process from its end.
    let _ = tokio::time::timeout(PATIENCE, store.close()).await;
    telemetry::flush(PATIENCE).await;
    Ok(())
}

/// Each connection is an open file, and systems allow few at first.
fn allow_many_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
    {
        tracing::warn!(%error, current, "the number of open files cannot be raised");
    }
}

pub async fn migrate(config: Option<&Path>) -> anyhow::Result<()> {
    telemetry::set_up("info");
    let config = ServeConfig::read(config)?;
    let stop = stop_on_signal();
    let Some(store) = connect(&config, &stop).await? else { return Ok(()) };
    store.migrate().await?;
    tracing::info!("the database is up to date");
    Ok(())
}

/// The vault with the keys that are given.
pub(super) fn vault(config: &ServeConfig) -> anyhow::Result<Vault> {
    let master_key = config.master_key.as_ref().context(
        "ONELANE_MASTER_KEY is not set; it seals the accounts' credentials. Make one with `openssl rand -base64 32` and keep it",
    )?;
    let vault = Vault::from_base64(master_key.expose_secret()).context("ONELANE_MASTER_KEY cannot be read")?;
    vault.with_former(&config.former_master_keys).context("ONELANE_FORMER_MASTER_KEYS cannot be read")
}

/// The ledger; nothing when the process was asked to end before there was one.
pub(super) async fn connect(config: &ServeConfig, stop: &CancellationToken) -> anyhow::Result<Option<Store>> {
    let url =
        config.database_url.as_ref().context("DATABASE_URL is not set; e.g. postgres://user:password@host/onelane")?;
    let options =
        StoreOptions { database_url: url.expose_secret().to_owned(), max_connections: config.database_connections };
    tokio::select! {
        store = wait_for_database(&options, Duration::from_secs(config.database_patience)) => store.map(Some),
        () = stop.cancelled() => Ok(None),
    }
}

/// Connects. A database that is about to start, or has no connection left, is waited for; one that does not let us in
/// is not.
async fn wait_for_database(options: &StoreOptions, patience: Duration) -> anyhow::Result<Store> {
    let begun = Instant::now();
    let mut setbacks = Setbacks::of("connect to the database");
    loop {
        let error = match Store::connect(options).await {
            Ok(store) => {
                setbacks.worked();
                return Ok(store);
            }
            Err(error) => error,
        };
        if !error.is_passing() {
            bail!("the database cannot be used: {error}");
        }
        let left = patience.saturating_sub(begun.elapsed());
        if left.is_zero() {
            let seconds = patience.as_secs();
            bail!("the database cannot be reached; waited {seconds} s (ONELANE_DATABASE_PATIENCE): {error}");
        }
        tokio::time::sleep(setbacks.failed(&error).min(left)).await;
    }
}
