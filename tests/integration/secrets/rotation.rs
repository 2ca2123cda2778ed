//! The documented procedure of changing the master key, under traffic: two gateways, one after the other restarted.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use onelane::vault::Vault;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::{add_endpoint, confirmation, post, text};
use crate::harness::{Bench, Caller, GatewayProcess, MASTER_KEY, Receiver, TestDatabase, order};

const PATIENCE: Duration = Duration::from_secs(60);

/// Orders that come all the time, to whichever gateway takes them.
struct Traffic {
    callers: Arc<Mutex<[Caller; 2]>>,
    ended: Arc<AtomicBool>,
    placed: watch::Receiver<usize>,
    task: tokio::task::JoinHandle<usize>,
}

impl Traffic {
    fn begin(callers: [Caller; 2]) -> Self {
        let callers = Arc::new(Mutex::new(callers));
        let ended = Arc::new(AtomicBool::new(false));
        let (tell, placed) = watch::channel(0);
        let (at, until) = (Arc::clone(&callers), Arc::clone(&ended));
        let task = tokio::spawn(async move {
            let mut number = 0;
            while !until.load(Ordering::Relaxed) {
                place(&at, number).await;
                number += 1;
                tell.send_replace(number);
            }
            number
        });
        Traffic { callers, ended, placed, task }
    }

    /// Waits until some more orders were placed.
    async fn some_more(&mut self) {
        let now = *self.placed.borrow_and_update();
        let placed = self.placed.wait_for(|placed| *placed >= now + 4);
        tokio::time::timeout(PATIENCE, placed).await.expect("no orders are placed").unwrap();
    }

    async fn end(self) -> usize {
        self.ended.store(true, Ordering::Relaxed);
        tokio::time::timeout(PATIENCE, self.task).await.expect("an order is not placed").unwrap()
    }
}

/// Places one order, at the other gateway while one does not answer, under one idempotency key.
async fn place(callers: &Mutex<[Caller; 2]>, number: usize) {
    let mut order = order(&format!("SO-{number}"));
    order["account"] = json!(if number.is_multiple_of(2) { "otms-demo" } else { "ttms-demo" });
    let key = format!("order-{number}");
    for turn in number.. {
        let caller = callers.lock().unwrap()[turn % 2].clone();
        let request = caller.request(Method::POST, "/v1/orders").header("content-type", "application/json");
        let request = request.header("idempotency-key", &key).header("prefer", "wait=30").body(order.to_string());
        let Ok(answer) = request.send().await else {
            tokio::task::yield_now().await;
            continue;
        };
        let status = answer.status().as_u16();
        let Ok(body) = answer.bytes().await else { continue };
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        match status {
            201 | 202 => return,
            // The first gateway stopped with it in hand.
            409 if body["type"] == "/problems/idempotency-in-progress" => tokio::task::yield_now().await,
            status => panic!("{status}: {body:#}"),
        }
    }
}

/// Restarts one gateway after the other with these keys.
async fn restart(
    gateways: [GatewayProcess; 2],
    traffic: &mut Traffic,
    database: &TestDatabase,
    keys: &[(&str, &str)],
) -> [GatewayProcess; 2] {
    let mut restarted = Vec::new();
    for (place, gateway) in gateways.into_iter().enumerate() {
        assert!(gateway.stop().await);
        let gateway = GatewayProcess::start_with(&database.url, keys).await;
        traffic.callers.lock().unwrap()[place] = gateway.caller.clone();
        traffic.some_more().await;
        restarted.push(gateway);
    }
    restarted.try_into().unwrap_or_else(|_| panic!("two gateways"))
}

