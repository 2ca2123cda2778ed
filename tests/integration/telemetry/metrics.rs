//! Every metric of the table is moved by what it is about, and nothing else is exposed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use onelane::metrics::Kind;
use serde_json::{Value, json};
use uuid::Uuid;

use super::definitions;
use super::exposition::Exposition;
use crate::harness::{Bench, Caller, DatabaseProxy, GatewayProcess, Passage, Receiver, TestDatabase, order};

/// Beyond the lease of 90 seconds.
const LEASE: Duration = Duration::from_secs(91);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that was exposed at any time.
#[derive(Default)]
struct Seen {
    families: BTreeMap<String, (String, String)>,
    /// Names of the labels by family
    labels: BTreeMap<String, BTreeSet<BTreeSet<String>>>,
    values: BTreeSet<String>,
}

impl Seen {
    fn add(&mut self, exposition: &Exposition) {
        self.families.extend(exposition.families.clone());
        for sample in &exposition.samples {
            let suffixes = ["_bucket", "_sum", "_count"];
            let stem = suffixes.iter().find_map(|suffix| sample.name.strip_suffix(suffix));
            let family = stem.filter(|stem| self.families.contains_key(*stem)).unwrap_or(&sample.name);
            let names = sample.labels.keys().filter(|label| *label != "le").cloned().collect();
            self.labels.entry(family.to_owned()).or_default().insert(names);
            self.values.extend(sample.labels.values().cloned());
        }
    }

    /// Exactly the table, and labels that nobody's orders can make more of.
    fn check(&self) {
        let mut known = BTreeSet::new();
        for metric in definitions() {
            known.insert(metric.name.to_owned());
            let (kind, help) = self.families.get(metric.name).unwrap_or_else(|| panic!("{} never came", metric.name));
            assert_eq!((kind.as_str(), help.as_str()), (<&str>::from(metric.kind), metric.help), "{}", metric.name);
            let labels: BTreeSet<String> = metric.labels.iter().map(ToString::to_string).collect();
            assert_eq!(self.labels.get(metric.name), Some(&BTreeSet::from([labels])), "{}", metric.name);
        }
        let exposed: BTreeSet<String> = self.families.keys().cloned().collect();
        assert_eq!(exposed, known, "what is exposed stands in the table");
        for value in &self.values {
            assert!(Uuid::parse_str(value).is_err() && !value.contains("SO-") && value.len() < 64, "{value}");
        }
    }
}

async fn hold(caller: &Caller, verb: &str) {
    let answer = caller.post(&format!("/v1/accounts/otms-demo/{verb}"), &Value::Null).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
}

async fn accepted(caller: &Caller, order: &Value) -> Uuid {
    let accepted = caller.post("/v1/orders", order).await;
    assert_eq!(accepted.status, 202, "{:#}", accepted.body);
    accepted.submission()
}

/// An order that waits, and goes out.
async fn waits_and_goes(bench: &Bench, caller: &Caller, seen: &mut Seen) {
    hold(caller, "pause").await;
    let id = accepted(caller, &order("SO-1")).await;
    let labels = [("account", "otms-demo"), ("endpoint", "orderImport")];
    let waiting = Exposition::of(caller).await;
    assert_eq!(waiting.value("onelane_lane_queued", &labels), Some(1.0));
    assert_eq!(waiting.value("onelane_account_paused", &[("account", "otms-demo")]), Some(1.0));
    bench.database.advance(Duration::from_secs(60)).await;
    let later = Exposition::of(caller).await;
    assert!(later.value("onelane_lane_oldest_due_seconds", &labels).unwrap() >= 60.0);
    seen.add(&later);
    hold(caller, "resume").await;
    bench.database.wait_for_state(id, "accepted").await;
    let settled = [("account", "otms-demo"), ("operation", "create"), ("state", "accepted")];
    let done = Exposition::until(caller, |said| {
        said.value("onelane_submissions_settled_total", &settled) == Some(1.0)
            && said.value("onelane_webhook_deliveries_total", &[("outcome", "delivered")]) >= Some(2.0)
    })
    .await;
    assert_eq!(done.value("onelane_operations_accepted_total", &settled[..2]), Some(1.0));
    assert_eq!(done.value("onelane_lane_queued", &labels), None, "nothing waits any more");
    assert_eq!(done.value("onelane_account_paused", &[("account", "otms-demo")]), Some(0.0));
    assert_eq!(done.value("onelane_submission_duration_seconds_count", &settled[..1]), Some(1.0));
    let lived = done.value("onelane_submission_duration_seconds_sum", &settled[..1]);
    assert!(lived >= Some(60.0), "the ledger's time counts: {lived:?}");
    let exchange = [("account", "otms-demo"), ("endpoint", "orderImport"), ("outcome", "answered")];
    assert_eq!(done.value("onelane_exchanges_total", &exchange), Some(1.0));
    assert_eq!(done.value("onelane_exchange_duration_seconds_count", &exchange[..2]), Some(1.0));
    let route = [("method", "POST"), ("route", "/v1/orders"), ("status", "2xx")];
    assert_eq!(done.value("onelane_http_requests_total", &route), Some(1.0));
    seen.add(&done);
}

