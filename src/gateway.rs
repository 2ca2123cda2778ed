//! A running gateway: the API, delivery, callbacks and events over one ledger, or some of them, and how they end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::api::{self, AppState, Bodies, KeyLimits, Limits, Remembered, Shared};
use crate::callback::Callbacks;
use crate::console;
use crate::delivery::{Delivery, SendError};
use crate::event::{Events, SetUpError};
use crate::metrics;
use crate::monitor::Monitor;
use crate::reach::AllowedNetworks;
use crate::server::{self, ServerOptions, TrustedProxies};
use crate::store::Store;
use crate::upkeep::{RetentionPolicy, Upkeep};
use crate::vault::Vault;

/// Why a gateway cannot run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    #[error(transparent)]
    Sender(#[from] SendError),
    #[error(transparent)]
    Events(#[from] SetUpError),
}

/// What one of the processes that share a ledger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, clap::ValueEnum, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Role {
    /// Callers, providers that call, and streams
    Api,
    /// What is sent to providers and webhooks, and everything that the gateway does by itself; only probes are answered
    Worker,
    /// Both
    #[default]
    All,
}

impl Role {
    fn answers_callers(self) -> bool {
        matches!(self, Role::Api | Role::All)
    }

    fn works(self) -> bool {
        matches!(self, Role::Worker | Role::All)
    }
}

/// What an operator may choose of a gateway.
#[derive(Default)]
pub struct GatewayOptions {
    /// What callers may ask for
    pub limits: Limits,
    pub server: ServerOptions,
    pub shutdown: Shutdown,
    /// Networks beside the public ones that providers and webhooks may lie in
    pub allowed_networks: AllowedNetworks,
    /// How long what is kept
    pub retention: RetentionPolicy,
    pub role: Role,
    /// Whose word on where a request comes from is taken
    pub trusted_proxies: TrustedProxies,
    /// How old the gauges of the ledger may be at `/metrics`; 10 seconds when absent
    pub metrics_age: Option<Duration>,
}

/// How old gauges of the ledger are at most.
const METRICS_AGE: Duration = Duration::from_secs(10);
/// How often what histograms took is sorted, also when nobody asks for it.
const TIDY: Duration = Duration::from_secs(5);

/// How a gateway ends.
#[derive(Debug, Clone)]
pub struct Shutdown {
    /// How long it goes on, and says at `/readyz` that it will not, before it accepts no connections any more
    pub delay: Duration,
    /// How long what was begun may take to end after that
    pub deadline: Duration,
}

impl Default for Shutdown {
    fn default() -> Self {
        Shutdown { delay: Duration::ZERO, deadline: Duration::from_secs(20) }
    }
}

impl Shutdown {
    /// How long exchanges in flight may take to end. The rest is for answers to those who wait for them.
    fn patience(&self) -> Duration {
        self.deadline.mul_f64(0.8)
    }
}

/// The parts of a gateway.
pub struct Gateway {
    state: AppState,
    server: ServerOptions,
    shutdown: Shutdown,
    role: Role,
}

impl Gateway {
    pub fn new(store: Store, vault: Vault, options: GatewayOptions) -> Result<Self, GatewayError> {
        let GatewayOptions {
            limits,
            server,
            shutdown,
            allowed_networks,
            retention,
            role,
            trusted_proxies,
            metrics_age,
        } = options;
        metrics::prepare();
        let vault = Arc::new(vault);
        let allowed_networks = Arc::new(allowed_networks);
        let delivery = Delivery::new(store.clone(), Arc::clone(&vault), Arc::clone(&allowed_networks))?;
        let events = Events::new(store.clone(), Arc::clone(&vault), allowed_networks)?;
        let callbacks = Callbacks::new(store.clone(), Arc::clone(&vault));
        let upkeep = Upkeep::new(store.clone(), Arc::clone(&vault), delivery.clone(), callbacks.clone(), retention);
        let monitor = Monitor::new(store.clone(), role.into(), metrics_age.unwrap_or(METRICS_AGE));
        // On HTTP/1 there are never more than connections.
        let requests = api::requests_at_once(server.connections);
        let state = AppState::from(Shared {
            store,
            vault,
            delivery,
            events,
            callbacks,
            upkeep,
            bodies: Arc::new(Bodies::new(&limits)),
            remembered: Remembered::default(),
            key_limits: Arc::new(KeyLimits::new(limits.requests_per_second)),
            monitor: Arc::new(monitor),
            backlogs: Arc::default(),
            queue_limit: limits.queue_limit,
            requests_limit: requests.available_permits(),
            requests: Arc::new(requests),
            stopping: CancellationToken::new(),
            trusted_proxies: Arc::new(trusted_proxies),
        });
        Ok(Gateway { state, server, shutdown, role })
    }

