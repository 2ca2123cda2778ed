//! Configuration of a gateway: environment variables, or a TOML file with the same names in lower case.

use std::net::SocketAddr;
use std::path::Path;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

/// What `onelane serve` needs. Environment variables win over the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServeConfig {
    /// `DATABASE_URL`: the ledger
    pub database_url: Option<SecretString>,
    /// `ONELANE_LISTEN`: where the API listens
    pub listen: SocketAddr,
    /// `ONELANE_MASTER_KEY`: seals credentials; 32 bytes in base64
    pub master_key: Option<SecretString>,
    /// `ONELANE_ADMIN_KEY`: the first administrator's API key
    pub admin_key: Option<SecretString>,
    /// `ONELANE_DATABASE_CONNECTIONS`: connections to the database at most
    pub database_connections: u32,
    /// `ONELANE_BODY_LIMIT`: bytes of a request body at most
    pub body_limit: usize,
}

/// The defaults; secrets have none.
#[derive(Serialize)]
struct Defaults {
    listen: SocketAddr,
    database_connections: u32,
    body_limit: usize,
}

/// The variables under the prefix `ONELANE_` that hold no text.
const NUMBERS_AND_ADDRESSES: &[&str] = &["listen", "database_connections", "body_limit"];
/// Those that hold text, with the names of the members.
const TEXTS: &[(&str, &str)] =
    &[("database_url", "DATABASE_URL"), ("master_key", "ONELANE_MASTER_KEY"), ("admin_key", "ONELANE_ADMIN_KEY")];

impl ServeConfig {
    pub fn read(file: Option<&Path>) -> Result<Self, Box<figment::Error>> {
        let defaults = Defaults {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_connections: 16,
            body_limit: crate::api::DEFAULT_BODY_LIMIT,
        };
        let mut figment = Figment::from(Serialized::defaults(defaults));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        figment = figment.merge(Env::prefixed("ONELANE_").only(NUMBERS_AND_ADDRESSES));
        for (name, variable) in TEXTS {
            // As it stands: figment would read 123 as a number and true as a boolean.
            if let Some(value) = std::env::var(variable).ok().filter(|value| !value.is_empty()) {
                figment = figment.merge(Serialized::default(name, value));
            }
        }
        figment.extract().map_err(Box::new)
    }
}
