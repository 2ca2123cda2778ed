//! Coordinates for 3TMS, which means gcj02, the datum of Chinese map services. The conversions are the public
//! formulas, on the ellipsoid of Krasovsky 1940.

use std::f64::consts::PI;

use serde_json::Number;

use crate::canonical::{Geo, GeoDatum};

/// A position in gcj02.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    pub longitude: Number,
    pub latitude: Number,
    /// How it was converted, where it was
    pub note: Option<&'static str>,
}

/// The position in gcj02. What is gcj02 already keeps its digits; a converted coordinate has six after the
/// point, which is a tenth of a metre.
pub fn position(geo: &Geo) -> Option<Position> {
    let Geo { latitude, longitude, datum } = geo;
    let ((longitude, latitude), note) = match datum {
        None | Some(GeoDatum::Gcj02) => {
            return Some(Position { longitude: plain(longitude)?, latitude: plain(latitude)?, note: None });
        }
        Some(GeoDatum::Wgs84) => (from_wgs84(longitude.as_f64()?, latitude.as_f64()?), "wgs84 to gcj02"),
        Some(GeoDatum::Bd09) => (from_bd09(longitude.as_f64()?, latitude.as_f64()?), "bd09 to gcj02"),
    };
    let rounded = |degrees: f64| Number::from_string_unchecked(format!("{degrees:.6}"));
    Some(Position { longitude: rounded(longitude), latitude: rounded(latitude), note: Some(note) })
}

/// The number without an exponent, which a text of it should not have.
fn plain(number: &Number) -> Option<Number> {
    if !number.as_str().contains(['e', 'E']) {
        return Some(number.clone());
    }
    number.as_f64().map(|degrees| Number::from_string_unchecked(degrees.to_string()))
}

const SEMI_MAJOR_AXIS: f64 = 6_378_245.0;
const ECCENTRICITY_SQUARED: f64 = 0.006_693_421_622_965_943;
/// bd09's own factor on the angles of its distortion
const BD09_PI: f64 = PI * 3000.0 / 180.0;

/// Whether gcj02 is defined there: outside China it is wgs84.
fn is_in_china(longitude: f64, latitude: f64) -> bool {
    (72.004..=137.8347).contains(&longitude) && (0.8293..=55.8271).contains(&latitude)
}

/// wgs84 → gcj02, both as longitude and latitude in degrees.
fn from_wgs84(longitude: f64, latitude: f64) -> (f64, f64) {
    if !is_in_china(longitude, latitude) {
        return (longitude, latitude);
    }
    let (x, y) = (longitude - 105.0, latitude - 35.0);
    let radians = latitude / 180.0 * PI;
    let magic = 1.0 - ECCENTRICITY_SQUARED * radians.sin().powi(2);
    let root = magic.sqrt();
    let east = east_shift(x, y) * 180.0 / (SEMI_MAJOR_AXIS / root * radians.cos() * PI);
    let north = north_shift(x, y) * 180.0 / ((SEMI_MAJOR_AXIS * (1.0 - ECCENTRICITY_SQUARED)) / (magic * root) * PI);
    (longitude + east, latitude + north)
}

/// bd09 → gcj02, both as longitude and latitude in degrees.
fn from_bd09(longitude: f64, latitude: f64) -> (f64, f64) {
    let (x, y) = (longitude - 0.0065, latitude - 0.006);
    let distance = x.hypot(y) - 0.000_02 * (y * BD09_PI).sin();
    let angle = y.atan2(x) - 0.000_003 * (x * BD09_PI).cos();
    (distance * angle.cos(), distance * angle.sin())
}

/// The shift to the north, in metres.
fn north_shift(x: f64, y: f64) -> f64 {
    -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * x.abs().sqrt()
        + waves(&[(x * 6.0, 20.0), (x * 2.0, 20.0), (y, 20.0), (y / 3.0, 40.0), (y / 12.0, 160.0), (y / 30.0, 320.0)])
}

/// The shift to the east, in metres.
fn east_shift(x: f64, y: f64) -> f64 {
    300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * x.abs().sqrt()
        + waves(&[(x * 6.0, 20.0), (x * 2.0, 20.0), (x, 20.0), (x / 3.0, 40.0), (x / 12.0, 150.0), (x / 30.0, 300.0)])
}

fn waves(waves: &[(f64, f64)]) -> f64 {
    waves.iter().map(|(turns, height)| height * (turns * PI).sin()).sum::<f64>() * 2.0 / 3.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geo(longitude: &str, latitude: &str, datum: Option<GeoDatum>) -> Geo {
        let number = |digits: &str| Number::from_string_unchecked(digits.to_owned());
        Geo { latitude: number(latitude), longitude: number(longitude), datum }
    }

    fn converted(longitude: &str, latitude: &str, datum: Option<GeoDatum>) -> (String, String) {
        let position = position(&geo(longitude, latitude, datum)).unwrap();
        (position.longitude.to_string(), position.latitude.to_string())
    }

    fn near((longitude, latitude): (f64, f64), expected: (f64, f64)) {
        assert!((longitude - expected.0).abs() < 1e-9, "{longitude} is not {}", expected.0);
        assert!((latitude - expected.1).abs() < 1e-9, "{latitude} is not {}", expected.1);
    }

    /// The values that public implementations of the formulas give.
    #[test]
    fn the_published_values() {
        near(from_wgs84(116.404, 39.915), (116.410_244_499_169_38, 39.916_404_281_501_64));
        near(from_bd09(116.404, 39.915), (116.397_627_291_193_15, 39.908_656_739_576_31));
    }

    #[test]
    fn gcj02_keeps_its_digits() {
        for datum in [None, Some(GeoDatum::Gcj02)] {
            assert_eq!(converted("120.125640", "30.2774380001", datum), ("120.125640".into(), "30.2774380001".into()));
        }
        assert_eq!(converted("1.2012564e2", "3E1", None), ("120.12564".into(), "30".into()));
    }

    #[test]
    fn other_datums_are_converted_to_six_digits() {
        let digits = |longitude: &str, latitude: &str| (longitude.to_owned(), latitude.to_owned());
        assert_eq!(converted("116.404", "39.915", Some(GeoDatum::Wgs84)), digits("116.410244", "39.916404"));
        assert_eq!(converted("116.404", "39.915", Some(GeoDatum::Bd09)), digits("116.397627", "39.908657"));
        // Outside China gcj02 is wgs84.
        assert_eq!(converted("2.3522", "48.8566", Some(GeoDatum::Wgs84)), digits("2.352200", "48.856600"));
    }
}
