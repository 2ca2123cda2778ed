//! 附录一 签名规则: the lower hex MD5 of `createBy&dataSource&request&SK&timestamp`, the request as JSON with its keys
//! sorted.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};
use serde_json::Value;

use super::{CREATE_BY, DATA_SOURCE, SECRET_KEY};

pub fn sign(request: &Value, timestamp: &str) -> String {
    let request = sorted(request);
    let signed = [CREATE_BY, DATA_SOURCE, &request, SECRET_KEY, timestamp].join("&");
    HEXLOWER.encode(&Md5::digest(signed))
}

/// JSON in the shortest form, the members of every object in the order of their names and without nulls.
///
/// Keys are sorted as Java sorts texts; names of this simulator's members are ASCII, where all sort alike.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().filter(|(_, member)| !member.is_null());
            let sorted: BTreeMap<&str, String> = members.map(|(name, it)| (name.as_str(), sorted(it))).collect();
            let members: Vec<String> = sorted.into_iter().map(|(name, it)| format!("{}:{it}", text(name))).collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        Value::String(it) => text(it),
        // 1.0 is written 1.
        Value::Number(number) => match number.as_i64() {
            Some(whole) => whole.to_string(),
            None => number.as_str().strip_suffix(".0").unwrap_or(number.as_str()).to_owned(),
        },
        other => other.to_string(),
    }
}

/// As Gson writes it: it leaves what HTML would escape, and escapes two line ends that JSON would leave.
fn text(text: &str) -> String {
    let written = Value::from(text).to_string();
    written.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn requests_are_sorted_and_short() {
        let request = json!({"z": 1.0, "a": {"y": "&<>='/汉", "x": [{"d": 1, "c": 2.5}], "n": null}});
        assert_eq!(sorted(&request), r#"{"a":{"x":[{"c":2.5,"d":1}],"y":"&<>='/汉"},"z":1}"#);
        assert_eq!(sorted(&json!("a\u{2028}\"\n")), r#""a\u2028\"\n""#);
    }

    /// Made with another program: `printf … | md5sum`.
    #[test]
    fn the_signature_is_that_of_another_program() {
        let request =
            json!({"customerNumber": "RK1", "orderStatus": "FULFILLED", "totalQuantity": 10, "actualQuantity": 8});
        assert_eq!(sign(&request, "2024-01-01 08:00:00"), "5d56c4f5dd026b237288b3b9dd935671");
    }
}
