//! Calls that go straight to a provider, each within the token bucket of its endpoint: sessions, lookups, live
//! reads, and what else is no operation on an order.

use std::time::Duration;

use tokio::time::Instant;

use super::account::Opened;
use super::lane::LaneQuota;
use super::measure;
use super::send::{Received, SendError};
use super::transmit::{Outgoing, Transmission};
use super::{Delivery, LONGEST_REST};
use crate::canonical::{FieldError, SubmissionResult};
use crate::metrics::{SLOTS_MISSED, TOKEN_WAIT};
use crate::provider::{Answer, Call, Calls, Mask, Reply, read_reply};
use crate::store::StoreError;
use crate::store::settle::ExchangeRecord;
use crate::throttle::MOST_LATENESS;
use crate::vault::VaultError;

/// How long a call waits for a token.
const TOKEN_PATIENCE: Duration = Duration::from_secs(10);
/// How often a slot may be missed before the call gives up.
const MOST_MISSES: usize = 5;

/// Why a call brought nothing.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    #[error("the provider has no such call")]
    Unsupported,
    #[error("the provider cannot carry it")]
    Invalid(Vec<FieldError>),
    #[error("the provider refused")]
    Refused(Vec<SubmissionResult>),
    /// No token, or the provider says that requests come too often.
    #[error("no request may go now")]
    Throttled(Duration),
    #[error("the provider refused the account's credentials: {0}")]
    CredentialsRefused(String),
    #[error("the provider refused the session")]
    SessionExpired,
    /// Nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// No whole answer came.
    #[error("{0}")]
    NoAnswer(String),
    #[error("the answer was not understood: {0}")]
    Unreadable(String),
    #[error("the account cannot be used: {0}")]
    Unusable(String),
    /// Other replicas may be able to.
    #[error("the account cannot be used here: {0}")]
    KeyNotGiven(VaultError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl AskError {
    /// Whether the provider could be reached; nothing when that was not tried, or tells nothing.
    pub(super) fn reached(&self) -> Option<bool> {
        match self {
            AskError::Unreachable(_) | AskError::NoAnswer(_) => Some(false),
            AskError::Refused(_) | AskError::Unreadable(_) | AskError::SessionExpired => Some(true),
            AskError::Throttled(_)
            | AskError::CredentialsRefused(_)
            | AskError::Unsupported
            | AskError::Invalid(_)
            | AskError::Unusable(_)
            | AskError::KeyNotGiven(_)
            | AskError::Store(_) => None,
        }
    }
}

/// What came of one request.
pub struct Asked<O> {
    /// What went over the wire; nothing when nothing was sent
    pub record: Option<ExchangeRecord>,
    pub answer: Result<O, AskError>,
}

impl<O> Asked<O> {
    fn unsent(error: AskError) -> Self {
        Asked { record: None, answer: Err(error) }
    }
}

impl Delivery {
    /// Does one of an account's calls, if its provider has it.
    pub async fn ask<I: 'static, O: 'static>(
        &self,
        account_id: &str,
        choose: impl FnOnce(&'static Calls) -> Option<&'static Call<I, O>>,
        input: &I,
    ) -> Result<O, AskError> {
        let mut opened = self.open(account_id).await?;
        let outward = opened.provider.outward().ok_or(AskError::Unsupported)?;
        let call = choose(outward.calls()).ok_or(AskError::Unsupported)?;
        self.ask_in_session(&mut opened, call, input).await.answer
    }

    /// Does a call with a session, if the provider wants one; a dead one is replaced once.
    pub(super) async fn ask_in_session<I: 'static, O: 'static>(
        &self,
        opened: &mut Opened,
        call: &Call<I, O>,
        input: &I,
    ) -> Asked<O> {
        if let Err(error) = self.ensure_session(opened).await {
            return Asked::unsent(error);
        }
        let asked = self.ask_once(opened, call, input).await;
        if !matches!(asked.answer, Err(AskError::SessionExpired)) {
            return asked;
        }
        if let Err(error) = self.session_was_refused(opened).await {
            return Asked { record: asked.record, answer: Err(error) };
        }
        if let Err(error) = self.ensure_session(opened).await {
            return Asked { record: asked.record, answer: Err(error) };
        }
        self.ask_once(opened, call, input).await
    }

    /// One request within its token bucket.
    pub(super) async fn ask_once<I: 'static, O: 'static>(
        &self,
        opened: &Opened,
        call: &Call<I, O>,
        input: &I,
    ) -> Asked<O> {
        let request = match (call.encode)(&opened.account, input) {
            Ok(request) => request,
            Err(errors) => return Asked::unsent(AskError::Invalid(errors)),
        };
        let outgoing = Outgoing::of(opened, request);
        let asked = match self.wait_for_token(opened, call.endpoint).await {
            Ok(()) => self.ask_now(opened, call, input, outgoing).await,
            Err(error) => Asked::unsent(error),
        };
        measure::asked(&opened.account.id, call.endpoint, &asked);
        asked
    }

    async fn ask_now<I: 'static, O: 'static>(
        &self,
        opened: &Opened,
        call: &Call<I, O>,
        input: &I,
        outgoing: Outgoing,
    ) -> Asked<O> {
        let Transmission { record, answer, mask } = self.transmit(opened, call.endpoint, outgoing).await;
        let answer = match answer {
            Ok(received) => self.read(opened, call, input, &received, &mask).await,
            Err(error @ (SendError::NotSent(_) | SendError::SetUp(_))) => Err(AskError::Unreachable(error.to_string())),
            Err(error @ SendError::NoAnswer(_)) => Err(AskError::NoAnswer(error.to_string())),
            Err(error @ SendError::TooLong) => Err(AskError::Unreadable(error.to_string())),
        };
        Asked { record: Some(record), answer }
    }

    async fn read<I: 'static, O: 'static>(
        &self,
        opened: &Opened,
        call: &Call<I, O>,
        input: &I,
        received: &Received,
        mask: &Mask,
    ) -> Result<O, AskError> {
        let masked = |mut results: Vec<SubmissionResult>| {
            mask.results(&mut results);
            results
        };
        let answer = Answer { status: received.status, retry_after: received.retry_after, body: &received.body };
        match read_reply(call, input, &answer) {
            Reply::Done(output) => Ok(output),
            Reply::Refused(results) => Err(AskError::Refused(masked(results))),
            Reply::SessionExpired => Err(AskError::SessionExpired),
            Reply::CredentialsRefused(results) => Err(AskError::CredentialsRefused(words(&masked(results)))),
            Reply::Unreadable(why) => Err(AskError::Unreadable(mask.text(&why))),
            Reply::Throttled { retry_after } => {
                let window = opened.provider.profile().endpoint(call.endpoint).map(|endpoint| endpoint.limit.window);
                let wait = retry_after.or(window.map(|window| window.min(LONGEST_REST))).unwrap_or(LONGEST_REST);
                self.inner.store.empty_bucket(&opened.lane(call.endpoint), wait).await?;
                Err(AskError::Throttled(wait))
            }
        }
    }

    /// Takes a token of an endpoint and waits until its slot.
    async fn wait_for_token(&self, opened: &Opened, endpoint: &str) -> Result<(), AskError> {
        let Some(declared) = opened.provider.profile().endpoint(endpoint) else { return Err(AskError::Unsupported) };
        let lane = opened.lane(endpoint);
        let LaneQuota { pace, .. } = self.quota_of(&lane, declared).await?;
        for _ in 0..MOST_MISSES {
            let before = Instant::now();
            let wait = match self.inner.store.take_token(&lane, &pace, TOKEN_PATIENCE).await? {
                Ok(wait) => wait,
                Err(wait) => return Err(AskError::Throttled(wait)),
            };
            // Counted from here, the slot is never early; from before the statement, never believed on time when late.
            TOKEN_WAIT.record_time([&lane.provider, endpoint], wait);
            tokio::time::sleep(wait).await;
            if before.elapsed() <= wait + MOST_LATENESS {
                return Ok(());
            }
            SLOTS_MISSED.increment([&opened.account.id, endpoint]);
        }
        Err(AskError::Throttled(Duration::from_secs(1)))
    }
}

/// What the provider said, for people.
fn words(results: &[SubmissionResult]) -> String {
    let said = results.first();
    said.map(|result| result.raw_message.clone().unwrap_or_else(|| result.message_en.clone())).unwrap_or_default()
}
