//! What becomes of orders that can be read: codes, drafts, duplicates, amendments.

use super::*;

async fn result_of(order: &str) -> (String, Vec<String>) {
    let answer = Bench::new().import_order(order).await;
    assert_eq!(answer.number.is_empty(), answer.status == "NOT IMPORTED", "{answer:?}");
    (answer.status, answer.codes)
}

#[tokio::test]
async fn what_is_wrong_is_refused_with_its_code() {
    let long = |length: usize| "长".repeat(length);
    let custom = |fields: &str| format!("<customFields>{fields}</customFields></order>");
    let line = |members: &str| format!("<orderLines><orderLine>{members}</orderLine></orderLines><cargoDetails>");
    let contact = |members: &str| format!("<contact>{members}</contact></shipTo>");
    let before_cargo = |members: &str| format!("{members}<cargoDetails>");
    let stop = |external_id: &str| format!("<shipFromExternalId>{external_id}</shipFromExternalId><shipTo>");
    let from = "<shipFrom><companyName>Mill</companyName><postcode>200000</postcode>\
                <address>Quay 1</address></shipFrom><shipTo>";
    let to = "<shipTo><companyName>Shop</companyName><town>上海市</town>\
              <address>Road 2</address></shipTo>";
    let to_external = |id: &str| format!("<shipToExternalId>{id}</shipToExternalId>");
    let cases: Vec<(&str, String, &str)> = vec![
        ("<clientReferenceNumber>", "<clientCode>UNKNOWN1</clientCode><clientReferenceNumber>".into(), "1000"),
        ("<erpNumber>", "<branch>UNKNOWN</branch><erpNumber>".into(), "1040"),
        ("<erpNumber>", format!("<branch>{}</branch><erpNumber>", long(65)), "1200"),
        (">A-1<", format!(">{}<", long(65)), "1201"),
        (from, stop("UNKNOWN"), "1003"),
        (from, stop("AMBIGUOUS"), "1009"),
        (from, "<shipTo>".into(), "1041"),
        (to, to_external("UNKNOWN"), "1004"),
        (to, to_external("AMBIGUOUS"), "1010"),
        (to, String::new(), "1042"),
        (">Mill<", format!(">{}<", long(129)), "1202"),
        (">Quay 1<", format!(">{}<", long(513)), "1204"),
        (">200000<", ">20000<".into(), "1203"),
        (">200000<", ">20000x<".into(), "1203"),
        (
            to,
            from.replace("shipFrom", "shipTo")
                .replace("<shipTo><shipTo>", "<shipTo>")
                .trim_end_matches("<shipTo>")
                .to_owned(),
            "1120",
        ),
        ("</shipTo>", contact("<name>N</name>"), "1205"),
        ("</shipTo>", contact("<phone>123456</phone>"), "1205"),
        ("</shipTo>", contact("<phone>12345</phone><phoneAreaCode>21</phoneAreaCode>"), "1205"),
        ("</shipTo>", contact("<phone>123456-123456</phone><phoneAreaCode>21</phoneAreaCode>"), "1205"),
        ("</shipTo>", contact("<phone>123456</phone><phoneAreaCode>02100</phoneAreaCode>"), "1205"),
        ("</shipTo>", contact("<mobile>1380000000</mobile>"), "1205"),
        ("</shipTo>", contact("<mobile>13800000000</mobile><email>a@b</email>"), "1205"),
        ("</shipTo>", contact("<mobile>13800000000</mobile><email>a b@c.cn</email>"), "1205"),
        (">2012-12-23<", ">2013-12-02<".into(), "1209"),
        ("</timeSchedule>", "<deliveryDate>2011-12-01</deliveryDate></timeSchedule>".into(), "1210"),
        ("<cargoDetails>", line("<externalId>UNKNOWN</externalId>"), "1005"),
        ("<cargoDetails>", line("<externalId>AMBIGUOUS</externalId>"), "1011"),
        (
            "<cargoDetails>",
            line(&format!(
                "<cargoDescription><productCode>{}</productCode>\
            <productName>N</productName></cargoDescription>",
                long(65)
            )),
            "1211",
        ),
        ("<cargoDetails>", line("<externalId>X</externalId><weight>10.51</weight>"), "1141"),
        ("<cargoDetails>", line("<externalId>X</externalId><volume>2.1</volume>"), "1142"),
        ("<cargoDetails>", line("<externalId>X</externalId><quantity>6</quantity>"), "1143"),
        ("<cargoDetails>", line("<externalId>X</externalId><insuranceValue>101</insuranceValue>"), "1146"),
        ("<cargoDetails>", before_cargo("<autoProcessMode>4</autoProcessMode>"), "1028"),
        ("<cargoDetails>", before_cargo("<autoProcessMode>4</autoProcessMode><toTruck/>"), "1028"),
        (
            "<cargoDetails>",
            before_cargo(
                "<autoProcessMode>4</autoProcessMode><toTruck>\
            <truckPlate>UNKNOWN</truckPlate></toTruck>",
            ),
            "1080",
        ),
        ("<cargoDetails>", before_cargo("<toTruck><truckPlate>AMBIGUOUS</truckPlate></toTruck>"), "1029"),
        ("<cargoDetails>", before_cargo("<toTruck><driver>UNKNOWN</driver></toTruck>"), "1082"),
        ("<cargoDetails>", before_cargo("<toTruck><driver>AMBIGUOUS</driver></toTruck>"), "1083"),
        ("<erpNumber>", "<branch>FORBIDDEN</branch><erpNumber>".into(), "1043"),
        ("</order>", "<vendorCode>SUSPENDED</vendorCode></order>".into(), "1070"),
        ("</order>", custom("<customText1>REMOVED</customText1>"), "1030"),
        ("</order>", "<cost><lineHaul>1</lineHaul></cost></order>".into(), "1093"),
        ("</order>", "<vendorCode>UNKNOWN</vendorCode></order>".into(), "1092"),
        ("<truckType>1", "<truckType>10".into(), "1008"),
        ("</order>", "<tempThreshold><minTemp>1</minTemp></tempThreshold></order>".into(), "1094"),
        ("</order>", custom(&format!("<customText1>{}</customText1>", long(501))), "1206"),
        ("</order>", custom("<customNum1>0.1234567</customNum1>"), "1207"),
        ("</order>", custom("<customNum1>1234567890123456789</customNum1>"), "1207"),
        ("</order>", custom("<customEnum1>UNKNOWN</customEnum1>"), "1033"),
        ("</order>", custom(&format!("<customEnum1>{}</customEnum1>", long(65))), "1208"),
    ];
    for (from, to, code) in cases {
        let result = result_of(&order_with(from, &to)).await;
        assert_eq!(result, ("NOT IMPORTED".to_owned(), vec![code.to_owned()]), "{to}");
    }
}

