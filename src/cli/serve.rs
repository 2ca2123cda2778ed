//! `onelane serve` and `onelane migrate`

use std::path::Path;

use anyhow::{Context, ensure};
use secrecy::ExposeSecret;
use tokio::net::TcpListener;

use crate::config::ServeConfig;
use crate::gateway::{Gateway, GatewayOptions, stop_signal};
use crate::store::{Store, StoreOptions};
use crate::vault::Vault;
use crate::{api, telemetry};

pub async fn run(config: Option<&Path>, migrate: bool) -> anyhow::Result<()> {
    telemetry::set_up("info");
    let config = ServeConfig::read(config).context("the configuration cannot be read")?;
    let master_key = config.master_key.as_ref().context(
        "ONELANE_MASTER_KEY is not set; it seals the accounts' credentials. Make one with `openssl rand -base64 32` and keep it",
    )?;
    let vault = Vault::from_base64(master_key.expose_secret())?;
    let store = connect(&config).await?;
    if migrate {
        store.migrate().await?;
    }
    ensure!(
        store.is_ready().await.unwrap_or(false),
        "the database's schema is not the one that this version expects; run `onelane migrate` first"
    );
    if let Some(key) = &config.admin_key {
        let key = key.expose_secret();
        ensure!(
            key.len() >= api::SHORTEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic()),
            "ONELANE_ADMIN_KEY must have at least {} visible ASCII characters, e.g. from `openssl rand -hex 32`",
            api::SHORTEST_KEY
        );
        api::ensure_admin_key(&store, key).await?;
    }
    let listener =
        TcpListener::bind(config.listen).await.with_context(|| format!("cannot listen on {}", config.listen))?;
    tracing::info!(listen = %listener.local_addr()?, "ready");
    let options = GatewayOptions {
        body_limit: config.body_limit,
        retention: config.retention(),
        allowed_networks: config.allowed_networks,
    };
    Gateway::new(store.clone(), vault, options)?.serve(listener, stop_signal()).await?;
    store.close().await;
    Ok(())
}

pub async fn migrate(config: Option<&Path>) -> anyhow::Result<()> {
    telemetry::set_up("info");
    let config = ServeConfig::read(config).context("the configuration cannot be read")?;
    connect(&config).await?.migrate().await?;
    tracing::info!("the database is up to date");
    Ok(())
}

async fn connect(config: &ServeConfig) -> anyhow::Result<Store> {
    let url =
        config.database_url.as_ref().context("DATABASE_URL is not set; e.g. postgres://user:password@host/onelane")?;
    let options =
        StoreOptions { database_url: url.expose_secret().to_owned(), max_connections: config.database_connections };
    Store::connect(&options).await.context("the database cannot be reached")
}
