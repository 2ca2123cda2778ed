//! The writer: order, digits, what is taken back, secrets, lineage.

use serde_json::{Value, json};

use super::*;
use crate::provider::Lineage;
use crate::provider::pointer::at;

fn text(write: impl FnOnce(&mut JsonWriter<'_>)) -> String {
    let mut trace = Trace::off();
    let mut writer = JsonWriter::new(&mut trace);
    let document = writer.begin_document();
    write(&mut writer);
    writer.end(&document, true);
    String::from_utf8(writer.into_parts().0).unwrap()
}

fn decimal(digits: &str) -> Decimal {
    digits.parse().unwrap()
}

#[test]
fn members_stand_in_the_order_of_the_calls() {
    let written = text(|json| {
        json.constant("b", "text");
        json.constant("a", true);
        let object = json.begin_object("object");
        json.constant("n", Null);
        json.constant("e", EmptyList);
        json.end(&object, false);
        let list = json.begin_list("list");
        for index in 0..2 {
            let item = json.begin_item(index);
            json.constant("i", index);
            json.end(&item, true);
        }
        json.item(2, "last", at("", "x"));
        json.end(&list, false);
        json.constant("texts", ["x", "y"].as_slice());
        json.constant("numbers", vec![1_u32, 2]);
        json.constant("raw", &*RawValue::from_string("{\"z\": 1.50}".to_owned()).unwrap());
        let value: Value = serde_json::from_str(r#"{"y": [1.50, null]}"#).unwrap();
        json.constant("value", value);
    });
    assert_eq!(
        written,
        "{\"b\":\"text\",\"a\":true,\"object\":{\"n\":null,\"e\":[]},\"list\":[{\"i\":0},{\"i\":1},\"last\"],\
         \"texts\":[\"x\",\"y\"],\"numbers\":[1,2],\"raw\":{\"z\": 1.50},\"value\":{\"y\":[1.50,null]}}"
    );
}

#[test]
fn numbers_keep_their_digits_as_numbers_and_as_texts() {
    let digits = "999999999999999999.999990";
    let written = text(|json| {
        json.value("number", Some(decimal(digits)), at("", "x"));
        json.value("text", Some(AsText(decimal(digits))), at("", "x"));
        json.value("metres", Some(decimal("0.000001").shifted_right(2)), at("", "x"));
        json.value("absent", None::<Decimal>, at("", "x"));
        json.value("number2", Some("-5.50".parse::<SignedDecimal>().unwrap()), at("", "x"));
    });
    assert_eq!(
        written,
        format!("{{\"number\":{digits},\"text\":\"{digits}\",\"metres\":0.00000001,\"number2\":-5.50}}")
    );
}

#[test]
fn what_is_empty_is_kept_or_taken_back() {
    let written = text(|json| {
        let object = json.begin_object("gone");
        json.end(&object, false);
        let object = json.begin_object("outer");
        let list = json.begin_list("gone");
        json.end(&list, false);
        json.end(&object, false);
        let object = json.begin_object("object");
        json.end(&object, true);
        let list = json.begin_list("list");
        json.end(&list, true);
    });
    assert_eq!(written, "{\"object\":{},\"list\":[]}");
}

#[test]
fn what_was_refused_leaves_nothing_behind() {
    let mut trace = Trace::on();
    let mut json = JsonWriter::new(&mut trace);
    let document = json.begin_document();
    json.secret("key", "first");
    let list = json.begin_list("orders");
    for (index, stands) in [true, false, true].into_iter().enumerate() {
        let mark = json.mark();
        let item = json.begin_item(index);
        json.constant("index", index);
        json.secret("key", "x");
        if stands {
            json.end(&item, true);
        } else {
            let _ = json.begin_object("half");
            json.back_to(&mark);
        }
    }
    json.end(&list, true);
    json.end(&document, true);
    assert_eq!(json.path, "");
    let (bytes, secrets) = json.into_parts();
    let written = String::from_utf8(bytes).unwrap();
    assert_eq!(written, r#"{"key":"first","orders":[{"index":0,"key":"x"},{"index":2,"key":"x"}]}"#);
    let secret: Vec<_> = secrets.into_iter().map(|range| &written[range]).collect();
    assert_eq!(secret, ["first", "x", "x"]);
}

#[test]
fn secrets_are_masked_to_json() {
    let mut trace = Trace::off();
    let mut json = JsonWriter::new(&mut trace);
    let document = json.begin_document();
    json.secret("sign", "a\"b\\c,{");
    json.constant("next", "{");
    json.secret("empty", "");
    json.end(&document, true);
    let (body, secrets) = json.into_parts();
    let request = crate::provider::Request {
        method: "POST",
        url: String::new(),
        headers: Vec::new(),
        secret_headers: &[],
        secret_parameters: &[],
        body,
        secrets,
    };
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    assert_eq!(read(&request.body), json!({"sign": "a\"b\\c,{", "next": "{", "empty": ""}));
    assert_eq!(read(&request.masked_body()), json!({"sign": "***", "next": "{", "empty": "***"}));
}

#[test]
fn lineage_names_the_path_of_each_value() {
    let mut trace = Trace::on();
    let mut json = JsonWriter::new(&mut trace);
    let document = json.begin_document();
    json.value("number", Some("1"), at("", "orderNumber"));
    let data = json.begin_object("data");
    let list = json.begin_list("items");
    for index in 0..2 {
        let parent = format!("/lines/{index}");
        let item = json.begin_item(index);
        json.converted("qty", Some(AsText(decimal("1.50"))), at(&parent, "quantity"), Some("as text"));
        json.end(&item, true);
    }
    json.end(&list, false);
    let devices = json.begin_list("devices");
    json.item(0, "d", at("/trackingDevices", "0"));
    json.end(&devices, false);
    json.derived("weight", at("", "lines"), "sum");
    json.implied(at("", "account"));
    json.end(&data, false);
    json.note("currency", at("/lines/0", "unitValue"), None);
    json.end(&document, true);
    let (lineage, carried) = trace.into_parts();
    let of = |pointer: &str, target: &str, note| Lineage { pointer: pointer.into(), target: target.into(), note };
    assert_eq!(
        lineage,
        [
            of("/orderNumber", "number", None),
            of("/lines/0/quantity", "data.items[0].qty", Some("as text")),
            of("/lines/1/quantity", "data.items[1].qty", Some("as text")),
            of("/trackingDevices/0", "data.devices[0]", None),
            of("/lines", "data.weight", Some("sum")),
            of("/lines/0/unitValue", "currency", None),
        ]
    );
    assert!(carried.contains("/account") && !carried.contains("/lines"));
}

proptest::proptest! {
    /// Whatever a text holds, it is read back as it was.
    #[test]
    fn text_survives_escaping(value in "\\PC*|[\\x00-\\x7F]*", name in "\\PC*") {
        let written = text(|json| {
            json.constant(&name, &value);
            json.constant("after", format!("{value}{value}"));
        });
        let read: Value = serde_json::from_str(&written).unwrap();
        proptest::prop_assert_eq!(&read["after"], &json!(format!("{value}{value}")));
        if name != "after" {
            proptest::prop_assert_eq!(&read[&name], &json!(value));
        }
    }
}