#[tokio::test]
async fn temperatures_must_be_a_documented_range() {
    for (threshold, code) in [
        ("<minTemp>-10000.1</minTemp>", Some("1095")),
        ("<maxTemp>10001</maxTemp>", Some("1095")),
        ("<minTemp>2</minTemp><maxTemp>1</maxTemp>", Some("1095")),
        ("<minTemp>-10000</minTemp><maxTemp>10000</maxTemp>", None),
    ] {
        let order = order_with("<cargoType>1", "<cargoType>2")
            .replace("</order>", &format!("<tempThreshold>{threshold}</tempThreshold></order>"));
        let (_, codes) = result_of(&order).await;
        assert_eq!(codes, Vec::from_iter(code), "{threshold}");
    }
}

#[tokio::test]
async fn costs_have_twelve_digits_and_two_decimals() {
    for (amount, code) in [
        ("1234567890.12", None),
        ("0000000000001.10", None),
        ("12345678901.12", Some("1093")),
        ("1.123", Some("1093")),
        ("-1", Some("1093")),
    ] {
        let order = order_with("<cargoDetails>", "<autoProcessMode>3</autoProcessMode><cargoDetails>");
        let cost = format!("<cost><lineHaul>{amount}</lineHaul></cost></order>");
        let (_, codes) = result_of(&order.replace("</order>", &cost)).await;
        assert_eq!(codes, Vec::from_iter(code), "{amount}");
    }
}

