//! `onelane master-key status` and `onelane master-key rotate`

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, ensure};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::output;
use super::serve::{connect, vault};
use crate::canonical::Action;
use crate::config::ServeConfig;
use crate::rotation::{self, Failure, Rotated};
use crate::store::Store;
use crate::store::audit::{Act, Actor};
use crate::store::sealed::SealedCount;
use crate::telemetry;
use crate::vault::Vault;

/// Prints which master keys sealed how many values, and which of the keys are given.
pub async fn status(config: Option<&Path>) -> anyhow::Result<()> {
    telemetry::set_up("warn");
    let config = ServeConfig::read(config)?;
    // Which key is needed can be asked without one.
    let vault = config.master_key.is_some().then(|| vault(&config)).transpose()?;
    let Some(store) = connect(&config, &CancellationToken::new()).await? else { return Ok(()) };
    print_counts(vault.as_ref(), &store.sealed_counts().await?)?;
    store.close().await;
    Ok(())
}

/// Seals everything with the current master key that a former one sealed.
pub async fn rotate(config: Option<&Path>) -> anyhow::Result<()> {
    telemetry::set_up("warn");
    let config = ServeConfig::read(config)?;
    let vault = vault(&config)?;
    let Some(store) = connect(&config, &CancellationToken::new()).await? else { return Ok(()) };
    let Rotated { resealed, erased, failures, left } = rotation::rotate(&store, &vault).await?;
    store
        .record(&Act {
            actor: Actor::CommandLine("master-key rotate"),
            action: Action::RotateMasterKey,
            object: vault.key_id().to_owned(),
            account: None,
            details: json!({"resealed": resealed, "erased": erased, "failed": failures.len()}),
        })
        .await?;
    output::line(format!("{resealed} values were sealed anew with the master key {}.", vault.key_id()))?;
    if erased > 0 {
        output::line(format!("{erased} secrets of webhook endpoints that sign no longer were taken away."))?;
    }
    for Failure { table, column, row, error } in &failures {
        eprintln!("{table}.{column} of {} {}: {error}", row.id, row.topic);
    }
    print_counts(Some(&vault), &store.sealed_counts().await?)?;
    store.close().await;
    ensure!(
        failures.is_empty(),
        "{} values cannot be opened; give the keys that sealed them in ONELANE_FORMER_MASTER_KEYS and repeat this",
        failures.len()
    );
    ensure!(
        left.is_empty(),
        "something still seals with the master key {}: have every gateway restarted with the new one, then repeat this",
        left.first().map(|count| count.key_id.as_str()).unwrap_or_default()
    );
    Ok(())
}

/// Refuses to go on without a key that something in the ledger was sealed with.
pub async fn ensure_known(store: &Store, vault: &Vault, allow_lost: bool) -> anyhow::Result<()> {
    let counts = store.sealed_counts().await.context("it cannot be told which master keys are needed")?;
    let unknown = rotation::unknown_keys(vault, &counts);
    if unknown.is_empty() {
        return Ok(());
    }
    let unknown = unknown.join(", ");
    if allow_lost {
        tracing::warn!(keys = unknown, "some secrets cannot be opened; they must be given anew");
        return pause_lost_accounts(store, vault).await;
    }
    anyhow::bail!(
        "the ledger holds secrets that were sealed with the master key {unknown}, which was not given \
         (ONELANE_MASTER_KEY is {}); add it to ONELANE_FORMER_MASTER_KEYS. `onelane master-key status` says what it sealed. \
         If it is lost, start with --allow-lost-keys and give those secrets anew",
        vault.key_id()
    )
}

/// Pauses accounts whose credentials cannot be opened any more, so that whoever looks for their orders is told why.
async fn pause_lost_accounts(store: &Store, vault: &Vault) -> anyhow::Result<()> {
    const REASON: &str = "the master key that sealed its credentials is lost: give them anew, then resume the account";
    for account in rotation::lost_accounts(store, vault).await? {
        let act = Act {
            actor: Actor::CommandLine("serve --allow-lost-keys"),
            action: Action::PauseAccount,
            object: account.clone(),
            account: Some(&account),
            details: json!({}),
        };
        if store.pause_account(&account, REASON, &act).await? {
            tracing::warn!(account, "an account is paused until its credentials are given anew");
        }
    }
    Ok(())
}

fn print_counts(vault: Option<&Vault>, counts: &[SealedCount]) -> anyhow::Result<()> {
    let mut keys: BTreeMap<&str, Vec<&SealedCount>> = BTreeMap::new();
    keys.extend(vault.map(|vault| (vault.key_id(), Vec::new())));
    for count in counts {
        keys.entry(&count.key_id).or_default().push(count);
    }
    for (key_id, counts) in keys {
        let standing = match vault {
            Some(vault) if vault.key_id() == key_id => "current",
            Some(vault) if vault.knows(key_id) => "former",
            Some(_) => "not given",
            None => "",
        };
        let total: i64 = counts.iter().map(|count| count.count).sum();
        output::line(format!("{key_id}  {standing:9}  {total} values"))?;
        for SealedCount { table, column, key_id: _, count } in counts {
            output::line(format!("    {count:6}  {table}.{column}"))?;
        }
    }
    Ok(())
}
