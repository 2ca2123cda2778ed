//! What is old goes: by one replica at a time, kind after kind, batch after batch, with pauses in which the database
//! serves others.

mod policy;

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use crate::backoff::uniform;
use crate::delivery::moment::{self, Moment};
use crate::metrics::RETENTION_REMOVED;
use crate::setback::Setbacks;
use crate::store::retention::{Batch, ForgottenEvents, Place, Swept, Turn};
use crate::store::{Store, StoreError};

pub use policy::{Age, NoAge, RetentionPolicy};

/// How often it is asked whether a sweep is due, on average.
const LOOK: Duration = Duration::from_secs(5);
/// The time from the end of a sweep to the next, for all replicas together.
const BETWEEN_SWEEPS: Duration = Duration::from_secs(15 * 60);
/// The least pause between two batches; it is as long as the batch took, where that is more.
const PAUSE: Duration = Duration::from_millis(50);

/// What goes by age.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    ExchangeBodies,
    CallbackBodies,
    Exchanges,
    Events,
    Callbacks,
    Happenings,
    IdempotencyKeys,
}

impl Kind {
    /// How old it gets.
    fn age(self, policy: &RetentionPolicy) -> Age {
        match self {
            Kind::ExchangeBodies | Kind::CallbackBodies => policy.bodies,
            Kind::Exchanges => policy.attempts,
            Kind::Events => policy.events,
            Kind::Callbacks => policy.callbacks,
            Kind::Happenings => policy.happenings,
            Kind::IdempotencyKeys => policy.idempotency_keys,
        }
    }
}

/// Removes what is old.
#[derive(Debug, Clone)]
pub struct Retention {
    store: Store,
    policy: RetentionPolicy,
    turn: Turn,
}

/// How the sweep over one kind ended.
enum End {
    Done,
    TurnLost,
}

impl Retention {
    pub fn new(store: Store, policy: RetentionPolicy) -> Self {
        Retention::with_turn(store, policy, Turn { holder: Uuid::now_v7() })
    }

    /// The same under a name that was chosen elsewhere.
    pub fn with_turn(store: Store, policy: RetentionPolicy, turn: Turn) -> Self {
        Retention { store, policy, turn }
    }

    /// Sweeps whenever that is due, for as long as it is not dropped.
    pub(super) async fn sweep_again_and_again(&self) {
        let mut setbacks = Setbacks::of("remove what is old");
        loop {
            let swept = self.sweep_if_due().await;
            let least = LOOK.mul_f64(0.5 + uniform());
            tokio::time::sleep(least.max(setbacks.rest_after(swept.map(drop)))).await;
        }
    }

    /// Removes everything that is old, if that is due and no other replica is at it; false otherwise, and when another
    /// replica took the turn in between.
    pub async fn sweep_if_due(&self) -> Result<bool, StoreError> {
        if !self.store.take_retention_turn(self.turn).await? {
            return Ok(false);
        }
        for kind in <Kind as strum::VariantArray>::VARIANTS {
            let Some(age) = kind.age(&self.policy).duration() else { continue };
            match self.sweep(*kind, age).await {
                Ok(End::Done) => {}
                Ok(End::TurnLost) => {
                    tracing::warn!("removing what is old took too long, and another replica goes on with it");
                    return Ok(false);
                }
                // The other kinds have no part in it. What is left goes with the next sweep.
                Err(error) => tracing::warn!(%error, kind = <&str>::from(*kind), "cannot remove what is old"),
            }
        }
        self.store.end_retention_turn(self.turn, BETWEEN_SWEEPS).await?;
        Ok(true)
    }

    /// Removes what is old of one kind.
    async fn sweep(&self, kind: Kind, age: Duration) -> Result<End, StoreError> {
        let mut removed = 0;
        let ended = self.sweep_counting(kind, age, &mut removed).await;
        if removed > 0 {
            let age = Age::Of(age);
            tracing::info!(kind = <&str>::from(kind), removed, %age, "removed what was old");
        }
        ended
    }

    async fn sweep_counting(&self, kind: Kind, age: Duration, removed: &mut u64) -> Result<End, StoreError> {
        let mut from = Place::START;
        loop {
            let begun = Instant::now();
            let Swept::Done(batch) = self.batch(kind, age, from).await? else { return Ok(End::TurnLost) };
            *removed += batch.removed;
            RETENTION_REMOVED.add([kind.into()], batch.removed);
            let Some(next) = batch.next else { return Ok(End::Done) };
            moment::reached(Moment::RetentionBatch);
            from = next;
            tokio::time::sleep(begun.elapsed().max(PAUSE)).await;
        }
    }

    /// Removes at most one batch of a kind.
    pub async fn batch(&self, kind: Kind, age: Duration, from: Place) -> Result<Swept, StoreError> {
        let (store, turn) = (&self.store, self.turn);
        match kind {
            Kind::ExchangeBodies => store.forget_exchange_bodies(turn, age, from).await,
            Kind::CallbackBodies => store.forget_callback_bodies(turn, age, from).await,
            Kind::Exchanges => store.forget_exchanges(turn, age, from).await,
            Kind::Events => Ok(match store.forget_events(turn, age).await? {
                Swept::Done(forgotten) => Swept::Done(told(forgotten)),
                Swept::TurnLost => Swept::TurnLost,
            }),
            Kind::Callbacks => store.forget_callbacks(turn, age, from).await,
            Kind::Happenings => store.forget_happenings(turn, age, from).await,
            Kind::IdempotencyKeys => store.forget_idempotency_keys(turn, age, from).await,
        }
    }
}

/// Says what an operator should know of events that went, or did not.
fn told(forgotten: ForgottenEvents) -> Batch {
    let ForgottenEvents { batch, undelivered, held_up } = forgotten;
    if undelivered > 0 {
        tracing::warn!(undelivered, "webhooks that waited for disabled endpoints grew old and are not delivered");
    }
    if held_up {
        tracing::warn!("events are kept beyond their age: they have still to be delivered to webhook endpoints");
    }
    batch
}
