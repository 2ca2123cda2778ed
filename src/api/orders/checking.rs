//! Everything that can be known of an operation on an order before it is queued: the account, what its
//! provider can do, and what it can carry.

use serde_json::Value;

use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::problem::{Kind, Problem};
use crate::canonical::{FieldError, Operation, Order, SubmissionResult};
use crate::delivery::open_account;
use crate::provider::{Account, Item, Outward, Profile, Translation, translate};
use crate::store::accounts::StoredAccount;
use crate::store::lanes::LaneKey;

/// An account that the caller may use, opened for its provider.
pub struct OpenedAccount {
    pub stored: StoredAccount,
    pub profile: &'static Profile,
    outward: Option<&'static dyn Outward>,
    account: Account,
}

/// An operation that its provider can carry.
pub struct Checked {
    pub lane: LaneKey,
    pub batch_key: String,
    pub notices: Vec<SubmissionResult>,
}

/// The account that a request body names at `/account`.
pub async fn account_for(state: &AppState, caller: &Caller, id: &str) -> Result<OpenedAccount, Problem> {
    let stored = state.store.account(id).await?.filter(|account| caller.may_use(&account.id));
    let stored = stored.ok_or_else(|| unknown_account(id))?;
    open(state, stored)
}

fn unknown_account(id: &str) -> Problem {
    Problem::new(Kind::UnknownAccount, format!("There is no account {id} that your key may use.")).with_errors(vec![
        FieldError::new(
            "/account",
            "validation.unknown_account",
            "is no account that this key may use",
            "不是该密钥可用的账户",
        ),
    ])
}

/// The account of an order that the caller may see.
pub async fn account_of_order(state: &AppState, id: &str) -> Result<OpenedAccount, Problem> {
    let stored = state.store.account(id).await?.ok_or_else(|| {
        Problem::new(Kind::StateConflict, format!("The account {id} of this order was deleted; nothing can be sent."))
    })?;
    open(state, stored)
}

fn open(state: &AppState, stored: StoredAccount) -> Result<OpenedAccount, Problem> {
    let (provider, account) = open_account(&stored, &state.vault).map_err(|error| {
        tracing::error!(%error, account = stored.id, "an account cannot be used");
        Problem::new(Kind::Internal, format!("The account {} cannot be used; the log says why.", stored.id))
    })?;
    Ok(OpenedAccount { profile: provider.profile(), outward: provider.outward(), account, stored })
}

/// An operation to be checked.
pub struct Intent<'a> {
    pub operation: Operation,
    /// The document as it shall stand
    pub order: &'a Order,
    pub change: Option<&'a Value>,
    pub provider_order_number: Option<&'a str>,
    pub adopted: bool,
}

impl OpenedAccount {
    /// Translates the operation without sending it; an error when the provider has no such operation.
    pub fn translate(&self, intent: &Intent<'_>) -> Result<(&'static str, Translation), Problem> {
        let unsupported = |detail: String| Problem::new(Kind::UnsupportedByProvider, detail);
        let name = self.profile.name;
        let Some(outward) = self.outward else {
            return Err(unsupported(format!("{name} takes no orders; it calls this gateway.")));
        };
        let Intent { operation, order, change, provider_order_number, adopted } = *intent;
        let Some(entry) = self.profile.operation(operation, order.document_type()) else {
            return Err(unsupported(format!("{name} has no operation {operation} on a {}.", order.document_type())));
        };
        let item = Item { operation, order, change, provider_order_number, adopted };
        Ok((entry.endpoint, translate(self.profile, outward, &self.account, item)))
    }

    /// Checks that the provider can carry the operation.
    pub fn check(&self, intent: &Intent<'_>) -> Result<Checked, Problem> {
        let (endpoint, translation) = self.translate(intent)?;
        if !translation.refusals.is_empty() {
            return Err(refused(translation.refusals));
        }
        let lane = LaneKey {
            provider: self.profile.id.to_owned(),
            throttle_group: self.stored.throttle_group.clone(),
            endpoint: endpoint.to_owned(),
        };
        let batch_key =
            self.outward.map(|outward| outward.batch_key(intent.operation, intent.order)).unwrap_or_default();
        Ok(Checked { lane, batch_key, notices: translation.notices })
    }
}

/// What the provider cannot carry, as a problem.
pub fn refused(refusals: Vec<FieldError>) -> Problem {
    let only_unsupported = refusals.iter().all(|refusal| refusal.code == "translation.unsupported_field");
    let problem = Problem::invalid(refusals);
    if only_unsupported { problem.of_kind(Kind::UnsupportedByProvider) } else { problem }
}
