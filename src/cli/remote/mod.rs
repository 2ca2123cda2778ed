//! A running gateway, as its callers meet it: commands here are clients of the REST API and see no ledger.

mod client;
mod feed;
mod problem;

pub use client::{Answer, Call, Gateway, RemoteArguments, path_segment};
pub use feed::{FeedQuery, FeedStream, Told, latest_cursor};
pub use problem::RemoteProblem;
