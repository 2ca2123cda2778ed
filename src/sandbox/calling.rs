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

    /// The same call as somebody would make it who has not the secret that proves it.
    fn forged(&self, call: &CallBack) -> CallBack;
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
        tokio::spawn(async move { station.call(calls).await });
    }
    answer
}

impl Station {
    /// Makes calls in their order, as faults want them; gives those that were made while the patience lasted.
    pub async fn call(&self, calls: Vec<CallBack>) -> Vec<Called> {
        match self.simulator.calling() {
            Some(calling) => self.caller.call(&self.faults, calling, calls).await,
            None => Vec::new(),
        }
    }
}

/// Makes the calls of one simulator.
#[derive(Default)]
pub struct Caller {
    /// What a fault keeps back until something newer was told.
    held: Mutex<Vec<CallBack>>,
}

impl Caller {
    async fn call(&self, faults: &Faults, calling: &dyn Calling, calls: Vec<CallBack>) -> Vec<Called> {
        let calls = self.arrange(faults, calling, calls);
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

    /// The calls as faults want them: twice, behind a forged one, or the newest first.
    fn arrange(&self, faults: &Faults, calling: &dyn Calling, calls: Vec<CallBack>) -> Vec<CallBack> {
        let mut arranged = Vec::new();
        let mut disorder = false;
        for call in calls {
            let struck = faults.draw_call(&call.order_numbers);
            match struck.as_deref() {
                Some(Kind::CallbackDuplicate {}) => arranged.push(call.clone()),
                Some(Kind::CallbackForged {}) => arranged.push(calling.forged(&call)),
                Some(Kind::CallbackDisorder {}) => disorder = true,
                _ => {}
            }
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
    use crate::sandbox::{Sandbox, SandboxOptions, Simulator, seeded};
    use serde_json::json;

    fn call(body: &str) -> CallBack {
        CallBack { url: "http://127.0.0.1:9/".to_owned(), body: body.to_owned(), order_numbers: vec!["A-1".to_owned()] }
    }

    /// A simulator that calls.
    fn talkative() -> Arc<dyn Simulator> {
        let clock = Arc::new(|| chrono::DateTime::UNIX_EPOCH);
        let sandbox = Sandbox::new(&SandboxOptions { clock, random: seeded(1) });
        let station = sandbox.stations.iter().find(|it| it.simulator.calling().is_some()).unwrap();
        station.simulator.clone()
    }

    fn faults(list: &[serde_json::Value]) -> Faults {
        let faults = Faults::new(seeded(1));
        faults.replace(list.iter().map(|it| Fault::read(it.clone(), &*talkative()).unwrap()).collect());
        faults
    }

    fn arranged(caller: &Caller, faults: &Faults, bodies: &[&str]) -> Vec<String> {
        let calls = bodies.iter().map(|body| call(body)).collect();
        let simulator = talkative();
        caller.arrange(faults, simulator.calling().unwrap(), calls).into_iter().map(|call| call.body).collect()
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
    fn a_forged_call_comes_before_the_right_one() {
        let faults = faults(&[json!({"kind": "callback_forged", "times": 1})]);
        let simulator = talkative();
        let calls = Caller::default().arrange(&faults, simulator.calling().unwrap(), vec![call("{}"), call("2")]);
        assert_eq!(calls.len(), 3);
        assert_ne!(calls[0], call("{}"));
        assert_eq!(calls[1..], [call("{}"), call("2")]);
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
        let simulator = talkative();
        let called = Caller::default().call(&faults(&[]), simulator.calling().unwrap(), vec![call("{}")]).await;
        assert_eq!((called[0].status, called[0].body.as_str()), (None, "{}"));
        assert!(called[0].error.is_some());
    }
}
