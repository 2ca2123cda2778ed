//! Everything that is asked or told beside orders: requests, answers, and what is refused.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::{adapter, body, demo, failures, leaves, success};
use crate::canonical::{DocumentType, FieldError, PaymentTerm};
use crate::provider::{
    Account, Answer, Call, Calls, OrderReference, OrderSearch, Party, PartyRole, Reply, Request, SearchTime,
};

const TRANSPORT: DocumentType = DocumentType::TransportOrder;
const CUSTOMER: DocumentType = DocumentType::CustomerOrder;
const CUSTOMER_ENTITY: &str = include_str!("../../../../tests/fixtures/ttms/customer-entity.json");

pub fn calls() -> &'static Calls {
    adapter().1.calls()
}

/// A call's request; its address is the endpoint's.
pub fn asked<I, O>(call: &Call<I, O>, account: &Account, input: &I) -> Value {
    let request = (call.encode)(account, input).unwrap();
    let path = adapter().0.endpoint(call.endpoint).unwrap().path;
    assert_eq!(request.masked_url(), format!("http://api.56ctms.com{path}?access_token=***"));
    assert!(request.url.ends_with(super::TOKEN));
    assert_eq!(request.method, "POST");
    body(&request)
}

pub fn wrong(refused: Result<Request, Vec<FieldError>>) -> Vec<(String, String)> {
    refused.unwrap_err().into_iter().map(|error| (error.pointer, error.code)).collect()
}

pub fn answered<I, O>(call: &Call<I, O>, input: &I, status: u16, body: &[u8]) -> Reply<O> {
    (call.decode)(input, &Answer { status, retry_after: None, body })
}

/// The document's failures, and answers that no call can use.
pub fn hold_to_its_failures<I, O: std::fmt::Debug>(call: &Call<I, O>, input: &I) {
    for body in failures(call.endpoint) {
        let reply = answered(call, input, 200, &body);
        let Reply::Refused(results) = reply else { panic!("{}: {reply:?}", call.endpoint) };
        assert_eq!((results.len(), results[0].raw_code.as_str()), (1, "500"));
    }
    assert!(!failures(call.endpoint).is_empty());
    assert!(matches!(answered(call, input, 401, b""), Reply::SessionExpired));
    assert!(matches!(answered(call, input, 404, b""), Reply::CredentialsRefused(_)));
    let throttled = json!({"status": 500, "message": "操作频繁"}).to_string();
    assert!(matches!(answered(call, input, 200, throttled.as_bytes()), Reply::Throttled { .. }));
    for (status, body) in [(200, b"<html>".as_slice()), (200, b""), (200, b"{\"code\": 2"), (502, b"{\"code\": 200}")] {
        assert!(matches!(answered(call, input, status, body), Reply::Unreadable(_)), "{status}");
    }
}

fn reference(provider_order_number: Option<&str>, customer_reference: Option<&str>) -> OrderReference {
    OrderReference {
        order_number: "SO-1".to_owned(),
        customer_reference: customer_reference.map(str::to_owned),
        provider_order_number: provider_order_number.map(str::to_owned),
        adopted: false,
    }
}

#[test]
fn transport_orders_are_found_by_their_number_or_the_customers() {
    let call = calls().lookup(TRANSPORT).unwrap();
    assert_eq!(asked(call, &demo(), &reference(Some("1901"), Some("C-1"))), json!({"orderNumber": "1901"}));
    assert_eq!(asked(call, &demo(), &reference(None, Some("C-1"))), json!({"customerNumber": "C-1"}));
    assert_eq!(asked(call, &demo(), &reference(None, None)), json!({"customerNumber": "SO-1"}));
    let several = wrong((call.encode)(&demo(), &reference(Some("1,2"), None)));
    assert_eq!(several, super::pairs(&[("/providerOrderNumber", "validation.invalid_format")]));
    hold_to_its_failures(call, &reference(None, None));
}

#[test]
fn acceptance_orders_are_found_by_their_number_or_the_customers() {
    let call = calls().lookup(CUSTOMER).unwrap();
    let page = |more: Value| {
        let mut expected = json!({"page": 1, "size": 50});
        crate::canonical::merge_patch(&mut expected, &more);
        expected
    };
    assert_eq!(asked(call, &demo(), &reference(Some("S1"), Some("C-1"))), page(json!({"number": "S1"})));
    assert_eq!(asked(call, &demo(), &reference(None, Some("C-1"))), page(json!({"originalOrderNumber": "C-1"})));
    assert_eq!(asked(call, &demo(), &reference(None, None)), page(json!({"originalOrderNumber": "SO-1"})));
    hold_to_its_failures(call, &reference(None, None));
}

