#![forbid(unsafe_code)]
pub mod canonical;
pub mod delivery;
pub mod postgres;
pub mod provider;
pub mod sandbox;
pub mod store;
pub mod throttle;
pub mod validation;
pub mod vault;
