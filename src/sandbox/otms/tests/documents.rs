//! The form of requests and answers: the document's examples, and what strictness refuses.

use super::*;

#[tokio::test]
async fn the_documents_example_is_imported() {
    let bench = Bench::new();
    let answer = bench.import(EXAMPLE_REQUEST).await;
    assert_eq!((answer.code.as_str(), answer.processed.as_str()), ("", "4"));

    let got: Vec<_> =
        answer.orders.iter().map(|it| (&*it.sequence, &*it.reference, &*it.status, it.codes.clone())).collect();
    // Orders 1 and 2 differ from the example's response, which speaks of postcodes that match
    // only in part and of an order that was there before.
    assert_eq!(
        got,
        [
            ("1", "45989283488", "INBOX", vec![]),
            ("2", "45989283489", "INBOX", vec![]),
            ("3", "4598928355", "INBOX", vec![]),
            ("4", "45989283688", "NOT IMPORTED", vec!["1120".to_owned()]),
        ]
    );
    assert_eq!(answer.orders[1].erp_number, "989384892089883984");
    assert!(answer.orders[0].number.starts_with("OT2012"));
    assert_eq!(answer.orders[3].number, "");
    assert_eq!(bench.books().len(), 3);
}

#[tokio::test]
async fn the_example_sent_again_repeats_only_orders_without_an_erp_number() {
    let bench = Bench::new();
    bench.import(EXAMPLE_REQUEST).await;
    let answer = bench.import(EXAMPLE_REQUEST).await;
    let statuses: Vec<_> = answer.orders.iter().map(|it| &*it.status).collect();
    assert_eq!(statuses, ["INBOX", "NOT IMPORTED", "INBOX", "NOT IMPORTED"]);
    assert_eq!(answer.orders[1].codes, ["1022"]);
    assert_eq!(bench.books().len(), 5);
}

/// Our answers have the elements of the example's response, in its order; only `errorMsgs` and
/// `erpNumber`, which the table has, are not in the example.
#[tokio::test]
async fn answers_have_the_form_of_the_documents_example() {
    let bench = Bench::new();
    let request = put(EXAMPLE_REQUEST).body_with_basic();
    let ours = text(bench.send(request).await).await;
    let ours = roxmltree::Document::parse(&ours).unwrap();
    let example = roxmltree::Document::parse(EXAMPLE_RESPONSE).unwrap();

    let outline = |document: &roxmltree::Document, sequence: &str| -> Vec<String> {
        let order = document.descendants().find(|it| it.attribute("sequence") == Some(sequence)).unwrap();
        let names = order.descendants().filter(roxmltree::Node::is_element);
        names
            .map(|it| it.tag_name().name().to_owned())
            .filter(|name| !name.starts_with("errorMsg") && name != "erpNumber")
            .collect()
    };
    for sequence in ["3", "4"] {
        assert_eq!(outline(&ours, sequence), outline(&example, sequence));
    }
    let top = |document: &roxmltree::Document| -> Vec<String> {
        let elements = document.root_element().children();
        let names = elements.filter(roxmltree::Node::is_element);
        names.map(|it| it.tag_name().name().to_owned()).collect()
    };
    assert_eq!(top(&ours), top(&example));
}

#[tokio::test]
async fn the_books_keep_the_document_digit_for_digit() {
    let bench = Bench::new();
    bench.import(EXAMPLE_REQUEST).await;
    let entry = json_of(&bench.books()[0]);
    assert_eq!(entry["orderNumber"], Value::Null);
    assert_eq!(entry["clientReferenceNumber"], "45989283488");
    assert_eq!(entry["status"], "INBOX");
    let document = &entry["document"];
    assert_eq!(document["shipFrom"]["contact"]["mobile"], "78456985478");
    assert_eq!(document["shipTo"]["contact"], "");
    let lines = document["orderLines"]["orderLine"].as_array().unwrap();
    assert_eq!(lines[0]["cargoDescription"]["productName"], "trousers");
    assert_eq!(lines[1]["customFields"]["customNum1"], "42.0978");
}

#[tokio::test]
async fn a_single_line_is_a_list_too() {
    let bench = Bench::new();
    let line = "<orderLines><orderLine><externalId>X &amp; Y</externalId></orderLine></orderLines>\
                <cargoDetails>";
    bench.import_order(&order_with("<cargoDetails>", line)).await;
    let document = &json_of(&bench.books()[0])["document"];
    assert_eq!(document["orderLines"]["orderLine"][0]["externalId"], "X & Y");
}

