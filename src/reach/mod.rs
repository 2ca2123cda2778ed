//! What the gateway may send to: public addresses, and those of networks that the operator allows. It holds for
//! providers and for webhooks alike.

mod networks;
mod resolver;
mod target;

pub use networks::{AllowedNetworks, NoNetwork, parse_networks};
pub use resolver::GuardedResolver;
pub use target::{BadTarget, check, check_address};
