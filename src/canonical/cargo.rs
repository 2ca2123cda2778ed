//! What is shipped and what it needs on the way.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::custom_fields::CustomFields;
use super::decimal::{Decimal, SignedDecimal};
use super::terms::Money;

/// A cargo line. `externalId` (a catalogue reference) excludes `sku`, `name` and `unit`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// Key of the line inside the order; assigned when absent (GS1 lineItemNumber)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub line_id: Option<String>,
    /// Product id predefined at the provider (OTM5 reference)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub external_id: Option<String>,
    /// Product code (GS1 GTIN or own SKU)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub sku: Option<String>,
    /// Goods name (OTM5 items.description)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub name: Option<String>,
    /// Chinese goods name, where `name` is not Chinese
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub name_zh: Option<String>,
    /// Product category (OTM5 items.productType)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub category: Option<String>,
    /// Tariff code (WCO HS)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[0-9.]{2,14}$")]
    pub hs_code: Option<String>,
    /// Count of `unitType` (OTM5 items.quantity)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<Decimal>,
    /// Unit of count: UN/ECE Recommendation 20, with Recommendation 21 package codes prefixed X (XPX, XCT,
    /// H87, EA, SET…), or `<provider>:<code>`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^([A-Z0-9]{2,3}|[a-z0-9]{2,16}:[A-Za-z0-9]{1,16})$")]
    pub unit_type: Option<String>,
    /// Measures of one unit
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<UnitSize>,
    /// Gross weight of the whole line in kg (UBL GrossWeightMeasure)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_weight: Option<Decimal>,
    /// Volume of the whole line in m³ (UBL GrossVolumeMeasure)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Decimal>,
    /// Customs or commercial value of one unit
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_value: Option<Money>,
    /// Value of the line, 货值 (UBL DeclaredForCarriageValueAmount)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared_value: Option<Money>,
    /// Insured value of the line (UBL InsuranceValueAmount)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insured_value: Option<Money>,
    /// 1 = not stackable, n = at most n layers
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 8)]
    pub max_stack_layers: Option<u8>,
    /// Remarks (OTM5 items.remark)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub remarks: Option<String>,
    /// Custom fields (OTM5 externalAttributes)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<CustomFields>,
}

/// Measures of one unit of a line.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct UnitSize {
    /// Length in cm
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Decimal>,
    /// Width in cm
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Decimal>,
    /// Height in cm
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Decimal>,
    /// Gross weight of one unit in kg
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<Decimal>,
    /// Insured value of one unit
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insured_value: Option<Money>,
}

/// A handling unit or parcel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Package {
    /// Barcode or SSCC
    #[schema(min_length = 1, max_length = 64)]
    pub barcode: String,
    /// Package type, UN/ECE Recommendation 21 prefixed X
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^X[A-Z0-9]{2}$")]
    pub package_type: Option<String>,
    /// Length in cm
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Decimal>,
    /// Width in cm
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<Decimal>,
    /// Height in cm
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<Decimal>,
    /// Gross weight in kg
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_weight: Option<Decimal>,
}

/// Totals of the order. What is absent is derived from lines or packages where a provider needs it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Totals {
    /// All transport units (UBL TotalGoodsItemQuantity)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub quantity: Option<u32>,
    /// Number of packages; equals the number of `packages` when these are given
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    pub package_count: Option<u32>,
    /// Total gross weight in kg
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gross_weight: Option<Decimal>,
    /// Total volume in m³
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Decimal>,
    /// Total insured value
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insured_value: Option<Money>,
}

/// Characteristics of the cargo.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Cargo {
    /// Needs temperature control; false when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_controlled: Option<bool>,
    /// Dangerous goods; false when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dangerous_goods: Option<bool>,
    /// Lithium batteries; none when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery: Option<BatteryClass>,
    /// How the goods are packed for handling
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub packaging_class: Option<PackagingClass>,
}

/// Batteries: contained = 带电 (UN 3481), standalone = 纯电 (UN 3480).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BatteryClass {
    None,
    Contained,
    Standalone,
}

/// How the goods are packed for handling and stacking.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PackagingClass {
    LooseManual,
    PalletisedStackable,
    NonStackable,
    Exclusive,
    InsulatedBox,
}

/// Requirements on the transport.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Transport {
    /// Service
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_type: Option<TransportService>,
    /// Required truck body (OTM5 vehicleTypeConstraint)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle_body: Option<VehicleBody>,
    /// Truck length in m
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle_length: Option<Decimal>,
    /// Truck volume capacity in m³
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume_capacity: Option<Decimal>,
    /// Truck weight capacity in kg
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_capacity: Option<Decimal>,
    /// Loading metres, in m (UBL LoadingLengthMeasure)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub loading_metres: Option<u32>,
    /// Remarks on the transport (UBL HaulageInstructions)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub remarks: Option<String>,
}

/// Transport service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TransportService {
    Ftl,
    Ltl,
    Express,
    Air,
    Rail,
    Water,
}

/// Truck body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VehicleBody {
    Any,
    Open,
    Box,
    CarCarrier,
    OilTanker,
    WingVan,
    HighFence,
    Flatbed,
    Tank,
    Reefer,
}

/// Temperature alarm limits; only with `cargo.temperatureControlled`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Temperature {
    /// Alarm below, in °C
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<SignedDecimal>,
    /// Alarm above, in °C
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<SignedDecimal>,
    /// Numbers of the insulated boxes (OTM5 transportEquipment)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::order::non_empty_strings)]
    pub container_ids: Option<Vec<String>>,
}
