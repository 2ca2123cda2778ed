//! `onelane translate`: the same as `POST /v1/translations` says, without a gateway.

use std::path::PathBuf;

use onelane::canonical::merge_patch;
use onelane::provider;
use onelane::sandbox::DemoAccount;
use serde_json::{Value, json};

use super::{CommandLine, Directory};
use crate::harness::{Bench, order};

fn fixture(path: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(path);
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        .unwrap()
}

/// The whole order of the fixtures without what this operation of the account refuses, as the API says.
async fn carried(bench: &Bench, account: &str, operation: &str, mut document: Value) -> (Value, Value) {
    loop {
        let body = json!({"account": account, "operation": operation, "order": document});
        let answer = bench.caller.post("/v1/translations", &body).await;
        if answer.status == 200 {
            return (document, answer.body);
        }
        for error in answer.body["errors"].as_array().unwrap_or_else(|| panic!("{:#}", answer.body)) {
            let pointer = error["pointer"].as_str().unwrap().strip_prefix("/order").unwrap();
            // A trip has several orders, of which this is the first.
            let pointer = pointer.strip_prefix("/orders/0").unwrap_or(pointer);
            let (parent, name) = pointer.rsplit_once('/').unwrap();
            match document.pointer_mut(parent).unwrap() {
                Value::Object(members) => drop(members.shift_remove(name).unwrap_or_else(|| panic!("{error}"))),
                Value::Array(items) => drop(items.remove(name.parse().unwrap())),
                other => panic!("{error}: {other}"),
            }
        }
    }
}

/// Every operation of every provider that takes orders, with every member that it carries.
#[tokio::test]
async fn it_says_what_the_gateway_says() {
    let bench = Bench::start().await;
    let command_line = CommandLine::alone();
    let directory = Directory::new();
    let mut compared = 0;
    for account in bench.sandbox.demo_accounts(&bench.sandbox_url) {
        let profile = provider::find(account.provider).unwrap().profile();
        let file_of_account = directory.file("accounts.toml", toml_of(&account));
        for operation in profile.operations {
            let mut document = fixture("canonical/whole-order.json");
            let patch = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
                .join(format!("tests/fixtures/{}/whole-order-patch.json", profile.id));
            if patch.exists() {
                merge_patch(&mut document, &fixture(&format!("{}/whole-order-patch.json", profile.id)));
            }
            document["documentType"] = json!(<&str>::from(operation.document_type));
            document["account"] = json!(account.id);
            let name = <&str>::from(operation.operation);
            if name == "create" {
                document.as_object_mut().unwrap().shift_remove("providerOrderNumber");
            } else {
                document["providerOrderNumber"] = json!("PN-1");
            }
            let (document, expected) = carried(&bench, account.id, name, document).await;
            let file = directory.file("order.json", document.to_string());
            let arguments = [
                "translate",
                "--accounts",
                &file_of_account,
                "--account",
                account.id,
                "--operation",
                name,
                "--output",
                "json",
                &file,
            ];
            let said = command_line.run(&arguments).await.with_code(0);
            assert_eq!(said.json(), expected, "{} {name}", profile.id);
            let raw = command_line.run(&[&arguments[..7], &["--raw", &file]].concat()).await.with_code(0);
            assert_eq!(raw.out, expected["request"]["body"].as_str().unwrap(), "{} {name}", profile.id);
            compared += 1;
        }
    }
    assert!(compared >= 10, "{compared}");
}

/// An account of the sandbox as the file of `accounts apply` has it. Its credentials are in nobody's environment.
fn toml_of(account: &DemoAccount) -> String {
    let toml = |value: &Value| value.to_string().replace("\":", "\" = ");
    let names = account.credentials.as_object().unwrap().keys();
    let credentials: Value = names.map(|name| (name.clone(), json!({"env": "NOBODY_SETS_THIS"}))).collect();
    let DemoAccount { id, provider, base_url, settings, .. } = account;
    let (settings, credentials) = (toml(settings), toml(&credentials));
    format!(
        "[accounts.{id}]\nprovider = \"{provider}\"\nbaseUrl = \"{base_url}\"\nsettings = {settings}\n\
         credentials = {credentials}\n"
    )
}

#[tokio::test]
async fn an_amendment_by_a_patch() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let (order, patch) = (order("SO-1"), json!({"remarks": "换了", "shipTo": {"contact": {"name": "王五"}}}));
    let (order_file, patch_file) =
        (directory.file("order.json", order.to_string()), directory.file("patch.json", patch.to_string()));
    let body = json!({"account": "otms-demo", "operation": "amend", "order": order, "changes": patch});
    let expected = bench.caller.post("/v1/translations", &body).await;
    assert_eq!(expected.status, 200, "{:#}", expected.body);
    let base_url = expected.body["request"]["url"].as_str().unwrap().strip_suffix("/ws/orderImport").unwrap();
    let amend = ["translate", "--provider", "otms", "--operation", "amend", "--changes", &patch_file];
    let plain = ["--account-settings", "allowPlainHttp=true", "--base-url", base_url, "--output", "json", &order_file];
    let said = CommandLine::alone().run(&[&amend[..], &plain].concat()).await.with_code(0);
    assert_eq!(said.json(), expected.body);

    // What is wrong is told with the file that it stands in.
    let wrong = directory.file("wrong.json", json!({"orderNumber": "SO-2"}).to_string());
    let amend = ["translate", "--provider", "otms", "--operation", "amend", "--changes", &wrong, &order_file];
    let said = CommandLine::alone().run(&amend).await.with_code(2);
    assert!(said.err.contains("wrong.json /orderNumber  identifies the order"), "{}", said.err);
}

