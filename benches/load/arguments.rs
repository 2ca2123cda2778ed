//! What is measured, how often and for how long.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};

/// Measures the gateway against what the same machine can do without it.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Arguments {
    /// What to measure
    #[arg(value_enum)]
    comparisons: Vec<Comparison>,
    /// Everything there is to measure
    #[arg(long)]
    all: bool,
    /// How often each side is measured; the median counts
    #[arg(long, default_value_t = 5)]
    pub rounds: usize,
    /// Seconds of load of one side in one round
    #[arg(long, default_value_t = 6)]
    pub seconds: u64,
    /// Minutes of sustained load
    #[arg(long, default_value_t = 30)]
    pub minutes: u64,
    /// Orders that wait when claims are measured
    #[arg(long, default_value_t = 1_000_000)]
    pub queued: i64,
    /// Puts the table into this file, between its marks
    #[arg(long)]
    pub write: Option<PathBuf>,
    /// What `cargo bench` passes
    #[arg(long, hide = true)]
    bench: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Comparison {
    Accepts,
    Batches,
    Delivery,
    Quota,
    Latency,
    Translation,
    Claims,
    Memory,
    Start,
    Sustained,
}

impl Arguments {
    pub fn chosen(&self) -> Vec<Comparison> {
        let is_chosen = |it: &Comparison| self.all || self.comparisons.contains(it);
        Comparison::value_variants().iter().copied().filter(is_chosen).collect()
    }

    pub fn names() -> String {
        let names = Comparison::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        names.map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    }

    pub fn load_time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}