#[tokio::test]
async fn the_master_key_is_changed_while_gateways_serve() {
    let new_key = Vault::generate_base64().unwrap();
    let old = Vault::from_base64(MASTER_KEY).unwrap();
    let new = Vault::from_base64(&new_key).unwrap();
    let mut receiver = Receiver::start().await;

    let bench = Bench::start().await;
    let (path, first_secret) = add_endpoint(&bench.caller, &receiver.url).await;
    let rotated = bench.caller.post(&format!("{path}/rotate-secret"), &Value::Null).await;
    let secret = text(&rotated.body["secret"]);
    let call = confirmation(&bench, "RK-1");
    let callback_path = call.url.strip_prefix(&bench.base_url).unwrap().to_owned();
    let (database, sandbox, _) = bench.stop().await;

    let gateways = [GatewayProcess::start(&database).await, GatewayProcess::start(&database).await];
    let mut traffic = Traffic::begin([gateways[0].caller.clone(), gateways[1].caller.clone()]);
    traffic.some_more().await;

    // 1. Every gateway learns the new key before anything is sealed with it.
    let gateways = restart(gateways, &mut traffic, &database, &[("ONELANE_FORMER_MASTER_KEYS", &new_key)]).await;
    // 2. The new key seals.
    let both = [("ONELANE_MASTER_KEY", new_key.as_str()), ("ONELANE_FORMER_MASTER_KEYS", MASTER_KEY)];
    let gateways = restart(gateways, &mut traffic, &database, &both).await;
    let (told, said) = GatewayProcess::run(&["master-key", "status"], &database.url, &both).await;
    assert!(told && said.contains(&format!("{}  current", new.key_id())), "{said}");
    assert!(said.contains(&format!("{}  former", old.key_id())), "{said}");
    // 3. What the old key sealed is sealed anew.
    let (done, said) = GatewayProcess::run(&["master-key", "rotate"], &database.url, &both).await;
    assert!(done && !said.contains(old.key_id()), "{said}");
    let acts = database
        .texts("select actor || ' ' || actor_name || ' ' || object from audit_log where action = 'master_key.rotate'")
        .await;
    assert_eq!(acts, [format!("command_line master-key rotate {}", new.key_id())]);
    traffic.some_more().await;
    // 4. The old key is forgotten.
    let only_new = [("ONELANE_MASTER_KEY", new_key.as_str())];
    let gateways = restart(gateways, &mut traffic, &database, &only_new).await;
    let orders = traffic.end().await;

    // Every order stands at its provider once, and nothing was paused.
    database.wait_until_all_ended(PATIENCE).await;
    for number in 0..orders {
        let provider = if number.is_multiple_of(2) { "otms" } else { "ttms" };
        let books = sandbox.simulator(provider).unwrap().books(Some(&format!("SO-{number}")));
        assert_eq!(books.iter().map(|book| book.created).sum::<u32>(), 1, "SO-{number}");
    }
    assert_eq!(database.texts("select distinct state from submissions").await, ["accepted"]);
    assert_eq!(database.count("select count(*) from accounts where paused_at is not null").await, 0);
    // The session went on: its token was asked for once.
    let readings = sandbox.simulator("ttms").unwrap().meter();
    let asked: Vec<_> = readings.iter().filter(|reading| reading.endpoint == "generate_access_token").collect();
    assert_eq!(asked.iter().map(|reading| reading.requests).sum::<u64>(), 1);

    // The path of callbacks and the key of their signatures are as they were.
    assert_eq!(post(&gateways[0].url(&callback_path), call.body).await.status, 200);
    assert_eq!(
        database.texts("select distinct state from callbacks where account_id = 'hongxun-demo'").await,
        ["processed"]
    );
    // Webhooks are signed with both secrets, as they were before.
    let mut heard = 0;
    while heard < orders {
        let webhook = receiver.next().await;
        assert!(webhook.was_signed_with(&secret) && webhook.was_signed_with(&first_secret));
        heard += usize::from(webhook.event()["type"] == "order.placed");
    }

    let (_, said) = GatewayProcess::run(&["master-key", "status"], &database.url, &only_new).await;
    assert!(said.contains(new.key_id()) && !said.contains(old.key_id()), "{said}");
    // Whoever comes back with the old key alone is told which one is needed.
    let (started, said) = GatewayProcess::run(&["serve"], &database.url, &[]).await;
    assert!(!started && said.contains(new.key_id()) && !said.contains(&new_key), "{said}");
}
