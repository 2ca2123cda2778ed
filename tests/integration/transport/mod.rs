//! The way to callers and to providers: TLS, what a proxy says, and certificates that nobody vouches for.

mod certificates;
mod listener;
mod providers;
mod proxies;
