//! Delivery: what is queued goes out, lane by lane, within each lane's quota.
//!
//! Claim, send, settle are three steps, and only the middle one talks to a provider. No provider call
//! happens inside a transaction, and one slow lane delays no other.

mod account;
mod ask;
mod at_once;
mod encoded;
mod evidence;
mod exchange;
mod lane;
mod measure;
pub mod moment;
mod ready;
mod refresh;
mod send;
mod session;
mod transmit;
pub mod verdict;
mod waiting;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::metrics::LEASES_EXPIRED;
use crate::reach::{AllowedNetworks, BadTarget};
use crate::setback::Setbacks;
use crate::store::lanes::LaneKey;
use crate::store::{Store, StoreError, within};
use crate::vault::Vault;

pub use account::{OpenError, mask_of, open_account};
pub use ask::AskError;
use lane::LaneHandle;

pub use lane::LaneQuota;
pub use send::SendError;
pub use waiting::{EndedCreation, Waited, Waiter, Waiting};

/// The longest that one request may take.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long a lane rests when the provider says that requests come too often, and not until when.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How often the ledger is asked for work that other replicas accepted, and for leases that ran out.
const POLL: Duration = Duration::from_millis(500);

/// Everything that delivery needs and shares with the API of the same process.
#[derive(Clone)]
pub struct Delivery {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    vault: Arc<Vault>,
    sender: send::Sender,
    waiting: Waiting,
    /// Those that had work; nothing for what this version does not know
    lanes: Mutex<HashMap<LaneKey, Option<Arc<LaneHandle>>>>,
    /// Whether this process runs lanes, and does not only answer callers
    runs_lanes: AtomicBool,
    /// Asks everything to end: no more claims
    stop: CancellationToken,
    /// Ends the wait for exchanges in flight
    abort: CancellationToken,
    tasks: TaskTracker,
}

impl Delivery {
    /// Whether a provider may be reached at a URL, as far as can be told without asking where its name leads.
    pub fn check_address(&self, url: &str) -> Result<(), BadTarget> {
        reqwest::Url::parse(url).map_or(Ok(()), |url| self.inner.sender.check(&url))
    }

    pub fn new(store: Store, vault: Arc<Vault>, networks: Arc<AllowedNetworks>) -> Result<Self, SendError> {
        Ok(Delivery {
            inner: Arc::new(Inner {
                store,
                vault,
                sender: send::Sender::new(networks)?,
                waiting: Waiting::default(),
                lanes: Mutex::default(),
                runs_lanes: AtomicBool::new(false),
                stop: CancellationToken::new(),
                abort: CancellationToken::new(),
                tasks: TaskTracker::new(),
            }),
        })
    }

    /// Begins to look for work, and to run lanes. Without it others do, who share the ledger.
    pub fn start(&self) {
        self.inner.runs_lanes.store(true, Ordering::Relaxed);
        let delivery = self.clone();
        self.inner.tasks.spawn(async move { delivery.look_for_work().await });
    }

    /// Says that a lane has work. Cheap: the lane's own task does the rest. Where no lanes are run it is not heard.
    pub fn wake(&self, lane: &LaneKey) {
        if !self.inner.runs_lanes.load(Ordering::Relaxed) {
            return;
        }
        let mut lanes = self.lanes();
        match lanes.get(lane) {
            Some(Some(handle)) => handle.notify.notify_one(),
            None if !self.inner.stop.is_cancelled() => {
                let handle = LaneHandle::open(lane.clone()).map(Arc::new);
                lanes.insert(lane.clone(), handle.clone());
                let Some(handle) = handle else {
                    let LaneKey { provider, endpoint, .. } = lane;
                    tracing::error!(provider, endpoint, "queued for an endpoint that this version does not know");
                    return;
                };
                let delivery = self.clone();
                self.inner.tasks.spawn(async move { delivery.run_lane(handle).await });
            }
            Some(None) | None => {}
        }
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<LaneKey, Option<Arc<LaneHandle>>>> {
        self.inner.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the lanes beside this one may have work: what waited for an order's submission here may go by
    /// another interface of its provider.
    fn wake_group(&self, of: &LaneKey) {
        let lanes = self.lanes();
        let group = lanes
            .values()
            .flatten()
            .filter(|lane| lane.key.provider == of.provider && lane.key.throttle_group == of.throttle_group);
        group.for_each(|lane| lane.notify.notify_one());
    }

    /// Those who wait for submissions to end.
    pub fn waiting(&self) -> &Waiting {
        &self.inner.waiting
    }

    /// Claims nothing more, and lets exchanges in flight end for as long as `patience` allows. What is not
    /// settled then is put in doubt when its lease runs out, and evidence resolves it.
    pub async fn stop(&self, patience: Duration) {
        self.inner.stop.cancel();
        self.inner.tasks.close();
        if tokio::time::timeout(patience, self.inner.tasks.wait()).await.is_err() {
            tracing::warn!("exchanges are still in flight; their leases will run out and evidence will resolve them");
            self.inner.abort.cancel();
            // The database may hold something up; its lease runs out, too.
            let _ = tokio::time::timeout(patience, self.inner.tasks.wait()).await;
        }
    }

    /// Wakes lanes in which other replicas, retries or lost leases left work.
    async fn look_for_work(&self) {
        let mut setbacks = Setbacks::of("look for work");
        loop {
            let pause = match within(self.look_once()).await {
                Ok(()) => {
                    setbacks.worked();
                    POLL.mul_f64(0.5 + verdict::uniform())
                }
                Err(error) => setbacks.failed(&error),
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.inner.stop.cancelled() => return,
            }
        }
    }

    async fn look_once(&self) -> Result<(), StoreError> {
        let doubt = verdict::no_answer_result();
        let doubtful: Vec<Uuid> = self.inner.store.put_lost_exchanges_in_doubt(&doubt, verdict::MOST_ATTEMPTS).await?;
        if !doubtful.is_empty() {
            LEASES_EXPIRED.add([], u64::try_from(doubtful.len()).unwrap_or(u64::MAX));
            tracing::warn!(submissions = doubtful.len(), "leases ran out; their submissions are in doubt");
        }
        for lane in self.inner.store.lanes_with_work().await? {
            self.wake(&lane);
        }
        Ok(())
    }
}
