//! What an oTMS account and an order's `otms` extension may hold.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::profile::ID;
use crate::canonical::{CustomFields, Decimal, DispatchMode, Extensions, FieldError, Order, ProofType, RateSelection};
use crate::provider::{Account, AccountDraft};

/// An API account that oTMS's administrators handed out.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OtmsCredentials {
    #[schema(min_length = 1)]
    pub username: String,
    #[schema(min_length = 1, format = Password)]
    pub password: String,
}

/// Settings of an oTMS account.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct OtmsSettings {
    /// Where the credentials go: HTTP Basic, which oTMS prefers, or the attributes of the document
    pub credentials_in: CredentialsIn,
    /// Refuse incomplete orders instead of keeping them as drafts
    pub reject_draft: bool,
}

impl Default for OtmsSettings {
    fn default() -> Self {
        OtmsSettings { credentials_in: CredentialsIn::Header, reject_draft: true }
    }
}

impl OtmsSettings {
    pub fn of(account: &Account) -> Self {
        // Settings were checked against the schema when the account was stored.
        OtmsSettings::deserialize(&account.settings).unwrap_or_default()
    }
}

/// Where the credentials go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CredentialsIn {
    Header,
    Document,
}

/// `extensions.otms` of an order: members of ImportedOrder without a shared meaning.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OtmsOrderExtension {
    /// autoProcessMode; overrides `dispatch.mode`
    pub auto_process_mode: Option<AutoProcessMode>,
    /// Refuse the order when incomplete instead of keeping it as a draft; the account's setting when absent
    pub reject_draft: Option<bool>,
    /// Hide the lines from the carrier
    pub conceal_order_lines: Option<bool>,
    /// Order type
    #[schema(max_length = 64)]
    pub business_type: Option<String>,
    /// Which selling tariff is chosen
    pub selling_tariff_selection: Option<RateSelection>,
    /// OrderImportRequest.source
    #[schema(min_length = 1)]
    pub source: Option<String>,
    /// Replaces `customFields` of the order for oTMS
    pub custom_fields: Option<CustomFields>,
}

/// autoProcessMode by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AutoProcessMode {
    Import,
    Release,
    DispatchCarrier,
    DispatchTruck,
}

impl From<AutoProcessMode> for DispatchMode {
    fn from(mode: AutoProcessMode) -> Self {
        match mode {
            AutoProcessMode::Import => DispatchMode::None,
            AutoProcessMode::Release => DispatchMode::Release,
            AutoProcessMode::DispatchCarrier => DispatchMode::Carrier,
            AutoProcessMode::DispatchTruck => DispatchMode::Vehicle,
        }
    }
}

/// `extensions.otms` of a stop: switches of ImportedLocation.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OtmsStopExtension {
    /// External tracking support
    pub xtt_support: Option<bool>,
    /// Radius of the SMS notification; oTMS does not state the unit
    pub notify_radius: Option<Decimal>,
    /// Radius of the mobile geofence; oTMS does not state the unit
    pub driver_operate_radius: Option<Decimal>,
    /// SMS notification
    pub sms_notification_enabled: Option<bool>,
    /// How the postcode is matched
    pub matching_strategy: Option<MatchingStrategy>,
    /// Delivery code at this location
    pub delivery_code: Option<bool>,
    /// Send the electronic proof of delivery by SMS
    pub send_epod_sms: Option<bool>,
    /// Kind of proof of delivery at this location
    pub order_epod_upload_type: Option<ProofType>,
    /// Replaces `customFields` of the stop for oTMS
    pub custom_fields: Option<CustomFields>,
}

/// matchingStrategy by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchingStrategy {
    Default,
    Exact,
}

/// The order's extension for oTMS; it was checked against its schema on the way in.
pub fn order_extension(order: &Order) -> OtmsOrderExtension {
    read(order.extensions.as_ref())
}

/// A stop's extension for oTMS.
pub fn stop_extension(extensions: Option<&Extensions>) -> OtmsStopExtension {
    read(extensions)
}

fn read<T: Default + for<'de> Deserialize<'de>>(extensions: Option<&Extensions>) -> T {
    extensions
        .and_then(|extensions| extensions.get(ID))
        .and_then(|extension| T::deserialize(extension).ok())
        .unwrap_or_default()
}

/// A colon would end the user name of HTTP Basic early (RFC 7617).
pub fn check_account(account: &AccountDraft<'_>) -> Vec<FieldError> {
    let in_document = account.settings.get("credentialsIn").is_some_and(|place| place == "document");
    let colon =
        account.credentials.get("username").and_then(|name| name.as_str()).is_some_and(|name| name.contains(':'));
    if colon && !in_document {
        return vec![FieldError::new(
            "/credentials/username",
            "validation.invalid_value",
            "must not contain a colon when credentials go in the HTTP header",
            "凭据通过 HTTP 头发送时,用户名不得包含冒号",
        )];
    }
    Vec::new()
}
