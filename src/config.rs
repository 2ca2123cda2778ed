//! Configuration of a gateway: environment variables, or a TOML file with the same names in lower case.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use secrecy::SecretString;
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::api::Limits;
use crate::gateway::{GatewayOptions, Role, Shutdown};
use crate::reach::{AllowedNetworks, NoNetwork};
use crate::server::{Certificate, CertificateFiles, ServerOptions, TrustedProxies};
use crate::upkeep::{Age, RetentionPolicy};

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
    /// `ONELANE_FORMER_MASTER_KEYS`: keys that still open what they sealed, with commas between them; in the file also
    /// a list
    #[serde(default, deserialize_with = "secrets")]
    pub former_master_keys: Vec<SecretString>,
    /// `ONELANE_CORE_DUMPS`: whether the system may write core dumps, which hold secrets
    #[serde(default)]
    pub core_dumps: bool,
    /// `ONELANE_ADMIN_KEY`: the first administrator's API key
    pub admin_key: Option<SecretString>,
    /// `ONELANE_DATABASE_CONNECTIONS`: connections to the database at most
    pub database_connections: u32,
    /// `ONELANE_BODY_LIMIT`: bytes of a request body at most
    body_limit: usize,
    /// `ONELANE_BODY_MEMORY`: bytes of memory that all request bodies may take together
    body_memory: usize,
    /// `ONELANE_BODY_IDLE_SECONDS`: how long a request body may bring nothing
    body_idle_seconds: NonZeroU32,
    /// `ONELANE_BODY_SECONDS`: how long a whole request body may take
    body_seconds: NonZeroU32,
    /// `ONELANE_CONNECTIONS`: connections to the API at most, and requests at once
    connections: NonZeroU32,
    /// `ONELANE_IDLE_SECONDS`: how long a connection may be open without a request
    idle_seconds: NonZeroU32,
    /// `ONELANE_REQUESTS_PER_SECOND`: of an API key that has no limit of its own
    requests_per_second: Option<NonZeroU32>,
    /// `ONELANE_QUEUE_LIMIT`: submissions that may wait of an account that has no limit of its own
    queue_limit: Option<NonZeroU32>,
    /// `ONELANE_SHUTDOWN_DELAY_SECONDS`: how long a stopping gateway says so before it accepts no connections any more
    shutdown_delay_seconds: u32,
    /// `ONELANE_SHUTDOWN_SECONDS`: how long what was begun may take to end after that
    shutdown_seconds: u32,
    /// `ONELANE_METRICS_SECONDS`: how old the gauges of the ledger may be at `/metrics`
    metrics_seconds: u32,
    /// `ONELANE_ALLOWED_NETWORKS`: networks beside the public ones that providers and webhooks may lie in,
    /// with commas between them; in the file also a list
    #[serde(default, deserialize_with = "networks")]
    allowed_networks: AllowedNetworks,
    /// `ONELANE_KEEP_BODIES`: how long bodies of exchanges and callbacks are kept, e.g. `30d`, or `forever`
    keep_bodies: Option<Age>,
    /// `ONELANE_KEEP_ATTEMPTS`: the same of attempts of finished submissions
    keep_attempts: Option<Age>,
    /// `ONELANE_KEEP_EVENTS`: of events and their webhook deliveries
    keep_events: Option<Age>,
    /// `ONELANE_KEEP_CALLBACKS`: of callbacks that came to their end
    keep_callbacks: Option<Age>,
    /// `ONELANE_KEEP_HAPPENINGS`: of the knowledge of what providers told, which keeps it from being told twice
    keep_happenings: Option<Age>,
    /// `ONELANE_KEEP_IDEMPOTENCY_KEYS`: of idempotency keys
    keep_idempotency_keys: Option<Age>,
    /// `ONELANE_TRUSTED_PROXIES`: networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are taken, with commas
    /// between them; in the file also a list
    #[serde(default, deserialize_with = "networks")]
    trusted_proxies: TrustedProxies,
    /// `ONELANE_TLS_CERTIFICATE`: a file with the certificate of the API and those that lead to its root, in PEM; with
    /// it the API speaks TLS only
    tls_certificate: Option<PathBuf>,
    /// `ONELANE_TLS_KEY`: a file with its private key, in PEM
    tls_key: Option<PathBuf>,
    /// `ONELANE_ROLE`: what this process does: `api`, `worker` or `all`
    #[serde(default)]
    pub role: Role,
    /// `ONELANE_DATABASE_PATIENCE`: seconds that are waited at start for a database that cannot be reached
    pub database_patience: u64,
}

