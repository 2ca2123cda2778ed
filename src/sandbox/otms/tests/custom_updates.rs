//! orderCustomUpdate: the document's example, its codes, and what an update does to an order.

use super::*;

const EXAMPLE_UPDATE: &str = include_str!("../../../../tests/fixtures/otms/order-custom-update-request.xml");
const EXAMPLE_UPDATED: &str = include_str!("../../../../tests/fixtures/otms/order-custom-update-response.xml");

#[derive(Debug)]
struct Updated {
    code: String,
    orders: Vec<UpdatedOrder>,
}

#[derive(Debug)]
struct UpdatedOrder {
    sequence: String,
    erp_number: String,
    number: String,
    status: String,
    codes: Vec<String>,
    column: String,
}

impl Updated {
    fn parse(text: &str) -> Self {
        let document = roxmltree::Document::parse(text).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "orderUpdateResponse");
        assert_eq!(root.attribute("version"), Some("0.1"));
        let orders = root.descendants().filter(|it| it.has_tag_name("order"));
        let orders: Vec<_> = orders
            .map(|order| UpdatedOrder {
                sequence: order.attribute("sequence").unwrap().to_owned(),
                erp_number: text_of(order, "erpNumber").join(""),
                number: text_of(order, "orderNumber").join(""),
                status: text_of(order, "updateStatus").join(""),
                codes: text_of(order, "code"),
                column: text_of(order, "errorColumnName").join(""),
            })
            .collect();
        assert_eq!(text_of(root, "processedOrders"), [orders.len().to_string()]);
        Self { code: text_of(root, "responseCode").first().unwrap().clone(), orders }
    }
}

impl Bench {
    async fn send_update(&self, document: impl Into<String>) -> Response {
        self.send_update_as(document, Some(&basic("demo", "onelane-demo-password"))).await
    }

    async fn send_update_as(&self, document: impl Into<String>, authorization: Option<&str>) -> Response {
        let mut request = Request::post("/otms/ws/orderCustomUpdate").header(header::CONTENT_TYPE, "application/xml");
        if let Some(authorization) = authorization {
            request = request.header(header::AUTHORIZATION, authorization);
        }
        self.send(request.body(document.into().into()).unwrap()).await
    }

    /// Sends a document a second after all others, so that the quota is no matter.
    async fn update(&self, document: impl Into<String>) -> Updated {
        self.advance(TimeDelta::seconds(1));
        let response = self.send_update(document).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/xml");
        Updated::parse(&text(response).await)
    }

    async fn update_order(&self, members: &str) -> UpdatedOrder {
        let mut answer = self.update(updates(&[members])).await;
        assert_eq!((&*answer.code, answer.orders.len()), ("", 1));
        answer.orders.remove(0)
    }

    /// Holds an order with this number, and with these custom fields.
    async fn hold(&self, erp_number: &str, fields: &str) -> String {
        let order = order(1, erp_number).replace("</order>", &format!("<customFields>{fields}</customFields></order>"));
        let answer = self.import_order(&order).await;
        assert_eq!(answer.status, "INBOX");
        answer.number
    }

    fn fields(&self) -> Value {
        json_of(&self.books()[0])["document"]["customFields"].clone()
    }
}

