//! What a 3TMS account, its session and the `ttms` extensions of an order hold.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::profile::ID;
use crate::canonical::{CustomFields, Extensions, Order};
use crate::provider::Account;

/// The main account of a company; what other accounts of it create is not seen in its system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TtmsCredentials {
    #[schema(min_length = 1)]
    pub username: String,
    #[schema(min_length = 1, format = Password)]
    pub password: String,
}

/// Settings of a 3TMS account.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TtmsSettings {
    /// Create several orders with one request. What becomes of the others when 3TMS refuses one of them is not
    /// documented; they then go again one by one.
    pub batch_create: bool,
    /// Company id for the positions of small black cards (xhkID), as 3TMS handed it out; state 602 of
    /// customer-orders cannot be subscribed to without it
    #[schema(min_length = 1, max_length = 64)]
    pub xhk_id: Option<String>,
}

impl TtmsSettings {
    pub fn of(account: &Account) -> Self {
        // Settings were checked against the schema when the account was stored.
        TtmsSettings::deserialize(&account.settings).unwrap_or_default()
    }
}

/// What the token interfaces give; valid for a year.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tokens {
    pub access_token: String,
    pub refresh_token: String,
}

/// `extensions.ttms` of an order: members of OrderEntity and CustomerOrderEntity without a shared meaning.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TtmsOrderExtension {
    /// Place where the goods are gathered (集货位); of a transport order
    #[schema(max_length = 64)]
    pub wms_location: Option<String>,
    /// Path of the organisation unit, such as 0-11; wins over `branch`
    #[schema(min_length = 1, max_length = 64)]
    pub organization_path: Option<String>,
    /// Replaces `customFields` of the order for 3TMS
    pub custom_fields: Option<CustomFields>,
}

/// `extensions.ttms` of a stop.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TtmsStopExtension {
    /// Name of the place (startAddress, endAddress); the city of its address when absent
    #[schema(min_length = 1, max_length = 64)]
    pub place_name: Option<String>,
}

/// The order's extension for 3TMS; it was checked against its schema on the way in.
pub fn order_extension(order: &Order) -> TtmsOrderExtension {
    read(order.extensions.as_ref())
}

/// A stop's extension for 3TMS.
pub fn stop_extension(extensions: Option<&Extensions>) -> TtmsStopExtension {
    read(extensions)
}

fn read<T: Default + for<'de> Deserialize<'de>>(extensions: Option<&Extensions>) -> T {
    extensions
        .and_then(|extensions| extensions.get(ID))
        .and_then(|extension| T::deserialize(extension).ok())
        .unwrap_or_default()
}
