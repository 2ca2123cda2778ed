//! When, for how much and under which terms an order is carried.

use chrono::{DateTime, FixedOffset, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::decimal::Decimal;

/// An amount with its currency; the amount is an exact decimal in major units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Money {
    /// Amount in major units (UBL Amount)
    pub amount: Decimal,
    /// Currency, ISO 4217
    #[schema(pattern = "^[A-Z]{3}$")]
    pub currency: String,
}

/// The party that orders the transport.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Customer {
    /// Customer code at the provider (GS1 logisticServicesBuyer)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub code: Option<String>,
    /// Name
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    pub name: Option<String>,
}

/// Either a `date` (day precision), or `startTime` with or without `endTime`, or `endTime` alone.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TimeWindow {
    /// Calendar day in Asia/Shanghai, yyyy-MM-dd
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "date")]
    pub date: Option<NaiveDate>,
    /// Earliest instant, RFC 3339 with offset
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = "date-time")]
    pub start_time: Option<DateTime<FixedOffset>>,
    /// Latest instant, RFC 3339 with offset; not before `startTime`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, format = "date-time")]
    pub end_time: Option<DateTime<FixedOffset>>,
    /// Remarks on date and time
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub remarks: Option<String>,
}

/// Who brings the goods the last way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryMethod {
    SelfPickup,
    DoorDelivery,
}

/// Insurance.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Insurance {
    /// Policy number
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub policy_number: Option<String>,
}

/// Freight money, what is earned and what is paid.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Charges {
    /// What the shipper pays
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revenue: Option<ChargeSide>,
    /// What the carrier gets
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<ChargeSide>,
}

/// One side of the freight money.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChargeSide {
    /// Line-haul amount
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freight: Option<Money>,
    /// What the freight is for
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub freight_description: Option<String>,
    /// Other charges
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Money>,
    /// What the other charges are for
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub other_description: Option<String>,
    /// How it is settled
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_term: Option<PaymentTerm>,
}

/// How freight is settled (UN/EDIFACT 4215 and 4237, extended).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaymentTerm {
    Prepaid,
    Collect,
    OnReceiptReturn,
    WeeklyAccount,
    MonthlyAccount,
    DeductFromCod,
    QuarterlyAccount,
    Online,
    CollectMonthlyAccount,
}

/// Amounts that are collected from the consignee.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Collect {
    /// Cash on delivery, 代收货款
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goods: Option<Money>,
    /// Collected freight, 代收运费
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freight: Option<Money>,
}

/// What is wanted as proof of delivery.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProofOfDelivery {
    /// An electronic proof of delivery is mandatory; false when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Paper receipts to return, 回单数
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub copies: Option<u32>,
    /// Paper or electronic
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#type: Option<ProofType>,
    /// The consignee must give a delivery code
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_code_required: Option<bool>,
    /// Send the electronic proof to the consignee
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sms_to_consignee: Option<bool>,
}

/// Kind of proof of delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ProofType {
    Paper,
    Electronic,
}

/// What happens after the order was imported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Dispatch {
    /// none when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<DispatchMode>,
    /// Carrier code, with mode `carrier` (OTM5 actor role carrier)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub carrier_code: Option<String>,
    /// Which rate file is chosen
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate_selection: Option<RateSelection>,
    /// Vehicle, with mode `vehicle`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vehicle: Option<Vehicle>,
    /// Driver, with mode `vehicle`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub driver: Option<Driver>,
}

/// How far the provider takes the order on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DispatchMode {
    None,
    Release,
    Carrier,
    Vehicle,
}

/// Which rate file is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateSelection {
    LowestPrice,
    ShortestTime,
}

/// A vehicle.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vehicle {
    /// License plate
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16)]
    pub license_plate: Option<String>,
}

/// A driver.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Driver {
    /// Name
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub name: Option<String>,
    /// Mobile number, E.164 preferred
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    pub phone: Option<String>,
}
