//! What the operations have alike: from a request's head to its answer, and how they are counted.
//!
//! A request arrives when its head does, because its URL names the token; a request for a token,
//! when it is known who asks.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::Desk;
use super::answer::{self, Outcome, TOO_FREQUENT};
use super::ledger::{Ledger, Visit};
use super::operations::{Operation, Work};
use super::parameters::{self, Parameters};
use super::tokens::{Proven, Tokens};
use super::users::{NOT_ACCEPTED, User};
use crate::sandbox::faults::Overrule;
use crate::sandbox::meter::Admission;

type OrderWork = fn(&mut Ledger, &Visit, &Parameters) -> Outcome;
type TokenWork = fn(&mut Tokens, &Parameters, chrono::DateTime<chrono::Utc>) -> Proven;

pub async fn answer(desk: Arc<Desk>, operation: &'static Operation, mut request: Request) -> Response {
    let overrule = request.extensions_mut().remove::<Overrule>();
    let (method, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let head = Head { method, uri, headers };
    match operation.work {
        Work::Tokens(work) => {
            let body = Bytes::from_request(request, &()).await;
            desk.hand_out(operation, work, &head, body)
        }
        Work::Orders(work) => {
            let user = desk.user(&head.uri);
            let admission = desk.arrive(operation, user);
            // Read even when the request is refused, or the sender may find its connection reset
            // before it has seen the answer.
            let body = Bytes::from_request(request, &()).await;
            let Some(user) = user else {
                return answer::unauthorised();
            };
            if admission == Admission::Refused {
                return answer::failed(TOO_FREQUENT);
            }
            let body = match body {
                Ok(body) => body,
                Err(rejection) => return rejection.into_response(),
            };
            // Reading 100 orders takes long enough to delay the arrival of other requests.
            let answering = move || desk.answer(operation, work, user, &head, &body, overrule.as_ref());
            let answering = tokio::task::spawn_blocking(answering);
            answering.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
        }
    }
}

struct Head {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Desk {
    /// Whose token a URL has, while it is good.
    pub fn user(&self, uri: &Uri) -> Option<&'static User> {
        let token = parameters::token(uri)?;
        let now = (self.clock)();
        self.tokens().user(&token, now)
    }

    pub fn arrive(&self, operation: &Operation, user: Option<&'static User>) -> Admission {
        let mut meter = self.meter();
        // Read under the lock, so that times are recorded in their order.
        let now = (self.clock)();
        meter.arrive(operation.endpoint, user.map_or(NOT_ACCEPTED, |it| it.name), now)
    }

    fn hand_out(
        &self,
        operation: &Operation,
        work: TokenWork,
        head: &Head,
        body: Result<Bytes, impl IntoResponse>,
    ) -> Response {
        let body = match body {
            Ok(body) => body,
            Err(rejection) => {
                self.arrive(operation, None);
                return rejection.into_response();
            }
        };
        let now = (self.clock)();
        let (user, outcome) = match Parameters::read(&head.method, &head.uri, &head.headers, &body) {
            Ok(parameters) => work(&mut self.tokens(), &parameters, now),
            Err(failure) => (None, Err(failure)),
        };
        self.arrive(operation, user);
        answered(operation, outcome)
    }

    fn answer(
        &self,
        operation: &Operation,
        work: OrderWork,
        user: &'static User,
        head: &Head,
        body: &[u8],
        overrule: Option<&Overrule>,
    ) -> Response {
        let parameters = match Parameters::read(&head.method, &head.uri, &head.headers, body) {
            Ok(parameters) => parameters,
            Err(failure) => return answered(operation, Err(failure)),
        };
        let request = &parameters.members;
        if let Some(orders) = operation.holds.count(request) {
            self.meter().batch(operation.endpoint, user.name, orders);
        }
        let visit = Visit { user, now: (self.clock)() };
        let mut ledger = self.ledger();
        let ledger = &mut *ledger;
        let concerned = overrule.filter(|it| {
            let numbers = operation.holds.order_numbers(request, ledger);
            it.order_number.is_none() || numbers.iter().any(|number| it.concerns(Some(number)))
        });
        operation.holds.count_creates(request, ledger, user);
        match concerned {
            None => answered(operation, work(ledger, &visit, &parameters)),
            Some(overrule) => {
                if overrule.commit {
                    // The answer says otherwise.
                    let _ = work(ledger, &visit, &parameters);
                }
                answer::refused(&overrule.code, overrule.status.as_deref())
            }
        }
    }
}

fn answered(operation: &Operation, outcome: Outcome) -> Response {
    match outcome {
        Ok(answer) => answer::answered(&answer),
        Err(failure) => answer::failed(&failure.message(operation.failure)),
    }
}
