//! What every operation goes through before it is queued, and what a preview shows: the account that the key
//! may use, what its provider can do, and what it can carry.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use super::AppState;
use super::asking::key_not_given;
use super::auth::Caller;
use super::problem::{Kind, Problem};
use crate::canonical::{FieldError, Operation, Order, SubmissionResult};
use crate::delivery::{LaneQuota, OpenError, open_account};
use crate::provider::{
    Account, Carries, Item, Lineage, Outward, Profile, Request, Trace, Translation, Written, translate_with,
};
use crate::store::accounts::StoredAccount;
use crate::store::lanes::LaneKey;

/// An account, opened for its provider.
pub struct OpenedAccount {
    pub stored: StoredAccount,
    pub profile: &'static Profile,
    outward: Option<&'static dyn Outward>,
    account: Account,
}

/// An operation in its provider's words, ready to be queued or shown.
pub struct Translated {
    pub lane: LaneKey,
    /// Submissions share a request only when this is equal
    pub batch_key: String,
    /// What the caller should know of the translation
    pub notices: Vec<SubmissionResult>,
    /// Nothing where the trace did not want it
    request: Option<Request>,
    lineage: Vec<Lineage>,
    dropped: Vec<String>,
}

/// The account that a request body names at `/account`.
pub async fn account_for(state: &AppState, caller: &Caller, id: &str) -> Result<Arc<OpenedAccount>, Problem> {
    let stored = state.store.account(id).await?.filter(|account| caller.may_use(&account.id));
    let account = Arc::new(open(state, stored.ok_or_else(|| unknown_account(id))?)?);
    state.remembered.accounts.keep(id.to_owned(), Arc::clone(&account), Instant::now());
    Ok(account)
}

/// Accounts that one request names again and again.
#[derive(Default)]
pub struct KnownAccounts {
    by_id: HashMap<String, Arc<OpenedAccount>>,
}

impl KnownAccounts {
    pub async fn of(&mut self, state: &AppState, caller: &Caller, id: &str) -> Result<&OpenedAccount, Problem> {
        if !self.by_id.contains_key(id) {
            self.by_id.insert(id.to_owned(), account_for(state, caller, id).await?);
        }
        self.by_id.get(id).map(Arc::as_ref).ok_or_else(|| unknown_account(id))
    }
}

/// The account of an order that the caller may see.
pub async fn account_of_order(state: &AppState, id: &str) -> Result<OpenedAccount, Problem> {
    let stored = state.store.account(id).await?.ok_or_else(|| {
        Problem::new(Kind::StateConflict, format!("The account {id} of this order was deleted; nothing can be sent."))
    })?;
    open(state, stored)
}

