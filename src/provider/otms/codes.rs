//! oTMS's code tables: result codes, units, and the enumerations of orderImport.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::canonical::{
    DispatchMode, PackagingClass, ProofType, RateSelection, RetryPolicy, SubmissionResult, TransportService,
    VehicleBody,
};
use crate::provider::Catalogue;

use super::profile::ID;

/// The result codes of both interfaces, global ones included.
pub fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::from_csv(include_bytes!("result_codes.csv")));
    &CATALOGUE
}

/// The result for a raw code, and how it may be retried.
pub fn result(scope: &str, raw_code: &str) -> (SubmissionResult, RetryPolicy) {
    match catalogue().find(scope, raw_code) {
        Some(entry) => (SubmissionResult::from_catalogue(ID, entry), entry.retry),
        None => (SubmissionResult::unclassified(ID, scope, raw_code), RetryPolicy::No),
    }
}

/// Canonical unit of count → unitType 1…50, from `unit_types.csv`.
#[expect(clippy::expect_used, reason = "the table is compiled in; a test reads it")]
pub fn unit_type(canonical: &str) -> Option<&'static str> {
    static UNITS: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
        let rows: Vec<(String, String, String)> = csv::Reader::from_reader(include_bytes!("unit_types.csv").as_slice())
            .into_deserialize()
            .map(|row| row.expect("unit_types.csv is well formed"))
            .collect();
        // Every code can be named outright, whether or not it has a standard unit.
        let escapes = rows.iter().map(|(code, _, _)| (format!("{ID}:{code}"), code.clone())).collect::<Vec<_>>();
        rows.into_iter().map(|(code, _, canonical)| (canonical, code)).chain(escapes).collect()
    });
    UNITS.get(canonical).map(String::as_str)
}

/// packageType
pub fn package_type(class: PackagingClass) -> &'static str {
    match class {
        PackagingClass::LooseManual => "A",
        PackagingClass::PalletisedStackable => "B",
        PackagingClass::NonStackable => "C",
        PackagingClass::Exclusive => "D",
        PackagingClass::InsulatedBox => "E",
    }
}

/// cargoType: 1 general, 2 temperature controlled, 3 dangerous, 4 both.
pub fn cargo_type(temperature_controlled: bool, dangerous_goods: bool) -> u8 {
    1 + u8::from(temperature_controlled) + 2 * u8::from(dangerous_goods)
}

/// transportType
pub fn transport_type(service: TransportService) -> &'static str {
    match service {
        TransportService::Ftl => "FTL",
        TransportService::Ltl => "LTL",
        TransportService::Express => "EXPRESS",
        TransportService::Air => "AIR",
        TransportService::Rail => "RAIL",
        TransportService::Water => "WATER",
    }
}

/// truckType
pub fn truck_type(body: VehicleBody) -> &'static str {
    match body {
        VehicleBody::Open => "0",
        VehicleBody::Box => "1",
        VehicleBody::Any => "2",
        VehicleBody::CarCarrier => "3",
        VehicleBody::OilTanker => "4",
        VehicleBody::WingVan => "5",
        VehicleBody::HighFence => "6",
        VehicleBody::Flatbed => "7",
        VehicleBody::Tank => "8",
        VehicleBody::Reefer => "9",
    }
}

/// autoProcessMode
pub fn auto_process_mode(mode: DispatchMode) -> &'static str {
    match mode {
        DispatchMode::None => "1",
        DispatchMode::Release => "2",
        DispatchMode::Carrier => "3",
        DispatchMode::Vehicle => "4",
    }
}

/// dispatchBy and sellingTariffSelection
pub fn rate_selection(selection: RateSelection) -> &'static str {
    match selection {
        RateSelection::LowestPrice => "1",
        RateSelection::ShortestTime => "2",
    }
}

/// orderEpodUploadType
pub fn epod_upload_type(kind: ProofType) -> &'static str {
    match kind {
        ProofType::Paper => "PAPERY_POD",
        ProofType::Electronic => "EPOD",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_holds_every_code_of_both_documents() {
        let count = |scope: &str| catalogue().entries().iter().filter(|entry| entry.scope == scope).count();
        assert_eq!(
            [count("global"), count("orderImport"), count("orderCustomUpdate.global"), count("orderCustomUpdate")],
            [3, 97, 3, 14]
        );
    }

    #[test]
    fn every_unit_can_be_named() {
        for code in 1..=50 {
            let code = code.to_string();
            assert_eq!(unit_type(&format!("otms:{code}")), Some(code.as_str()));
        }
        assert_eq!(unit_type("otms:51"), None);
        assert_eq!(unit_type("XPK"), Some("4"));
        assert_eq!(unit_type("XRO"), Some("18"));
        assert_eq!(unit_type("KGM"), None);
    }

    #[test]
    fn cargo_types() {
        assert_eq!(
            [cargo_type(false, false), cargo_type(true, false), cargo_type(false, true), cargo_type(true, true)],
            [1, 2, 3, 4]
        );
    }
}