#[tokio::test]
async fn members_must_be_known_once_in_order_and_of_their_type() {
    let cases = [
        // What is done to the order, the code, and what the message must name.
        ("<order ", "<order colour=\"red\" ", "1049", "colour"),
        ("<erpNumber>", "<colour>red</colour><erpNumber>", "1049", "colour is not in the document"),
        ("<address>Quay 1</address>", "<address>Quay 1</address><street/>", "1049", "shipFrom/street"),
        ("<timeSchedule>", "<erpNumber>A-1</erpNumber><timeSchedule>", "1049", "erpNumber is repeated"),
        (
            "<companyName>Mill</companyName><postcode>200000</postcode>",
            "<postcode>200000</postcode><companyName>Mill</companyName>",
            "1049",
            "shipFrom/companyName is repeated or not in the documented order",
        ),
        ("<shipTo>", "<shipFromExternalId>X</shipFromExternalId><shipTo>", "1049", "only one of them"),
        ("</order>", "<shipFromExternalId>X</shipFromExternalId></order>", "1049", "shipFromExternalId"),
        ("</transportMode>", "<null>true</null></transportMode>", "1049", "transportMode/null"),
        ("</order>", "<result/></order>", "1049", "result"),
        ("<shipFrom>", "<shipFrom kind=\"x\">", "1049", "shipFrom has an unknown attribute"),
        ("<erpNumber>", "<erpNumber lang=\"x\">", "1049", "erpNumber has an unknown attribute"),
        ("<shipFrom>", "<shipFrom>text", "1049", "shipFrom holds text"),
        ("<erpNumber>A-1", "<erpNumber><b>A-1</b>", "1049", "erpNumber holds elements"),
        ("<erpNumber>", "<x:a xmlns:x=\"urn:x\"/><erpNumber>", "1049", "namespace"),
        (">5<", ">5.0<", "1001", "cargoDetails/totalQuantity is not an integer"),
        (">5<", ">3000000000<", "1001", "totalQuantity"),
        (">5<", "><", "1001", "totalQuantity"),
        (">5<", ">-5<", "1049", "totalQuantity is negative"),
        (">10.5<", ">1e1<", "1001", "totalWeight is not a number"),
        (">10.5<", ">10,5<", "1001", "totalWeight"),
        (">10.5<", ">1_0<", "1001", "totalWeight"),
        (">10.5<", ">10.<", "1001", "totalWeight"),
        (">2012-12-23<", ">2012-12-23 00:00:00<", "1001", "pickupDate is not a date"),
        (">2012-12-23<", ">2012-12-3<", "1001", "pickupDate"),
        (">2012-12-23<", ">2012-02-30<", "1001", "pickupDate"),
        ("</timeSchedule>", "<pickupTimeFrom>8:00:00</pickupTimeFrom></timeSchedule>", "1001", "pickupTimeFrom"),
        ("<timeSchedule>", "<allowUpdate>1</allowUpdate><timeSchedule>", "1049", "allowUpdate"),
        ("<shipFrom>", "<allowUpdate>yes</allowUpdate><shipFrom>", "1001", "allowUpdate is not true or false"),
        (">A<", ">F<", "1049", "packageType is none of A, B, C, D, E"),
        ("<cargoType>1", "<cargoType>5", "1049", "cargoType is not one of 1 to 4"),
        (">LTL<", ">SEA<", "1049", "transportType is none of"),
        ("<cargoDetails>", "<autoProcessMode>5</autoProcessMode><cargoDetails>", "1049", "autoProcessMode"),
        ("</order>", "<customFields><customText81>x</customText81></customFields></order>", "1030", "customText81"),
        ("</order>", "<customFields><customText01>x</customText01></customFields></order>", "1030", "customText01"),
        (
            "</order>",
            "<customFields><customNum1>x</customNum1></customFields></order>",
            "1001",
            "customFields/customNum1",
        ),
        (
            "</order>",
            "<customFields><customText10>x</customText10><customText2>x</customText2></customFields></order>",
            "1049",
            "customText2 is repeated or not in the documented order",
        ),
    ];
    for (from, to, code, message) in cases {
        let bench = Bench::new();
        let answer = bench.import_order(&order_with(from, to)).await;
        assert_eq!(answer.status, "NOT IMPORTED", "{to}: {answer:?}");
        assert!(answer.codes.contains(&code.to_owned()), "{to}: {answer:?}");
        assert!(answer.messages.contains(message), "{to}: {answer:?}");
        assert!(bench.books().is_empty(), "{to}");
    }
}