fn open(state: &AppState, stored: StoredAccount) -> Result<OpenedAccount, Problem> {
    let (provider, account) = open_account(&stored, &state.vault).map_err(|error| match error {
        OpenError::KeyNotGiven(error) => key_not_given(&error),
        error => {
            tracing::error!(%error, account = stored.id, "an account cannot be used");
            Problem::new(Kind::Internal, format!("The account {} cannot be used; the log says why.", stored.id))
        }
    })?;
    Ok(OpenedAccount { profile: provider.profile(), outward: provider.outward(), account, stored })
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

impl OpenedAccount {
    /// How much may wait for the account.
    pub fn queue_limit(&self, state: &AppState) -> Option<NonZeroU32> {
        let own = self.stored.queue_limit.and_then(|limit| u32::try_from(limit).ok()).and_then(NonZeroU32::new);
        own.or(state.queue_limit)
    }

    /// The quota of the account's lane at an endpoint of its provider.
    pub fn quota(&self, endpoint: &str) -> Option<LaneQuota> {
        Some(LaneQuota::of(self.profile.endpoint(endpoint)?, std::iter::once(&self.stored.throttles)))
    }

    /// Whether the provider takes this operation only with the whole document.
    pub fn takes_whole(&self, operation: Operation, order: &Order) -> bool {
        let entry = self.profile.operation(operation, order.document_type());
        entry.is_some_and(|entry| entry.carries == Carries::Document)
    }

    /// Translates an operation without sending it, or says why the provider cannot carry it. Pointers are into
    /// the order.
    pub fn translate(&self, item: Item<'_>) -> Result<Translated, Problem> {
        self.translate_with(item, Trace::on(), None)
    }

    /// The same; the trace says whether document and lineage are wanted, for somebody to see them. `written` is the order
    /// as its caller wrote it, where that is at hand.
    pub fn translate_with(
        &self,
        item: Item<'_>,
        trace: Trace,
        written: Option<Written<'_>>,
    ) -> Result<Translated, Problem> {
        translate_for(self.profile, self.outward, &self.account, &self.stored.throttle_group, item, trace, written)
    }
}

/// Translates an operation for an account, whether a ledger knows it or not.
pub fn translate_for(
    profile: &'static Profile,
    outward: Option<&dyn Outward>,
    account: &Account,
    throttle_group: &str,
    item: Item<'_>,
    trace: Trace,
    written: Option<Written<'_>>,
) -> Result<Translated, Problem> {
    let Item { operation, order, .. } = item;
    let unsupported = |detail: String| Problem::new(Kind::UnsupportedByProvider, detail);
    let name = profile.name;
    let Some(outward) = outward else {
        return Err(unsupported(format!("{name} takes no orders; it calls this gateway.")));
    };
    let Some(entry) = profile.operation(operation, order.document_type()) else {
        return Err(unsupported(format!("{name} has no operation {operation} on a {}.", order.document_type())));
    };
    let wants_document = trace.wants_document();
    let Translation { request, refusals, notices, lineage, dropped } =
        translate_with(profile, outward, account, item, trace, written);
    if !refusals.is_empty() {
        return Err(refused(refusals));
    }
    let request = request.ok_or_else(|| {
        Problem::new(Kind::Internal, format!("The adapter of {name} neither wrote a request nor said why not."))
    })?;
    let lane = LaneKey {
        provider: profile.id.to_owned(),
        throttle_group: throttle_group.to_owned(),
        endpoint: entry.endpoint.to_owned(),
    };
    let batch_key = outward.batch_key(account, operation, order);
    Ok(Translated { lane, batch_key, notices, request: wants_document.then_some(request), lineage, dropped })
}

/// What the provider cannot carry, as a problem: of a kind of its own only where all of it is of that kind.
fn refused(refusals: Vec<FieldError>) -> Problem {
    let all = |code: &str| refusals.iter().all(|refusal| refusal.code == code);
    let kind = if all("translation.unsupported_field") || all("translation.unsupported_operation") {
        Kind::UnsupportedByProvider
    } else if all("translation.field_not_amendable") {
        Kind::FieldNotAmendable
    } else if all("translation.field_not_clearable") {
        Kind::FieldNotClearable
    } else {
        Kind::ValidationFailed
    };
    Problem::invalid(refusals).of_kind(kind)
}

/// The exact document that would be sent, and what became of each member. Nothing is stored or sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Translation)]
#[serde(rename_all = "camelCase")]
pub struct TranslationView {
    pub provider: String,
    /// The provider's interface that would carry it
    pub endpoint: String,
    pub request: TranslatedRequest,
    /// What the caller should know of the translation
    pub results: Vec<SubmissionResult>,
    /// Where each member went
    pub lineage: Vec<Lineage>,
    /// RFC 6901 pointers of what would not be sent
    pub dropped: Vec<String>,
}

/// A request as it would be sent, secrets masked.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TranslatedRequest {
    pub method: &'static str,
    pub url: String,
    /// Pairs of name and value
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl TryFrom<Translated> for TranslationView {
    type Error = Problem;

    fn try_from(translated: Translated) -> Result<Self, Problem> {
        let Translated { lane, batch_key: _, notices, request, lineage, dropped } = translated;
        let request = request.ok_or_else(|| Problem::new(Kind::Internal, "What was translated was not written."))?;
        let LaneKey { provider, throttle_group: _, endpoint } = lane;
        Ok(TranslationView {
            provider,
            endpoint,
            request: TranslatedRequest {
                headers: request.masked_headers(),
                body: String::from_utf8_lossy(&request.masked_body()).into_owned(),
                method: request.method,
                url: request.masked_url(),
            },
            results: notices,
            lineage,
            dropped,
        })
    }
}

/// The answer to a translation, and to every mutation with `validateOnly=true`.
pub fn translation_answer(translated: Translated) -> Result<Response, Problem> {
    Ok((StatusCode::OK, Json(TranslationView::try_from(translated)?)).into_response())
}
