//! Exact decimals. A JSON number is read from its own digits and written back as the same digits, so no
//! binary floating point stands between the caller and the provider.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::openapi::{Object, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// The least number with more digits before the point than a canonical decimal may have, which is 18.
const TOO_LARGE: rust_decimal::Decimal = rust_decimal::Decimal::from_parts(0xA764_0000, 0x0DE0_B6B3, 0, false, 0);
/// Digits after the point that a canonical decimal may have.
const FRACTION_DIGITS: u32 = 6;

/// The OpenAPI keyword that marks a decimal; the request validator checks digits where it stands.
pub const DECIMAL_KEYWORD: &str = "x-decimal";

/// A decimal ≥ 0 with at most 18 digits before and 6 after the point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Decimal(rust_decimal::Decimal);

/// As [`Decimal`], but it may be negative (temperatures).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SignedDecimal(rust_decimal::Decimal);

/// Why a text is no canonical decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    #[error("is not a decimal number")]
    NotANumber,
    #[error("must not be negative")]
    Negative,
    #[error("has more than 18 digits before or 6 after the decimal point")]
    TooManyDigits,
}

/// Reads a decimal from JSON number text (an exponent is allowed there) or from a plain string.
fn parse(text: &str) -> Result<rust_decimal::Decimal, DecimalError> {
    let well_formed =
        text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+' | b'e' | b'E'))
            && text.bytes().any(|byte| byte.is_ascii_digit());
    if !well_formed {
        return Err(DecimalError::NotANumber);
    }
    let value = if text.contains(['e', 'E']) {
        rust_decimal::Decimal::from_scientific(text).map_err(|_| DecimalError::TooManyDigits)?
    } else {
        rust_decimal::Decimal::from_str_exact(text).map_err(|_| DecimalError::TooManyDigits)?
    };
    if value.abs() >= TOO_LARGE || value.scale() > FRACTION_DIGITS {
        return Err(DecimalError::TooManyDigits);
    }
    Ok(value)
}

impl Decimal {
    pub const ZERO: Decimal = Decimal(rust_decimal::Decimal::ZERO);

    /// The number without a fraction, if it has none and fits (`oTMS` quantities are int32).
    pub fn to_i32(self) -> Option<i32> {
        let whole = self.0.normalize();
        (whole.scale() == 0).then(|| i32::try_from(whole.mantissa()).ok()).flatten()
    }

    /// The number divided by 10ⁿ, exactly: cm to m is `shifted_right(2)`, kg to t is `shifted_right(3)`.
    #[must_use]
    pub fn shifted_right(self, places: u32) -> Exact {
        let mut value = self.0;
        // Scale stays below 28: at most 6 + 3 digits after the point.
        let _ = value.set_scale(self.0.scale() + places);
        Exact(value.normalize())
    }

    /// Digits before the point, and digits after it without trailing zeros.
    pub fn digits(self) -> (usize, usize) {
        let normal = self.0.normalize();
        let integer = normal.trunc().abs().to_string();
        (if integer == "0" { 0 } else { integer.len() }, normal.scale() as usize)
    }

    pub fn checked_add(self, other: Decimal) -> Option<Decimal> {
        self.0.checked_add(other.0).map(Decimal)
    }

    /// The quotient, if it has at most `places` digits after the point: nothing is rounded.
    pub fn divided_by(self, divisor: Decimal, places: u32) -> Option<Exact> {
        let (dividend, divisor) = (self.0.normalize(), divisor.0.normalize());
        // Of at most 24 digits each, and 6 after the point.
        let dividend_in_places = dividend.mantissa().checked_mul(10_i128.checked_pow(divisor.scale() + places)?)?;
        let divisor_in_places = divisor.mantissa().checked_mul(10_i128.checked_pow(dividend.scale())?)?;
        if dividend_in_places.checked_rem(divisor_in_places)? != 0 {
            return None;
        }
        let quotient = dividend_in_places / divisor_in_places;
        rust_decimal::Decimal::try_from_i128_with_scale(quotient, places)
            .ok()
            .map(|quotient| Exact(quotient.normalize()))
    }
}

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Self {
        Exact(value.0.normalize())
    }
}

