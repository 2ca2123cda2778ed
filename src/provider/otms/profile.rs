//! What oTMS's documents declare.

use std::time::Duration;

use super::{codes, settings};
use crate::canonical::{DocumentType, Operation};
use crate::provider::{Carries, DeclaredSchema, Endpoint, Evidence, Limit, OperationProfile, Profile};

pub const ID: &str = "otms";

/// `PUT /ws/orderImport`: at most 40 requests a second per company, at most 100 orders a request.
pub const ORDER_IMPORT: &str = "orderImport";

/// `POST /ws/orderCustomUpdate`: at most 3 requests a second per company. How many orders a request may hold
/// is not stated; 100 is what the sibling interfaces take.
pub const ORDER_CUSTOM_UPDATE: &str = "orderCustomUpdate";

pub static PROFILE: Profile = Profile {
    id: ID,
    name: "oTMS",
    operations: &[
        OperationProfile {
            operation: Operation::Create,
            document_type: DocumentType::TransportOrder,
            endpoint: ORDER_IMPORT,
            carries: Carries::Document,
            // With allowUpdate=false a second import is refused with 1022 and changes nothing.
            evidence: Evidence::Resend,
        },
        OperationProfile {
            operation: Operation::Amend,
            document_type: DocumentType::TransportOrder,
            endpoint: ORDER_IMPORT,
            carries: Carries::Document,
            // With allowUpdate=true the order stands afterwards as the document says, however often it comes.
            evidence: Evidence::Resend,
        },
        OperationProfile {
            operation: Operation::UpdateCustomFields,
            document_type: DocumentType::TransportOrder,
            endpoint: ORDER_CUSTOM_UPDATE,
            carries: Carries::Change,
            // Each field stands afterwards as the document says, however often it comes.
            evidence: Evidence::Resend,
        },
    ],
    endpoints: &[
        Endpoint {
            id: ORDER_IMPORT,
            method: "PUT",
            path: "/ws/orderImport",
            limit: Limit { requests: 40, window: Duration::from_secs(1) },
            batch_limit: 100,
        },
        Endpoint {
            id: ORDER_CUSTOM_UPDATE,
            method: "POST",
            path: "/ws/orderCustomUpdate",
            limit: Limit { requests: 3, window: Duration::from_secs(1) },
            batch_limit: 100,
        },
    ],
    credentials_schema: DeclaredSchema::of::<settings::OtmsCredentials>(),
    secret_credentials: &["password"],
    settings_schema: DeclaredSchema::of::<settings::OtmsSettings>(),
    order_extension_schema: Some(DeclaredSchema::of::<settings::OtmsOrderExtension>()),
    stop_extension_schema: Some(DeclaredSchema::of::<settings::OtmsStopExtension>()),
    catalogue: codes::catalogue,
    callback_topics: &[],
};
