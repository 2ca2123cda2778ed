//! The one address that providers call: passes calls on to replicas, as a load balancer does, and notes what was taken.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use reqwest::Method;
use tokio::net::TcpListener;

use super::fleet::Fleet;

/// How long a replica may take to answer.
const DEADLINE: Duration = Duration::from_secs(8);

/// Passes callbacks on.
pub struct Proxy {
    pub url: String,
    passing: Arc<Passing>,
}

struct Passing {
    fleet: Arc<Fleet>,
    taken: Mutex<Vec<TakenCall>>,
    lost: Mutex<usize>,
}

/// A callback that a replica answered as taken.
#[derive(Debug, Clone)]
pub struct TakenCall {
    pub body: Bytes,
}

impl Proxy {
    pub async fn start(fleet: Arc<Fleet>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let passing = Arc::new(Passing { fleet, taken: Mutex::default(), lost: Mutex::default() });
        let app = Router::new().fallback(pass).with_state(Arc::clone(&passing));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Proxy { url, passing }
    }

    /// What was taken, and how many calls were not.
    pub fn calls(&self) -> (Vec<TakenCall>, usize) {
        (self.passing.taken.lock().unwrap().clone(), *self.passing.lost.lock().unwrap())
    }
}

/// To a replica that takes a connection. A call that may have arrived is not passed on again.
async fn pass(State(passing): State<Arc<Passing>>, uri: Uri, body: Bytes) -> Response {
    let first = passing.fleet.next();
    for number in first..first + passing.fleet.count() {
        let request = passing.fleet.caller(number).request(Method::POST, uri.path()).timeout(DEADLINE);
        let answered = match request.header("content-type", "application/json").body(body.clone()).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                response.text().await.map(|text| (status, text))
            }
            Err(error) => Err(error),
        };
        match answered {
            Ok((status, text)) => {
                if (200..300).contains(&status) {
                    passing.taken.lock().unwrap().push(TakenCall { body });
                } else {
                    *passing.lost.lock().unwrap() += 1;
                }
                let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
                return (status, [("content-type", "application/json")], text).into_response();
            }
            Err(error) if error.is_connect() => {}
            Err(_) => break,
        }
    }
    *passing.lost.lock().unwrap() += 1;
    StatusCode::BAD_GATEWAY.into_response()
}