#[tokio::test]
async fn what_is_incomplete_is_a_draft_or_refused_as_one() {
    let ftl = |rest: &str| format!("<transportType>FTL</transportType>{rest}");
    let line = |members: &str| format!("<orderLines><orderLine>{members}</orderLine></orderLines><cargoDetails>");
    let cases = [
        ("<transportType>LTL</transportType>", String::new(), "1006"),
        ("<truckType>1</truckType>", String::new(), "1181"),
        ("<transportType>LTL</transportType>", ftl(""), "1182"),
        ("<truckType>1</truckType>", "<truckType>1</truckType><truckLength>4.3</truckLength>".into(), "1182"),
        ("<packageType>A</packageType>", String::new(), "1150"),
        ("<cargoType>1</cargoType>", String::new(), "1151"),
        ("<companyName>Mill</companyName>", String::new(), "1160"),
        ("<postcode>200000</postcode>", String::new(), "1160"),
        ("<address>Road 2</address>", String::new(), "1170"),
        ("<cargoDetails>", line("<quantity>1</quantity>"), "1021"),
        ("<cargoDetails>", line("<cargoDescription/>"), "1183"),
        ("<pickupDate>2012-12-23</pickupDate>", String::new(), "1152"),
    ];
    for (from, to, code) in cases {
        let order = order_with(from, &to);
        let result = result_of(&order).await;
        assert_eq!(result, ("DRAFT".to_owned(), vec![code.to_owned()]), "{from}");

        let strict = "<rejectDraft>true</rejectDraft><cargoDetails>";
        let result = result_of(&order.replace("<cargoDetails>", strict)).await;
        let codes = vec![code.to_owned(), "1044".to_owned()];
        assert_eq!(result, ("NOT IMPORTED".to_owned(), codes), "{from}");
    }
}

#[tokio::test]
async fn half_open_time_windows_are_accepted() {
    let half = "<pickupTimeFrom>08:00:00</pickupTimeFrom></timeSchedule>";
    let result = result_of(&order_with("</timeSchedule>", half)).await;
    assert_eq!(result, ("INBOX".to_owned(), vec![]));
}

#[tokio::test]
async fn the_processing_mode_sets_the_status() {
    for (mode, status) in [("1", "INBOX"), ("2", "RELEASED"), ("3", "DISPATCHED"), ("4", "DISPATCHED")] {
        let members = format!(
            "<autoProcessMode>{mode}</autoProcessMode><toTruck><truckPlate>P</truckPlate></toTruck>\
             <cargoDetails>"
        );
        let result = result_of(&order_with("<cargoDetails>", &members)).await;
        assert_eq!(result, (status.to_owned(), vec![]));
    }
}

#[tokio::test]
async fn an_erp_number_is_taken_once_and_its_case_matters() {
    let bench = Bench::new();
    let first = bench.import_order(&order(1, "A-1")).await;
    assert_eq!(first.erp_number, "A-1");
    let second = bench.import_order(&order(7, "A-1")).await;
    assert_eq!((&*second.status, &*second.number), ("NOT IMPORTED", ""));
    assert_eq!(second.codes, ["1022"]);
    assert_eq!(second.sequence, "7");
    let other = bench.import_order(&order(1, "a-1")).await;
    assert_eq!(other.status, "INBOX");
    assert_ne!(other.number, first.number);

    let entries = bench.simulator().books(Some("A-1"));
    assert_eq!(entries.len(), 1);
    let entry = json_of(&entries[0]);
    assert_eq!(entry["providerOrderNumber"], first.number);
    assert_eq!((&entry["created"], &entry["receivedCreates"]), (&1.into(), &2.into()));
}

