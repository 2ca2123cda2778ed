//! Around the document: credentials, versions, batch size, quota, methods and media types.

use super::*;

fn one_order() -> String {
    document(&[order(1, "A-1")])
}

fn with_attributes(attributes: &str) -> String {
    one_order().replacen("version=", &format!("{attributes} version="), 1)
}

async fn code_of(response: Response) -> String {
    assert_eq!(response.status(), StatusCode::OK);
    let answer = Answer::parse(&text(response).await);
    assert_eq!(answer.orders.is_empty(), !answer.code.is_empty());
    answer.code
}

const RIGHT: &str = "login=\"demo\" password=\"onelane-demo-password\"";
const WRONG: &str = "login=\"demo\" password=\"x\"";

#[tokio::test]
async fn credentials_in_the_header_or_in_the_document() {
    let right = basic("demo", "onelane-demo-password");
    let wrong = basic("demo", "x");
    for (header, attributes, code) in [
        (Some(&*right), "", ""),
        (Some(&*right), WRONG, ""),
        (Some(&*right.replace("Basic", "basic")), "", ""),
        (Some(&*wrong), RIGHT, "0"),
        (Some("Bearer x"), RIGHT, "0"),
        (Some("Basic"), RIGHT, "0"),
        (Some("Basic ?"), RIGHT, "0"),
        (Some(""), RIGHT, ""),
        (Some(" "), RIGHT, ""),
        (None, RIGHT, ""),
        (None, WRONG, "0"),
        (None, "", "0"),
    ] {
        let bench = Bench::new();
        let request = put(with_attributes(attributes));
        let request = match header {
            Some(header) => request.with_header(header),
            None => request.without_header(),
        };
        let got = code_of(bench.send(request).await).await;
        assert_eq!(got, code, "{header:?} {attributes}");
        assert_eq!(bench.books().len(), usize::from(code.is_empty()));
        let meter = bench.meter();
        assert_eq!(meter.len(), 1);
        let name = if code.is_empty() { "demo" } else { "(not accepted)" };
        assert_eq!((&*meter[0].credentials, meter[0].requests), (name, 1));
    }
}

#[tokio::test]
async fn only_version_0_1_is_supported() {
    for version in ["version=\"0.2\"", "version=\"\"", ""] {
        let bench = Bench::new();
        let document = one_order().replacen("version=\"0.1\"", version, 1);
        let response = bench.send(put(document).body_with_basic()).await;
        assert_eq!(code_of(response).await, "1");
        assert!(bench.books().is_empty());
    }
}

#[tokio::test]
async fn a_hundred_orders_are_processed_and_more_are_not() {
    let bench = Bench::new();
    let orders: Vec<_> = (0..101).map(|n| order(n, &format!("A-{n}"))).collect();
    let answer = bench.import(document(&orders)).await;
    assert_eq!((&*answer.code, &*answer.processed), ("2", "0"));
    assert!(answer.orders.is_empty() && bench.books().is_empty());

    let answer = bench.import(document(&orders[..100])).await;
    assert_eq!((&*answer.code, &*answer.processed), ("", "100"));
    assert!(answer.orders.iter().all(|it| it.status == "INBOX"));
    let sequences: Vec<_> = answer.orders.iter().map(|it| it.sequence.clone()).collect();
    let expected: Vec<_> = (0..100).map(|n: i32| n.to_string()).collect();
    assert_eq!(sequences, expected);
    assert_eq!(bench.meter()[0].largest_batch, 101);
}

#[tokio::test]
async fn forty_requests_fit_into_any_second() {
    let bench = Bench::new();
    for _ in 0..40 {
        let response = bench.send(put(one_order()).body_with_basic()).await;
        assert_eq!(response.status(), StatusCode::OK);
    }
    bench.advance(TimeDelta::milliseconds(999));
    let response = bench.send(put(one_order()).body_with_basic()).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    let in_document = put(with_attributes(RIGHT)).without_header();
    let response = bench.send(in_document).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);

    bench.advance(TimeDelta::milliseconds(1));
    let response = bench.send(put(one_order()).body_with_basic()).await;
    assert_eq!(response.status(), StatusCode::OK);

    let meter = bench.meter();
    assert_eq!((meter[0].requests, meter[0].refusals), (43, 2));
    assert_eq!(meter[0].most_in_any_window, 42);
    assert_eq!(meter[0].orders, 41);
    assert_eq!(bench.books()[0].received_creates, 41);
}

#[tokio::test]
async fn wrong_credentials_do_not_use_up_the_accounts_quota() {
    let bench = Bench::new();
    for _ in 0..41 {
        bench.send(put(one_order()).with_header(&basic("demo", "x"))).await;
    }
    let response = bench.send(put(one_order()).body_with_basic()).await;
    assert_eq!(code_of(response).await, "");
}

#[tokio::test]
async fn only_put_is_allowed() {
    let bench = Bench::new();
    for method in ["GET", "POST", "DELETE", "PATCH"] {
        let request = Request::builder().method(method).uri("/otms/ws/orderImport");
        let response = bench.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

#[tokio::test]
async fn only_xml_in_utf8_is_read() {
    for (content_type, status) in [
        (Some("application/xml"), 200),
        (Some("text/xml; charset=UTF-8"), 200),
        (Some("Application/XML;charset=\"utf-8\""), 200),
        (Some("application/xml; charset=GBK"), 415),
        (Some("application/json"), 415),
        (None, 415),
    ] {
        let bench = Bench::new();
        let mut request = put(one_order()).body_with_basic();
        request.headers_mut().remove(header::CONTENT_TYPE);
        if let Some(content_type) = content_type {
            let value = content_type.parse().unwrap();
            request.headers_mut().insert(header::CONTENT_TYPE, value);
        }
        let response = bench.send(request).await;
        assert_eq!(response.status().as_u16(), status, "{content_type:?}");
        assert_eq!(bench.meter()[0].requests, 1);
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let bench = Bench::new();
    let padding = " ".repeat(10 * 1024 * 1024);
    let response = bench.send(put(padding + " ").without_header()).await;
    assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(bench.meter()[0].requests, 1);
}

#[tokio::test]
async fn numbers_are_not_given_twice_over_a_reset_or_a_restart() {
    let bench = Bench::new();
    let first = bench.import_order(&order(1, "A-1")).await.number;
    bench.simulator().reset();
    assert!(bench.books().is_empty() && bench.meter().is_empty());
    let second = bench.import_order(&order(1, "A-1")).await.number;
    assert!(second > first);

    let restarted = Bench::new();
    restarted.advance(TimeDelta::seconds(1));
    let sandbox = Sandbox::new(&SandboxOptions {
        clock: {
            let now = restarted.now.clone();
            Arc::new(move || *now.lock().unwrap())
        },
        random: seeded(1),
    });
    let restarted = Bench { sandbox, ..restarted };
    assert!(restarted.import_order(&order(1, "A-1")).await.number > second);
}
