//! The fault harness: see docs/fault-harness.md.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_precision_loss, reason = "counts of a test are small")]

mod arguments;
mod books;
mod chaos;
mod database;
mod dice;
mod documents;
mod fleet;
#[allow(dead_code, unused_imports, reason = "the harness is shared with the other tests")]
#[path = "../integration/harness/mod.rs"]
mod harness;
mod laws;
mod listeners;
mod load;
mod plan;
mod promises;
mod providers;
mod proxy;
mod report;
mod settle;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser;
use tokio::time::Instant;

use arguments::{Arguments, NAME};
use chaos::Schedule;
use database::Database;
use fleet::Fleet;
use laws::Violation;
use listeners::{Follower, WebhookReceiver};
use load::Load;
use plan::Plan;
use promises::Promises;
use providers::Providers;
use proxy::Proxy;
use report::Course;
use settle::{Settled, settle};

/// What none of the replicas may log.
const SECRETS: [&str; 4] =
    ["onelane-demo-password", "onelane-demo-sign", "onelane-demo-secret-key", harness::ADMIN_KEY];

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.libtest.lists() {
        if arguments.libtest.chooses() {
            println!("{NAME}: test");
        }
        return ExitCode::SUCCESS;
    }
    if !arguments.libtest.chooses() {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let violations = runtime.block_on(storm(&arguments));
    if violations.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn storm(arguments: &Arguments) -> Vec<Violation> {
    let start = Instant::now();
    println!("{NAME} {}", arguments.command());
    let plan = Plan::of(arguments);
    let database = Arc::new(Database::start().await);
    let mut schedule = Schedule::of(arguments);
    if !database.can_crash() {
        println!("DATABASE_URL is set: the database does not crash in this storm");
        schedule = schedule.without_crashes();
    }
    println!("{} orders in {} calls\n{schedule}", plan.orders.len(), plan.works.len());

    let fleet = Arc::new(Fleet::start(&database.url, arguments.replicas).await);
    let providers = Providers::start(arguments, Arc::clone(&database.ahead)).await;
    let proxy = Proxy::start(Arc::clone(&fleet)).await;
    providers.add_accounts(fleet.caller(0), &proxy.url).await;
    let receiver = WebhookReceiver::start(arguments.seed).await;
    receiver.subscribe(&fleet).await;
    let follower = Follower::start(Arc::clone(&fleet));
    let promises = Promises::new(plan.orders.len());
    let load = Arc::new(Load { fleet: Arc::clone(&fleet), plan, promises, control: providers.control.clone() });

    providers.misbehave(arguments.faults).await;
    let storm_began = Instant::now();
    tokio::join!(load.run(arguments.callers, storm_began), schedule.run(&fleet, &database, storm_began));
    let storm = storm_began.elapsed();
    let struck = providers.struck().await;
    providers.behave().await;

    let mut settled = settle(&database).await;
    advance_the_rest(&load).await;
    let more = settle(&database).await;
    settled = Settled {
        moves: settled.moves + more.moves,
        moved: settled.moved + more.moved,
        stuck: settled.stuck.or(more.stuck),
    };

    let seen_in_feed = follower.finish().await;
    let (calls, lost_calls) = proxy.calls();
    let mut books = books::collect(&database, &providers, &calls).await;
    books.followed = seen_in_feed;
    books.webhooks_taken = receiver.taken();
    {
        let notes = load.promises.notes();
        books.promised_orders.clone_from(&notes.orders);
        books.promised_changes.clone_from(&notes.changes);
        books.unexpected.clone_from(&notes.unexpected);
    }
    books.unexpected.extend(fleet.ended().await);
    books.unexpected.extend(settled.stuck.as_ref().map(|stuck| format!("nothing moves any more, but {stuck}")));
    books.inconsistencies.extend(logged(arguments, &fleet).await);

    let violations = laws::check(&books);
    let whole = start.elapsed();
    let course = Course { storm, whole, settled, struck, lost_calls, taken_calls: calls.len() };
    println!("{}", report::report(&books, &load.promises.notes(), &course, &violations));
    drop((load, fleet));
    let database = Arc::into_inner(database).expect("nobody else uses it");
    if violations.is_empty() {
        tokio::time::timeout(Duration::from_secs(60), database.end()).await.unwrap();
    } else {
        println!("{}", database.whereabouts());
    }
    violations
}

/// Moves on what the providers did not have in time.
async fn advance_the_rest(load: &Load) {
    let rest = std::mem::take(&mut load.promises.notes().to_advance);
    for (order, to) in rest {
        load.advance(order, to).await;
    }
}

/// Keeps the logs where that is wanted; gives what should not stand in them.
async fn logged(arguments: &Arguments, fleet: &Fleet) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (replica, log) in fleet.logs().await {
        if let Some(directory) = &arguments.logs {
            std::fs::create_dir_all(directory).unwrap();
            std::fs::write(directory.join(format!("{replica}.log")), log.join("\n")).unwrap();
        }
        for line in log {
            if SECRETS.iter().any(|secret| line.contains(secret)) {
                found.push(("a log holds a secret", line));
            } else if line.contains("panicked") {
                found.push(("a replica panicked", line));
            }
        }
    }
    found
}