/// One text, or a list of them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Texts {
    Text(String),
    List(Vec<String>),
}

fn networks<'de, T: FromStr<Err = NoNetwork>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = match Texts::deserialize(deserializer)? {
        Texts::Text(text) => text,
        Texts::List(texts) => texts.join(","),
    };
    text.parse().map_err(de::Error::custom)
}

fn secrets<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SecretString>, D::Error> {
    let texts = match Texts::deserialize(deserializer)? {
        Texts::Text(text) => vec![text],
        Texts::List(texts) => texts,
    };
    let secrets = texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty());
    Ok(secrets.map(SecretString::from).collect())
}

/// Why the configuration cannot be read: where and what was expected, but not what stands there, which may be a
/// secret.
#[derive(Debug, thiserror::Error)]
#[error("the configuration cannot be read: {0}")]
pub struct ConfigError(String);

impl From<figment::Error> for ConfigError {
    fn from(error: figment::Error) -> Self {
        use figment::error::Kind;
        let expected = match &error.kind {
            // A parser of TOML shows the line that it could not read.
            Kind::Message(words) => {
                words.lines().filter(|line| !line.contains('|')).map(str::trim).collect::<Vec<_>>().join(" ")
            }
            Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) | Kind::InvalidLength(_, expected) => {
                format!("{expected} was expected")
            }
            Kind::UnknownField(name, known) => format!("there is no {name}; there is {}", known.join(", ")),
            Kind::MissingField(name) => format!("{name} is missing"),
            Kind::DuplicateField(name) => format!("{name} stands there twice"),
            Kind::UnknownVariant(name, known) => format!("{name} is none of {}", known.join(", ")),
            Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => "a smaller number was expected".to_owned(),
            Kind::Unsupported(_) | Kind::UnsupportedKey(..) => "it is of a type that is not supported".to_owned(),
        };
        let source = error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref());
        let source = source.map(|source| format!(" of {source}")).unwrap_or_default();
        match error.path.as_slice() {
            [] => ConfigError(format!("{expected}{source}")),
            path => ConfigError(format!("{}{source}: {expected}", path.join("."))),
        }
    }
}

/// The defaults; secrets have none, and neither has what is not limited.
#[derive(Serialize)]
struct Defaults {
    listen: SocketAddr,
    database_connections: u32,
    body_limit: usize,
    database_patience: u64,
    body_memory: usize,
    body_idle_seconds: u64,
    body_seconds: u64,
    connections: usize,
    idle_seconds: u64,
    shutdown_delay_seconds: u64,
    shutdown_seconds: u64,
    metrics_seconds: u32,
}

impl Default for Defaults {
    fn default() -> Self {
        let GatewayOptions { limits, server, shutdown, .. } = GatewayOptions::default();
        Defaults {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_connections: 16,
            database_patience: 60,
            body_limit: limits.body_limit,
            body_memory: limits.body_memory,
            body_idle_seconds: limits.body_idle.as_secs(),
            body_seconds: limits.body_time.as_secs(),
            connections: server.connections,
            idle_seconds: server.idle.as_secs(),
            shutdown_delay_seconds: shutdown.delay.as_secs(),
            shutdown_seconds: shutdown.deadline.as_secs(),
            metrics_seconds: 10,
        }
    }
}

