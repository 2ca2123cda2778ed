//! From a call that is kept to its events and its answer.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde_json::json;
use tracing::Instrument;
use tracing::field::Empty;
use uuid::Uuid;

use super::{Callbacks, Door};
use crate::canonical::CallbackState;
use crate::delivery::moment::{self, Moment};
use crate::delivery::{OpenError, mask_of, open_account};
use crate::metrics::CALLBACKS;
use crate::provider::{Callback, CallbackReply, Reception, Refusal, read_callback};
use crate::store::StoreError;
use crate::store::callbacks::{CallbackContent, NewCallback, Reason};
use crate::store::happen::{Reading, Turn};
use crate::telemetry::{TraceParent, trace};
use crate::vault::VaultError;

/// How long a caller waits for its call to be processed. What takes longer is answered as taken, since it is kept,
/// and the background goes on with it.
const PATIENCE: Duration = Duration::from_secs(4);
/// After so many tries a call that cannot be processed is left to a person.
const MOST_TRIES: i32 = 10;

/// Headers that carry credentials. Their values are not kept.
const SECRET_HEADERS: &[&str] = &["authorization", "proxy-authorization", "cookie", "x-api-key"];
const MASK: &str = "***";

/// Why a call cannot be processed now.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Other replicas may be able to, or the credentials are given anew.
    #[error("the account cannot be used here: {0}")]
    KeyNotGiven(VaultError),
}

impl ProcessError {
    /// Whether the call has no part in it: that it could not be processed counts as no try.
    pub fn passes(&self) -> bool {
        match self {
            ProcessError::Store(error) => error.is_outage(),
            ProcessError::KeyNotGiven(_) => true,
        }
    }
}

/// What became of a call that a person had processed again.
#[derive(Debug, PartialEq, Eq)]
pub enum Reprocessed {
    Done,
    /// Its body was dropped by age.
    BodyDropped,
    Unknown,
}

impl Callbacks {
    /// Keeps a call, does what it says, and gives the answer for its sender. An error says that it was not kept.
    pub async fn receive(
        &self,
        door: &Door,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
        place: Option<TraceParent>,
    ) -> Result<CallbackReply, StoreError> {
        let headers: Vec<(String, String)> = headers.into_iter().map(|header| masked(header, door)).collect();
        let id = Uuid::now_v7();
        let trace_parent = place.map(|place| place.to_string());
        let new = NewCallback {
            id,
            account_id: &door.account_id,
            provider: &door.provider,
            headers: &json!(headers),
            body: &body,
            trace_parent: trace_parent.as_deref(),
        };
        let received_at = self.inner.store.keep_callback(&new).await?;
        moment::reached(Moment::CallbackKept);
        tracing::info!(callback = %id, account = door.account_id, size = body.len(), "callback received");
        let content = CallbackContent {
            account_id: door.account_id.clone(),
            provider: door.provider.clone(),
            headers,
            body: Some(body),
            received_at,
            trace_parent,
        };
        // It is kept: whatever fails from here on is no concern of its sender.
        let refusal = match tokio::time::timeout(PATIENCE, self.process(id, content, Turn::Gateway)).await {
            Ok(Ok(processed)) => processed,
            Ok(Err(error)) => {
                tracing::error!(%error, callback = %id, "a callback cannot be processed yet");
                None
            }
            Err(_) => {
                tracing::warn!(callback = %id, "processing a callback takes long; it goes on in the background");
                None
            }
        };
        Ok(door.inward.reply(refusal.as_ref().map_or(Reception::Accepted, Reception::Refused)))
    }

    /// Has a call processed on a person's wish: wherever it stands, and what was told before is told again.
    pub async fn reprocess(&self, id: Uuid) -> Result<Reprocessed, ProcessError> {
        let Some(content) = self.inner.store.callback_content(id).await? else { return Ok(Reprocessed::Unknown) };
        if content.body.is_none() {
            return Ok(Reprocessed::BodyDropped);
        }
        self.process(id, content, Turn::Person).await?;
        Ok(Reprocessed::Done)
    }