/// One that is given up, after the provider said that it comes too often.
async fn dies(bench: &Bench, caller: &Caller, seen: &mut Seen) {
    bench.faults(json!([{"kind": "status", "status": 429, "times": 1}, {"kind": "item_code", "code": "1100"}])).await;
    let mut watch = bench.database.watch().await;
    let id = accepted(caller, &order("SO-2")).await;
    loop {
        watch.next_of_many().await;
        let read = caller.get(&format!("/v1/submissions/{id}")).await.body;
        match (read["state"].as_str(), read["heldBy"].as_str()) {
            (Some("dead"), _) => break,
            (_, Some("retry_backoff")) => bench.database.advance(Duration::from_secs(1800)).await,
            (_, Some("rate_limit")) => bench.database.advance(Duration::from_secs(60)).await,
            _ => {}
        }
    }
    bench.faults(json!([])).await;
    let account = [("account", "otms-demo")];
    let dead = Exposition::until(caller, |said| {
        said.value("onelane_submissions_dead", &account) == Some(1.0)
            && said.value("onelane_submissions_settled_total", &[("state", "dead")]) == Some(1.0)
    })
    .await;
    assert_eq!(dead.value("onelane_provider_throttled_total", &account), Some(1.0));
    assert_eq!(dead.value("onelane_exchanges_total", &[("outcome", "throttled")]), Some(1.0));
    seen.add(&dead);
}

/// One that has to wait for a session, and so misses its slot.
async fn misses_its_slot(bench: &Bench, caller: &Caller, seen: &mut Seen) {
    bench.faults_of("ttms", json!([{"kind": "slow", "endpoint": "generate_access_token", "delayMs": 300}])).await;
    let mut connection = bench.database.connection().await;
    sqlx::query("delete from provider_sessions").execute(&mut connection).await.unwrap();
    let mut order = order("SO-3");
    order["account"] = json!("ttms-demo");
    let id = accepted(caller, &order).await;
    bench.database.wait_for_state(id, "accepted").await;
    bench.faults_of("ttms", json!([])).await;
    let missed = Exposition::until(caller, |said| {
        said.value("onelane_slots_missed_total", &[("account", "ttms-demo"), ("endpoint", "create_order")]) >= Some(1.0)
    })
    .await;
    let asked = [("account", "ttms-demo"), ("endpoint", "generate_access_token"), ("outcome", "done")];
    assert!(missed.value("onelane_calls_total", &asked) >= Some(1.0));
    seen.add(&missed);
}

/// One whose exchange loses its lease, and whose tries are used up.
async fn loses_its_lease(bench: &Bench, caller: &Caller, seen: &mut Seen) {
    bench.faults(json!([{"kind": "silence", "times": 1}])).await;
    let id = accepted(caller, &order("SO-4")).await;
    bench.database.wait_for_state(id, "sending").await;
    let mut connection = bench.database.connection().await;
    sqlx::query("update submissions set attempts = 10 where id = $1").bind(id).execute(&mut connection).await.unwrap();
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(id, "in_doubt").await;
    let doubtful = [("account", "otms-demo"), ("decided_by", "person")];
    let lost = Exposition::until(caller, |said| said.value("onelane_leases_expired_total", &[]) == Some(1.0)).await;
    assert_eq!(lost.value("onelane_submissions_in_doubt", &doubtful), Some(1.0));
    seen.add(&lost);
}

