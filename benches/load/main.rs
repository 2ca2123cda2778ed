//! The load harness: see docs/performance.md.
//!
//! `cargo bench --bench load -- --all` measures everything; a list of comparisons measures those. Each comparison runs
//! the gateway and its yardstick in turns, on the same private PostgreSQL.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a measurement that cannot go on fails")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "counts and times of a measurement are far from the ends of their types"
)]

mod accepts;
mod arguments;
mod claims;
mod client;
mod delivery;
mod filling;
mod gateway;
mod latency;
mod ledger;
mod memory;
mod order;
mod pgbench;
mod report;
mod responder;
mod server;
mod start;
mod statistics;
mod subject;
mod sustained;
mod translation;

use std::time::Instant;

use clap::Parser;

use arguments::{Arguments, Comparison};
use report::{Report, Row};
use server::Server;

fn main() {
    let arguments = Arguments::parse();
    let comparisons = arguments.chosen();
    if comparisons.is_empty() {
        println!("Say what to measure, or `--all`: {}", Arguments::names());
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(measure(&arguments, &comparisons));
}

async fn measure(arguments: &Arguments, comparisons: &[Comparison]) {
    let server = Server::start().await;
    let mut report = Report::begin(&server).await;
    for comparison in comparisons {
        let begun = Instant::now();
        eprintln!("== {comparison:?}");
        let rows: Vec<Row> = match comparison {
            Comparison::Accepts => accepts::single(&server, arguments).await,
            Comparison::Batches => accepts::batches(&server, arguments).await,
            Comparison::Delivery => delivery::unlimited(&server, arguments).await,
            Comparison::Quota => delivery::within_the_quota(&server).await,
            Comparison::Latency => latency::measure(&server, arguments).await,
            Comparison::Translation => translation::measure(arguments),
            Comparison::Claims => claims::measure(&server, arguments).await,
            Comparison::Sustained => sustained::measure(&server, arguments).await,
            Comparison::Memory => memory::measure(&server, arguments).await,
            Comparison::Start => start::measure(&server, arguments).await,
        };
        for row in rows {
            println!("{}", row.line());
            report.add(row);
        }
        eprintln!("   {:.0} s", begun.elapsed().as_secs_f64());
    }
    println!("\n{}", report.table());
    if let Some(file) = &arguments.write {
        report.write(file);
    }
    server.stop().await;
}