/// The numbers of what a lookup finds in an answer.
fn found(document_type: DocumentType, reference: &OrderReference, data: &Value) -> Option<Vec<String>> {
    let body = json!({"code": 200, "message": null, "data": data}).to_string();
    match answered(calls().lookup(document_type).unwrap(), reference, 200, body.as_bytes()) {
        Reply::Done(orders) => Some(orders.into_iter().map(|order| order.provider_order_number).collect()),
        _ => None,
    }
}

#[test]
fn of_what_is_found_only_what_is_meant_counts() {
    let data = json!([
        {"number": "1", "wmsNumber": "SO-1", "customerOrderNumber": "C-1"},
        {"number": "2", "wmsNumber": "SO-2", "customerOrderNumber": "C-1"},
        {"number": "3", "wmsNumber": null, "customerOrderNumber": "C-1"},
        {"number": "4", "wmsNumber": "SO-10", "customerOrderNumber": "C-10"},
    ]);
    let of = |reference: &OrderReference| found(TRANSPORT, reference, &data).unwrap();
    assert_eq!(of(&reference(None, Some("C-1"))), ["1"]);
    assert_eq!(of(&reference(Some("2"), Some("C-1"))), ["2"]);
    assert_eq!(of(&reference(Some("5"), None)), Vec::<String>::new());
    let adopted = OrderReference { adopted: true, ..reference(None, Some("C-1")) };
    assert_eq!(of(&adopted), ["1", "2", "3"]);
    // Nothing, and what cannot be read.
    for nothing in [json!([]), json!(null)] {
        assert_eq!(found(TRANSPORT, &reference(None, None), &nothing), Some(Vec::new()));
    }
    for unreadable in [json!({}), json!(["1"]), json!([{"wmsNumber": "SO-1"}]), json!(true)] {
        assert_eq!(found(TRANSPORT, &reference(None, None), &unreadable), None, "{unreadable}");
    }
}

