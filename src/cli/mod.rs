//! The command line.

mod dev;
mod health;
mod master_key;
mod openapi;
mod sandbox;
mod serve;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::gateway::Role;

/// One canonical order API in front of many logistics providers.
#[derive(Parser)]
#[command(name = "onelane", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Everything on a laptop: a private Postgres, the provider sandbox, demo accounts, the gateway
    Dev {
        #[command(flatten)]
        life: sandbox::LifeArguments,
    },
    /// The gateway on a database: DATABASE_URL, ONELANE_MASTER_KEY, ONELANE_LISTEN, ONELANE_ADMIN_KEY
    Serve {
        /// A TOML file; environment variables win over it
        #[arg(long)]
        config: Option<PathBuf>,
        /// Bring the database's schema up to date first
        #[arg(long)]
        migrate: bool,
        /// What this process does, where several share the work [env: ONELANE_ROLE] [default: all]
        #[arg(long, value_enum)]
        role: Option<Role>,
        /// Start although the ledger holds secrets whose master key was not given; they must be given anew
        #[arg(long)]
        allow_lost_keys: bool,
    },
    /// The master keys that seal secrets at rest: DATABASE_URL, ONELANE_MASTER_KEY, ONELANE_FORMER_MASTER_KEYS
    #[command(subcommand)]
    MasterKey(MasterKey),
    /// Bring the database's schema up to date: DATABASE_URL
    Migrate {
        /// A TOML file; environment variables win over it
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// The provider simulators alone: ONELANE_SANDBOX_LISTEN
    Sandbox {
        #[command(flatten)]
        life: sandbox::LifeArguments,
    },
    /// Ask the gateway on this machine whether it lives; the exit code says so
    Health {
        /// Where it listens
        #[arg(long, env = "ONELANE_LISTEN", default_value = "127.0.0.1:8080")]
        listen: SocketAddr,
        /// The certificate that it shows, if it speaks TLS
        #[arg(long, env = "ONELANE_TLS_CERTIFICATE")]
        tls_certificate: Option<PathBuf>,
    },
    /// Print the OpenAPI file
    Openapi {
        /// Compare with this file instead of printing; fails when they differ
        #[arg(long)]
        check: Option<PathBuf>,
    },
}

#[derive(Subcommand)]
enum MasterKey {
    /// Tell which keys sealed how many values
    Status {
        /// A TOML file; environment variables win over it
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// Seal everything with ONELANE_MASTER_KEY that a former key sealed; gateways go on meanwhile
    Rotate {
        /// A TOML file; environment variables win over it
        #[arg(long)]
        config: Option<PathBuf>,
    },
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::Dev { life } => dev::run(&life).await,
            Command::Serve { config, migrate, role, allow_lost_keys } => {
                serve::run(config.as_deref(), migrate, role, allow_lost_keys).await
            }
            Command::MasterKey(MasterKey::Status { config }) => master_key::status(config.as_deref()).await,
            Command::MasterKey(MasterKey::Rotate { config }) => master_key::rotate(config.as_deref()).await,
            Command::Migrate { config } => serve::migrate(config.as_deref()).await,
            Command::Sandbox { life } => sandbox::run(&life).await,
            Command::Health { listen, tls_certificate } => {
                health::run(listen, tls_certificate.is_some_and(|file| !file.as_os_str().is_empty())).await
            }
            Command::Openapi { check } => openapi::run(check.as_deref()),
        }
    });
    // Whatever still blocks a thread must not hold the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