/// An exact result of arithmetic; it may have more digits than a canonical decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exact(rust_decimal::Decimal);

impl Exact {
    /// The sum, if it has no more digits than can be kept exactly (28).
    pub fn checked_add(self, other: impl Into<Exact>) -> Option<Exact> {
        let other = other.into();
        let sum = self.0.checked_add(other.0)?;
        (sum.scale() == self.0.scale().max(other.0.scale())).then(|| Exact(sum.normalize()))
    }

    /// The product, if it has no more digits than can be kept exactly (28).
    pub fn checked_mul(self, other: impl Into<Exact>) -> Option<Exact> {
        let other = other.into();
        let product = self.0.checked_mul(other.0)?;
        let exact = product.is_zero() || product.scale() == self.0.scale() + other.0.scale();
        exact.then(|| Exact(product.normalize()))
    }

    /// The number divided by 10ⁿ, if it has no more digits than can be kept exactly: cm³ to m³ is 6.
    pub fn shifted_right(self, places: u32) -> Option<Exact> {
        let mut value = self.0;
        value.set_scale(self.0.scale() + places).ok()?;
        Some(Exact(value.normalize()))
    }
}

impl fmt::Display for Exact {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

macro_rules! decimal_type {
    ($name:ident, $pattern:literal, signed: $signed:literal, $schema:expr) => {
        impl FromStr for $name {
            type Err = DecimalError;

            fn from_str(text: &str) -> Result<Self, DecimalError> {
                let value = parse(text)?;
                if !$signed && value.is_sign_negative() && !value.is_zero() {
                    return Err(DecimalError::Negative);
                }
                Ok($name(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                match serde_json::Value::deserialize(deserializer)? {
                    serde_json::Value::Number(number) => number.as_str().parse().map_err(D::Error::custom),
                    serde_json::Value::String(text) => text.parse().map_err(D::Error::custom),
                    _ => Err(D::Error::custom("expected a decimal number")),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                // Most are whole, and then their digits need no text of their own.
                match u64::try_from(self.0.mantissa()) {
                    Ok(whole) if self.0.scale() == 0 && self.0.is_sign_positive() => serializer.serialize_u64(whole),
                    _ => serde_json::Number::from_string_unchecked(self.0.to_string()).serialize(serializer),
                }
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let build: fn(ObjectBuilder) -> Object = $schema;
                let object = ObjectBuilder::new()
                    .schema_type(SchemaType::from_iter([Type::Number, Type::String]))
                    .pattern(Some($pattern))
                    .extensions(Some(
                        utoipa::openapi::extensions::ExtensionsBuilder::new()
                            .add(DECIMAL_KEYWORD, if $signed { "signed" } else { "unsigned" })
                            .build(),
                    ));
                RefOr::T(Schema::Object(build(object)))
            }
        }

        impl ToSchema for $name {}
    };
}

decimal_type!(Decimal, "^[0-9]{1,18}(\\.[0-9]{1,6})?$", signed: false, |object| object
    .minimum(Some(0))
    .description(Some("Exact decimal ≥ 0, 18 digits before and 6 after the point; a number, or a string of the same form"))
    .build());
decimal_type!(SignedDecimal, "^-?[0-9]{1,18}(\\.[0-9]{1,6})?$", signed: true, |object| object
    .minimum(Some(-10_000))
    .maximum(Some(10_000))
    .description(Some("Exact decimal from -10000 to 10000; a number, or a string of the same form"))
    .build());

impl SignedDecimal {
    /// Whether the value lies in −10,000 to 10,000, the range that the temperature members allow.
    pub fn is_in_temperature_range(self) -> bool {
        self.0.abs() <= rust_decimal::Decimal::from(10_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(json: &str) -> String {
        serde_json::to_string(&serde_json::from_str::<Decimal>(json).unwrap()).unwrap()
    }

    #[test]
    fn digits_survive_as_they_were_written() {
        for text in ["0", "2110", "15.192", "42.0978", "1.50", "999999999999999999.999999", "0.000001"] {
            assert_eq!(round_trip(text), text);
            assert_eq!(round_trip(&format!("\"{text}\"")), text);
        }
    }

    #[test]
    fn an_exponent_is_written_out() {
        assert_eq!(round_trip("1e3"), "1000");
        assert_eq!(round_trip("1.5E-2"), "0.015");
    }

    #[test]
    fn too_many_digits_and_negatives_are_refused() {
        for text in ["1000000000000000000", "0.0000001", "-1", "\"1,5\"", "\"\"", "\"NaN\"", "true", "1e40"] {
            assert!(serde_json::from_str::<Decimal>(text).is_err(), "{text}");
        }
        assert!("-5.5".parse::<SignedDecimal>().is_ok());
    }

    #[test]
    fn unit_conversion_is_exact() {
        let length: Decimal = "0.000001".parse().unwrap();
        assert_eq!(length.shifted_right(2).to_string(), "0.00000001");
        assert_eq!("60".parse::<Decimal>().unwrap().shifted_right(2).to_string(), "0.6");
        assert_eq!("200".parse::<Decimal>().unwrap().shifted_right(2).to_string(), "2");
        assert_eq!(
            "999999999999999999.999999".parse::<Decimal>().unwrap().shifted_right(3).to_string(),
            "999999999999999.999999999"
        );
    }

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_quotient_is_exact_or_none() {
        for (dividend, divisor, places, quotient) in [
            ("6", "2", 2, Some("3")),
            ("5.00", "2", 2, Some("2.5")),
            ("10", "4", 2, Some("2.5")),
            ("1", "8", 2, None),
            ("1", "8", 3, Some("0.125")),
            ("10", "3", 6, None),
            ("0", "3", 2, Some("0")),
            ("1", "0", 2, None),
            ("0.000001", "0.000001", 2, Some("1")),
            ("999999999999999999.999999", "0.000001", 2, Some("999999999999999999999999")),
            ("999999999999999999.999999", "999999999999999999.999999", 6, Some("1")),
        ] {
            let found = decimal(dividend).divided_by(decimal(divisor), places).map(|exact| exact.to_string());
            assert_eq!(found.as_deref(), quotient, "{dividend} / {divisor}");
        }
    }

    #[test]
    fn products_and_sums_are_exact_or_none() {
        let cube = |text: &str| {
            let edge = decimal(text);
            Exact::from(edge).checked_mul(edge)?.checked_mul(edge)?.shifted_right(6).map(|exact| exact.to_string())
        };
        assert_eq!(cube("100.0").as_deref(), Some("1"));
        assert_eq!(cube("2").as_deref(), Some("0.000008"));
        assert_eq!(cube("0"), Some("0".to_owned()));
        assert_eq!(cube("123.456").as_deref(), Some("1.881640295202816"));
        assert_eq!(cube("999999999.999999"), None);
        let sum = Exact::from(decimal("0.5")).checked_add(decimal("0.50")).unwrap();
        assert_eq!((sum.to_string(), sum), ("1".to_owned(), Exact::from(decimal("1.000"))));
        let most = Exact::from(decimal("999999999999999999.999999"));
        let tiny = Exact::from(decimal("0.000001")).shifted_right(6).unwrap();
        assert_eq!(most.checked_add(tiny), None);
    }

    #[test]
    fn whole_numbers() {
        assert_eq!("211.00".parse::<Decimal>().unwrap().to_i32(), Some(211));
        assert_eq!("2.5".parse::<Decimal>().unwrap().to_i32(), None);
        assert_eq!("2147483648".parse::<Decimal>().unwrap().to_i32(), None);
    }
}
