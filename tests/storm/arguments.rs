//! What a storm is to be like, and the arguments that libtest's users pass to every test binary.

use std::time::Duration;

use clap::Parser;

/// As a test's name, for filters and `--list`.
pub const NAME: &str = "storm";

/// Bad weather for a gateway: load, faults of providers, killed and hanging replicas, a database that crashes. At
/// the end the callers' list, the ledger and the providers' books are compared.
#[derive(Debug, Clone, Parser)]
#[command(name = NAME)]
pub struct Arguments {
    /// Decides everything that is decided here: which order goes how and when, what is killed, which request fails
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Orders over all providers
    #[arg(long, default_value_t = 600)]
    pub orders: usize,
    /// Replicas of the gateway
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=9))]
    pub replicas: u16,
    /// How often a replica is killed (SIGKILL)
    #[arg(long, default_value_t = 2)]
    pub kills: usize,
    /// How often a replica hangs for a while (SIGSTOP, SIGCONT); in a run of five minutes or more every third time
    /// for longer than a lease
    #[arg(long, default_value_t = 1)]
    pub stops: usize,
    /// How often the database crashes and starts again
    #[arg(long, default_value_t = 1)]
    pub database_restarts: usize,
    /// Share of requests to providers whose connection breaks; other faults come in proportion
    #[arg(long, default_value_t = 0.05)]
    pub faults: f64,
    /// How long orders keep coming; what is left then is finished with time moved by hand
    #[arg(long, default_value_t = 0.2)]
    pub minutes: f64,
    /// Applications that call at once
    #[arg(long, default_value_t = 16)]
    pub callers: usize,
    /// Keeps the logs of the replicas in this directory
    #[arg(long)]
    pub logs: Option<std::path::PathBuf>,

    #[command(flatten)]
    pub libtest: Libtest,
}

/// What libtest understands. All but the choice of tests is of no account here.
#[derive(Debug, Clone, clap::Args)]
pub struct Libtest {
    /// Runs only if the name of this test, `storm`, holds one of these
    filters: Vec<String>,
    #[arg(long, hide = true)]
    exact: bool,
    #[arg(long, hide = true)]
    skip: Vec<String>,
    #[arg(long, hide = true)]
    list: bool,
    #[arg(long, hide = true)]
    ignored: bool,
    #[arg(long, hide = true)]
    include_ignored: bool,
    #[arg(long, visible_alias = "no-capture", hide = true)]
    nocapture: bool,
    #[arg(long, hide = true)]
    show_output: bool,
    #[arg(long, short, hide = true)]
    quiet: bool,
    #[arg(long, hide = true)]
    test_threads: Option<usize>,
    #[arg(long, hide = true)]
    format: Option<String>,
    #[arg(long, hide = true)]
    color: Option<String>,
    #[arg(long, hide = true)]
    logfile: Option<String>,
    #[arg(long, hide = true)]
    report_time: bool,
    #[arg(long, hide = true)]
    ensure_time: bool,
    #[arg(long, hide = true)]
    shuffle: bool,
    #[arg(long, hide = true)]
    shuffle_seed: Option<u64>,
    #[arg(short = 'Z', hide = true)]
    unstable: Vec<String>,
}

impl Libtest {
    /// Whether the tests are to be named, and not run.
    pub fn lists(&self) -> bool {
        self.list
    }

    /// Whether this test is among those that are meant.
    pub fn chooses(&self) -> bool {
        let means = |name: &String| if self.exact { name == NAME } else { NAME.contains(name.as_str()) };
        let chosen = self.filters.is_empty() || self.filters.iter().any(means);
        // It is not an ignored one.
        chosen && !self.skip.iter().any(means) && !self.ignored
    }
}

impl Arguments {
    /// How long orders keep coming.
    pub fn duration(&self) -> Duration {
        Duration::from_secs_f64(self.minutes * 60.0)
    }

    /// The command that does the same again.
    pub fn command(&self) -> String {
        format!(
            "--seed {} --orders {} --replicas {} --kills {} --stops {} --database-restarts {} --faults {} --minutes {} --callers {}",
            self.seed,
            self.orders,
            self.replicas,
            self.kills,
            self.stops,
            self.database_restarts,
            self.faults,
            self.minutes,
            self.callers
        )
    }
}
