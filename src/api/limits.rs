//! What callers may ask for.

use std::num::NonZeroU32;
use std::time::Duration;

/// What an operator may choose of the limits of requests.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a request body at most
    pub body_limit: usize,
    /// How long a body may bring nothing
    pub body_idle: Duration,
    /// How long a whole body may take
    pub body_time: Duration,
    /// Bytes of memory that all bodies may take together, with the values in them
    pub body_memory: usize,
    /// Requests per second of an API key that has no limit of its own; no limit when absent
    pub requests_per_second: Option<NonZeroU32>,
    /// Submissions that may wait of an account that has no limit of its own; no limit when absent
    pub queue_limit: Option<NonZeroU32>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_limit: 10 * 1024 * 1024,
            body_idle: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            body_memory: 1024 * 1024 * 1024,
            requests_per_second: None,
            queue_limit: None,
        }
    }
}
