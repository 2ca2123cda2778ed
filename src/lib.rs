#![forbid(unsafe_code)]
pub mod canonical;
pub mod provider;
pub mod validation;
