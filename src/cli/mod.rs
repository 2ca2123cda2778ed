//! The command line.

mod accounts;
mod completions;
mod dev;
mod exit;
mod health;
mod keys;
mod master_key;
mod openapi;
mod output;
mod problem;
mod remote;
mod restored;
mod sandbox;
mod schema_names;
mod serve;
mod submit;
mod translate;
mod watch;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

use self::exit::{Exit, exit_of};
use self::output::Form;
use crate::gateway::Role;

/// One canonical order API in front of many logistics providers.
#[derive(Parser)]
#[command(
    name = "onelane",
    version,
    about,
    after_help = "Exit codes: 0 done, 1 failed, 2 wrong input, 3 refused by the gateway or a provider, 4 the gateway cannot be
reached, 5 changes are pending, 6 not everything has ended, 130 interrupted. docs/cli.md tells more."
)]
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
    /// Bring the database's schema up to date: DATABASE_URL
    Migrate {
        /// A TOML file; environment variables win over it
        #[arg(long)]
        config: Option<PathBuf>,
    },
    /// The master keys that seal secrets at rest: DATABASE_URL, ONELANE_MASTER_KEY, ONELANE_FORMER_MASTER_KEYS
    #[command(subcommand)]
    MasterKey(MasterKey),
    /// Tell a ledger that it was set back by a restored backup, before a gateway serves on it: DATABASE_URL
    #[command(
        after_help = "It pauses all accounts, has evidence sought for everything unfinished before it is sent, and leaves places
of the feed out that may have been given already. docs/backup.md has the steps around it."
    )]
    Restored {
        /// A TOML file; environment variables win over it
        #[arg(long)]
        config: Option<PathBuf>,
        /// Places of the feed that are left out: more than there were events since the backup
        #[arg(long, default_value_t = 1_000_000)]
        feed_gap: u32,
    },
    /// Show what would be sent to a provider: no gateway, no database, no network
    Translate(translate::TranslateArguments),
    /// Send orders from a file to a running gateway, each once however often it is run
    Submit(submit::SubmitArguments),
    /// Follow an order, a submission, or all events of a running gateway
    Watch(watch::WatchArguments),
    /// The accounts of a running gateway, also from a TOML file
    Accounts(accounts::AccountsArguments),
    /// The API keys of a running gateway
    Keys(keys::KeysArguments),
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
    /// Print the script that completes this command line in a shell
    #[command(after_help = "Examples:
  onelane completions bash > ~/.local/share/bash-completion/completions/onelane
  onelane completions zsh > ~/.zfunc/_onelane
  onelane completions fish > ~/.config/fish/completions/onelane.fish")]
    Completions { shell: Shell },
    /// Write the manual pages to a directory
    Man { directory: PathBuf },
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

impl Command {
    /// For whom errors are written.
    fn form(&self) -> Form {
        match self {
            Command::Translate(arguments) => arguments.output.output,
            Command::Submit(arguments) => arguments.output.output,
            Command::Watch(arguments) => arguments.output.output,
            Command::Accounts(arguments) => arguments.output.output,
            Command::Keys(arguments) => arguments.output.output,
            _ => Form::Text,
        }
    }

    async fn run(self) -> anyhow::Result<Exit> {
        match self {
            Command::Dev { life } => dev::run(&life).await?,
            Command::Serve { config, migrate, role, allow_lost_keys } => {
                serve::run(config.as_deref(), migrate, role, allow_lost_keys).await?;
            }
            Command::Migrate { config } => serve::migrate(config.as_deref()).await?,
            Command::MasterKey(MasterKey::Status { config }) => master_key::status(config.as_deref()).await?,
            Command::MasterKey(MasterKey::Rotate { config }) => master_key::rotate(config.as_deref()).await?,
            Command::Restored { config, feed_gap } => restored::run(config.as_deref(), feed_gap).await?,
            Command::Translate(arguments) => return translate::run(&arguments),
            Command::Submit(arguments) => return submit::run(arguments).await,
            Command::Watch(arguments) => return watch::run(arguments).await,
            Command::Accounts(arguments) => return accounts::run(arguments).await,
            Command::Keys(arguments) => return keys::run(arguments).await,
            Command::Sandbox { life } => sandbox::run(&life).await?,
            Command::Health { listen, tls_certificate } => {
                health::run(listen, tls_certificate.is_some_and(|file| !file.as_os_str().is_empty())).await?;
            }
            Command::Openapi { check } => openapi::run(check.as_deref())?,
            Command::Completions { shell } => completions::completions(Arguments::command(), shell)?,
            Command::Man { directory } => completions::manual(Arguments::command(), &directory)?,
        }
        Ok(Exit::Done)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return ExitCode::FAILURE;
        }
    };
    let form = command.form();
    let done = runtime.block_on(command.run());
    // Whatever still blocks a thread must not hold the process.
    runtime.shutdown_timeout(Duration::from_secs(1));
    let exit = done.unwrap_or_else(|error| {
        let exit = exit_of(&error);
        if exit != Exit::BrokenPipe {
            problem::tell(&error, form);
        }
        exit
    });
    exit.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
