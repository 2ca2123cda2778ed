//! Problem documents, as people read them.

use std::env;
use std::fmt::Write as _;

use serde_json::Value;

use super::output::{self, BAD, DIM, Form, STRONG, printable, styled};

/// Whether the person reads Chinese first, by what the environment says of languages.
fn reads_chinese() -> bool {
    let set = |name: &&str| env::var(name).ok().filter(|value| !value.is_empty());
    ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).is_some_and(|language| language.starts_with("zh"))
}

/// A problem document: its title, what is wrong in this case, and every error with its pointer, in both languages.
/// `place` says where a pointer leads, for a person.
pub fn describe(problem: &Value, place: impl Fn(&str) -> String) -> String {
    describe_in(problem, place, reads_chinese())
}

fn describe_in(problem: &Value, place: impl Fn(&str) -> String, chinese_first: bool) -> String {
    let text = |value: &Value, name: &str| printable(value[name].as_str().unwrap_or_default());
    let kind = text(problem, "type");
    let kind = kind.strip_prefix("/problems/").unwrap_or(&kind);
    let status = problem["status"].as_u64().map(|status| format!("{status} ")).unwrap_or_default();
    let mut words = format!("{} ({status}{kind})", styled(STRONG, text(problem, "title")));
    let errors = problem["errors"].as_array().map_or(&[][..], Vec::as_slice);
    // With errors below it is but their sum.
    if errors.is_empty() {
        let _ = write!(words, "\n  {}", text(problem, "detail"));
    }
    for error in errors {
        let pointer = place(error["pointer"].as_str().unwrap_or_default());
        let mut details = [text(error, "detail"), text(error, "detailZh")];
        if chinese_first {
            details.reverse();
        }
        let [first, second] = details;
        let code = styled(DIM, text(error, "code"));
        let _ = write!(words, "\n  {}  {first}\n    {second}  {code}", styled(BAD, printable(&pointer)));
    }
    if let Some(id) = problem["orderId"].as_str() {
        let _ = write!(words, "\n  The order that exists: {}", printable(id));
    }
    if let Some(id) = problem["requestId"].as_str().filter(|id| !id.is_empty()) {
        let _ = write!(words, "\n  {}", styled(DIM, format!("request {}", printable(id))));
    }
    words
}

/// A pointer as it is; the document as a whole has none.
pub fn as_it_is(pointer: &str) -> String {
    if pointer.is_empty() { "(the whole document)".to_owned() } else { pointer.to_owned() }
}

/// Tells an error on standard error: in JSON as a document, else in words.
pub fn tell(error: &anyhow::Error, form: Form) {
    let problem = error.downcast_ref::<super::exit::Failure>().and_then(super::exit::Failure::problem);
    match (problem, form) {
        (Some(problem), Form::Json) => output::note(&problem.document),
        (None, Form::Json) => output::note(serde_json::json!({"detail": format!("{error:#}")})),
        (Some(problem), Form::Text) => {
            output::note(format!("{} {}", styled(BAD, "error:"), describe(&problem.document, as_it_is)));
        }
        (None, Form::Text) => output::note(format!("{} {error:#}", styled(BAD, "error:"))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_error_stands_with_its_pointer_in_both_languages() {
        let problem = json!({
            "type": "/problems/validation-failed", "title": "The document is not valid", "status": 422,
            "detail": "/shipTo is required.", "requestId": "r-1",
            "errors": [{"pointer": "/shipTo", "code": "validation.missing", "detail": "is required", "detailZh": "为必填字段"}],
        });
        let plain =
            |chinese_first| anstream::adapter::strip_str(&describe_in(&problem, as_it_is, chinese_first)).to_string();
        assert_eq!(
            plain(false),
            "The document is not valid (422 validation-failed)\n  /shipTo  is required\n    为必填字段  validation.missing\n  request r-1"
        );
        assert!(plain(true).contains("/shipTo  为必填字段\n    is required"));
    }

    #[test]
    fn without_errors_the_detail_says_it() {
        let problem = json!({"type": "/problems/not-found", "title": "There is no such thing", "status": 404, "detail": "No \u{1b}."});
        let words = anstream::adapter::strip_str(&describe_in(&problem, as_it_is, false)).to_string();
        assert_eq!(words, "There is no such thing (404 not-found)\n  No \\u{1b}.");
    }
}
