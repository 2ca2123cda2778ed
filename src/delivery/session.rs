//! Sessions: a token is asked for, kept for all replicas, and replaced once when the provider refuses it.
//!
//! Asking gives the token that is valid now. Only when that is the very one that was refused it is renewed,
//! since renewing logs out every other system that uses the account.

use std::time::Duration;

use tokio::time::Instant;

use super::Delivery;
use super::account::Opened;
use super::ask::AskError;
use crate::provider::{Session, SessionCalls};
use crate::vault::{Place, Sealed};

/// How long an exchange waits while another one gets the session.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it looks meanwhile.
const LOOK: Duration = Duration::from_millis(50);
/// Sessions in a row that were refused soon after they came, after which something else is wrong.
const MOST_QUICK_REFUSALS: i32 = 3;

impl Delivery {
    /// Gives the account the session that its provider wants, if it wants one: the one that is kept, or a new one.
    pub(super) async fn ensure_session(&self, opened: &mut Opened) -> Result<(), AskError> {
        let Some(calls) = opened.provider.outward().and_then(|outward| outward.calls().session.as_ref()) else {
            return Ok(());
        };
        let store = &self.inner.store;
        let begun = Instant::now();
        loop {
            let kept = store.session(&opened.account.id).await?;
            let (generation, refused) = kept.as_ref().map_or((0, false), |kept| (kept.generation, kept.refused));
            let session = match kept.and_then(|kept| kept.session) {
                Some(sealed) => self.unseal(&opened.account.id, &sealed),
                None => None,
            };
            if let Some(session) = session.clone().filter(|_| !refused) {
                opened.account.session = Some(session);
                opened.session_generation = Some(generation);
                return Ok(());
            }
            if store.begin_renewal(&opened.account.id, generation).await? {
                let obtained = self.obtain(opened, calls, session.as_ref()).await;
                if let Err(error) = self.keep(opened, generation, obtained).await {
                    store.end_renewal(&opened.account.id, generation).await?;
                    return Err(error);
                }
            } else if begun.elapsed() > PATIENCE {
                return Err(AskError::Unreachable("another exchange still waits for the account's session".to_owned()));
            } else {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// Notes that the provider refused the session with which the account was used.
    pub(super) async fn session_was_refused(&self, opened: &Opened) -> Result<(), AskError> {
        let Some(generation) = opened.session_generation else {
            return Err(AskError::CredentialsRefused("it wants a session, and has no way to get one".to_owned()));
        };
        match self.inner.store.refuse_session(&opened.account.id, generation).await? {
            Some(quick) if quick >= MOST_QUICK_REFUSALS => {
                Err(AskError::CredentialsRefused("it refuses every new session".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// A session that cannot be opened, under another master key perhaps, is asked for anew.
    fn unseal(&self, account_id: &str, sealed: &Sealed) -> Option<Session> {
        let opened = self.inner.vault.open_text(&Place::Session(account_id), sealed);
        let opened = opened.inspect_err(|error| tracing::warn!(%error, account = account_id, "a kept session is lost"));
        opened.ok().map(Session::from)
    }

    /// The session that is valid now, other than the one that was refused.
    async fn obtain(
        &self,
        opened: &Opened,
        calls: &SessionCalls,
        refused: Option<&Session>,
    ) -> Result<Session, AskError> {
        let current = self.ask_once(opened, &calls.open, &()).await.answer?;
        if refused != Some(&current) {
            return Ok(current);
        }
        tracing::info!(account = opened.account.id, "the provider refused the session that it gives; renewing it");
        self.ask_once(opened, &calls.renew, &current).await.answer
    }

    async fn keep(
        &self,
        opened: &Opened,
        generation: i64,
        obtained: Result<Session, AskError>,
    ) -> Result<(), AskError> {
        let session = match obtained {
            Ok(session) => session,
            // Without a session its credentials are all that there is.
            Err(AskError::SessionExpired) => {
                return Err(AskError::CredentialsRefused("it refused to give a session".to_owned()));
            }
            Err(AskError::Refused(results)) => {
                return Err(AskError::Unreadable(format!("no session was given: {results:?}")));
            }
            Err(error) => return Err(error),
        };
        let id = &opened.account.id;
        let sealed = self.inner.vault.seal(&Place::Session(id), session.as_bytes());
        let sealed = sealed.map_err(|error| AskError::Unusable(error.to_string()))?;
        Ok(self.inner.store.keep_session(id, generation, &sealed).await?)
    }
}
