//! Faults on demand, for every simulator alike (api.md, "Development and sandbox"): a layer around
//! a simulator's router that breaks its answers, or its connections, in the ways of [`Kind`].
//!
//! The first fault of the list whose terms a request meets strikes it; no request is struck twice.

mod distort;
mod kinds;
mod strike;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

pub use kinds::{Fault, Kind};
pub use strike::strike;

use super::Simulator;
use super::random::Random;

/// What a simulator that answers order by order finds among a request's extensions when
/// `item_code` strikes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overrule {
    pub code: String,
    /// In the provider's own word; without one, the word for an order that is not taken.
    pub status: Option<String>,
    /// Only this order, by our number; otherwise all of the request.
    pub order_number: Option<String>,
    /// The order is processed all the same, and the code added to its answer.
    pub commit: bool,
}

impl Overrule {
    pub fn concerns(&self, order_number: Option<&str>) -> bool {
        self.order_number.is_none() || self.order_number.as_deref() == order_number
    }
}

/// A change to an answer that holds several orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemChange {
    Missing,
    Unasked,
    Twice,
}

/// The faults of one simulator.
pub struct Faults {
    armed: Mutex<Vec<Armed>>,
    random: Random,
}

struct Armed {
    fault: Arc<Fault>,
    fired: u64,
}

impl Armed {
    fn is_spent(&self) -> bool {
        self.fault.times.is_some_and(|times| self.fired >= times)
    }

    fn is_for(&self, endpoint: &str) -> bool {
        !self.is_spent() && self.fault.endpoint.as_deref().is_none_or(|only| only == endpoint)
    }
}

impl Faults {
    pub fn new(random: Random) -> Self {
        Self { armed: Mutex::default(), random }
    }

    pub fn replace(&self, faults: Vec<Fault>) {
        let arm = |fault| Armed { fault: Arc::new(fault), fired: 0 };
        *self.armed() = faults.into_iter().map(arm).collect();
    }

    /// Each fault as it was given, and how often it has struck.
    pub fn shown(&self) -> Vec<Value> {
        let show = |armed: &Armed| {
            let mut members = armed.fault.given.clone();
            members.insert("fired".to_owned(), armed.fired.into());
            Value::Object(members)
        };
        self.armed().iter().map(show).collect()
    }

    /// Whether any fault that could strike here depends on the orders of the request.
    fn asks_for_orders(&self, endpoint: &str) -> bool {
        self.armed().iter().any(|it| it.is_for(endpoint) && it.fault.order_number.is_some())
    }

    /// The fault that strikes a request with these orders, counted as fired.
    fn draw(&self, simulator: &dyn Simulator, endpoint: &str, order_numbers: &[String]) -> Option<Arc<Fault>> {
        let strikes = |it: &&mut Armed| {
            let fault = &it.fault;
            let order_number = fault.order_number.as_ref();
            it.is_for(endpoint)
                && order_number.is_none_or(|number| order_numbers.contains(number))
                && fault.kind.suits(simulator, endpoint)
                // Last, so that a request which the fault is not about takes no number.
                && (fault.probability >= 1.0 || (self.random)() < fault.probability)
        };
        let mut armed = self.armed();
        let drawn = armed.iter_mut().find(strikes)?;
        drawn.fired += 1;
        Some(drawn.fault.clone())
    }

    /// The fault that strikes a call back about these orders, counted as fired.
    pub fn draw_call(&self, order_numbers: &[String]) -> Option<Arc<Kind>> {
        let strikes = |it: &&mut Armed| {
            let fault = &it.fault;
            !it.is_spent()
                && fault.kind.is_of_calls()
                && fault.order_number.as_ref().is_none_or(|number| order_numbers.contains(number))
                && (fault.probability >= 1.0 || (self.random)() < fault.probability)
        };
        let mut armed = self.armed();
        let drawn = armed.iter_mut().find(strikes)?;
        drawn.fired += 1;
        Some(Arc::new(drawn.fault.kind.clone()))
    }

    fn armed(&self) -> MutexGuard<'_, Vec<Armed>> {
        // A panic elsewhere is no reason to stop answering.
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
