//! Credentials and settings of an account, and an order's extension.

use serde_json::{Value, json};

use crate::provider::{self, AccountDraft, check_account};

fn errors(credentials: &Value, settings: &Value) -> Vec<(String, String)> {
    let provider = provider::find("ile").unwrap();
    let draft = AccountDraft { base_url: "https://oms.example.com", credentials, settings };
    check_account(provider, &draft).into_iter().map(|error| (error.pointer, error.code)).collect()
}

#[test]
fn a_user_id_or_else_an_ile_id_and_its_sign() {
    for good in [
        json!({"userId": "u"}),
        json!({"ileId": "i", "sign": "s"}),
        json!({"userId": "u", "ileId": "i", "sign": "s"}),
        json!({"userId": "u", "ileId": "i"}),
    ] {
        assert_eq!(errors(&good, &json!({})), [], "{good}");
    }
    let missing = "validation.missing";
    for (bad, expected) in [
        (json!({}), vec![("/credentials/ileId", missing), ("/credentials/sign", missing)]),
        (json!({"ileId": "i"}), vec![("/credentials/sign", missing)]),
        (json!({"sign": "s"}), vec![("/credentials/ileId", missing)]),
    ] {
        let expected: Vec<_> =
            expected.into_iter().map(|(pointer, code)| (pointer.to_owned(), code.to_owned())).collect();
        assert_eq!(errors(&bad, &json!({})), expected, "{bad}");
    }
    for (bad, pointer) in [
        (json!({"userId": ""}), "/credentials/userId"),
        (json!({"userId": "u", "sign": 1}), "/credentials/sign"),
        (json!({"userId": "u", "password": "p"}), "/credentials/password"),
    ] {
        let found = errors(&bad, &json!({}));
        assert_eq!((found.len(), found[0].0.as_str()), (1, pointer), "{bad}: {found:?}");
    }
}

#[test]
fn the_name_of_the_customers_reference_is_one_of_two() {
    let credentials = json!({"userId": "u"});
    for name in ["cust_ref", "custRef"] {
        assert_eq!(errors(&credentials, &json!({"customerReferenceMember": name})), []);
    }
    let found = errors(&credentials, &json!({"customerReferenceMember": "customerRef"}));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0, "/settings/customerReferenceMember");
}

#[test]
fn what_ile_does_is_an_amendment_of_one_order_a_request() {
    let profile = provider::find("ile").unwrap().profile();
    let operations: Vec<_> = profile.operations.iter().map(|it| (it.operation.to_string(), it.endpoint)).collect();
    assert_eq!(operations, [("amend".to_owned(), "editOrderByApi")]);
    let [endpoint] = profile.endpoints else { panic!() };
    assert_eq!((endpoint.method, endpoint.path, endpoint.batch_limit), ("POST", "/oms/v1/Order/editOrderByApi", 1));
    assert_eq!(profile.secret_credentials, ["userId", "ileId", "sign"]);
    let extension = profile.order_extension_schema.unwrap().inlined();
    for member in ["amazonShipmentIds", "amazonPo", "fbaWarehouseCode"] {
        assert_eq!(extension["properties"][member]["type"], "string", "{extension:#}");
    }
    assert_eq!(extension["additionalProperties"], false);
}
