#![forbid(unsafe_code)]
pub mod api;
pub mod backoff;
pub mod callback;
pub mod canonical;
pub mod cli;
pub mod config;
pub mod console;
pub mod core_dump;
pub mod delivery;
pub mod event;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
pub mod gateway;
pub mod postgres;
pub mod provider;
pub mod reach;
pub mod rotation;
pub mod sandbox;
pub mod server;
pub mod setback;
pub mod store;
pub mod telemetry;
pub mod throttle;
pub mod upkeep;
pub mod validation;
pub mod vault;
