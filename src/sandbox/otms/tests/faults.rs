//! What arrives at a client of a sandbox with faults, over real sockets where a connection matters,
//! and what is in the books then.

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

impl Bench {
    async fn control(&self, method: &str, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let response = self.send(request.body(body.to_string().into()).unwrap()).await;
        let status = response.status();
        (status, serde_json::from_str(&text(response).await).unwrap_or_default())
    }

    async fn set_faults(&self, faults: Value) {
        let answer = self.control("PUT", "/control/otms/faults", &faults).await;
        assert_eq!(answer.0, StatusCode::OK, "{answer:?}");
    }

    /// How often each fault has struck.
    async fn fired(&self) -> Vec<u64> {
        let (_, shown) = self.control("GET", "/control/otms/faults", &Value::Null).await;
        shown["items"].as_array().unwrap().iter().map(|it| it["fired"].as_u64().unwrap()).collect()
    }

    /// Sends over a connection of its own, and reads all that comes.
    async fn over_a_socket(&self, document: &str) -> std::io::Result<Vec<u8>> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(self.sandbox.clone().serve(listener, std::future::pending()));
        let mut connection = TcpStream::connect(address).await.unwrap();
        let authorization = basic("demo", "onelane-demo-password");
        let request = format!(
            "PUT /otms/ws/orderImport HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\
             Content-Type: application/xml\r\nAuthorization: {authorization}\r\n\
             Content-Length: {}\r\n\r\n{document}",
            document.len()
        );
        connection.write_all(request.as_bytes()).await?;
        let mut received = Vec::new();
        let read = connection.read_to_end(&mut received).await;
        serving.abort();
        read.map(|_| received)
    }

    /// What a fault does to the import of one order: the answer's head and body.
    async fn answer_with(&self, fault: Value) -> (String, Vec<u8>) {
        self.set_faults(json!([fault])).await;
        let received = self.over_a_socket(&document(&[order(1, "A-1")])).await.unwrap();
        assert_eq!(self.fired().await, [1]);
        assert_eq!(self.meter()[0].requests, 1, "every request is counted");
        let end = received.windows(4).position(|it| it == b"\r\n\r\n").unwrap();
        (String::from_utf8(received[..end].to_vec()).unwrap().to_lowercase(), received[end + 4..].to_vec())
    }

    async fn text_with(&self, fault: Value) -> (String, String) {
        let (head, body) = self.answer_with(fault).await;
        (head, String::from_utf8(body).unwrap())
    }
}