/// A call that nobody believes.
async fn is_called_wrongly(caller: &Caller, seen: &mut Seen) {
    let account = caller.get("/v1/accounts/hongxun-demo").await.body;
    let url = account["callbackUrl"].as_str().unwrap();
    let path = &url[url.find("/callbacks/").unwrap()..];
    caller.without_key().post_bytes(path, "application/json", "{}").await;
    let told = Exposition::of(caller).await;
    let quarantined = [("provider", "hongxun"), ("state", "quarantined")];
    assert_eq!(told.value("onelane_callbacks_open", &quarantined), Some(1.0));
    assert_eq!(told.value("onelane_callbacks_total", &quarantined), Some(1.0));
    assert!(told.series("onelane_http_requests_total", &[]).iter().all(|sample| {
        let route = &sample.labels["route"];
        !route.contains("hongxun-demo")
    }));
    seen.add(&told);
}

#[tokio::test]
async fn everything_in_the_table_is_exposed_and_nothing_else() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let proxy = DatabaseProxy::start(&bench.database.url).await;
    let variables = [("ONELANE_METRICS_SECONDS", "0"), ("ONELANE_KEEP_BODIES", "1d")];
    let gateway = GatewayProcess::start_with(&proxy.url, &variables).await;
    let caller = gateway.caller.clone();
    let receiver = Receiver::start().await;
    let created = caller.post("/v1/webhook-endpoints", &json!({"url": receiver.url})).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    let mut seen = Seen::default();
    waits_and_goes(&bench, &caller, &mut seen).await;
    dies(&bench, &caller, &mut seen).await;
    misses_its_slot(&bench, &caller, &mut seen).await;
    is_called_wrongly(&caller, &mut seen).await;
    loses_its_lease(&bench, &caller, &mut seen).await;
    // What is old goes.
    bench.database.advance(2 * DAY).await;
    let removed = [("kind", "exchange_bodies")];
    seen.add(
        &Exposition::until(&caller, |said| said.value("onelane_retention_removed_total", &removed) >= Some(1.0)).await,
    );
    // And the database, too: what is told without it is told all the same.
    proxy.set(Passage::Cut);
    let alone = Exposition::until(&caller, |said| {
        said.value("onelane_ledger_up", &[]) == Some(0.0) && said.value("onelane_task_failures_total", &[]) >= Some(1.0)
    })
    .await;
    assert!(alone.series("onelane_account_paused", &[]).is_empty(), "what nobody knows is not told");
    assert!(alone.value("onelane_http_requests_total", &[]) > Some(0.0));
    seen.add(&alone);
    seen.check();
}

#[tokio::test]
async fn the_ledger_is_asked_once_in_a_while_however_often_somebody_scrapes() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let gateway = GatewayProcess::start_with(&bench.database.url, &[("ONELANE_METRICS_SECONDS", "3600")]).await;
    let first = Exposition::of(&gateway.caller).await;
    hold(&gateway.caller, "pause").await;
    let second = Exposition::of(&gateway.caller).await;
    for said in [&first, &second] {
        assert_eq!(said.value("onelane_account_paused", &[("account", "otms-demo")]), Some(0.0));
    }
    // What is counted is as it is.
    let metrics = [("route", "/metrics")];
    assert_eq!(first.value("onelane_http_requests_total", &metrics), None);
    assert_eq!(second.value("onelane_http_requests_total", &metrics), Some(1.0));
}

#[tokio::test]
async fn a_worker_is_measured_too() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let gateway = GatewayProcess::serve(&["serve", "--role", "worker"], &bench.database.url, &[]).await;
    let said = Exposition::of(&gateway.caller).await;
    assert_eq!(
        said.value("onelane_build_info", &[("role", "worker"), ("version", env!("CARGO_PKG_VERSION"))]),
        Some(1.0)
    );
    assert_eq!(said.value("onelane_ledger_up", &[]), Some(1.0));
    assert_eq!(gateway.caller.get("/v1/orders").await.status, 404);
}

#[test]
fn the_documents_show_the_table() {
    let rows: Vec<String> = definitions()
        .map(|metric| {
            let labels: Vec<String> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
            let kind = <&str>::from(metric.kind);
            format!("| `{}` | {kind} | {} | {} |", metric.name, labels.join(", "), metric.help)
        })
        .collect();
    let document = include_str!("../../../docs/metrics.md");
    let shown: Vec<&str> =
        document.lines().filter(|line| line.starts_with("| `onelane_") || line.starts_with("| `process_")).collect();
    assert_eq!(shown, rows, "docs/metrics.md should have these rows:\n{}", rows.join("\n"));
    for metric in definitions().filter(|metric| metric.kind == Kind::Histogram) {
        assert!(metric.name.ends_with("_seconds") || metric.name.ends_with("_items"), "{}", metric.name);
    }
}