/// The variables under the prefix `ONELANE_` that hold no text.
const NUMBERS_AND_ADDRESSES: &[&str] = &[
    "listen",
    "database_connections",
    "database_patience",
    "body_limit",
    "body_memory",
    "body_idle_seconds",
    "body_seconds",
    "connections",
    "idle_seconds",
    "requests_per_second",
    "queue_limit",
    "shutdown_delay_seconds",
    "shutdown_seconds",
    "metrics_seconds",
    "core_dumps",
];
/// Those that hold text, with the names of the members.
const TEXTS: &[(&str, &str)] = &[
    ("database_url", "DATABASE_URL"),
    ("master_key", "ONELANE_MASTER_KEY"),
    ("former_master_keys", "ONELANE_FORMER_MASTER_KEYS"),
    ("admin_key", "ONELANE_ADMIN_KEY"),
    ("allowed_networks", "ONELANE_ALLOWED_NETWORKS"),
    ("keep_bodies", "ONELANE_KEEP_BODIES"),
    ("keep_attempts", "ONELANE_KEEP_ATTEMPTS"),
    ("keep_events", "ONELANE_KEEP_EVENTS"),
    ("keep_callbacks", "ONELANE_KEEP_CALLBACKS"),
    ("keep_happenings", "ONELANE_KEEP_HAPPENINGS"),
    ("keep_idempotency_keys", "ONELANE_KEEP_IDEMPOTENCY_KEYS"),
    ("role", "ONELANE_ROLE"),
    ("trusted_proxies", "ONELANE_TRUSTED_PROXIES"),
    ("tls_certificate", "ONELANE_TLS_CERTIFICATE"),
    ("tls_key", "ONELANE_TLS_KEY"),
];

