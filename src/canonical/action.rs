//! Administrative acts.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What people administer, and is kept in the audit log.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    ToSchema,
    strum::EnumString,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[schema(as = AdministrativeAction)]
pub enum Action {
    /// An account was added.
    #[serde(rename = "account.create")]
    #[strum(serialize = "account.create")]
    CreateAccount,
    /// An account was changed.
    #[serde(rename = "account.update")]
    #[strum(serialize = "account.update")]
    UpdateAccount,
    /// An account was deleted.
    #[serde(rename = "account.delete")]
    #[strum(serialize = "account.delete")]
    DeleteAccount,
    /// What is queued for an account was held.
    #[serde(rename = "account.pause")]
    #[strum(serialize = "account.pause")]
    PauseAccount,
    /// What was held was let go.
    #[serde(rename = "account.resume")]
    #[strum(serialize = "account.resume")]
    ResumeAccount,
    /// An account got another callback path.
    #[serde(rename = "account.rotate_callback_token")]
    #[strum(serialize = "account.rotate_callback_token")]
    RotateCallbackToken,
    /// Secrets were sealed anew with another master key.
    #[serde(rename = "master_key.rotate")]
    #[strum(serialize = "master_key.rotate")]
    RotateMasterKey,
    /// The ledger was told that it was set back to an earlier moment.
    #[serde(rename = "ledger.restored")]
    #[strum(serialize = "ledger.restored")]
    DeclareRestored,
    /// An account was subscribed to its provider's callbacks.
    #[serde(rename = "subscription.put")]
    #[strum(serialize = "subscription.put")]
    PutSubscription,
    /// A subscription was ended.
    #[serde(rename = "subscription.delete")]
    #[strum(serialize = "subscription.delete")]
    DeleteSubscription,
    /// An API key was made.
    #[serde(rename = "api_key.create")]
    #[strum(serialize = "api_key.create")]
    CreateApiKey,
    /// An API key was revoked.
    #[serde(rename = "api_key.revoke")]
    #[strum(serialize = "api_key.revoke")]
    RevokeApiKey,
    /// A webhook endpoint was added.
    #[serde(rename = "webhook_endpoint.create")]
    #[strum(serialize = "webhook_endpoint.create")]
    CreateWebhookEndpoint,
    /// A webhook endpoint was changed.
    #[serde(rename = "webhook_endpoint.update")]
    #[strum(serialize = "webhook_endpoint.update")]
    UpdateWebhookEndpoint,
    /// A webhook endpoint got another secret.
    #[serde(rename = "webhook_endpoint.rotate_secret")]
    #[strum(serialize = "webhook_endpoint.rotate_secret")]
    RotateWebhookSecret,
    /// A webhook endpoint was deleted.
    #[serde(rename = "webhook_endpoint.delete")]
    #[strum(serialize = "webhook_endpoint.delete")]
    DeleteWebhookEndpoint,
    /// An event was delivered again.
    #[serde(rename = "webhook_delivery.redeliver")]
    #[strum(serialize = "webhook_delivery.redeliver")]
    RedeliverWebhook,
    /// A callback was processed again.
    #[serde(rename = "callback.reprocess")]
    #[strum(serialize = "callback.reprocess")]
    ReprocessCallback,
    /// A submission was put back into the queue.
    #[serde(rename = "submission.retry")]
    #[strum(serialize = "submission.retry")]
    RetrySubmission,
    /// A person ended a submission's doubt.
    #[serde(rename = "submission.resolve")]
    #[strum(serialize = "submission.resolve")]
    ResolveSubmission,
}
