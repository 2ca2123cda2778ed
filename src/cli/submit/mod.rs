//! `onelane submit`: orders from a file to a running gateway, each once however often it is run.

mod batch;
mod following;
mod input;
mod report;
mod sending;

use std::io::{self, IsTerminal};
use std::path::PathBuf;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::batch::{Batch, MOST_ORDERS, Placed};
use self::following::Limits;
use self::input::{Content, Entry, Input};
use self::report::{Counts, Report, Results};
use self::sending::{Flow, Sender};
use super::exit::{Exit, bad_input};
use super::output::{self, Form, OutputArguments};
use super::remote::{Gateway, RemoteArguments, latest_cursor};
use crate::gateway::stop_on_signal;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  onelane submit order.json
  onelane submit --wait order.json
  onelane submit --results results.ndjson orders.ndjson
  jq -c '.orders[]' export.json | onelane submit - > results.ndjson

Running it again with the same input sends nothing twice: what was accepted is found again.")]
pub struct SubmitArguments {
    /// A file with one order, a list of orders, or one order a line (.ndjson, .jsonl); - for standard input
    orders: PathBuf,
    /// Follow each order until its provider has answered
    #[arg(long, conflicts_with = "validate_only")]
    wait: bool,
    /// With --wait: how long at most, e.g. 10m
    #[arg(long, value_name = "TIME", requires = "wait", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,
    /// Ask what would be refused; nothing is kept or sent
    #[arg(long)]
    validate_only: bool,
    /// Write a line of JSON for each order to this file, and not to standard output
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Orders of one request; another number makes a repetition be answered with order-exists
    #[arg(long, value_name = "NUMBER", default_value_t = MOST_ORDERS, value_parser = batch_size)]
    batch_size: usize,
    /// How long the gateway may take nothing before this gives up, e.g. 1h
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = humantime::parse_duration)]
    patience: Duration,
    #[command(flatten)]
    remote: RemoteArguments,
    #[command(flatten)]
    pub output: OutputArguments,
}

fn batch_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|size| (1..=MOST_ORDERS).contains(size)).ok_or_else(|| format!("1 to {MOST_ORDERS}"))
}

pub async fn run(arguments: SubmitArguments) -> anyhow::Result<Exit> {
    let stop = stop_on_signal();
    let SubmitArguments { orders, wait, timeout, validate_only, results, batch_size, patience, remote, output } =
        arguments;
    let gateway = Gateway::of(&remote)?;
    let mut input = Input::open(&orders).await?;
    let results = match results {
        Some(path) => Results::file(&path)?,
        None if output.output == Form::Json || !io::stdout().is_terminal() => Results::Lines,
        None => Results::Words,
    };
    // Older than every order of this run, so that no end is missed.
    let cursor = if wait { Some(latest_cursor(&gateway).await?) } else { None };
    let mut report = Report::new(results, input.size, wait);
    let mut sender = Sender::new(&gateway, validate_only, patience, &stop);
    let sent = send_all(&mut input, batch_size, &mut sender, &mut report, &stop).await;
    let mut followed = Ok(());
    if let (Ok(Flow::Sent), Some(cursor)) = (&sent, cursor) {
        let limits = Limits { until: timeout.map(|timeout| Instant::now() + timeout), patience };
        followed = following::follow(&gateway, cursor, &mut report, limits, &stop).await;
    }
    let counts = report.finish()?;
    output::note(summary(&counts, validate_only));
    let is_whole = matches!(sent, Ok(Flow::Sent));
    if !is_whole {
        output::note(
            "Not all was sent. Run the same command with the same input again: it goes on there, and sends nothing twice.",
        );
    }
    followed?;
    match sent? {
        Flow::Stopped => Ok(Exit::Interrupted),
        Flow::Sent if stop.is_cancelled() && counts.unfinished > 0 => Ok(Exit::Interrupted),
        Flow::Sent if counts == Counts::default() => Err(bad_input("there are no orders in the input")),
        Flow::Sent => Ok(counts.exit()),
    }
}

fn summary(counts: &Counts, validate_only: bool) -> String {
    let words = counts.words();
    if validate_only { format!("{}; nothing was kept or sent", words.replace("accepted", "valid")) } else { words }
}

/// Reads the input to its end, and sends it batch by batch.
async fn send_all(
    input: &mut Input,
    batch_size: usize,
    sender: &mut Sender<'_>,
    report: &mut Report,
    stop: &CancellationToken,
) -> anyhow::Result<Flow> {
    let mut batch = Batch::default();
    loop {
        let entry = tokio::select! {
            biased;
            () = stop.cancelled() => return Ok(Flow::Stopped),
            entry = input.next() => entry?,
        };
        let Some(Entry { index, line, content }) = entry else { break };
        match content {
            Content::Unreadable(why) => report.unreadable(index, line, &why)?,
            Content::Order(order) => {
                if !batch.has_room_for(&order, batch_size) && sender.send(batch.take(), report).await? == Flow::Stopped
                {
                    return Ok(Flow::Stopped);
                }
                batch.push(Placed { index, line, order });
            }
        }
        report.read(input.read);
    }
    let rest = batch.take();
    let flow = if rest.is_empty() { Flow::Sent } else { sender.send(rest, report).await? };
    report.read(input.read);
    Ok(flow)
}