impl ServeConfig {
    pub fn read(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Defaults::default()));
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
        Ok(figment.extract()?)
    }

    /// The certificate of the API, if it has one.
    fn certificate(&self) -> Result<Option<Certificate>, ConfigError> {
        let files = match (&self.tls_certificate, &self.tls_key) {
            (Some(chain), Some(key)) => CertificateFiles { chain: chain.clone(), private: key.clone() },
            (None, None) => return Ok(None),
            (Some(_), None) => return Err(ConfigError("tls_certificate needs tls_key, its private key".to_owned())),
            (None, Some(_)) => return Err(ConfigError("tls_key needs tls_certificate".to_owned())),
        };
        Certificate::read(files).map(Some).map_err(|error| ConfigError(error.to_string()))
    }

    /// Whether API keys come to this process in the clear from elsewhere, as far as it can know.
    pub fn is_in_the_clear(&self) -> bool {
        self.tls_certificate.is_none() && self.trusted_proxies.is_empty() && !self.listen.ip().is_loopback()
    }

    /// What of it is the gateway's. Reads the certificate.
    pub fn gateway_options(&self) -> Result<GatewayOptions, ConfigError> {
        let seconds = |number: NonZeroU32| Duration::from_secs(number.get().into());
        Ok(GatewayOptions {
            limits: Limits {
                body_limit: self.body_limit,
                body_idle: seconds(self.body_idle_seconds),
                body_time: seconds(self.body_seconds),
                body_memory: self.body_memory,
                requests_per_second: self.requests_per_second,
                queue_limit: self.queue_limit,
            },
            server: ServerOptions {
                connections: usize::try_from(self.connections.get()).unwrap_or(usize::MAX),
                idle: seconds(self.idle_seconds),
                certificate: self.certificate()?,
                ..ServerOptions::default()
            },
            shutdown: Shutdown {
                delay: Duration::from_secs(self.shutdown_delay_seconds.into()),
                deadline: Duration::from_secs(self.shutdown_seconds.into()),
            },
            allowed_networks: self.allowed_networks.clone(),
            retention: self.retention(),
            role: self.role,
            trusted_proxies: self.trusted_proxies.clone(),
            metrics_age: Some(Duration::from_secs(self.metrics_seconds.into())),
        })
    }

    /// How long what is kept.
    fn retention(&self) -> RetentionPolicy {
        let default = RetentionPolicy::default();
        RetentionPolicy {
            bodies: self.keep_bodies.unwrap_or(default.bodies),
            attempts: self.keep_attempts.unwrap_or(default.attempts),
            events: self.keep_events.unwrap_or(default.events),
            callbacks: self.keep_callbacks.unwrap_or(default.callbacks),
            happenings: self.keep_happenings.unwrap_or(default.happenings),
            idempotency_keys: self.keep_idempotency_keys.unwrap_or(default.idempotency_keys),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A configuration whose file says this.
    fn read(toml: &str) -> Result<ServeConfig, String> {
        let figment = Figment::from(Serialized::defaults(Defaults::default())).merge(Toml::string(toml));
        figment.extract().map_err(|error| ConfigError::from(error).to_string())
    }

    #[test]
    fn a_process_does_everything_unless_it_is_told_otherwise() {
        assert_eq!(read("").unwrap().role, Role::All);
        assert_eq!(read("role = 'worker'").unwrap().role, Role::Worker);
        let wrong = read("role = 'boss'").err().unwrap();
        assert!(wrong.contains("boss") && wrong.contains("worker"), "{wrong}");
    }

    #[test]
    fn networks_come_as_one_text_or_as_a_list() {
        let read = |toml: &str| read(toml).map(|config| config.allowed_networks);
        let networks: AllowedNetworks = "10.0.0.0/8,fd00::/8".parse().unwrap();
        assert_eq!(read("allowed_networks = '10.0.0.0/8, fd00::/8'").unwrap(), networks);
        assert_eq!(read("allowed_networks = ['10.0.0.0/8', 'fd00::/8']").unwrap(), networks);
        assert_eq!(read("").unwrap(), AllowedNetworks::default());
        let wrong = read("allowed_networks = '10.0.0.0/99'").unwrap_err();
        assert!(wrong.contains("10.0.0.0/99"), "{wrong}");
    }

    #[test]
    fn ages_have_defaults_and_are_chosen_one_by_one() {
        assert_eq!(read("").unwrap().retention(), RetentionPolicy::default());
        let chosen = read("keep_bodies = '7d'\nkeep_events = 'forever'").unwrap().retention();
        let expected =
            RetentionPolicy { bodies: "168h".parse().unwrap(), events: Age::Forever, ..RetentionPolicy::default() };
        assert_eq!(chosen, expected);
        let wrong = read("keep_bodies = '30'").map(drop).unwrap_err();
        assert!(wrong.contains("keep_bodies") && wrong.contains("write e.g. 30d"), "{wrong}");
    }

    #[test]
    fn former_keys_come_as_one_text_or_as_a_list() {
        use secrecy::ExposeSecret;
        for toml in ["former_master_keys = 'a, b,'", "former_master_keys = ['a', 'b']"] {
            let config = read(toml).unwrap();
            let keys: Vec<&str> = config.former_master_keys.iter().map(ExposeSecret::expose_secret).collect();
            assert_eq!(keys, ["a", "b"], "{toml}");
        }
        assert!(read("").unwrap().former_master_keys.is_empty());
    }

    #[test]
    fn an_error_says_where_it_is_and_not_what_stands_there() {
        for (toml, said) in [
            ("master_key = 123456789", "master_key"),
            ("admin_key = ['c4n4ry-123456789']", "admin_key"),
            ("former_master_keys = {a = 'c4n4ry-123456789'}", "former_master_keys"),
            ("master_key = 'c4n4ry-123456789", "line 1, column"),
            ("admin_key = 'c4n4ry-123456789'\nadmin_key = 'c4n4ry-123456789'", "line 2, column"),
            ("master_keys = 'c4n4ry-123456789'", "there is no master_keys"),
        ] {
            let wrong = read(toml).err().unwrap();
            assert!(wrong.contains(said), "{wrong}");
            assert!(!wrong.contains("123456789"), "{wrong}");
        }
    }
}
