//! Reads what the metrics tell beside what is counted: the process, its connections, and how the ledger stands.
//!
//! The ledger is asked at most once in some seconds, whoever scrapes how often. One that cannot be read is told by a
//! metric, and everything else is told all the same.

use std::time::Duration;

use metrics_process::Collector;
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::delivery::LaneQuota;
use crate::metrics::{self, Snapshot};
use crate::provider;
use crate::store::standing::{Concern, Connections, LaneStanding, Standing};
use crate::store::{Store, StoreError};

/// How long the ledger may take: whoever scrapes does not wait for long.
const PATIENCE: Duration = Duration::from_secs(5);

/// What reads them.
pub struct Monitor {
    store: Store,
    role: &'static str,
    /// How old what was read of the ledger may be
    age: Duration,
    process: Collector,
    ledger: Mutex<Option<Read>>,
}

/// What was read of the ledger, as it is shown, and when.
struct Read {
    at: Instant,
    text: String,
}

impl Monitor {
    pub fn new(store: Store, role: &'static str, age: Duration) -> Self {
        Monitor { store, role, age, process: Collector::default(), ledger: Mutex::default() }
    }

    /// All metrics, in Prometheus's text format. `own` is what the process knows of itself elsewhere.
    pub async fn text(&self, own: Snapshot) -> String {
        let ledger = self.ledger().await;
        metrics::BUILD_INFO.set(&own, [env!("CARGO_PKG_VERSION"), self.role], 1.0);
        let Connections { in_use, idle, limit } = self.store.connections();
        metrics::DATABASE_CONNECTIONS.count(&own, ["in_use"], in_use);
        metrics::DATABASE_CONNECTIONS.count(&own, ["idle"], idle);
        metrics::DATABASE_CONNECTIONS_LIMIT.count(&own, [], limit);
        own.record(|| self.process.collect());
        [metrics::text(), own.text(), ledger].concat()
    }

    async fn ledger(&self) -> String {
        let mut last = self.ledger.lock().await;
        if let Some(read) = last.as_ref().filter(|read| read.at.elapsed() < self.age) {
            return read.text.clone();
        }
        let begun = Instant::now();
        let standing = timeout(PATIENCE, self.store.standing()).await.unwrap_or(Err(StoreError::NoAnswer));
        let snapshot = Snapshot::new();
        match &standing {
            Ok(standing) => {
                metrics::LEDGER_UP.set(&snapshot, [], 1.0);
                metrics::LEDGER_READ.set(&snapshot, [], begun.elapsed().as_secs_f64());
                tell(standing, &snapshot);
            }
            Err(error) => {
                tracing::debug!(%error, "the ledger cannot be read for the metrics");
                metrics::LEDGER_UP.set(&snapshot, [], 0.0);
            }
        }
        let text = snapshot.text();
        *last = Some(Read { at: Instant::now(), text: text.clone() });
        text
    }
}

fn tell(standing: &Standing, snapshot: &Snapshot) {
    let Standing {
        acquired_in,
        queues,
        accounts,
        lanes,
        concerns,
        callbacks,
        webhooks,
        feed_position,
        feed_lag,
        retention_overdue,
    } = standing;
    metrics::DATABASE_ACQUIRE.set(snapshot, [], acquired_in.as_secs_f64());
    for queue in queues {
        metrics::LANE_QUEUED.count(snapshot, [&queue.account_id, &queue.endpoint], queue.queued);
        metrics::LANE_OLDEST_DUE.set(snapshot, [&queue.account_id, &queue.endpoint], queue.due_for.max(0.0));
    }
    for account in accounts {
        let labels = [account.provider.as_str(), account.id.as_str()];
        metrics::ACCOUNT_PAUSED.count(snapshot, labels, u32::from(account.is_paused));
        metrics::ACCOUNT_CIRCUIT_OPEN.count(snapshot, labels, u32::from(account.is_circuit_open));
    }
    for lane in lanes {
        tell_of_lane(lane, standing, snapshot);
    }
    for Concern { account_id, is_dead, goes_on, number } in concerns {
        if *is_dead {
            metrics::SUBMISSIONS_DEAD.count(snapshot, [account_id], *number);
        } else {
            let decided_by = if *goes_on { "gateway" } else { "person" };
            metrics::SUBMISSIONS_IN_DOUBT.count(snapshot, [account_id, decided_by], *number);
        }
    }
    for kept in callbacks {
        metrics::CALLBACKS_OPEN.count(snapshot, [&kept.provider, &kept.state], kept.number);
    }
    for (state, number) in
        [("working", webhooks.working), ("failing", webhooks.failing), ("disabled", webhooks.disabled)]
    {
        metrics::WEBHOOK_ENDPOINTS.count(snapshot, [state], number);
    }
    metrics::WEBHOOKS_PENDING.count(snapshot, [], webhooks.pending);
    metrics::WEBHOOKS_OLDEST_DUE.set(snapshot, [], webhooks.due_for.max(0.0));
    metrics::FEED_POSITION.count(snapshot, [], *feed_position);
    metrics::FEED_LAG.set(snapshot, [], feed_lag.max(0.0));
    metrics::RETENTION_OVERDUE.set(snapshot, [], retention_overdue.max(0.0));
}

fn tell_of_lane(lane: &LaneStanding, standing: &Standing, snapshot: &Snapshot) {
    let LaneStanding { provider, throttle_group, endpoint, ahead, in_flight } = lane;
    let declared = provider::find(provider).and_then(|provider| provider.profile().endpoint(endpoint));
    // Of an endpoint that this version does not know, nothing is known either.
    let Some(declared) = declared else { return };
    let labels = [provider.as_str(), throttle_group.as_str(), endpoint.as_str()];
    let members = standing
        .accounts
        .iter()
        .filter(|account| account.provider == *provider && account.throttle_group == *throttle_group);
    let pace = LaneQuota::of(declared, members.map(|account| &account.throttles)).pace;
    let ahead = Duration::try_from_secs_f64(ahead.max(0.0)).unwrap_or_default();
    let ahead = chrono::TimeDelta::from_std(ahead).ok();
    metrics::LANE_TOKENS.count(snapshot, labels, pace.available(ahead));
    metrics::LANE_QUOTA.set(snapshot, labels, pace.spacing.as_secs_f64().recip());
    metrics::LANE_IN_FLIGHT.count(snapshot, labels, *in_flight);
}
