//! The simulator held against its document, through HTTP as a client meets it.

mod business;
mod custom_updates;
mod documents;
mod faults;
mod transport;

use std::sync::{Arc, Mutex};

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::BASE64;
use serde_json::Value;
use tower::ServiceExt;

use crate::sandbox::{BookEntry, MeterReading, Sandbox, SandboxOptions, Simulator, seeded};

const EXAMPLE_REQUEST: &str = include_str!("../../../tests/fixtures/otms/order-import-request.xml");
const EXAMPLE_RESPONSE: &str = include_str!("../../../tests/fixtures/otms/order-import-response.xml");

/// A sandbox whose clock stands still at 2012-12-01, the time of the document's example, until it
/// is moved.
struct Bench {
    sandbox: Sandbox,
    now: Arc<Mutex<DateTime<Utc>>>,
}

impl Bench {
    fn new() -> Self {
        let start: DateTime<Utc> = "2012-12-01T00:00:00Z".parse().unwrap();
        let now = Arc::new(Mutex::new(start));
        let clock = now.clone();
        let sandbox =
            Sandbox::new(&SandboxOptions { clock: Arc::new(move || *clock.lock().unwrap()), random: seeded(1) });
        Self { sandbox, now }
    }

    fn advance(&self, time: TimeDelta) {
        *self.now.lock().unwrap() += time;
    }

    fn simulator(&self) -> Arc<dyn Simulator> {
        self.sandbox.simulator("otms").unwrap()
    }

    fn books(&self) -> Vec<BookEntry> {
        self.simulator().books(None)
    }

    fn meter(&self) -> Vec<MeterReading> {
        self.simulator().meter()
    }

    async fn send(&self, request: Request<Body>) -> Response {
        self.sandbox.router().oneshot(request).await.unwrap()
    }

    /// Sends a document with the demo account's header and reads the answer, which must be XML.
    async fn import(&self, document: impl Into<String>) -> Answer {
        let response = self.send(put(document).body_with_basic()).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/xml");
        Answer::parse(&text(response).await)
    }

    /// Imports one order, given as XML, in a document of its own.
    async fn import_order(&self, order: &str) -> OrderAnswer {
        let mut answer = self.import(document(&[order.to_owned()])).await;
        assert_eq!(answer.code, "");
        assert_eq!(answer.orders.len(), 1);
        answer.orders.remove(0)
    }
}

struct Put {
    document: String,
}

fn put(document: impl Into<String>) -> Put {
    let document = document.into();
    Put { document }
}

impl Put {
    fn builder() -> axum::http::request::Builder {
        Request::put("/otms/ws/orderImport").header(header::CONTENT_TYPE, "application/xml")
    }

    fn body_with_basic(self) -> Request<Body> {
        self.with_header(&basic("demo", "onelane-demo-password"))
    }

    fn with_header(self, authorization: &str) -> Request<Body> {
        let request = Self::builder().header(header::AUTHORIZATION, authorization);
        request.body(self.document.into()).unwrap()
    }

    fn without_header(self) -> Request<Body> {
        Self::builder().body(self.document.into()).unwrap()
    }
}

fn basic(username: &str, password: &str) -> String {
    let credentials = format!("{username}:{password}");
    format!("Basic {}", BASE64.encode(credentials.as_bytes()))
}

async fn text(response: Response) -> String {
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

fn document(orders: &[String]) -> String {
    let orders = orders.concat();
    format!(r#"<orderImportRequest version="0.1"><orders>{orders}</orders></orderImportRequest>"#)
}

/// A complete order with as few members as possible.
fn order(sequence: i32, erp_number: &str) -> String {
    format!(
        "<order sequence=\"{sequence}\">\
         <clientReferenceNumber>R-{sequence}</clientReferenceNumber>\
         <erpNumber>{erp_number}</erpNumber>\
         <shipFrom><companyName>Mill</companyName><postcode>200000</postcode>\
         <address>Quay 1</address></shipFrom>\
         <shipTo><companyName>Shop</companyName><town>上海市</town>\
         <address>Road 2</address></shipTo>\
         <timeSchedule><pickupDate>2012-12-23</pickupDate></timeSchedule>\
         <cargoDetails><totalQuantity>5</totalQuantity><totalWeight>10.5</totalWeight>\
         <totalVolume>2</totalVolume><totalInsurance>100</totalInsurance>\
         <cargoType>1</cargoType><packageType>A</packageType></cargoDetails>\
         <transportMode><transportType>LTL</transportType><truckType>1</truckType>\
         </transportMode></order>"
    )
}

/// [`order`] with one part replaced, which must be there.
fn order_with(from: &str, to: &str) -> String {
    let order = order(1, "A-1");
    assert!(order.contains(from), "{from} is not in the order");
    order.replacen(from, to, 1)
}

#[derive(Debug)]
struct Answer {
    code: String,
    processed: String,
    orders: Vec<OrderAnswer>,
}

#[derive(Debug)]
struct OrderAnswer {
    sequence: String,
    reference: String,
    status: String,
    codes: Vec<String>,
    number: String,
    erp_number: String,
    messages: String,
}

impl Answer {
    fn parse(text: &str) -> Self {
        let document = roxmltree::Document::parse(text).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "orderImportResponse");
        assert_eq!(root.attribute("version"), Some("0.1"));
        let orders = root.descendants().filter(|it| it.has_tag_name("order"));
        let orders = orders.map(|order| OrderAnswer {
            sequence: order.attribute("sequence").unwrap().to_owned(),
            reference: text_of(order, "clientReferenceNumber").join(""),
            status: text_of(order, "importStatus").join(""),
            codes: text_of(order, "code"),
            number: text_of(order, "orderNumber").join(""),
            erp_number: text_of(order, "erpNumber").join(""),
            messages: text_of(order, "errorMsg").join("; "),
        });
        Self {
            code: text_of(root, "responseCode").first().unwrap().clone(),
            processed: text_of(root, "processedOrders").join(""),
            orders: orders.collect(),
        }
    }
}

fn text_of(within: roxmltree::Node, name: &str) -> Vec<String> {
    let elements = within.descendants().filter(|it| it.has_tag_name(name));
    elements.map(|it| it.text().unwrap_or_default().to_owned()).collect()
}

fn json_of(entry: &BookEntry) -> Value {
    serde_json::to_value(entry).unwrap()
}
