//! Those who hear of events: a follower of the feed, and a receiver of webhooks that fails sometimes.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::dice::Dice;
use super::fleet::Fleet;

/// The types that webhooks tell: those that are not as many as the orders.
pub const WEBHOOK_TYPES: [&str; 9] = [
    "order.amended",
    "order.cancelled",
    "order.confirmed",
    "order.drafted",
    "submission.in_doubt",
    "submission.rejected",
    "transport.delivered",
    "transport.picked_up",
    "warehouse.receipt_confirmed",
];

/// Reads the feed all the time, from one replica and then another.
pub struct Follower {
    seen: Arc<Mutex<Vec<Uuid>>>,
    cursor: Arc<Mutex<Option<String>>>,
    ending: Arc<AtomicBool>,
    following: tokio::task::JoinHandle<()>,
}

impl Follower {
    pub fn start(fleet: Arc<Fleet>) -> Self {
        let (seen, cursor, ending) = (Arc::<Mutex<Vec<Uuid>>>::default(), Arc::default(), Arc::default());
        let following = tokio::spawn(follow(fleet, Arc::clone(&seen), Arc::clone(&cursor), Arc::clone(&ending)));
        Follower { seen, cursor, ending, following }
    }

    /// Reads on to the end; gives the ids of all events in the order in which they were seen.
    pub async fn finish(self) -> Vec<Uuid> {
        self.ending.store(true, Ordering::Relaxed);
        self.following.await.unwrap();
        drop(self.cursor);
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn follow(
    fleet: Arc<Fleet>,
    seen: Arc<Mutex<Vec<Uuid>>>,
    cursor: Arc<Mutex<Option<String>>>,
    ending: Arc<AtomicBool>,
) {
    loop {
        let last = ending.load(Ordering::Relaxed);
        let after = cursor.lock().unwrap().clone();
        let path = match &after {
            Some(cursor) => format!("/v1/events?limit=200&after={cursor}"),
            None => "/v1/events?limit=200".to_owned(),
        };
        let request = fleet.caller(fleet.next()).request(Method::GET, &path).timeout(Duration::from_secs(10));
        let page: Option<Value> = match request.send().await {
            Ok(response) if response.status() == 200 => {
                response.text().await.ok().and_then(|text| serde_json::from_str(&text).ok())
            }
            _ => None,
        };
        let Some(page) = page else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let items = page["items"].as_array().unwrap();
        let ids = items.iter().map(|event| event["id"].as_str().unwrap().parse::<Uuid>().unwrap());
        seen.lock().unwrap().extend(ids);
        let next = page["nextCursor"].as_str().unwrap().to_owned();
        let at_end = after.as_deref() == Some(&next);
        *cursor.lock().unwrap() = Some(next);
        if at_end && last {
            return;
        }
        if at_end {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Takes webhooks, and refuses one in ten.
pub struct WebhookReceiver {
    pub url: String,
    receiving: Arc<Receiving>,
}

struct Receiving {
    dice: Dice,
    /// How often each event was taken
    taken: Mutex<HashMap<Uuid, u32>>,
}

impl WebhookReceiver {
    pub async fn start(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiving = Arc::new(Receiving { dice: Dice::new(seed, 4), taken: Mutex::default() });
        let app = Router::new().fallback(receive).with_state(Arc::clone(&receiving));
        tokio::spawn(async move { axum::serve(listener, app).await });
        WebhookReceiver { url, receiving }
    }

    /// Has webhooks sent here.
    pub async fn subscribe(&self, fleet: &Fleet) {
        let body = json!({"url": self.url, "types": WEBHOOK_TYPES});
        let created = fleet.caller(0).post("/v1/webhook-endpoints", &body).await;
        assert_eq!(created.status, 201, "{:#}", created.body);
    }

    pub fn taken(&self) -> HashMap<Uuid, u32> {
        self.receiving.taken.lock().unwrap().clone()
    }
}

async fn receive(State(receiving): State<Arc<Receiving>>, headers: HeaderMap) -> StatusCode {
    if receiving.dice.chance(0.1) {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let id = headers.get("webhook-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    match id {
        Some(id) => {
            *receiving.taken.lock().unwrap().entry(id).or_default() += 1;
            StatusCode::NO_CONTENT
        }
        None => StatusCode::BAD_REQUEST,
    }
}
