//! One session with the database that is kept at hand for what somebody waits for.
//!
//! The pool hands out its sessions in turn, so that each of them is used now and then only; and it asks each that comes back
//! whether it still lives. A session that did the same a moment ago has its plans made and its caches filled, and answers
//! in half the time. It is one of the pool's; who finds it taken has another one of the pool.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::StoreError;
use super::connect::{FRESH, ping};

/// When it goes back to the pool, which ends sessions in time.
const LONGEST_LIFE: Duration = Duration::from_secs(600);
/// A pool of fewer cannot spare one.
const FEWEST: u32 = 4;

/// The place of the session.
#[derive(Clone, Default)]
pub(super) struct Warm(Arc<Place>);

#[derive(Default)]
struct Place(Mutex<Option<Session>>);

impl Drop for Place {
    fn drop(&mut self) {
        let session = self.0.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // The pool takes a connection back by a task; where there can be none any more, it is just closed.
        if let Some(session) = session
            && Handle::try_current().is_err()
        {
            drop(session.connection.detach());
        }
    }
}

/// The session, while it is at hand or in use.
pub(super) struct Session {
    connection: PoolConnection<Postgres>,
    since: Instant,
    used: Instant,
}

impl Warm {
    /// The session, if it is at hand and lives, or another one.
    pub async fn take(&self, pool: &PgPool) -> Result<Session, StoreError> {
        let at_hand = self.lock().take();
        if let Some(mut session) = at_hand {
            if session.used.elapsed() < FRESH {
                return Ok(session);
            }
            match ping(&mut session.connection).await {
                Ok(()) => return Ok(session),
                Err(_) => session.connection.close_on_drop(),
            }
        }
        let now = Instant::now();
        Ok(Session { connection: pool.acquire().await?, since: now, used: now })
    }

    /// Keeps a session at hand that is in no transaction and has nothing under way, unless there is one, or the pool has
    /// to have it back.
    pub fn keep(&self, mut session: Session, pool: &PgPool) {
        let spared = pool.options().get_max_connections() >= FEWEST && session.since.elapsed() < LONGEST_LIFE;
        let mut place = self.lock();
        // Who closes the pool says so first, and looks here then.
        if spared && place.is_none() && !pool.is_closed() {
            session.used = Instant::now();
            *place = Some(session);
        }
    }

    /// Gives it back, to be done once the pool is being closed.
    pub fn give_back(&self) {
        drop(self.lock().take());
    }

    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Warm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Warm")
    }
}

impl Deref for Session {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}