#[tokio::test]
async fn a_number_repeated_within_one_request_is_a_duplicate_too() {
    let bench = Bench::new();
    let answer = bench.import(document(&[order(1, "A-1"), order(2, "A-1")])).await;
    assert_eq!(answer.orders[0].status, "INBOX");
    assert_eq!(answer.orders[1].codes, ["1022"]);
}

#[tokio::test]
async fn creates_refused_before_the_order_existed_are_counted() {
    let bench = Bench::new();
    bench.import_order(&order_with(">5<", ">five<")).await;
    bench.import_order(&order_with(">200000<", ">2<")).await;
    bench.import_order(&order(1, "A-1")).await;
    assert_eq!(bench.books()[0].received_creates, 3);
}

#[tokio::test]
async fn an_order_in_the_inbox_can_be_amended() {
    let bench = Bench::new();
    let created = bench.import_order(&order(1, "A-1")).await;
    let change = order_with("<shipFrom>", "<allowUpdate>true</allowUpdate><shipFrom>");
    let amended = bench.import_order(&change.replace("Quay 1", "Quay 9")).await;
    assert_eq!((&*amended.status, &amended.number), ("INBOX", &created.number));
    let entry = json_of(&bench.books()[0]);
    assert_eq!((&entry["amended"], &entry["receivedCreates"]), (&1.into(), &1.into()));
    assert_eq!(entry["document"]["shipFrom"]["address"], "Quay 9");

    let by_its_number =
        change.replace("<erpNumber>A-1</erpNumber>", &format!("<orderNumber>{}</orderNumber>", created.number));
    assert_eq!(bench.import_order(&by_its_number).await.status, "INBOX");
    assert_eq!(bench.books()[0].amended, 2);

    let invalid = change.replace(">200000<", ">2<");
    assert_eq!(bench.import_order(&invalid).await.codes, ["1203"]);
    assert_eq!(bench.books()[0].amended, 2);
    assert_eq!(bench.books().len(), 1);
}

#[tokio::test]
async fn an_order_that_left_the_inbox_is_not_amended() {
    let bench = Bench::new();
    let released = order_with("<cargoDetails>", "<autoProcessMode>2</autoProcessMode><cargoDetails>");
    bench.import_order(&released).await;
    let change = order_with("<shipFrom>", "<allowUpdate>true</allowUpdate><shipFrom>");
    assert_eq!(bench.import_order(&change).await.codes, ["1024"]);
}

#[tokio::test]
async fn an_update_of_nothing_creates_by_erp_number_and_fails_by_order_number() {
    let bench = Bench::new();
    let change = order_with("<shipFrom>", "<allowUpdate>true</allowUpdate><shipFrom>");
    assert_eq!(bench.import_order(&change).await.status, "INBOX");
    let by_number = change.replace("erpNumber>", "orderNumber>");
    assert_eq!(bench.import_order(&by_number).await.codes, ["1023"]);
    assert_eq!(bench.books().len(), 1);
}

#[tokio::test]
async fn a_number_says_why_its_order_cannot_be_amended() {
    for (number, code) in [
        ("BUSY-1", "2000"),
        ("BILLED-1", "1073"),
        ("LOCKED-1", "1086"),
        ("FOREIGN-1", "1090"),
        ("REGION-1", "1035"),
        ("SHORT-1", "1072"),
    ] {
        let bench = Bench::new();
        let order = order_with(">A-1<", &format!(">{number}<"));
        assert_eq!(bench.import_order(&order).await.status, "INBOX");
        let change = order.replace("<shipFrom>", "<allowUpdate>true</allowUpdate><shipFrom>");
        let answer = bench.import_order(&change).await;
        assert_eq!((&*answer.status, &*answer.codes), ("NOT IMPORTED", &[code.to_owned()][..]));
        assert_eq!(bench.books()[0].amended, 0);
    }
}