fn length_in(head: &str) -> usize {
    let line = head.lines().find_map(|it| it.strip_prefix("content-length: "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn without_a_fault_the_socket_carries_the_answer() {
    let bench = Bench::new();
    let received = bench.over_a_socket(&document(&[order(1, "A-1")])).await.unwrap();
    assert!(received.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert!(received.ends_with(b"</orderImportResponse>"));
}

#[tokio::test]
async fn a_reset_leaves_nothing() {
    let bench = Bench::new();
    bench.set_faults(json!([{ "kind": "reset_before_read" }])).await;
    let error = bench.over_a_socket(&document(&[order(1, "A-1")])).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert!(bench.books().is_empty());
    assert_eq!(bench.meter()[0].requests, 1);
}

#[tokio::test]
async fn a_dropped_connection_hides_what_was_committed() {
    let bench = Bench::new();
    bench.set_faults(json!([{ "kind": "commit_then_drop", "times": 1 }])).await;
    let one = document(&[order(1, "A-1")]);
    assert_eq!(bench.over_a_socket(&one).await.unwrap(), b"");
    assert_eq!(bench.books()[0].created, 1);
    assert_eq!(bench.import(one).await.orders[0].codes, ["1022"]);
}

#[tokio::test]
async fn silence_ends_without_an_answer() {
    for (commit, created) in [(false, 0), (true, 1)] {
        let bench = Bench::new();
        bench.set_faults(json!([{ "kind": "silence", "delayMs": 1, "commit": commit }])).await;
        assert_eq!(bench.over_a_socket(&document(&[order(1, "A-1")])).await.unwrap(), b"");
        assert_eq!(bench.books().len(), created);
        assert_eq!(bench.meter()[0].requests, 1);
    }
}

#[tokio::test]
async fn half_an_answer_breaks_off_in_its_body() {
    for orders in [1, 100] {
        let bench = Bench::new();
        bench.set_faults(json!([{ "kind": "half_answer" }])).await;
        let orders: Vec<_> = (0..orders).map(|n| order(n, &format!("A-{n}"))).collect();
        let received = bench.over_a_socket(&document(&orders)).await.unwrap();
        let end = received.windows(4).position(|it| it == b"\r\n\r\n").unwrap() + 4;
        let head = String::from_utf8(received[..end].to_vec()).unwrap().to_lowercase();
        assert_eq!(received.len() - end, length_in(&head) / 2);
        assert_eq!(bench.books().len(), orders.len());
    }
}

#[tokio::test]
async fn a_truncated_body_is_a_whole_answer_of_http() {
    for kind in ["truncated_body", "truncated_xml"] {
        let bench = Bench::new();
        let (head, body) = bench.text_with(json!({ "kind": kind })).await;
        assert!(head.starts_with("http/1.1 200"));
        assert_eq!(body.len(), length_in(&head));
        assert!(body.starts_with("<?xml") && !body.contains("</orderImportResponse>"));
        assert_eq!(bench.books().len(), 1);
    }
}

#[tokio::test]
async fn a_page_or_a_bare_status_comes_before_anything_is_processed() {
    for (fault, status_line, extra, start) in [
        (json!({ "kind": "html" }), "http/1.1 502 bad gateway", "text/html", "<!DOCTYPE html>"),
        (json!({ "kind": "html", "status": 200 }), "http/1.1 200 ok", "text/html", "<!DOCTYPE html>"),
        (json!({ "kind": "status" }), "http/1.1 500 internal server error", "text/plain", "500 Internal"),
        (
            json!({ "kind": "status", "status": 429, "retryAfterSeconds": 7 }),
            "http/1.1 429 too many requests",
            "retry-after: 7",
            "429 Too Many Requests\n",
        ),
        (
            json!({ "kind": "replace_body", "body": "{}", "commit": false, "status": 201 }),
            "http/1.1 201 created",
            "application/json",
            "{}",
        ),
    ] {
        let bench = Bench::new();
        let (head, body) = bench.text_with(fault.clone()).await;
        assert!(head.starts_with(status_line) && head.contains(extra), "{fault}: {head}");
        assert!(body.starts_with(start), "{fault}: {body}");
        assert!(bench.books().is_empty(), "{fault}");

        if fault["kind"] != "replace_body" {
            let mut fault = fault;
            fault["commit"] = true.into();
            let bench = Bench::new();
            assert_eq!(bench.text_with(fault).await.1, body);
            assert_eq!(bench.books().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_body_is_replaced_after_the_request_was_processed() {
    for (fault, content_type) in [
        (json!({ "kind": "replace_body", "body": "<odd/>" }), "application/xml"),
        (json!({ "kind": "replace_body", "body": "odd" }), "text/plain; charset=utf-8"),
        (json!({ "kind": "replace_body", "body": "odd", "contentType": "x/y" }), "x/y"),
    ] {
        let bench = Bench::new();
        let (head, body) = bench.text_with(fault.clone()).await;
        assert_eq!(body, fault["body"].as_str().unwrap());
        assert!(head.contains(&format!("content-type: {content_type}")), "{head}");
        assert_eq!(bench.books().len(), 1);
    }
}

#[tokio::test]
async fn hostile_answers_come_after_the_order_is_in_the_books() {
    for (kind, part) in [("doctype_bomb", "SYSTEM"), ("entity_bomb", "\">&l9;<responseCode/>")] {
        let bench = Bench::new();
        let (_, body) = bench.text_with(json!({ "kind": kind })).await;
        assert!(body.contains("?>\n<!DOCTYPE orderImportResponse [<!ENTITY"), "{body}");
        assert!(body.contains(part), "{body}");
        assert_eq!(bench.books().len(), 1);
    }
    let bench = Bench::new();
    let (_, body) = bench.answer_with(json!({ "kind": "wrong_encoding" })).await;
    assert!(String::from_utf8_lossy(&body).contains("encoding=\"GBK\""));
    assert!(String::from_utf8(body).is_err());
    assert_eq!(bench.books().len(), 1);
}

#[tokio::test]
async fn a_huge_answer_is_as_long_as_asked_and_does_not_say_so() {
    let bench = Bench::new();
    let (head, body) = bench.answer_with(json!({ "kind": "huge_answer", "bytes": 3_000_000 })).await;
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    assert!((3_000_000..3_010_000).contains(&body.len()), "with the lengths of chunks: {}", body.len());
    assert_eq!(bench.books().len(), 1);
}

#[tokio::test]
async fn a_packed_answer_is_small_until_it_is_unpacked() {
    let bench = Bench::new();
    let (head, body) = bench.answer_with(json!({ "kind": "gzip_bomb", "bytes": 3_000_000 })).await;
    assert!(head.contains("content-encoding: gzip") && body.len() < 10_000, "{head} {}", body.len());
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*body), &mut unpacked).unwrap();
    assert_eq!(unpacked.len(), 3_000_000);
    assert_eq!(bench.books().len(), 1);
}

#[tokio::test]
async fn a_redirect_says_where_to_and_does_nothing() {
    let bench = Bench::new();
    let (head, _) = bench.answer_with(json!({ "kind": "redirect", "location": "http://127.0.0.1:9/there" })).await;
    assert!(head.contains("307") && head.contains("location: http://127.0.0.1:9/there"), "{head}");
    assert!(bench.books().is_empty());
}

#[tokio::test]
async fn a_slow_answer_is_the_usual_one() {
    let bench = Bench::new();
    let (_, body) = bench.text_with(json!({ "kind": "slow", "delayMs": 1 })).await;
    assert_eq!(Answer::parse(&body).orders[0].status, "INBOX");
}

#[tokio::test]
async fn the_simulator_refuses_with_any_code() {
    for code in ["0", "1", "2", "999"] {
        let bench = Bench::new();
        let (_, body) = bench.text_with(json!({ "kind": "answer_code", "code": code })).await;
        let answer = Answer::parse(&body);
        assert_eq!((&*answer.code, answer.orders.len()), (code, 0));
        assert!(bench.books().is_empty());
    }
}

#[tokio::test]
async fn an_order_is_refused_with_any_code_and_the_others_are_processed() {
    let bench = Bench::new();
    bench.set_faults(json!([{ "kind": "item_code", "code": "2000", "orderNumber": "A-2", "times": 1 }])).await;
    let all = document(&[order(1, "A-1"), order(2, "A-2"), order(3, "A-3")]);
    assert_eq!(bench.import(document(&[order(1, "A-9")])).await.orders[0].codes, [""; 0]);
    let answer = bench.import(&*all).await;
    let got: Vec<_> = answer.orders.iter().map(|it| (&*it.status, it.codes.join(" "))).collect();
    let good = ("INBOX", String::new());
    assert_eq!(got, [good.clone(), ("NOT IMPORTED", "2000".to_owned()), good]);
    assert_eq!(bench.books().len(), 3);
    assert_eq!(bench.fired().await, [1]);

    let answer = bench.import(all).await;
    assert_eq!(answer.orders[1].status, "INBOX");
    assert_eq!(bench.simulator().books(Some("A-2"))[0].received_creates, 2);
}

#[tokio::test]
async fn a_code_comes_with_a_status_of_its_own_and_with_a_committed_order() {
    let bench = Bench::new();
    let draft = json!({ "kind": "item_code", "code": "1018", "status": "DRAFT", "commit": true, "times": 1 });
    bench.set_faults(json!([draft, { "kind": "item_code", "code": "1013", "status": "LOST" }])).await;
    let answer = bench.import_order(&order(1, "A-1")).await;
    assert_eq!((&*answer.status, &*answer.codes), ("DRAFT", &["1018".to_owned()][..]));
    let entry = json_of(&bench.books()[0]);
    assert_eq!((&entry["status"], &entry["providerOrderNumber"]), (&"DRAFT".into(), &answer.number.into()));

    let answer = bench.import_order(&order(1, "A-2")).await;
    assert_eq!((&*answer.status, &*answer.codes, &*answer.number), ("LOST", &["1013".to_owned()][..], ""));
    assert_eq!(bench.books().len(), 1);
}

/// Every code of the document's table 单个请求反馈代码, whether data can provoke it or not.
#[tokio::test]
async fn every_code_of_the_document_can_be_answered() {
    let documented = "\
        1000 1001 1002 1003 1004 1005 1006 1007 1008 1009 1010 1011 1012 1013 1014 1015 \
        1016 1017 1018 1019 1020 1021 1022 1023 1024 1025 1026 1027 1028 1029 1030 1031 \
        1032 1033 1034 1035 1036 1037 1038 1040 1041 1042 1043 1044 1049 1052 1053 1070 \
        1072 1073 1080 1081 1082 1083 1084 1085 1086 1090 1091 1092 1093 1094 1095 1096 \
        1097 1098 1100 1116 1117 1118 1119 1120 1141 1142 1143 1146 1150 1151 1152 1160 \
        1170 1181 1182 1183 1200 1201 1202 1203 1204 1205 1206 1207 1208 1209 1210 1211 \
        2000";
    let codes: Vec<_> = documented.split_whitespace().collect();
    assert_eq!(codes.len(), 97);
    let bench = Bench::new();
    bench.set_faults(codes.iter().map(|code| json!({ "kind": "item_code", "code": code, "times": 1 })).collect()).await;
    for code in codes {
        let answer = bench.import_order(&order(1, "A-1")).await;
        assert_eq!(answer.codes, [code]);
        bench.advance(TimeDelta::seconds(1));
    }
    assert!(bench.books().is_empty());
    assert_eq!(bench.import_order(&order(1, "A-1")).await.status, "INBOX");
}

#[tokio::test]
async fn results_are_left_out_invented_or_repeated() {
    for (kind, order_number, sequences) in [
        ("item_missing", None, "2 3"),
        ("item_missing", Some("A-2"), "1 3"),
        ("item_unasked", None, "1 4 2 3"),
        ("item_twice", Some("A-3"), "1 2 3 3"),
    ] {
        let bench = Bench::new();
        bench.set_faults(json!([{ "kind": kind, "orderNumber": order_number }])).await;
        let answer = bench.import(document(&[order(1, "A-1"), order(2, "A-2"), order(3, "A-3")])).await;
        let got: Vec<_> = answer.orders.iter().map(|it| &*it.sequence).collect();
        assert_eq!(got.join(" "), sequences, "{kind}");
        assert_eq!(bench.books().len(), 3);
    }
}

#[tokio::test]
async fn in_process_a_cut_fails_the_body() {
    for kind in ["reset_before_read", "commit_then_drop", "half_answer"] {
        let bench = Bench::new();
        bench.set_faults(json!([{ "kind": kind }])).await;
        let response = bench.send(put(document(&[order(1, "A-1")])).body_with_basic()).await;
        assert!(to_bytes(response.into_body(), usize::MAX).await.is_err(), "{kind}");
    }
}

#[tokio::test]
async fn the_first_fault_that_applies_strikes_and_is_counted_down() {
    let bench = Bench::new();
    bench
        .set_faults(json!([
            { "kind": "answer_code", "code": "7", "times": 2, "orderNumber": "A-2" },
            { "kind": "answer_code", "code": "8", "times": 1, "endpoint": "orderImport" },
            { "kind": "answer_code", "code": "9", "probability": 0 },
        ]))
        .await;
    let mut codes = Vec::new();
    for number in ["A-1", "A-2", "A-1", "A-2", "A-2"] {
        codes.push(bench.import(document(&[order(1, number)])).await.code);
    }
    assert_eq!(codes, ["8", "7", "", "7", ""]);
    assert_eq!(bench.fired().await, [2, 1, 0]);
}

#[tokio::test]
async fn chances_come_again_for_the_same_seed() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let bench = Bench::new();
        bench.set_faults(json!([{ "kind": "status", "probability": 0.25 }])).await;
        let mut statuses = Vec::new();
        for _ in 0..40 {
            let response = bench.send(put(document(&[order(1, "A-1")])).body_with_basic()).await;
            statuses.push(response.status().as_u16());
        }
        let struck = statuses.iter().filter(|it| **it == 500).count();
        assert_eq!(bench.fired().await, [struck as u64]);
        assert!((3..20).contains(&struck), "{struck}");
        runs.push(statuses);
    }
    assert_eq!(runs[0], runs[1]);
}

#[tokio::test]
async fn a_reset_of_the_sandbox_and_a_delete_clear_the_faults() {
    for (method, path, status) in [("POST", "/control/reset", 200), ("DELETE", "/control/otms/faults", 204)] {
        let bench = Bench::new();
        bench.set_faults(json!([{ "kind": "status" }])).await;
        let (answered, _) = bench.control(method, path, &Value::Null).await;
        assert_eq!(answered, status);
        assert!(bench.fired().await.is_empty());
        assert_eq!(bench.import_order(&order(1, "A-1")).await.status, "INBOX");
    }
}
