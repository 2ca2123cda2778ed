//! Provider simulators: what a developer, a test or a load run talks to instead of a real provider.
//!
//! Each simulator is written from its provider's document and never from our adapter, so that an
//! adapter which misreads the document fails here first. It parses requests on its own, is
//! strict, measures the documented quota, keeps every order that it accepted, and answers with
//! the documented codes.
//!
//! A simulator is one folder here and one line in [`simulators`]. Everything else in this module
//! (routes, control calls, books, meter, faults) knows simulators only through [`Simulator`].

mod books;
mod calling;
mod connection;
mod control;
mod faults;
mod hongxun;
mod ile;
mod life;
mod meter;
mod otms;
mod random;
mod stage;
mod ttms;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use calling::Caller;
use connection::{CuttableListener, Line};
use faults::{Faults, ItemChange};
use life::Life;

pub use books::BookEntry;
pub use calling::{CallBack, Called, Calling};
pub use life::{Pace, UnderWay};
pub use meter::MeterReading;
pub use random::{Random, seeded};
pub use stage::{NotAdvanced, Stage};

/// Where the simulators take the time from. Everything that depends on time (the meter's
/// windows, order numbers, dates too far away) asks it, so a test can move the clock by hand.
/// Windows are measured to the nanosecond: a clock of coarser resolution gives coarser windows.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What a sandbox is made with.
pub struct SandboxOptions {
    pub clock: Clock,
    /// Decides whether a fault with a probability strikes, and which calls back go wrong.
    pub random: Random,
}

/// One simulated provider.
///
/// There are no default bodies: a new simulator must say something about each of these.
pub trait Simulator: Send + Sync {
    /// The provider's id, as in `/v1/providers/{provider}`; also the first part of its paths.
    fn id(&self) -> &'static str;

    /// Its documented paths. The sandbox mounts them under `/{id}`.
    fn router(&self) -> Router;

    /// The endpoints of these paths, for faults.
    fn endpoints(&self) -> &'static [Endpoint];

    /// An account that this simulator accepts, ready to be created in a gateway.
    /// `sandbox_base_url` is where the sandbox listens, such as `http://127.0.0.1:8081`.
    fn demo_account(&self, sandbox_base_url: &str) -> DemoAccount;

    /// The orders that it holds, oldest first; those with this number of ours if one is given.
    fn books(&self, order_number: Option<&str>) -> Vec<BookEntry>;

    /// What arrived at each endpoint, for each set of credentials.
    fn meter(&self) -> Vec<MeterReading>;

    /// What it holds besides orders, such as subscriptions, by kind.
    fn holdings(&self) -> Map<String, Value>;

    /// Forgets all orders, all that it holds besides, and all measurements. Sessions go on.
    fn reset(&self);

    /// Lets the order with this number, the provider's or ours, come to a stage, as the provider's
    /// own people would. What is to be told of it is among [`Calling::due`].
    fn advance(&self, number: &str, to: Stage) -> Result<BookEntry, NotAdvanced>;

    /// The orders that have not come to their end, oldest first. None at a provider without stages.
    fn under_way(&self) -> Vec<UnderWay>;

    /// `None` for a provider that calls nobody.
    fn calling(&self) -> Option<&dyn Calling>;

    /// Counts a request that a fault keeps from [`Simulator::router`], as far as its head says who
    /// sent it.
    fn arrive(&self, endpoint: &str, uri: &Uri, headers: &HeaderMap);

    /// The numbers of ours of the orders in a request; none if it cannot be read.
    fn order_numbers(&self, endpoint: &str, request: &[u8]) -> Vec<String>;

    /// The answer that refuses a whole request with this code. `None` if answers of this endpoint
    /// have no such place.
    fn refusal(&self, endpoint: &str, code: &str) -> Option<Response>;

    /// `None` if answers of this endpoint are not about several orders.
    fn items(&self, endpoint: &str) -> Option<&dyn Items>;

    /// `None` if a request to this endpoint needs no session.
    fn sessions(&self, endpoint: &str) -> Option<&dyn Sessions>;
}

/// Answers with a result for each order of a request. Who has them honours a `faults::Overrule`
/// among the extensions of a request, too.
pub trait Items: Send + Sync {
    /// An answer with a change to the result of this order of ours, or else of the first. `None` if
    /// the answer has no such result.
    fn change(&self, answer: &[u8], change: ItemChange, order_number: Option<&str>) -> Option<String>;
}

/// What a provider hands out for some time in exchange for credentials, such as tokens.
pub trait Sessions: Send + Sync {
    /// Ends the session that the head of a request names, if there is one, as if its time were over.
    fn end(&self, uri: &Uri, headers: &HeaderMap);
}

