//! What Hongxun's document declares.

use std::sync::LazyLock;

use super::settings;
use crate::provider::{Catalogue, DeclaredSchema, Profile};

pub static PROFILE: Profile = Profile {
    id: "hongxun",
    name: "Hongxun WMS",
    operations: &[],
    endpoints: &[],
    credentials_schema: DeclaredSchema::of::<settings::HongxunCredentials>(),
    secret_credentials: &["secretKey"],
    settings_schema: DeclaredSchema::of::<settings::HongxunSettings>(),
    order_extension_schema: None,
    stop_extension_schema: None,
    catalogue,
    // Its people are told where to call; there is nothing to subscribe to.
    callback_topics: &[],
};

/// It answers nothing: the codes of the document are those that the gateway answers with.
fn catalogue() -> &'static Catalogue {
    static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::new(Vec::new()));
    &CATALOGUE
}