#[tokio::test]
async fn for_people_it_is_pretty_and_tells_what_is_left_out() {
    let mut document = order("SO-1");
    document["deliveryMethod"] = json!("self_pickup");
    let command_line = CommandLine::alone();
    let said = command_line
        .run_with(&["translate", "--provider", "otms", "-"], document.to_string().as_bytes())
        .await
        .with_code(0);
    assert!(said.out.starts_with("<?xml"), "{}", said.out);
    assert!(said.out.contains("\n      <erpNumber>SO-1</erpNumber>"), "{}", said.out);
    assert!(said.err.contains("PUT https://provider.example/"), "{}", said.err);
    assert!(said.err.contains("authorization: ***"), "{}", said.err);
    assert!(said.err.contains("translation.field_dropped /deliveryMethod"), "{}", said.err);
    assert!(!said.out.contains('\u{1b}') && !said.err.contains('\u{1b}'), "no colours in pipes");

    let lineage = ["translate", "--provider", "otms", "--lineage", "-"];
    let said = command_line.run_with(&lineage, document.to_string().as_bytes()).await.with_code(0);
    let number = said.out.lines().find(|line| line.starts_with("/orderNumber ")).unwrap();
    assert!(number.contains("erpNumber"), "{number}");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_at_once_in_both_languages() {
    let mut wrong = order("SO-1");
    wrong["colour"] = json!("red");
    wrong["orderNumber"] = json!(5);
    let translate = ["translate", "--provider", "otms", "-"];
    let said = CommandLine::alone().run_with(&translate, wrong.to_string().as_bytes()).await.with_code(2);
    for words in
        ["- /colour  is not a member that exists here", "此处不存在该字段", "- /orderNumber", "validation.invalid_type"]
    {
        assert!(said.err.contains(words), "{words}: {}", said.err);
    }
    // Whoever reads Chinese finds it first.
    let chinese = CommandLine::alone().with("LC_ALL", "zh_CN.UTF-8");
    let said = chinese.run_with(&translate, wrong.to_string().as_bytes()).await.with_code(2);
    assert!(said.err.contains("- /colour  此处不存在该字段"), "{}", said.err);
    let json = ["translate", "--provider", "otms", "--output", "json", "-"];
    let said = CommandLine::alone().run_with(&json, wrong.to_string().as_bytes()).await.with_code(2);
    let problem: Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2, "{problem:#}");

    let mut refused = order("SO-1");
    refused["collect"] = json!({"goods": {"amount": 100, "currency": "CNY"}});
    let said = CommandLine::alone().run_with(&translate, refused.to_string().as_bytes()).await.with_code(2);
    assert!(said.err.contains("(422 unsupported-by-provider)"), "{}", said.err);
    assert!(said.err.contains("- /collect"), "{}", said.err);

    for (arguments, input, words) in [
        (["translate", "--provider", "otms", "-"], "{", "- is no JSON"),
        (["translate", "--provider", "hongxun", "-"], "{}", "/order"),
        (["translate", "--provider", "otms", "/nowhere/order.json"], "", "/nowhere/order.json cannot be read"),
    ] {
        let said = CommandLine::alone().run_with(&arguments, input.as_bytes()).await.with_code(2);
        assert!(said.err.contains(words) || words == "/order", "{}", said.err);
    }
}

#[tokio::test]
async fn an_account_of_the_file_that_apply_takes() {
    let directory = Directory::new();
    let accounts = directory.file(
        "accounts.toml",
        "[accounts.east]\nprovider = 'otms'\nbaseUrl = 'https://east.example'\n\
         [accounts.east.settings]\ncredentialsIn = 'document'\n\
         [accounts.east.credentials]\nusername = { env = 'NOBODY_SETS_THIS' }\npassword = { file = '/nowhere' }\n",
    );
    let document = order("SO-1").to_string();
    let run = async |more: &[&str]| {
        let arguments = [&["translate", "--output", "json", "--accounts", &accounts], more, &["-"]].concat();
        CommandLine::alone().run_with(&arguments, document.as_bytes()).await
    };
    let said = run(&["--account", "east"]).await.with_code(0);
    assert_eq!(said.json()["request"]["url"], "https://east.example/ws/orderImport");
    assert!(said.json()["request"]["body"].as_str().unwrap().contains("password=\"***\""));
    assert!(run(&["--account", "west"]).await.with_code(2).err.contains("has no account west"));
    // Settings are checked as the gateway would.
    let set = ["translate", "--provider", "otms", "--account-settings", "credentialsIn=nowhere", "-"];
    let said = CommandLine::alone().run_with(&set, document.as_bytes()).await.with_code(2);
    assert!(said.err.contains("/settings/credentialsIn"), "{}", said.err);
}
