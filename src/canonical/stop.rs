//! Where goods are picked up and delivered, and who is there.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::custom_fields::CustomFields;
use super::order::Extensions;

/// A pick-up or delivery location. `externalId` excludes the inline members `companyName`, `address` and
/// `contact`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Stop {
    /// Master-data id of the location at the provider (OTM5 location reference)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub external_id: Option<String>,
    /// Company or site name (OTM5 location.name)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 128)]
    pub company_name: Option<String>,
    /// Address (OTM5 administrativeReference)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Contact person; may be empty
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// The carrier must load (at shipFrom) or unload (at shipTo) (GS1 handlingInstruction)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling_required: Option<bool>,
    /// Remarks about this location for this order (OTM5 location.remark)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500)]
    pub remarks: Option<String>,
    /// Custom fields (OTM5 externalAttributes)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub custom_fields: Option<CustomFields>,
    /// Members that only one provider knows, by provider id
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = super::order::stop_extensions_reference)]
    pub extensions: Option<Extensions>,
}

/// A postal address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Address {
    /// Country, ISO 3166-1 alpha-2; CN when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(pattern = "^[A-Z]{2}$")]
    pub country_code: Option<String>,
    /// Province or state (schema.org addressRegion)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub region: Option<String>,
    /// City or town (schema.org addressLocality)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub city: Option<String>,
    /// District or county, 区县 (UN/CEFACT citySubDivisionName)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub district: Option<String>,
    /// Street line: the detailed address without region, city and district (schema.org streetAddress)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 255)]
    pub street: Option<String>,
    /// Street or house number where it is kept apart (OTM5 houseNumber)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub street_number: Option<String>,
    /// Postal code; in China 6 digits
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 16)]
    pub postal_code: Option<String>,
    /// Coordinates (schema.org geo)
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo: Option<Geo>,
}

impl Address {
    /// The country, which is China where none is named.
    pub fn country(&self) -> &str {
        self.country_code.as_deref().unwrap_or("CN")
    }
}

/// A coordinate pair in decimal degrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Geo {
    /// Latitude in degrees
    #[schema(value_type = f64, minimum = -90, maximum = 90)]
    pub latitude: serde_json::Number,
    /// Longitude in degrees
    #[schema(value_type = f64, minimum = -180, maximum = 180)]
    pub longitude: serde_json::Number,
    /// Geodetic datum; Chinese map services use gcj02, which is meant when absent
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datum: Option<GeoDatum>,
}

/// Geodetic datum of a coordinate pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GeoDatum {
    Wgs84,
    Gcj02,
    Bd09,
}

/// A contact person. It may be empty: what a provider needs is for that provider to ask.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Contact {
    /// Name of the person
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 64)]
    pub name: Option<String>,
    /// Mobile number, E.164 preferred; a bare Chinese number of 11 digits is accepted
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    pub mobile: Option<String>,
    /// Landline, E.164 with RFC 3966 `;ext=`; the Chinese form 0AA-NNNNNNNN-EXT is accepted
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 32)]
    pub phone: Option<String>,
    /// E-mail address
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = "email")]
    pub email: Option<String>,
}

impl Contact {
    pub fn is_empty(&self) -> bool {
        let Contact { name, mobile, phone, email } = self;
        name.is_none() && mobile.is_none() && phone.is_none() && email.is_none()
    }
}
