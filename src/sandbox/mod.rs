//! Provider simulators: what a developer, a test or a load run talks to instead of a real provider.
//!
//! Each simulator is written from its provider's document and never from our adapter, so that an
//! adapter which misreads the document fails here first. It parses requests on its own, is
//! strict, measures the documented quota, keeps every order that it accepted, and answers with
//! the documented codes.
//!
//! A simulator is one folder here and one line in [`simulators`]. Everything else in this module
//! (routes, control calls, books, meter) knows simulators only through [`Simulator`].

mod books;
mod control;
mod meter;
mod otms;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use chrono::{DateTime, Utc};
use serde::Serialize;

pub use books::BookEntry;
pub use meter::MeterReading;

/// Where the simulators take the time from. Everything that depends on time (the meter's
/// windows, order numbers, dates too far away) asks it, so a test can move the clock by hand.
/// Windows are measured to the nanosecond: a clock of coarser resolution gives coarser windows.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// What a sandbox is made with.
pub struct SandboxOptions {
    pub clock: Clock,
}

/// One simulated provider.
///
/// There are no default bodies: a new simulator must say something about each of these.
pub trait Simulator: Send + Sync {
    /// The provider's id, as in `/v1/providers/{provider}`; also the first part of its paths.
    fn id(&self) -> &'static str;

    /// Its documented paths. The sandbox mounts them under `/{id}`.
    fn router(&self) -> Router;

    /// An account that this simulator accepts, ready to be created in a gateway.
    /// `sandbox_base_url` is where the sandbox listens, such as `http://127.0.0.1:8081`.
    fn demo_account(&self, sandbox_base_url: &str) -> DemoAccount;

    /// The orders that it holds, oldest first; those with this number of ours if one is given.
    fn books(&self, order_number: Option<&str>) -> Vec<BookEntry>;

    /// What arrived at each endpoint, for each set of credentials.
    fn meter(&self) -> Vec<MeterReading>;

    /// Forgets all orders and all measurements.
    fn reset(&self);
}

/// An account of a simulator, in the members of `POST /v1/accounts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DemoAccount {
    pub id: &'static str,
    pub provider: &'static str,
    pub display_name: &'static str,
    pub base_url: String,
    pub credentials: serde_json::Value,
    pub settings: serde_json::Value,
    /// A canonical order that this simulator accepts today, for a first try
    #[serde(skip)]
    pub example_order: Option<serde_json::Value>,
}

/// The order number of every example order; who shows one puts a number of their own in its place.
pub const EXAMPLE_NUMBER: &str = "SO-0001";

/// All simulators: the only place that lists them.
pub fn simulators(options: &SandboxOptions) -> Vec<Arc<dyn Simulator>> {
    vec![Arc::new(otms::OtmsSimulator::new(options.clock.clone()))]
}

/// The simulators together with the control calls (api.md, "Development and sandbox").
///
/// It owns no listener: serve [`Sandbox::router`] on one with `axum::serve`, or call it in
/// process.
pub struct Sandbox {
    simulators: Arc<[Arc<dyn Simulator>]>,
}

impl Sandbox {
    pub fn new(options: &SandboxOptions) -> Self {
        Self { simulators: simulators(options).into() }
    }

    /// Every simulator under `/{provider}`, and the control calls under `/control`.
    pub fn router(&self) -> Router {
        self.simulators.iter().fold(control::router(self.simulators.clone()), |router, it| {
            router.nest(&format!("/{}", it.id()), it.router())
        })
    }

    pub fn demo_accounts(&self, sandbox_base_url: &str) -> Vec<DemoAccount> {
        self.simulators.iter().map(|it| it.demo_account(sandbox_base_url)).collect()
    }

    pub fn simulator(&self, id: &str) -> Option<Arc<dyn Simulator>> {
        find(&self.simulators, id).cloned()
    }
}

fn find<'a>(simulators: &'a [Arc<dyn Simulator>], id: &str) -> Option<&'a Arc<dyn Simulator>> {
    simulators.iter().find(|it| it.id() == id)
}
