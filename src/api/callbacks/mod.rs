//! Callbacks: where providers call, and what became of each call.

pub mod get;
pub mod list;
pub mod receive;
pub mod reprocess;

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::AppState;
use super::auth::{Caller, Scope};
use super::problem::Problem;
use crate::canonical::{CallbackState, EventType, Warning};
use crate::store::callbacks::{Reason, StoredCallback, TellingEvent};

/// A call of a provider, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Callback)]
#[serde(rename_all = "camelCase")]
pub struct CallbackView {
    pub id: Uuid,
    pub account: String,
    pub provider: String,
    pub state: CallbackState,
    /// Why it stands there, where that does not go without saying
    #[schema(required)]
    pub reason: Option<ReasonView>,
    /// What is worth a look though it was taken
    pub warnings: Vec<Warning>,
    /// The events that tell what it says
    pub events: Vec<TellingEventView>,
    /// Bytes of its body
    pub size: i64,
    pub received_at: DateTime<Utc>,
    /// When it came into its state; null while it is received
    #[schema(required)]
    pub processed_at: Option<DateTime<Utc>>,
}

/// Why a callback stands where it does.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackReason)]
#[serde(rename_all = "camelCase")]
pub struct ReasonView {
    /// Stable code, `callback.*`
    pub code: String,
    /// What is wrong and what was expected, in English
    pub detail: String,
    /// The same in Chinese
    pub detail_zh: String,
}

/// An event that tells what a callback says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CallbackEvent)]
#[serde(rename_all = "camelCase")]
pub struct TellingEventView {
    pub id: Uuid,
    pub r#type: EventType,
    /// The order that it is about, if the gateway knows it
    #[schema(required)]
    pub order_id: Option<Uuid>,
}

impl From<StoredCallback> for CallbackView {
    fn from(stored: StoredCallback) -> Self {
        let StoredCallback {
            id,
            account_id,
            provider,
            state,
            size,
            received_at,
            processed_at,
            reason,
            warnings,
            events,
        } = stored;
        CallbackView {
            id,
            account: account_id,
            provider,
            state,
            reason: reason.map(ReasonView::from),
            warnings,
            events: events.into_iter().map(TellingEventView::from).collect(),
            size,
            received_at,
            processed_at,
        }
    }
}

impl From<Reason> for ReasonView {
    fn from(reason: Reason) -> Self {
        let Reason { code, detail, detail_zh } = reason;
        ReasonView { code, detail, detail_zh }
    }
}

impl From<TellingEvent> for TellingEventView {
    fn from(event: TellingEvent) -> Self {
        let TellingEvent { id, event_type, order_id } = event;
        TellingEventView { id, r#type: event_type, order_id }
    }
}

/// The callback, for an administrator whose key may use its account.
async fn read(state: &AppState, caller: &Caller, id: Uuid) -> Result<StoredCallback, Problem> {
    caller.require(Scope::Admin)?;
    let callback = state.store.callback(id).await?.filter(|callback| caller.may_use(&callback.account_id));
    callback.ok_or_else(|| Problem::not_found("callback"))
}