    /// Where providers call in.
    pub fn callbacks(&self) -> &Callbacks {
        &self.state.callbacks
    }

    /// Serves until `stop` is done; then answers what was begun, lets exchanges in flight end, and leaves the
    /// rest to evidence.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) {
        let Gateway { state, server, shutdown, role } = self;
        let (delivery, events, callbacks) = (state.delivery.clone(), state.events.clone(), state.callbacks.clone());
        let upkeep = state.upkeep.clone();
        // Events get their places in every process: its own streams are told by that how far the feed goes.
        events.start_sequencer();
        if role.works() {
            delivery.start();
            events.start_deliveries();
            callbacks.start();
            upkeep.start();
        }
        let stopping = state.stopping.clone();
        let tidying = tokio::spawn(tidy_now_and_then()).abort_handle();
        let (closing, cut) = (CancellationToken::new(), CancellationToken::new());
        let app = if role.answers_callers() {
            let pages = console::router(state.clone());
            api::router(state, pages)
        } else {
            api::probe_router(state)
        };
        // Ends with this.
        let mut watching = JoinSet::new();
        if let Some(certificate) = server.certificate.clone() {
            let asked = Arc::new(Notify::new());
            watching.spawn(certificate.keep_up_to_date(Arc::clone(&asked)));
            watching.spawn(tell_of_hang_ups(asked));
        }
        let mut serving = tokio::spawn(server::serve(listener, app, server, closing.clone(), cut.clone()));
        stop.await;
        tracing::info!("stopping");
        stopping.cancel();
        sleep(shutdown.delay).await;
        let deadline = Instant::now() + shutdown.deadline;
        closing.cancel();
        let patience = shutdown.patience();
        let parts = async {
            tokio::join!(delivery.stop(patience), events.stop(patience), callbacks.stop(patience), upkeep.stop());
        };
        if timeout_at(deadline, parts).await.is_err() {
            tracing::warn!("not everything ended in time; what is left is found in the ledger");
        }
        // Whoever waits for a submission is told how it stands.
        delivery.waiting().close();
        if timeout_at(deadline, &mut serving).await.is_err() {
            tracing::warn!("connections are cut; what was asked for on them is in the ledger or not");
            cut.cancel();
            // It has no way to fail, and nothing to wait for any more.
            let _ = serving.await;
        }
        tidying.abort();
    }
}

async fn tidy_now_and_then() {
    loop {
        sleep(TIDY).await;
        metrics::tidy();
    }
}

/// Cancelled on Ctrl-C or a request to terminate, which are listened to from now on. A second one ends the process at
/// once.
pub fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    // Before anything else is done: a signal that comes before somebody waits for it is heard all the same.
    let mut signals = Signals::end();
    tokio::spawn(async move {
        signals.next().await;
        stopping.cancel();
        signals.next().await;
        tracing::warn!("a second signal: ended at once; what is left is found in the ledger");
        std::process::exit(1);
    });
    stop
}

/// Whoever renews certificates sends SIGHUP.
async fn tell_of_hang_ups(asked: Arc<Notify>) {
    let mut signals = Signals::hang_up();
    loop {
        signals.next().await;
        asked.notify_one();
    }
}

/// Signals that ask the process for something.
#[cfg(unix)]
struct Signals(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Signals {
    /// To end
    fn end() -> Self {
        use tokio::signal::unix::SignalKind;
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    /// To read anew what was read from files
    fn hang_up() -> Self {
        Self::of(&[tokio::signal::unix::SignalKind::hangup()])
    }

    fn of(kinds: &[tokio::signal::unix::SignalKind]) -> Self {
        Signals(kinds.iter().filter_map(|kind| tokio::signal::unix::signal(*kind).ok()).collect())
    }

    async fn next(&mut self) {
        if self.0.is_empty() {
            return std::future::pending().await;
        }
        let signals = self.0.iter_mut().map(|signal| Box::pin(signal.recv()));
        futures_util::future::select_all(signals).await;
    }
}

#[cfg(not(unix))]
struct Signals {
    never: bool,
}

#[cfg(not(unix))]
impl Signals {
    fn end() -> Self {
        Signals { never: false }
    }

    fn hang_up() -> Self {
        Signals { never: true }
    }

    async fn next(&mut self) {
        if self.never {
            return std::future::pending().await;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}