#[tokio::test]
async fn a_bad_order_does_not_spoil_its_neighbours() {
    let bench = Bench::new();
    let bad = order(2, "A-2").replace(">5<", ">five<");
    let answer = bench.import(document(&[order(1, "A-1"), bad, order(3, "A-3")])).await;
    let statuses: Vec<_> = answer.orders.iter().map(|it| &*it.status).collect();
    assert_eq!(statuses, ["INBOX", "NOT IMPORTED", "INBOX"]);
    assert_eq!(answer.processed, "3");
    assert_eq!(answer.orders[1].erp_number, "A-2", "echoed nevertheless");
}

#[tokio::test]
async fn every_documented_member_is_read() {
    let location = "<companyName>N</companyName><postcode>200000</postcode><province>P</province>\
        <town>T</town><county>C</county><address>A</address><loading>true</loading>\
        <xttSupport>false</xttSupport><contact><name>N</name><phone>123456-1</phone>\
        <phoneAreaCode>21</phoneAreaCode><mobile>13800000000</mobile><email>a@b.cn</email></contact>\
        <locationRemarks>R</locationRemarks><customFields><customText1>x</customText1></customFields>\
        <notifyRadius>1.5</notifyRadius><driverOperateRadius>2</driverOperateRadius>\
        <smsNotificationEnabled>true</smsNotificationEnabled><matchingStrategy>1</matchingStrategy>\
        <deliveryCode>true</deliveryCode><sendEpodSms>true</sendEpodSms>\
        <orderEpodUploadType>EPOD</orderEpodUploadType>";
    let charges = "<lineHaul>1.25</lineHaul><baseRateDescription>B</baseRateDescription>\
        <other>2</other><otherFeesDescription>O</otherFeesDescription>";
    let order = format!(
        "<order sequence=\"1\"><clientCode>C</clientCode>\
        <clientReferenceNumber>R</clientReferenceNumber><importId>I</importId><index>1</index>\
        <branch>华东</branch><erpNumber>A-1</erpNumber><orderNumber>O</orderNumber>\
        <orderRemarks>R</orderRemarks><allowUpdate>false</allowUpdate><policyNumber>P</policyNumber>\
        <shipFrom>{location}</shipFrom><shipToExternalId>X</shipToExternalId>\
        <timeSchedule><pickupDate>2012-12-23</pickupDate><pickupDateRemarks>R</pickupDateRemarks>\
        <deliveryDate>2012-12-24</deliveryDate><deliveryDateRemarks>R</deliveryDateRemarks>\
        <pickupTimeFrom>08:00:00</pickupTimeFrom><pickupTimeTo>09:00:00</pickupTimeTo>\
        <deliveryTimeFrom>10:00:00</deliveryTimeFrom><deliveryTimeTo>11:00:00</deliveryTimeTo>\
        </timeSchedule><orderLines><orderLine><cargoDescription><productCode>P</productCode>\
        <productName>N</productName><unitType>50</unitType><stackable>8</stackable>\
        <cargoCategory>C</cargoCategory><unitLength>1</unitLength><unitWidth>1</unitWidth>\
        <unitHeight>1</unitHeight><unitWeight>1</unitWeight><unitInsurance>1</unitInsurance>\
        </cargoDescription><quantity>1</quantity><weight>1</weight><volume>1</volume>\
        <insuranceValue>1</insuranceValue><remarks>R</remarks><customFields>\
        <customNum10>123456789012.123456</customNum10><customEnum10>E</customEnum10></customFields>\
        </orderLine></orderLines><concealOrderLines>true</concealOrderLines>\
        <rejectDraft>true</rejectDraft><autoProcessMode>4</autoProcessMode><dispatchBy>2</dispatchBy>\
        <toTruck><driver>D</driver><truckPlate>沪A12345</truckPlate><phone>13800000000</phone></toTruck>\
        <cargoDetails><totalQuantity>1</totalQuantity><totalWeight>1</totalWeight>\
        <totalVolume>1</totalVolume><totalInsurance>1</totalInsurance><cargoType>4</cargoType>\
        <packageType>E</packageType></cargoDetails><transportMode><transportType>FTL</transportType>\
        <truckType>9</truckType><transportRemarks>R</transportRemarks><loadingMeter>9</loadingMeter>\
        <truckLength>9.60</truckLength><truckCbmCapacity>50</truckCbmCapacity>\
        <truckMtCapacity>15</truckMtCapacity></transportMode><revenue>{charges}</revenue>\
        <cost>{charges}</cost><vendorCode>V</vendorCode><tempThreshold><minTemp>-18.5</minTemp>\
        <maxTemp>-5</maxTemp><incubatorNumbers>I1;I2</incubatorNumbers></tempThreshold>\
        <portableDevice><deviceNumbers>D1;D2</deviceNumbers></portableDevice>\
        <customFields><customText1>x</customText1><customText80>x</customText80></customFields>\
        <requireEpod>true</requireEpod><businessType>B</businessType>\
        <sellingTariffSelection>2</sellingTariffSelection><deliveryCode>true</deliveryCode>\
        <sendEpodSms>true</sendEpodSms><orderEpodUploadType>PAPERY_POD</orderEpodUploadType></order>"
    );
    let bench = Bench::new();
    let answer = bench.import_order(&order).await;
    assert_eq!((&*answer.status, &*answer.messages), ("DISPATCHED", ""));
}

