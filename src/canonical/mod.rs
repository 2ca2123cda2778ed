//! The canonical model: one order, the operations on it, what came of them. Knows no provider, no
//! database and no HTTP: everything else in the crate may depend on it, it depends on nothing.
//!
//! Member names follow the field's standards (GS1 Transport Instruction, OTM5, UBL, schema.org); units
//! are metric (kg, m³, cm, m, °C) and stand in each member's documentation.

mod action;
mod callback_state;
mod cargo;
mod custom_fields;
mod decimal;
mod delivery_state;
mod event;
mod field_error;
mod happening;
mod merge_patch;
mod order;
mod pointer;
mod result;
mod rules;
mod status;
mod stop;
mod submission;
mod terms;

pub use action::Action;
pub use callback_state::CallbackState;
pub use cargo::{
    BatteryClass, Cargo, Line, Package, PackagingClass, Temperature, Totals, Transport, TransportService, UnitSize,
    VehicleBody,
};
pub use custom_fields::{CustomFieldValue, CustomFields};
pub use decimal::{DECIMAL_KEYWORD, Decimal, DecimalError, Exact, SignedDecimal};
pub use delivery_state::DeliveryState;
pub use event::EventType;
pub use field_error::FieldError;
pub use happening::{Counting, Disposition, Happening, OrderMention, Receipt, Warning};
pub use merge_patch::{compose_patches, merge_patch};
pub use order::{DocumentType, Extensions, ORDER_EXTENSIONS_SCHEMA, Order, STOP_EXTENSIONS_SCHEMA, assign_line_ids};
pub use pointer::{JsonNode, escape_token, leaves_not_under};
pub use result::{ORIGIN_GATEWAY, ResultCode, RetryPolicy, Severity, SubmissionResult};
pub use rules::{check_order, control_characters, has_control_character};
pub use status::OrderStatus;
pub use stop::{Address, Contact, Geo, GeoDatum, Stop};
pub use submission::{HoldReason, Operation, SubmissionState};
pub use terms::{
    ChargeSide, Charges, Collect, Customer, DeliveryMethod, Dispatch, DispatchMode, Driver, Insurance, Money,
    PaymentTerm, ProofOfDelivery, ProofType, RateSelection, TimeWindow, Vehicle,
};