fn updates<Members: std::fmt::Display>(orders: &[Members]) -> String {
    let order = |(index, members)| format!("<order sequence=\"{}\">{members}</order>", index + 1);
    let orders: String = orders.iter().enumerate().map(order).collect();
    format!(r#"<orderCustomUpdateRequest version="0.1"><orders>{orders}</orders></orderCustomUpdateRequest>"#)
}

fn update_of(erp_number: &str, fields: &str) -> String {
    format!("<erpNumber>{erp_number}</erpNumber><customFields>{fields}</customFields>")
}

#[tokio::test]
async fn the_documents_example_both_ways() {
    let bench = Bench::new();
    let number = bench.hold("250321005", "<customText1>old</customText1>").await;
    bench.advance(TimeDelta::seconds(1));
    // Its credentials are those of no account here, and its header has precedence.
    let response = bench.send_update(EXAMPLE_UPDATE).await;
    let ours = text(response).await;
    assert_eq!(
        elements_of(&ours.replace(&number, "DYZZWDNW004662")),
        elements_of(EXAMPLE_UPDATED),
        "all but the number that a system gives itself"
    );
    let fields = bench.fields();
    assert_eq!(fields.as_object().unwrap().len(), 30);
    assert_eq!((&fields["customText1"], &fields["customText30"]), (&"2".into(), &"36".into()));
    let entry = json_of(&bench.books()[0]);
    assert_eq!((&entry["customFieldUpdates"], &entry["amended"]), (&1.into(), &0.into()));
    assert_eq!(entry["document"]["shipFrom"]["companyName"], "Mill");
}

/// All elements in their order, with the text of those that hold nothing else.
fn elements_of(text: &str) -> Vec<(String, String)> {
    let document = roxmltree::Document::parse(text).unwrap();
    let elements = document.descendants().filter(roxmltree::Node::is_element);
    let text_of = |it: roxmltree::Node| it.text().unwrap_or_default().trim().to_owned();
    elements.map(|it| (it.tag_name().name().to_owned(), text_of(it))).collect()
}

#[tokio::test]
async fn fields_are_set_cleared_and_left() {
    let bench = Bench::new();
    let fields = "<customText1>a</customText1><customText2>b</customText2><customNum1>1</customNum1>\
                  <customEnum1>E</customEnum1>";
    let number = bench.hold("A-1", fields).await;
    let change = "<customText1>A</customText1><customText3>c</customText3><customNum1/><customEnum1/>";
    let answer = bench.update_order(&update_of("A-1", change)).await;
    assert_eq!((&*answer.status, &answer.number, &*answer.column), ("UPDATED", &number, ""));
    assert_eq!(bench.fields(), serde_json::json!({ "customText1": "A", "customText2": "b", "customText3": "c" }));

    let by_its_number = format!("<orderNumber>{number}</orderNumber><customFields><customText2/></customFields>");
    let answer = bench.update_order(&by_its_number).await;
    assert_eq!((&*answer.status, &*answer.erp_number), ("UPDATED", "A-1"));
    assert_eq!(bench.fields(), serde_json::json!({ "customText1": "A", "customText3": "c" }));
    assert_eq!(bench.books()[0].custom_field_updates, 2);
}

#[tokio::test]
async fn an_order_without_custom_fields_gets_its_first() {
    let bench = Bench::new();
    bench.import_order(&order(1, "A-1")).await;
    bench.update_order(&update_of("A-1", "<customNum10>0.50</customNum10>")).await;
    assert_eq!(bench.fields(), serde_json::json!({ "customNum10": "0.50" }));
}

#[tokio::test]
async fn every_code_has_a_cause() {
    let text = "<customText1>x</customText1>";
    let client = |code: &str, rest: String| format!("<clientCode>{code}</clientCode>{rest}");
    for (held, members, code, column) in [
        ("A-1", client("UNKNOWN1", update_of("A-1", text)), "7000", "clientCode"),
        ("A-1", update_of("A-1", "<customNum1>one</customNum1>"), "7001", "customNum1"),
        ("AMBIGUOUS-1", update_of("AMBIGUOUS-1", text), "7003", "erpNumber"),
        ("REGION-1", update_of("REGION-1", text), "7004", ""),
        ("FOREIGN-1", update_of("FOREIGN-1", text), "7006", ""),
        ("BILLED-1", update_of("BILLED-1", text), "7008", ""),
        ("A-1", update_of("A-2", text), "7009", "erpNumber"),
        ("A-1", update_of("BILLED-1", text), "7009", "erpNumber"),
        ("A-1", update_of("", text), "7009", "erpNumber"),
        ("A-1", update_of("A-1", "<customText81>x</customText81>"), "7043", "customText81"),
        ("A-1", update_of("A-1", "<customText1>REMOVED</customText1>"), "7043", "customText1"),
        ("A-1", update_of("A-1", "<customEnum1>UNKNOWN</customEnum1>"), "7044", "customEnum1"),
        ("MANDATORY-1", update_of("MANDATORY-1", "<customText1/>"), "7046", "customText1"),
        ("CARRIER-1", update_of("CARRIER-1", text), "7051", "clientCode"),
        ("OPTIMISING-1", update_of("OPTIMISING-1", text), "7054", ""),
        ("FAILING-1", update_of("FAILING-1", text), "7100", ""),
        ("A-1", update_of("A-1", &format!("<customText1>{}</customText1>", "长".repeat(501))), "7100", "customText1"),
        ("A-1", update_of("A-1", "<customNum1>0.1234567</customNum1>"), "7100", "customNum1"),
        ("A-1", "<erpNumber>A-1</erpNumber>".to_owned(), "7100", "customFields"),
        ("A-1", format!("<colour/>{}", update_of("A-1", text)), "7100", "colour"),
        ("A-1", format!("{}<erpNumber/>", update_of("A-1", text)), "7100", "erpNumber"),
    ] {
        let bench = Bench::new();
        let number = bench.hold(held, "<customText1>held</customText1>").await;
        let answer = bench.update_order(&members).await;
        assert_eq!(
            (&*answer.status, answer.codes[0].as_str(), &*answer.column),
            ("NOT UPDATED", code, column),
            "{members}"
        );
        assert_eq!(answer.codes.len(), 1, "{members}: {answer:?}");
        let names_the_order = answer.erp_number == held;
        assert_eq!(answer.number, if names_the_order { number } else { String::new() });
        assert_eq!(bench.books()[0].custom_field_updates, 0);
        assert_eq!(bench.fields()["customText1"], "held", "{members}");
    }
}

#[tokio::test]
async fn fields_that_are_not_enabled_are_ignored_with_a_warning() {
    let bench = Bench::new();
    bench.hold("NOFIELDS-1", "<customText1>held</customText1>").await;
    let answer = bench.update_order(&update_of("NOFIELDS-1", "<customText1>x</customText1>")).await;
    assert_eq!((&*answer.status, &*answer.codes), ("UPDATED", &["7045".to_owned()][..]));
    assert_eq!(bench.fields()["customText1"], "held");
    assert_eq!(bench.books()[0].custom_field_updates, 0);
}

#[tokio::test]
async fn what_a_code_asks_for_is_accepted() {
    for (held, members) in [
        ("AMBIGUOUS-1", "<clientCode>C</clientCode><erpNumber>AMBIGUOUS-1</erpNumber>"),
        ("CARRIER-1", "<clientCode>C</clientCode><erpNumber>CARRIER-1</erpNumber>"),
        ("MANDATORY-1", "<erpNumber>MANDATORY-1</erpNumber>"),
    ] {
        let bench = Bench::new();
        bench.hold(held, "<customText1>held</customText1>").await;
        let fields = "<customFields><customText2>x</customText2></customFields>";
        assert_eq!(bench.update_order(&format!("{members}{fields}")).await.status, "UPDATED");
    }
}

#[tokio::test]
async fn a_bad_update_does_not_spoil_its_neighbours() {
    let bench = Bench::new();
    bench.hold("A-1", "").await;
    let one = update_of("A-1", "<customText1>x</customText1>");
    let answer = bench.update(updates(&[one.clone(), update_of("A-2", ""), one])).await;
    let got: Vec<_> = answer.orders.iter().map(|it| (&*it.sequence, &*it.status)).collect();
    assert_eq!(got, [("1", "UPDATED"), ("2", "NOT UPDATED"), ("3", "UPDATED")]);
    assert_eq!(bench.books()[0].custom_field_updates, 2);
}

#[tokio::test]
async fn the_whole_request_is_refused_as_in_order_import() {
    let right = "login=\"demo\" password=\"onelane-demo-password\"";
    let wrong = "login=\"demo\" password=\"x\"";
    let one = update_of("A-1", "<customText1>x</customText1>");
    let document = updates(std::slice::from_ref(&one));
    let with = |attributes: &str| document.replacen("version=", &format!("{attributes} version="), 1);
    let header = basic("demo", "x");
    for (document, authorization, code) in [
        (with(right), None, ""),
        (with(wrong), None, "0"),
        (with(""), None, "0"),
        (with(right), Some(header.as_str()), "0"),
        (with(right).replace("version=\"0.1\"", "version=\"0.2\""), None, "1"),
        (updates(&vec![&one; 101]).replacen("version=", &format!("{right} version="), 1), None, "2"),
        (updates(&vec![&one; 100]).replacen("version=", &format!("{right} version="), 1), None, ""),
    ] {
        let bench = Bench::new();
        bench.hold("A-1", "").await;
        let response = bench.send_update_as(document, authorization).await;
        let answer = Updated::parse(&text(response).await);
        assert_eq!((&*answer.code, answer.orders.is_empty()), (code, !code.is_empty()));
        assert_eq!(bench.books()[0].custom_field_updates > 0, code.is_empty());
    }
    for (document, status) in [
        (with("colour=\"red\""), 400),
        (with("source=\"x\""), 400),
        (document.replace("orderCustomUpdateRequest", "orderUpdateRequest"), 400),
        (document.replace("sequence=\"1\"", ""), 400),
    ] {
        assert_eq!(Bench::new().send_update(document).await.status(), status);
    }
    let request = Request::put("/otms/ws/orderCustomUpdate").body(Body::empty()).unwrap();
    assert_eq!(Bench::new().send(request).await.status(), StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn three_requests_fit_into_any_second_beside_those_of_order_import() {
    let bench = Bench::new();
    bench.hold("A-1", "").await;
    let document = updates(&[update_of("A-1", "<customText1>x</customText1>")]);
    for status in [200, 200, 200, 429] {
        let response = bench.send_update(&*document).await;
        assert_eq!(response.status(), status);
        if status == 429 {
            assert_eq!(response.headers()[header::RETRY_AFTER], "1");
            assert!(text(response).await.contains("more than 3 requests"));
        }
    }
    bench.import_order(&order(1, "A-2")).await;
    bench.advance(TimeDelta::seconds(1));
    assert_eq!(bench.send_update(&*document).await.status(), 200);

    let meter = bench.meter();
    let readings: Vec<_> = meter.iter().map(|it| (it.endpoint, it.requests, it.refusals)).collect();
    assert_eq!(readings, [("orderCustomUpdate", 5, 1), ("orderImport", 2, 0)]);
    assert_eq!(bench.books()[0].custom_field_updates, 4);
}

#[tokio::test]
async fn faults_strike_updates_too() {
    let bench = Bench::new();
    bench.hold("A-1", "").await;
    let one = update_of("A-1", "<customText1>x</customText1>");
    let faults = serde_json::json!([
        { "kind": "item_code", "code": "7054", "endpoint": "orderCustomUpdate", "times": 1 },
        { "kind": "item_code", "code": "7045", "endpoint": "orderCustomUpdate", "times": 1, "commit": true },
        { "kind": "answer_code", "code": "0", "endpoint": "orderCustomUpdate", "times": 1 },
        { "kind": "item_missing", "endpoint": "orderCustomUpdate" },
    ]);
    let request = Request::put("/control/otms/faults").header(header::CONTENT_TYPE, "application/json");
    let response = bench.send(request.body(faults.to_string().into()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);

    let answer = bench.update_order(&one).await;
    assert_eq!((&*answer.status, &*answer.codes), ("NOT UPDATED", &["7054".to_owned()][..]));
    assert_eq!(bench.books()[0].custom_field_updates, 0);
    let answer = bench.update_order(&one).await;
    assert_eq!((&*answer.status, &*answer.codes), ("UPDATED", &["7045".to_owned()][..]));
    assert_eq!(bench.update(updates(&[&one])).await.code, "0");
    assert_eq!(bench.books()[0].custom_field_updates, 1);
    bench.advance(TimeDelta::seconds(1));
    let response = bench.send_update(updates(&[&one])).await;
    assert!(text(response).await.contains("<orders></orders>"));
    assert_eq!(bench.books()[0].custom_field_updates, 2);
}