#[test]
fn an_acceptance_order_on_another_page_is_not_missed() {
    let element =
        |number: &str, customers: &str| json!({"order": {"number": number, "originalOrderNumber": customers}});
    let page = |total: u32, elements: Vec<Value>| json!({"page": 1, "size": 50, "total": total, "elements": elements});
    let of = |reference: &OrderReference, data: Value| found(CUSTOMER, reference, &data);
    let by_customer = reference(None, Some("C-1"));
    let both = vec![element("S1", "C-1"), element("S2", "C-10"), element("S3", "C-1")];
    assert_eq!(of(&by_customer, page(3, both.clone())), Some(vec!["S1".to_owned(), "S3".to_owned()]));
    assert_eq!(of(&by_customer, page(51, both.clone())), None);
    assert_eq!(of(&by_customer, page(0, Vec::new())), Some(Vec::new()));
    assert_eq!(of(&reference(Some("S2"), None), page(51, both)), Some(vec!["S2".to_owned()]));
    for unreadable in [json!(null), json!([]), json!({"elements": []}), json!({"total": 1, "elements": [{}]})] {
        assert_eq!(of(&by_customer, unreadable.clone()), None, "{unreadable}");
    }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn full_search() -> OrderSearch {
    let text = |text: &str| Some(text.to_owned());
    OrderSearch {
        page: 2,
        size: 25,
        state: text("1000"),
        time_type: Some(SearchTime::Pickup),
        from: Some(at("2026-11-24T16:00:00Z")),
        to: Some(at("2026-11-25T15:59:59Z")),
        provider_order_number: text("1901"),
        customer_reference: text("C-1"),
        trip_number: text("P1"),
        consignor_name: text("张三"),
        consignor_phone: text("+86 138-0000-0001"),
        consignor_address: text("文三路"),
        consignee_name: text("李四"),
        consignee_phone: text("0571-88880001"),
        consignee_address: text("太湖大道"),
        driver_name: text("王五"),
        driver_phone: text("+8613800000009"),
        license_plate: text("浙A12345"),
        tracking_device: text("868120223404879"),
        branches: vec!["east".to_owned(), "0-12".to_owned()],
    }
}

#[test]
fn every_documented_filter_of_transport_orders() {
    let call = calls().search(TRANSPORT).unwrap();
    let search = OrderSearch {
        consignor_address: None,
        consignee_address: None,
        tracking_device: None,
        branches: Vec::new(),
        ..full_search()
    };
    assert_eq!(
        asked(call, &demo(), &search),
        json!({
            "page": 2, "size": 25, "state": 1000, "timeType": "deliveryed",
            "startDate": "2026-11-25 00:00:00", "endDate": "2026-11-25 23:59:59",
            "orderNumber": "1901", "customerOrderNumber": "C-1", "packNumber": "P1",
            "consignerName": "张三", "consignerPhone": "13800000001",
            "consigneeName": "李四", "consigneePhone": "0571-88880001",
            "driverName": "王五", "driverPhone": "13800000009", "carNumber": "浙A12345",
        })
    );
    let code = "translation.unsupported_field";
    assert_eq!(
        wrong((call.encode)(&demo(), &full_search())),
        super::pairs(&[
            ("/consignorAddress", code),
            ("/consigneeAddress", code),
            ("/trackingDevice", code),
            ("/branches", code)
        ])
    );
    hold_to_its_failures(call, &search);
}

#[test]
fn every_documented_filter_of_acceptance_orders() {
    let call = calls().search(CUSTOMER).unwrap();
    let search =
        OrderSearch { trip_number: None, driver_name: None, driver_phone: None, license_plate: None, ..full_search() };
    assert_eq!(
        asked(call, &demo(), &search),
        json!({
            "page": 2, "size": 25, "state": 1000, "timeType": "deliveryed",
            "startDate": "2026-11-25 00:00:00", "endDate": "2026-11-25 23:59:59",
            "number": "1901", "originalOrderNumber": "C-1", "deviceNumber": "868120223404879",
            "consignerName": "张三", "consignerPhone": "13800000001", "consignerAddress": "文三路",
            "consigneeName": "李四", "consigneePhone": "0571-88880001", "consigneeAddress": "太湖大道",
            "organizationPaths": ["0-11", "0-12"],
        })
    );
    let code = "translation.unsupported_field";
    assert_eq!(
        wrong((call.encode)(&demo(), &full_search())),
        super::pairs(&[("/tripNumber", code), ("/driverName", code), ("/driverPhone", code), ("/licensePlate", code)])
    );
    hold_to_its_failures(call, &search);
}

#[test]
fn transport_orders_are_searched_by_state() {
    let call = calls().search(TRANSPORT).unwrap();
    let search = |state: Option<&str>| OrderSearch {
        page: 1,
        size: 50,
        state: state.map(str::to_owned),
        ..OrderSearch::default()
    };
    let errors = (call.encode)(&demo(), &search(None)).unwrap_err();
    assert_eq!((errors[0].pointer.as_str(), errors[0].code.as_str()), ("/state", "validation.missing"));
    for (state, word) in
        [("0", "已撤销"), ("1", "已下单"), ("2", "已接单"), ("3", "已装货"), ("4", "已签收"), ("1000", "待处理")]
    {
        assert!(errors[0].detail.contains(&format!("{state} (")) && errors[0].detail_zh.contains(word), "{state}");
        let number: u32 = state.parse().unwrap();
        assert_eq!(asked(call, &demo(), &search(Some(state))), json!({"page": 1, "size": 50, "state": number}));
    }
    for unknown in ["2000", "5", "", "x", "01"] {
        let found = wrong((call.encode)(&demo(), &search(Some(unknown))));
        assert_eq!(found, super::pairs(&[("/state", "validation.invalid_value")]), "{unknown}");
    }
    // Without a state 3TMS answers with acceptance orders of all states.
    let call = calls().search(CUSTOMER).unwrap();
    assert_eq!(asked(call, &demo(), &search(None)), json!({"page": 1, "size": 50}));
    for state in ["0", "1000", "2000", "3000"] {
        assert!(asked(call, &demo(), &search(Some(state)))["state"].is_number());
    }
    assert_eq!(wrong((call.encode)(&demo(), &search(Some("1")))).len(), 1);
}

#[test]
fn times_are_compared_by_their_kind() {
    let call = calls().search(CUSTOMER).unwrap();
    let of = |time_type, from| {
        let search = OrderSearch { page: 1, size: 50, time_type, from, ..OrderSearch::default() };
        asked(call, &demo(), &search)["timeType"].clone()
    };
    let from = Some(at("2026-11-24T16:00:00Z"));
    for (time_type, word) in [
        (SearchTime::Created, "created"),
        (SearchTime::Pickup, "deliveryed"),
        (SearchTime::Delivery, "appointArrived"),
        (SearchTime::Signed, "signed"),
    ] {
        assert_eq!(of(Some(time_type), from), word);
    }
    assert_eq!(of(None, from), "created");
    assert_eq!(of(None, None), Value::Null);
}

#[test]
fn organisation_units() {
    let call = calls().organizations.as_ref().unwrap();
    assert_eq!(asked(call, &demo(), &()), json!({}));
    let Reply::Done(units) = answered(call, &(), 200, &success("organization_list")) else { panic!() };
    let units: Vec<_> = units.iter().map(|unit| (unit.id.as_str(), unit.name.as_str(), unit.path.as_str())).collect();
    assert_eq!(units, [("0", "总部", "0-0"), ("11", "网点1", "0-11"), ("12", "杭州网点2", "0-12")]);
    hold_to_its_failures(call, &());
    for data in [json!(null), json!([{}]), json!([{"nodeId": 1}])] {
        let body = json!({"code": 200, "data": data}).to_string();
        assert!(matches!(answered(call, &(), 200, body.as_bytes()), Reply::Unreadable(_)));
    }
}

fn party() -> Party {
    Party {
        name: "张三".to_owned(),
        phone: "+86 138-0000-0001".to_owned(),
        address: "浙江省杭州市西湖区文三路".to_owned(),
        role: PartyRole::Consignor,
        payment_term: PaymentTerm::CollectMonthlyAccount,
        remarks: Some(vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]),
    }
}

