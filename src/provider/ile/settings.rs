//! What an ILE account and an order's `ile` extension may hold.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::profile::ID;
use crate::canonical::{FieldError, Order};
use crate::provider::{Account, AccountDraft};

/// `userId`, or else `ileId` and `sign` (若userId为空,则ileId、sign必填).
#[derive(Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IleCredentials {
    /// Id of the customer who orders
    #[schema(min_length = 1, format = Password)]
    pub user_id: Option<String>,
    /// Id of the account, with `sign`
    #[schema(min_length = 1, format = Password)]
    pub ile_id: Option<String>,
    /// The account's key, with `ileId`: handed out with the account, not computed
    #[schema(min_length = 1, format = Password)]
    pub sign: Option<String>,
}

/// Settings of an ILE account.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct IleSettings {
    /// How the customer's reference is called: the document's table and its example differ
    pub customer_reference_member: CustomerReferenceMember,
}

impl IleSettings {
    pub fn of(account: &Account) -> Self {
        // Settings were checked against the schema when the account was stored.
        IleSettings::deserialize(&account.settings).unwrap_or_default()
    }
}

/// How the customer's reference is called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum CustomerReferenceMember {
    /// As in the document's example
    #[default]
    #[serde(rename = "cust_ref")]
    OfTheExample,
    /// As in the document's table
    #[serde(rename = "custRef")]
    OfTheTable,
}

impl CustomerReferenceMember {
    pub fn name(self) -> &'static str {
        match self {
            CustomerReferenceMember::OfTheExample => "cust_ref",
            CustomerReferenceMember::OfTheTable => "custRef",
        }
    }
}

/// `extensions.ile` of an order: members of `data` without a shared meaning.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct IleOrderExtension {
    /// amazon_shipment_ids, 亚马逊编码; empty when absent
    pub amazon_shipment_ids: Option<String>,
    /// amazon_po, 亚马逊编码; empty when absent
    pub amazon_po: Option<String>,
    /// FBA warehouse; required by ILE when the channel is FBA
    #[schema(min_length = 1)]
    pub fba_warehouse_code: Option<String>,
}

/// The order's extension for ILE; it was checked against its schema on the way in.
pub fn order_extension(order: &Order) -> IleOrderExtension {
    order
        .extensions
        .as_ref()
        .and_then(|extensions| extensions.get(ID))
        .and_then(|extension| IleOrderExtension::deserialize(extension).ok())
        .unwrap_or_default()
}

/// Without a `userId` the other two are required.
pub fn check_account(account: &AccountDraft<'_>) -> Vec<FieldError> {
    let given = |name: &str| account.credentials.get(name).is_some();
    if given("userId") {
        return Vec::new();
    }
    ["ileId", "sign"]
        .into_iter()
        .filter(|name| !given(name))
        .map(|name| {
            FieldError::new(
                format!("/credentials/{name}"),
                "validation.missing",
                "is required when there is no userId",
                "未提供 userId 时为必填字段",
            )
        })
        .collect()
}
