//! Calls back, for every simulator alike: what a provider tells on its own account is posted to whoever
//! asked for it, in order and once, unless a fault wants it otherwise.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use serde::Serialize;
use tokio::sync::mpsc;

use super::Station;
use super::faults::{Faults, Kind};

/// How long a control call waits for what it set off. What takes longer goes on without it.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long whoever is called may take to answer.
const DEADLINE: Duration = Duration::from_secs(10);

/// What a provider tells on its own account.
pub trait Calling: Send + Sync {
    /// Where the demo account is called. For a provider whose people are told so; one that has an interface for it
    /// needs no telling.
    fn call_at(&self, callback_url: &str);

    /// Has the calls made that the control call `callbacks` asks for, or says in words why there are none.
    fn tell(&self, asked: serde_json::Value) -> Result<(), String>;

    /// The calls that are to be made because of what happened since this was asked last, in order.
    fn due(&self) -> Vec<CallBack>;
}

/// A call that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallBack {
    pub url: String,
    /// JSON
    pub body: String,
    /// The numbers of ours of the orders that it is about, for faults.
    pub order_numbers: Vec<String>,
}

/// A call that was made, or tried.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Called {
    pub url: String,
    /// As it was sent
    pub body: String,
    /// HTTP status of the answer
    pub status: Option<u16>,
    /// The answer's body
    pub answer: Option<String>,
    pub error: Option<String>,
}

/// A layer around a simulator's router: what a request brings about is told at once, whether its answer arrives or not.
pub async fn call_back(State(station): State<Arc<Station>>, request: Request, next: Next) -> Response {
    let answer = next.run(request).await;
    let calls = station.due();
    if !calls.is_empty() {
        tokio::spawn(async move { station.caller.call(&station.faults, calls).await });
    }
    answer
}

/// Makes the calls of one simulator.
#[derive(Default)]
pub struct Caller {
    /// What a fault keeps back until something newer was told.
    held: Mutex<Vec<CallBack>>,
}

impl Caller {
    /// Makes calls in their order; gives those that were made while the patience lasted.
    pub async fn call(&self, faults: &Faults, calls: Vec<CallBack>) -> Vec<Called> {
        let calls = self.arrange(faults, calls);
        let (told, mut made) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            for call in calls {
                // Nobody listens any more once the patience is over.
                let _ = told.send(post(call).await);
            }
        });
        let mut called = Vec::new();
        let all = async {
            while let Some(one) = made.recv().await {
                called.push(one);
            }
        };
        let _ = tokio::time::timeout(PATIENCE, all).await;
        called
    }

    /// Forgets what is kept back.
    pub fn forget(&self) {
        self.held().clear();
    }

    /// The calls as faults want them: twice, or the newest first.
    fn arrange(&self, faults: &Faults, calls: Vec<CallBack>) -> Vec<CallBack> {
        let mut arranged = Vec::new();
        let mut disorder = false;
        for call in calls {
            let struck = faults.draw_call(&call.order_numbers);
            let twice = struck.as_deref() == Some(&Kind::CallbackDuplicate {});
            disorder |= struck.as_deref() == Some(&Kind::CallbackDisorder {});
            arranged.extend(twice.then(|| call.clone()));
            arranged.push(call);
        }
        let mut held = self.held();
        if disorder && arranged.len() == 1 {
            held.append(&mut arranged);
        } else {
            if disorder {
                arranged.reverse();
            }
            if !arranged.is_empty() {
                arranged.append(&mut held);
            }
        }
        arranged
    }

    fn held(&self) -> MutexGuard<'_, Vec<CallBack>> {
        // A panic elsewhere is no reason to stop calling.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn post(call: CallBack) -> Called {
    let CallBack { url, body, order_numbers: _ } = call;
    let posted = async {
        let request = client()?.post(&url).header("content-type", "application/json").body(body.clone());
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok::<_, Arc<reqwest::Error>>((status, response.text().await?))
    };
    match posted.await {
        Ok((status, answer)) => Called { url, body, status: Some(status), answer: Some(answer), error: None },
        Err(error) => {
            tracing::warn!(%error, url, "a call back did not arrive");
            Called { url, body, status: None, answer: None, error: Some(error.to_string()) }
        }
    }
}

