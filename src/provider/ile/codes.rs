//! ILE's code tables: result codes, and what `battery` may be.

use std::sync::LazyLock;

use crate::canonical::{BatteryClass, SubmissionResult};
use crate::provider::Catalogue;

use super::profile::ID;

/// Where all codes stand: in `code` of an answer's body.
const SCOPE: &str = "body";

/// The result codes.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::from_csv(include_bytes!("result_codes.csv")));
    &CATALOGUE
}

/// The result for a code.
pub fn result(code: i32) -> SubmissionResult {
    let raw_code = code.to_string();
    match catalogue().find(SCOPE, &raw_code) {
        Some(entry) => SubmissionResult::from_catalogue(ID, entry),
        None => SubmissionResult::unclassified(ID, SCOPE, &raw_code),
    }
}

/// battery (0-不带电、1-带电、2-纯电)
pub fn battery(class: BatteryClass) -> &'static str {
    match class {
        BatteryClass::None => "0",
        BatteryClass::Contained => "1",
        BatteryClass::Standalone => "2",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_holds_every_code_of_the_document() {
        let codes: Vec<_> = catalogue().entries().iter().map(|entry| entry.raw_code.as_str()).collect();
        assert_eq!(codes, ["200", "401", "403", "404", "500"]);
        assert!(catalogue().entries().iter().all(|entry| entry.scope == SCOPE));
        assert_eq!(result(200).message_zh, "订单编辑成功");
        assert_eq!(result(500).message_zh, "系统异常");
    }
}
