//! The control calls, and what holds for every simulator.

use std::collections::HashSet;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use chrono::DateTime;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::{Sandbox, SandboxOptions, seeded};

fn sandbox() -> Sandbox {
    Sandbox::new(&SandboxOptions { clock: Arc::new(|| DateTime::UNIX_EPOCH), random: seeded(1) })
}

async fn call(router: Router, method: &str, path: &str) -> (StatusCode, Value) {
    call_with(router, method, path, Body::empty()).await
}

async fn call_with(router: Router, method: &str, path: &str, body: impl Into<Body>) -> (StatusCode, Value) {
    let request = Request::builder().method(method).uri(path).header(header::CONTENT_TYPE, "application/json");
    let request = request.body(body.into()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let status = response.status();
    let content_type = response.headers()[header::CONTENT_TYPE].to_str().unwrap();
    assert!(content_type.ends_with("json"), "{path}: {content_type}");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn every_simulator_has_books_and_a_meter() {
    let sandbox = sandbox();
    for station in sandbox.stations.iter() {
        for view in ["books", "meter", "faults", "books?orderNumber=A-1"] {
            let path = format!("/control/{}/{view}", station.simulator.id());
            let answer = call(sandbox.router(), "GET", &path).await;
            assert_eq!(answer, (StatusCode::OK, json!({ "items": [] })));
        }
    }
}

#[tokio::test]
async fn every_simulator_says_what_it_holds_besides_orders() {
    let sandbox = sandbox();
    for station in sandbox.stations.iter() {
        let path = format!("/control/{}/holdings", station.simulator.id());
        let (status, body) = call(sandbox.router(), "GET", &path).await;
        assert_eq!(status, StatusCode::OK);
        assert!(body.is_object(), "{body}");
    }
}

/// Of an order that is not there; which stages there are is each simulator's own.
#[tokio::test]
async fn an_order_is_advanced_to_a_stage_that_there_is() {
    let sandbox = sandbox();
    for station in sandbox.stations.iter() {
        let path = format!("/control/{}/orders/A-1/advance", station.simulator.id());
        for (body, status, detail) in [
            (r#"{"to": "lost"}"#, 422, "unknown variant `lost`, expected one of `placed`, `confirmed`, `picked_up`"),
            (r#"{"to": "delivered", "at": 1}"#, 422, "unknown field `at`"),
            ("{}", 422, "missing field `to`"),
            ("", 400, "JSON"),
        ] {
            let (got, problem) = call_with(sandbox.router(), "POST", &path, body).await;
            assert_eq!(got, status, "{problem}");
            assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        }
        let (status, problem) = call_with(sandbox.router(), "POST", &path, r#"{"to": "delivered"}"#).await;
        let detail = problem["detail"].as_str().unwrap();
        match status.as_u16() {
            404 => assert!(detail.contains("A-1"), "{detail}"),
            422 => assert!(detail.contains(station.simulator.id()), "{detail}"),
            other => panic!("{other}: {detail}"),
        }
    }
}

#[tokio::test]
async fn orders_go_on_by_themselves_where_there_are_stages() {
    let sandbox = sandbox();
    let by_hand = json!({ "secondsPerStage": 0.0, "duplicates": 0.0, "disorder": 0.0, "badSignatures": 0.0 });
    let mut living = 0;
    for station in sandbox.stations.iter() {
        let path = format!("/control/{}/life", station.simulator.id());
        assert_eq!(call(sandbox.router(), "GET", &path).await, (StatusCode::OK, by_hand.clone()));
        let put = |body: &'static str| call_with(sandbox.router(), "PUT", &path, body);
        let (status, set) = put(r#"{"secondsPerStage": 2.5, "disorder": 0.1}"#).await;
        if station.simulator.calling().is_none() {
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{set}");
            continue;
        }
        living += 1;
        let pace = json!({ "secondsPerStage": 2.5, "duplicates": 0.0, "disorder": 0.1, "badSignatures": 0.0 });
        assert_eq!((status, &set), (StatusCode::OK, &pace));
        for (body, status, word) in [
            (r#"{"secondsPerStage": -1}"#, 422, "secondsPerStage"),
            (r#"{"secondsPerStage": 86401}"#, 422, "secondsPerStage"),
            (r#"{"duplicates": 1.5}"#, 422, "duplicates"),
            (r#"{"badSignatures": -0.1}"#, 422, "badSignatures"),
            (r#"{"speed": 1}"#, 422, "speed"),
            ("", 400, "JSON"),
        ] {
            let (got, problem) = put(body).await;
            assert_eq!(got, status, "{problem}");
            assert!(problem["detail"].as_str().unwrap().contains(word), "{problem}");
        }
        assert_eq!(call(sandbox.router(), "GET", &path).await, (StatusCode::OK, pace));
    }
    assert!(living > 0);
}

#[tokio::test]
async fn a_reset_names_what_it_reset() {
    let sandbox = sandbox();
    let (status, body) = call(sandbox.router(), "POST", "/control/reset").await;
    assert_eq!(status, StatusCode::OK);
    let reset = body["reset"].as_array().unwrap();
    assert_eq!(reset.len(), sandbox.stations.len());
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let sandbox = sandbox();
    for path in [
        "/control/nobody/books",
        "/control/nobody/meter",
        "/control/nobody/holdings",
        "/control/nobody/faults",
        "/control/nobody/life",
        "/nowhere",
    ] {
        let (status, body) = call(sandbox.router(), "GET", path).await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(body["status"], 404);
    }
    let advance =
        call_with(sandbox.router(), "POST", "/control/nobody/orders/A-1/advance", r#"{"to": "placed"}"#).await;
    assert_eq!(advance.0, StatusCode::NOT_FOUND);
    let id = sandbox.stations[0].simulator.id();
    let path = format!("/control/{id}/books?colour=red");
    let (status, _) = call(sandbox.router(), "GET", &path).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_list_of_faults_is_taken_as_a_whole_or_not_at_all() {
    let sandbox = sandbox();
    let path = format!("/control/{}/faults", sandbox.stations[0].simulator.id());
    let put = |body: &'static str| call_with(sandbox.router(), "PUT", &path, body);
    let list = r#"[{"kind": "slow", "times": 2, "delayMs": 1}, {"kind": "half_answer"}]"#;
    let shown = json!({ "items": [
        { "kind": "slow", "times": 2, "delayMs": 1, "fired": 0 },
        { "kind": "half_answer", "fired": 0 },
    ]});
    assert_eq!(put(list).await, (StatusCode::OK, shown.clone()));
    for (body, status, detail) in [
        (r#"[{"kind": "html"}, {"kind": "sulk"}]"#, 422, "faults[1]: sulk: unknown variant"),
        (r#"{"kind": "html"}"#, 422, "sequence"),
        ("[", 400, "JSON"),
    ] {
        let (got, problem) = put(body).await;
        assert_eq!(got, status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        assert_eq!(call(sandbox.router(), "GET", &path).await, (StatusCode::OK, shown.clone()));
    }
}

#[test]
fn demo_accounts_are_of_simulators_and_point_at_the_sandbox() {
    let sandbox = sandbox();
    let accounts = sandbox.demo_accounts("http://127.0.0.1:8081/");
    let ids: HashSet<_> = accounts.iter().map(|it| it.id).collect();
    assert_eq!(ids.len(), accounts.len());
    for account in accounts {
        assert!(sandbox.simulator(account.provider).is_some());
        let base_url = format!("http://127.0.0.1:8081/{}", account.provider);
        assert_eq!(account.base_url, base_url);
    }
    assert!(sandbox.simulator("nobody").is_none());
}

/// The code that all simulators share knows none of them by name; [`super::simulators`] alone
/// lists them, in `mod.rs`.
#[test]
fn shared_code_names_no_provider() {
    let shared = [
        include_str!("books.rs"),
        include_str!("calling.rs"),
        include_str!("connection.rs"),
        include_str!("control.rs"),
        include_str!("faults/distort.rs"),
        include_str!("faults/kinds.rs"),
        include_str!("faults/mod.rs"),
        include_str!("faults/strike.rs"),
        include_str!("life.rs"),
        include_str!("meter.rs"),
        include_str!("random.rs"),
        include_str!("stage.rs"),
    ];
    for station in sandbox().stations.iter() {
        let id = station.simulator.id();
        assert!(shared.iter().all(|it| !names(it, id)), "{id}");
    }
}

/// Whether a text has this as a word, or as the beginning of a name in camel case. A short id is part of
/// many words that do not mean it.
fn names(text: &str, id: &str) -> bool {
    text.split(|it: char| !it.is_ascii_alphanumeric()).any(|word| {
        let begins = word.get(..id.len()).is_some_and(|start| start.eq_ignore_ascii_case(id));
        begins && word[id.len()..].chars().next().is_none_or(|next| next.is_ascii_uppercase())
    })
}

#[test]
fn a_provider_is_named_by_a_word_and_not_by_a_part_of_one() {
    for text in ["an ile order", "IleSimulator", "ile::edit", "\"ile\"", "ILE"] {
        assert!(names(text, "ile"), "{text}");
    }
    for text in ["while", "a file", "mobile::x", "ilex"] {
        assert!(!names(text, "ile"), "{text}");
    }
}