    /// Processes a call that was left behind or waits.
    pub(super) async fn process_again(&self, id: Uuid, tries: i32) -> Result<(), ProcessError> {
        if tries > MOST_TRIES {
            let reason = Reason::new(
                "callback.cannot_be_processed",
                format!("processing it failed {MOST_TRIES} times; the log says why under this callback's id"),
                format!("处理失败 {MOST_TRIES} 次,原因见日志"),
            );
            self.inner.store.settle_callback(id, Reading::Refused(reason), Turn::Gateway).await?;
            tracing::warn!(callback = %id, "a callback could not be processed and is left to a person");
            return Ok(());
        }
        if let Some(content) = self.inner.store.callback_content(id).await? {
            let span = tracing::error_span!(parent: None, "callback", account = content.account_id, trace_id = Empty);
            trace::begin(&span, trace::kept(content.trace_parent.as_deref()));
            self.process(id, content, Turn::Gateway).instrument(span).await?;
        }
        Ok(())
    }

    /// Verifies and reads a call, and does what it says; gives why it was refused, if it was.
    async fn process(&self, id: Uuid, content: CallbackContent, turn: Turn) -> Result<Option<Refusal>, ProcessError> {
        let (account_id, provider) = (content.account_id.clone(), content.provider.clone());
        let (reading, refusal) = match self.read(&content).await? {
            Ok(reading) => (reading, None),
            Err(refusal) => {
                let reason = Reason::new(refusal.code, refusal.detail.as_str(), refusal.detail_zh.as_str());
                (Reading::Refused(reason), Some(refusal))
            }
        };
        let state = self.inner.store.settle_callback(id, reading, turn).await?;
        CALLBACKS.increment([&provider, state.into()]);
        if let Some(Refusal { code, detail, detail_zh: _ }) = &refusal {
            tracing::warn!(callback = %id, account = account_id, %state, code, reason = detail, "callback refused");
        } else {
            tracing::info!(callback = %id, account = account_id, %state, "callback processed");
        }
        Ok(refusal.filter(|_| state == CallbackState::Quarantined))
    }

    /// What a call says, or why it is not taken.
    async fn read(&self, content: &CallbackContent) -> Result<Result<Reading, Refusal>, ProcessError> {
        let CallbackContent { account_id, provider, headers, body, received_at, trace_parent: _ } = content;
        let Some(stored) = self.inner.store.account(account_id).await?.filter(|stored| stored.provider == *provider)
        else {
            return Ok(Err(unusable("the account was deleted", "账户已删除")));
        };
        let (provider, account) = match open_account(&stored, &self.inner.vault) {
            Ok(opened) => opened,
            Err(OpenError::KeyNotGiven(error)) => return Err(ProcessError::KeyNotGiven(error)),
            Err(error) => return Ok(Err(unusable(error, "账户凭据无法读取"))),
        };
        let Some(inward) = provider.inward() else {
            return Ok(Err(unusable("this version takes no callbacks of the provider", "当前版本不支持该系统的回调")));
        };
        let body = body.as_deref().unwrap_or_default();
        let callback = Callback { headers, body };
        let mask = mask_of(provider, &account, None, &[]);
        // A reason may quote what came.
        let masked = |Refusal { code, detail, detail_zh }: Refusal| Refusal {
            code,
            detail: mask.text(&detail),
            detail_zh: mask.text(&detail_zh),
        };
        Ok(read_callback(inward, &account, callback, *received_at).map_err(masked).map(Reading::Happened))
    }
}

fn unusable(detail: impl ToString, detail_zh: &str) -> Refusal {
    Refusal::new("callback.account_unusable", format!("it cannot be verified: {}", detail.to_string()), detail_zh)
}

/// A header without credentials. What stands before the gateway may repeat the path, and the secret in it.
fn masked((name, value): (String, String), door: &Door) -> (String, String) {
    if SECRET_HEADERS.contains(&name.as_str()) {
        return (name, MASK.to_owned());
    }
    let value = value.replace(door.token.expose_secret(), MASK);
    (name, value)
}
