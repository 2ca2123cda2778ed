//! What ILE's document declares.

use std::time::Duration;

use super::{codes, settings};
use crate::canonical::{DocumentType, Operation};
use crate::provider::{Carries, DeclaredSchema, Endpoint, Evidence, Limit, OperationProfile, Profile};

pub const ID: &str = "ile";

pub const NAME: &str = "ILE";

/// `POST /oms/v1/Order/editOrderByApi`: one order a request. How many requests it takes is not stated; 5 a
/// second is what we allow ourselves.
const EDIT_ORDER: &str = "editOrderByApi";

pub static PROFILE: Profile = Profile {
    id: ID,
    name: NAME,
    operations: &[OperationProfile {
        operation: Operation::Amend,
        document_type: DocumentType::TransportOrder,
        endpoint: EDIT_ORDER,
        carries: Carries::Document,
        // The order stands afterwards as the document says, however often it comes.
        evidence: Evidence::Resend,
    }],
    endpoints: &[Endpoint {
        id: EDIT_ORDER,
        method: "POST",
        path: "/oms/v1/Order/editOrderByApi",
        limit: Limit { requests: 5, window: Duration::from_secs(1) },
        batch_limit: 1,
    }],
    credentials_schema: DeclaredSchema::of::<settings::IleCredentials>(),
    // A userId alone opens the account, and so does an ileId with its sign.
    secret_credentials: &["userId", "ileId", "sign"],
    settings_schema: DeclaredSchema::of::<settings::IleSettings>(),
    order_extension_schema: Some(DeclaredSchema::of::<settings::IleOrderExtension>()),
    stop_extension_schema: None,
    catalogue: codes::catalogue,
    callback_topics: &[],
};