/// A path at which a simulator takes requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// As its meter and the `endpoint` of a fault call it.
    pub name: &'static str,
    /// As in the simulator's router.
    pub path: &'static str,
}

/// An account of a simulator, in the members of `POST /v1/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoAccount {
    pub id: &'static str,
    pub provider: &'static str,
    pub display_name: &'static str,
    pub base_url: String,
    pub credentials: Value,
    pub settings: Value,
    /// A canonical order that this simulator accepts today, for a first try
    #[serde(skip)]
    pub example_order: Option<Value>,
}

/// The order number of every example order; who shows one puts a number of their own in its place.
pub const EXAMPLE_NUMBER: &str = "SO-0001";

/// All simulators: the only place that lists them.
pub fn simulators(options: &SandboxOptions) -> Vec<Arc<dyn Simulator>> {
    vec![
        Arc::new(otms::OtmsSimulator::new(options.clock.clone())),
        Arc::new(ile::IleSimulator::new(options.clock.clone())),
        Arc::new(ttms::TtmsSimulator::new(options.clock.clone())),
        Arc::new(hongxun::HongxunSimulator::new(options.clock.clone())),
    ]
}

/// A simulator with what the sandbox adds to each.
struct Station {
    simulator: Arc<dyn Simulator>,
    faults: Faults,
    caller: Caller,
    life: Life,
}

impl Station {
    /// The calls back that are due.
    fn due(&self) -> Vec<CallBack> {
        self.simulator.calling().map(Calling::due).unwrap_or_default()
    }
}

/// How long answers that are under way may take when the sandbox stops.
const STOPPING: Duration = Duration::from_secs(2);

/// The simulators together with the control calls (api.md, "Development and sandbox").
///
/// [`Sandbox::serve`] serves it on a listener; [`Sandbox::router`] can be called in process, where
/// a fault that would cut the connection fails the answer's body.
#[derive(Clone)]
pub struct Sandbox {
    stations: Arc<[Arc<Station>]>,
}

impl Sandbox {
    pub fn new(options: &SandboxOptions) -> Self {
        let station = |simulator| {
            let faults = Faults::new(options.random.clone());
            let life = Life::new(options.clock.clone(), options.random.clone());
            Arc::new(Station { simulator, faults, caller: Caller::default(), life })
        };
        Self { stations: simulators(options).into_iter().map(station).collect() }
    }

    /// Every simulator under `/{provider}`, and the control calls under `/control`.
    pub fn router(&self) -> Router {
        self.stations.iter().fold(control::router(self.stations.clone()), |router, station| {
            let faulty = from_fn_with_state(station.clone(), faults::strike);
            let simulator = &station.simulator;
            let talkative = from_fn_with_state(station.clone(), calling::call_back);
            router.nest(&format!("/{}", simulator.id()), simulator.router().layer(talkative).layer(faulty))
        })
    }

    /// Serves all of it until `stop`, on connections that faults can cut, and lets orders live.
    pub async fn serve(self, listener: TcpListener, stop: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
        // They end with this.
        let mut lives = JoinSet::new();
        for station in self.stations.iter() {
            lives.spawn(life::live(station.clone()));
        }
        let service = self.router().into_make_service_with_connect_info::<Line>();
        let stopping = CancellationToken::new();
        let stopped = stopping.clone();
        let serving = axum::serve(CuttableListener(listener), service).with_graceful_shutdown(async move {
            stop.await;
            stopping.cancel();
        });
        // A silent answer is nothing to wait for.
        tokio::select! {
            served = serving => served,
            () = async {
                stopped.cancelled().await;
                tokio::time::sleep(STOPPING).await;
            } => Ok(()),
        }
    }

    pub fn demo_accounts(&self, sandbox_base_url: &str) -> Vec<DemoAccount> {
        self.stations.iter().map(|it| it.simulator.demo_account(sandbox_base_url)).collect()
    }

    /// Tells a simulator where its demo account is called.
    pub fn call_at(&self, provider: &str, callback_url: &str) {
        if let Some(calling) = find(&self.stations, provider).and_then(|station| station.simulator.calling()) {
            calling.call_at(callback_url);
        }
    }

    /// Lets the orders of all simulators that have stages go on at this pace, while the sandbox is served.
    pub fn set_pace(&self, pace: Pace) -> Result<(), String> {
        pace.check()?;
        for station in self.stations.iter().filter(|it| it.simulator.calling().is_some()) {
            station.life.set_pace(pace);
        }
        Ok(())
    }

    pub fn simulator(&self, id: &str) -> Option<Arc<dyn Simulator>> {
        find(&self.stations, id).map(|station| station.simulator.clone())
    }
}

fn find<'a>(stations: &'a [Arc<Station>], id: &str) -> Option<&'a Arc<Station>> {
    stations.iter().find(|it| it.simulator.id() == id)
}