#[tokio::test]
async fn a_document_that_cannot_be_answered_is_a_bad_request() {
    let one = order(1, "A-1");
    let good = document(std::slice::from_ref(&one));
    let mut cases = vec![
        (String::new(), "not XML"),
        ("hello".to_owned(), "not XML"),
        (format!("{good}<second/>"), "not XML"),
        (good.replace("</orders>", ""), "not XML"),
        (good.replace("orderImportRequest", "orderUpdateRequest"), "root"),
        (good.replace("<orderImportRequest ", "<orderImportRequest xmlns=\"urn:x\" "), "root"),
        (good.replace("version=", "colour=\"red\" version="), "colour"),
        (good.replace("<orders>", "<orders>text"), "orders holds text"),
        (good.replace("<orders>", "<orders><colour/>"), "colour"),
        (good.replace("<orders>", "<orders a=\"b\">"), "attribute a"),
        (good.replace("<orders>", "<orders/><orders>"), "exactly one orders"),
        (document(&[]), "no orders"),
        (document(&[one.replace(" sequence=\"1\"", "")]), "order 1 has no sequence"),
        (document(&[one.replace("\"1\"", "\"one\"")]), "order 1 has no sequence"),
        (document(&[one.clone(), order(1, "A-2")]), "sequence 1 is given twice"),
        (format!("<!DOCTYPE orderImportRequest>{good}"), "DOCTYPE"),
        (format!("<!DOCTYPE a [<!ENTITY b \"c\">]>{good}"), "DOCTYPE"),
        (format!("<?xml version=\"1.0\" encoding=\"GBK\"?>{good}"), "GBK"),
        (good.replace("A-1", "&undeclared;"), "not XML"),
        (good.replace("A-1", "\u{1}"), "not XML"),
    ];
    let deep = "<a>".repeat(200_000);
    cases.push((format!("{deep}{}", deep.replace('<', "</")), "root"));
    for (document, reason) in cases {
        let bench = Bench::new();
        let response = bench.send(put(document.clone()).body_with_basic()).await;
        let start: String = document.chars().take(200).collect();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{start}");
        let body = text(response).await;
        assert!(body.contains(reason), "{start}: {body}");
        assert!(bench.books().is_empty());
    }
}

#[tokio::test]
async fn a_body_that_is_not_utf8_is_a_bad_request() {
    let bench = Bench::new();
    let request = Put::builder().body(Body::from(vec![b'<', 0xff])).unwrap();
    let response = bench.send(request).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn deep_nesting_within_an_order_is_refused_like_any_unknown_member() {
    let bench = Bench::new();
    let open = "<a>".repeat(100_000);
    let nested = format!("<contact>{open}{}</contact></shipTo>", open.replace('<', "</"));
    let answer = bench.import_order(&order_with("</shipTo>", &nested)).await;
    assert_eq!(answer.codes, ["1049"]);
}

#[tokio::test]
async fn comments_and_cdata_do_not_change_an_order() {
    let bench = Bench::new();
    let text = "<companyName><![CDATA[M]]>il<!-- note -->l</companyName>";
    let answer = bench.import_order(&order_with("<companyName>Mill</companyName>", text)).await;
    assert_eq!(answer.status, "INBOX");
    let document = &json_of(&bench.books()[0])["document"];
    assert_eq!(document["shipFrom"]["companyName"], "Mill");
}
