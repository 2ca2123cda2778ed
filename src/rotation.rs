//! Changing the master key: everything that a former key sealed is sealed anew with the current one, value by value,
//! while gateways serve. It may be broken off and begun again at any time.

use strum::VariantArray;

use crate::store::sealed::{RowKey, SealedColumn, SealedCount, SealedValue};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

/// Values that are read at once.
const PAGE: i64 = 100;
/// How often it is looked for what others sealed meanwhile.
const ROUNDS: usize = 3;

/// What came of a rotation.
pub struct Rotated {
    /// Values that were sealed anew
    pub resealed: u64,
    /// Old secrets that were taken away, since nothing uses them
    pub erased: u64,
    /// Values that could not be opened
    pub failures: Vec<Failure>,
    /// What other keys seal still
    pub left: Vec<SealedCount>,
}

/// A value that could not be sealed anew, and why.
pub struct Failure {
    pub table: &'static str,
    pub column: &'static str,
    pub row: RowKey,
    pub error: VaultError,
}

/// Why there was no rotation.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("nothing can be sealed: {0}")]
    Vault(VaultError),
}

/// Which of these keys are not in the vault.
pub fn unknown_keys<'a>(vault: &Vault, counts: &'a [SealedCount]) -> Vec<&'a str> {
    let mut unknown: Vec<&str> =
        counts.iter().map(|count| count.key_id.as_str()).filter(|id| !vault.knows(id)).collect();
    unknown.dedup();
    unknown
}

/// Accounts whose credentials none of the vault's keys opens.
pub async fn lost_accounts(store: &Store, vault: &Vault) -> Result<Vec<String>, StoreError> {
    let mut lost = Vec::new();
    let mut after = RowKey::default();
    loop {
        let values = store.sealed_by_others(SealedColumn::Credentials, vault.key_id(), &after, PAGE).await?;
        let Some(value) = values.last() else { return Ok(lost) };
        after = value.row.clone();
        lost.extend(values.into_iter().filter(|value| !vault.knows(&value.sealed.key_id)).map(|value| value.row.id));
    }
}

/// Seals everything with the vault's current key that another one sealed.
pub async fn rotate(store: &Store, vault: &Vault) -> Result<Rotated, RotationError> {
    let erased = store.erase_old_secrets().await?;
    let mut rotated = Rotated { resealed: 0, erased, failures: Vec::new(), left: Vec::new() };
    for _ in 0..ROUNDS {
        rotated.failures.clear();
        for column in SealedColumn::VARIANTS {
            reseal_column(store, vault, *column, &mut rotated).await?;
        }
        let counts = store.sealed_counts().await?;
        rotated.left = counts.into_iter().filter(|count| count.key_id != vault.key_id()).collect();
        if rotated.left.is_empty() {
            break;
        }
    }
    Ok(rotated)
}

async fn reseal_column(
    store: &Store,
    vault: &Vault,
    column: SealedColumn,
    rotated: &mut Rotated,
) -> Result<(), RotationError> {
    let mut after = RowKey::default();
    loop {
        let values = store.sealed_by_others(column, vault.key_id(), &after, PAGE).await?;
        let Some(last) = values.last() else { return Ok(()) };
        after = last.row.clone();
        for value in values {
            match reseal(store, vault, &value).await {
                // What changed meanwhile comes up again in the next round, if it must.
                Ok(done) => rotated.resealed += u64::from(done),
                Err(ResealError::Rotation(error)) => return Err(error),
                Err(ResealError::Unopened(error)) => {
                    let (table, column) = column.name();
                    rotated.failures.push(Failure { table, column, row: value.row, error });
                }
            }
        }
    }
}

enum ResealError {
    Rotation(RotationError),
    Unopened(VaultError),
}

async fn reseal(store: &Store, vault: &Vault, value: &SealedValue) -> Result<bool, ResealError> {
    let place = value.place().ok_or(ResealError::Unopened(VaultError::Broken))?;
    let secret = vault.open(&place, &value.sealed).map_err(ResealError::Unopened)?;
    let sealed = vault.seal(&place, &secret).map_err(|error| ResealError::Rotation(RotationError::Vault(error)))?;
    let done = store.replace_sealed(value, &sealed).await;
    done.map_err(|error| ResealError::Rotation(RotationError::Store(error)))
}
