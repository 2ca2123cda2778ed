//! The canonical order document: what a caller POSTs and what the gateway keeps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ArrayBuilder, ObjectBuilder, Ref, RefBuilder, Schema, Type};

use super::cargo::{Cargo, Line, Package, Temperature, Totals, Transport};
use super::custom_fields::CustomFields;
use super::stop::Stop;
use super::terms::{Charges, Collect, Customer, DeliveryMethod, Dispatch, Insurance, ProofOfDelivery, TimeWindow};

/// Members that only one provider knows, by provider id. The adapter of that provider types them.
pub type Extensions = BTreeMap<String, serde_json::Value>;

/// A canonical transport order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = NewOrder)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Order {
    /// Downstream account; decides the provider
    #[schema(pattern = "^[a-z0-9][a-z0-9-]{1,62}$")]
    pub account: String,
    /// The caller's unique order number, per account and document type
    #[schema(min_length = 1, max_length = 64)]
    pub order_number: String,
    /// Kind of document; transport_order when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_type: Option<DocumentType>,
    /// The end customer's order reference
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub customer_reference: Option<String>,
    /// Number that the provider assigned (UBL CarrierAssignedID)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub provider_order_number: Option<String>,
    /// The party that orders the transport
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Customer>,
    /// Own organisation unit: its name or path, or an alias of the account's `branchMap`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub branch: Option<String>,
    /// Origin (GS1 shipFrom)
    pub ship_from: Stop,
    /// Destination (GS1 shipTo)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ship_to: Option<Stop>,
    /// Further drops after `shipTo`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 20)]
    pub additional_ship_to: Option<Vec<Stop>>,
    /// Planned pick-up (GS1 plannedDespatch)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pickup: Option<TimeWindow>,
    /// Planned delivery (GS1 plannedDelivery)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<TimeWindow>,
    /// The consignee collects, or door delivery
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_method: Option<DeliveryMethod>,
    /// Cargo lines (GS1 transportInstructionShipmentItem)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500)]
    pub lines: Option<Vec<Line>>,
    /// Parcels or handling units (GS1 logisticUnit)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500)]
    pub packages: Option<Vec<Package>>,
    /// Totals
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totals: Option<Totals>,
    /// Characteristics of the cargo
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cargo: Option<Cargo>,
    /// Requirements on the transport
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Temperature alarm limits
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<Temperature>,
    /// Insurance
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub insurance: Option<Insurance>,
    /// Freight money, both sides
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charges: Option<Charges>,
    /// Amounts that are collected from the consignee
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collect: Option<Collect>,
    /// What is wanted as proof of delivery
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof_of_delivery: Option<ProofOfDelivery>,
    /// What happens after the order was imported
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<Dispatch>,
    /// Numbers of the bound tracking devices (OTM5 sensor)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = non_empty_strings)]
    pub tracking_devices: Option<Vec<String>>,
    /// Remarks on the order (OTM5 consignment.remark)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 1000)]
    pub remarks: Option<String>,
    /// Custom fields (OTM5 externalAttributes)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<CustomFields>,
    /// Members that only one provider knows, by provider id
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = order_extensions_reference)]
    pub extensions: Option<Extensions>,
}

impl Order {
    /// Kind of document, which is a transport order where none is named.
    pub fn document_type(&self) -> DocumentType {
        self.document_type.unwrap_or(DocumentType::TransportOrder)
    }

    pub fn lines(&self) -> &[Line] {
        self.lines.as_deref().unwrap_or_default()
    }

    pub fn packages(&self) -> &[Package] {
        self.packages.as_deref().unwrap_or_default()
    }
}

/// Kind of document: a transport order (运单) or an acceptance order (受理单).
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    ToSchema,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DocumentType {
    TransportOrder,
    CustomerOrder,
}

/// Gives every line without a `lineId` the first free number, so that later changes can name it.
pub fn assign_line_ids(order: &mut Order) {
    let Some(lines) = order.lines.as_mut() else { return };
    let mut taken: std::collections::HashSet<String> = lines.iter().filter_map(|line| line.line_id.clone()).collect();
    let mut next = 1_u32;
    for line in lines.iter_mut().filter(|line| line.line_id.is_none()) {
        let id = loop {
            let candidate = next.to_string();
            next += 1;
            if taken.insert(candidate.clone()) {
                break candidate;
            }
        };
        line.line_id = Some(id);
    }
}

/// The component that the provider registry fills with each adapter's order extension.
pub const ORDER_EXTENSIONS_SCHEMA: &str = "OrderExtensions";
/// The component that the provider registry fills with each adapter's stop extension.
pub const STOP_EXTENSIONS_SCHEMA: &str = "StopExtensions";

fn order_extensions_reference() -> Ref {
    extensions_reference(ORDER_EXTENSIONS_SCHEMA)
}

pub(super) fn stop_extensions_reference() -> Ref {
    extensions_reference(STOP_EXTENSIONS_SCHEMA)
}

fn extensions_reference(component: &str) -> Ref {
    RefBuilder::new()
        .ref_location_from_schema_name(component)
        .description(Some("Members that only one provider knows, by provider id"))
        .build()
}

/// A list of strings, none of them empty.
pub(super) fn non_empty_strings() -> Schema {
    let text = ObjectBuilder::new().schema_type(Type::String).min_length(Some(1)).build();
    Schema::Array(ArrayBuilder::new().items(text).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ids_fill_the_gaps() {
        let mut order: Order = serde_json::from_value(serde_json::json!({
            "account": "a1", "orderNumber": "1", "shipFrom": {},
            "lines": [{}, {"lineId": "1"}, {}, {"lineId": "x"}],
        }))
        .unwrap();
        assign_line_ids(&mut order);
        let ids: Vec<_> = order.lines().iter().map(|line| line.line_id.as_deref().unwrap()).collect();
        assert_eq!(ids, ["2", "1", "3", "x"]);
    }
}