#[test]
fn the_address_book() {
    let call = calls().put_parties.as_ref().unwrap();
    let second = Party { role: PartyRole::Consignee, payment_term: PaymentTerm::Prepaid, remarks: None, ..party() };
    let parties = vec![party(), second];
    let sent = asked(call, &demo(), &parties);
    assert_eq!(
        sent,
        json!({"customers": [
            {"name": "张三", "phone": "13800000001", "address": "浙江省杭州市西湖区文三路", "type": 1, "paymentType": 9,
                "remark1": "a", "remark2": "b", "remark3": "c"},
            {"name": "张三", "phone": "13800000001", "address": "浙江省杭州市西湖区文三路", "type": 2, "paymentType": 1},
        ]})
    );
    let entity: Value = serde_json::from_str(CUSTOMER_ENTITY).unwrap();
    assert_eq!(leaves(&sent["customers"][0]).keys().collect::<Vec<_>>(), leaves(&entity).keys().collect::<Vec<_>>());
    assert!(matches!(answered(call, &parties, 200, &success("add_customers")), Reply::Done(())));
    assert!(matches!(answered(call, &parties, 200, br#"{"code": 200, "data": false}"#), Reply::Unreadable(_)));
    hold_to_its_failures(call, &parties);

    let range = super::pairs(&[("/parties", "validation.out_of_range")]);
    assert_eq!(wrong((call.encode)(&demo(), &Vec::new())), range);
    assert_eq!(wrong((call.encode)(&demo(), &vec![party(); 101])), range);
    let remarks = Some(vec![String::new(); 4]);
    let too_many = wrong((call.encode)(&demo(), &vec![Party { remarks, ..party() }]));
    assert_eq!(too_many, super::pairs(&[("/parties/0/remarks/3", "translation.unsupported_field")]));
}

#[test]
fn devices_are_unbound_from_acceptance_orders() {
    let unbind = calls().unbind_devices.as_ref().unwrap();
    assert_eq!(unbind.document_type, CUSTOMER);
    let numbers = vec!["S1811011025811886".to_owned(), "S2".to_owned()];
    assert_eq!(asked(&unbind.call, &demo(), &numbers), json!({"orders": ["S1811011025811886", "S2"]}));
    assert!(matches!(answered(&unbind.call, &numbers, 200, &success("batch_unbind_devices")), Reply::Done(())));
    hold_to_its_failures(&unbind.call, &numbers);
    let codes: Vec<String> = failures("batch_unbind_devices")
        .iter()
        .map(|body| match answered(&unbind.call, &numbers, 200, body) {
            Reply::Refused(results) => results[0].code.clone(),
            reply => panic!("{reply:?}"),
        })
        .collect();
    assert_eq!(codes, ["state.not_updatable", "reference.order_not_found"]);
    assert!((unbind.call.encode)(&demo(), &Vec::new()).is_err());
}

#[test]
fn what_is_deprecated_is_answered_alike() {
    // Never called; its failures would be read as any other.
    for operation in ["cargo_add", "cargo_update", "cargo_remove"] {
        let call = calls().organizations.as_ref().unwrap();
        for body in failures(operation) {
            assert!(matches!(answered(call, &(), 200, &body), Reply::Refused(_)), "{operation}");
        }
    }
}
