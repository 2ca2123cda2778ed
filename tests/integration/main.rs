//! The gateway as its callers and its providers meet it: real Postgres, real sockets, the provider sandbox.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod accounts;
mod api_keys;
mod architecture;
mod at_once;
mod audit_log;
mod bad_input;
mod batch;
mod callbacks;
mod changes;
mod cli;
mod conformance;
mod console;
mod contract;
mod database;
mod decisions;
mod delivery;
mod departures;
mod documents;
mod doubtful_changes;
mod faults;
mod feed;
mod grounds;
#[allow(dead_code, unused_imports, reason = "the harness is shared with the other tests")]
mod harness;
mod history;
mod idempotency;
mod ile;
mod killed;
mod lanes;
mod openapi_file;
mod orders;
mod pressure;
mod problems;
mod properties;
mod providers;
mod replicas;
mod restored;
mod retention;
mod secrets;
mod storm_laws;
mod strange_answers;
mod stream;
mod submissions;
mod telemetry;
mod translations;
mod transport;
mod ttms;
mod webhooks;