/// One client for all simulators of the process. It goes where it is told, and no proxy stands between.
#[expect(clippy::disallowed_methods, reason = "calls a gateway, not a provider")]
fn client() -> Result<reqwest::Client, Arc<reqwest::Error>> {
    static CLIENT: std::sync::OnceLock<Result<reqwest::Client, Arc<reqwest::Error>>> = std::sync::OnceLock::new();
    let build = || {
        let builder =
            reqwest::Client::builder().timeout(DEADLINE).no_proxy().redirect(reqwest::redirect::Policy::none());
        builder.build().map_err(Arc::new)
    };
    CLIENT.get_or_init(build).clone()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::faults::Fault;
    use crate::sandbox::{Sandbox, SandboxOptions, seeded};
    use serde_json::json;

    fn call(body: &str) -> CallBack {
        CallBack { url: "http://127.0.0.1:9/".to_owned(), body: body.to_owned(), order_numbers: vec!["A-1".to_owned()] }
    }

    fn faults(list: &[serde_json::Value]) -> Faults {
        let clock = Arc::new(|| chrono::DateTime::UNIX_EPOCH);
        let sandbox = Sandbox::new(&SandboxOptions { clock, random: seeded(1) });
        let calling = sandbox.stations.iter().find(|it| it.simulator.calling().is_some()).unwrap();
        let faults = Faults::new(seeded(1));
        faults.replace(list.iter().map(|it| Fault::read(it.clone(), &*calling.simulator).unwrap()).collect());
        faults
    }

    fn arranged(caller: &Caller, faults: &Faults, bodies: &[&str]) -> Vec<String> {
        let calls = bodies.iter().map(|body| call(body)).collect();
        caller.arrange(faults, calls).into_iter().map(|call| call.body).collect()
    }

    #[test]
    fn calls_are_made_once_and_in_order() {
        assert_eq!(arranged(&Caller::default(), &faults(&[]), &["1", "2"]), ["1", "2"]);
    }

    #[test]
    fn a_duplicate_is_the_same_call_twice() {
        let faults = faults(&[json!({"kind": "callback_duplicate", "times": 1})]);
        assert_eq!(arranged(&Caller::default(), &faults, &["1", "2"]), ["1", "1", "2"]);
        assert_eq!(arranged(&Caller::default(), &faults, &["3"]), ["3"]);
    }

    #[test]
    fn disorder_is_the_newest_first() {
        let disorder = || faults(&[json!({"kind": "callback_disorder", "times": 1})]);
        assert_eq!(arranged(&Caller::default(), &disorder(), &["1", "2", "3"]), ["3", "2", "1"]);
        // One alone is kept back until there is something newer.
        let (caller, faults) = (Caller::default(), disorder());
        assert_eq!(arranged(&caller, &faults, &["1"]), Vec::<String>::new());
        assert_eq!(arranged(&caller, &faults, &[]), Vec::<String>::new());
        assert_eq!(arranged(&caller, &faults, &["2"]), ["2", "1"]);
    }

    #[test]
    fn a_fault_may_be_about_one_order() {
        let faults = faults(&[json!({"kind": "callback_duplicate", "orderNumber": "A-2"})]);
        assert_eq!(arranged(&Caller::default(), &faults, &["1"]), ["1"]);
    }

    #[tokio::test]
    async fn who_is_not_there_is_told_of() {
        let called = Caller::default().call(&faults(&[]), vec![call("{}")]).await;
        assert_eq!((called[0].status, called[0].body.as_str()), (None, "{}"));
        assert!(called[0].error.is_some());
    }
}
