//! What a Hongxun account holds.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::canonical::Counting;
use crate::provider::Account;

/// What Hongxun handed out.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct HongxunCredentials {
    /// Identifier of the customer (客户标识)
    #[schema(min_length = 1)]
    pub create_by: String,
    /// Source system (来源系统)
    #[schema(min_length = 1)]
    pub data_source: String,
    /// Key of the signature (SK)
    #[schema(min_length = 1, format = Password)]
    pub secret_key: String,
}

/// Settings of a Hongxun account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HongxunSettings {
    /// What becomes of a call whose sender, signature or time is wrong. Whether calls to the customer are signed as
    /// the appendix says is not documented
    pub verify: Verify,
    /// Whether `actualQuantity` says how much has come by then, or how much came with the batch; not documented
    pub quantity_mode: Counting,
}

impl Default for HongxunSettings {
    fn default() -> Self {
        HongxunSettings { verify: Verify::Enforce, quantity_mode: Counting::Cumulative }
    }
}

impl HongxunSettings {
    pub fn of(account: &Account) -> Self {
        // Settings were checked against the schema when the account was stored.
        HongxunSettings::deserialize(&account.settings).unwrap_or_default()
    }
}

/// What becomes of a call that fails verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// It is quarantined.
    Enforce,
    /// It is taken, with a warning.
    Warn,
}
