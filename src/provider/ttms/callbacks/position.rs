//! 小黑卡轨迹点上报 (602): where the device of acceptance orders is, and what it measures.

use serde_json::{Value, json};

use super::super::held::members::{Members, instant, integer, text};
use super::order::degrees;
use super::{Message, acceptance, names_no_order, texts};
use crate::canonical::{EventType, Happening};
use crate::provider::Refusal;

pub fn parse(message: &Message) -> Result<Vec<Happening>, Refusal> {
    let numbers = texts(&message.document, "customerOrderNumbers");
    if numbers.is_empty() {
        return Err(names_no_order());
    }
    let nothing = Value::Null;
    let gps = message.document.get("gpsInfo").unwrap_or(&nothing);
    let measured_at = instant(gps, "gpsTime");
    let happening = |number: String| {
        let mut data = Members::default();
        data.put("position", position(gps));
        data.put("device", device(gps));
        data.put("measuredAt", measured_at.map(|at| json!(at)));
        data.put("measurements", measurements(gps));
        data.put("raw", Some(message.raw_of("customerOrderNumbers", &number)));
        Happening {
            occurred_at: measured_at.or(message.made_at),
            ..message.happening(EventType::PositionUpdated, acceptance::mention(number), data)
        }
    };
    Ok(numbers.into_iter().map(happening).collect())
}

fn position(gps: &Value) -> Option<Value> {
    // 0:未知,1:GPS,2:基站定位,4:北斗定位,5:GPS 和北斗定位
    let source = match integer(gps, "locateType") {
        Some(0) => Some("unknown"),
        Some(1) => Some("gps"),
        Some(2) => Some("base_station"),
        Some(4) => Some("beidou"),
        Some(5) => Some("gps_and_beidou"),
        _ => None,
    };
    let mut position = Members::default();
    position.put("latitude", degrees(gps, "lat"));
    position.put("longitude", degrees(gps, "lng"));
    position.put("source", source);
    position.put("direction", number(gps, "direction"));
    position.put("address", text(gps, "location"));
    position.put("region", text(gps, "province"));
    position.put("city", text(gps, "city"));
    position.put("district", text(gps, "district"));
    position.put("road", text(gps, "roadName"));
    position.into_value()
}

fn device(gps: &Value) -> Option<Value> {
    // 1:行驶,2:停止,3:离线
    let state = match integer(gps, "runStatus") {
        Some(1) => Some("driving"),
        Some(2) => Some("stopped"),
        Some(3) => Some("offline"),
        _ => None,
    };
    // 0:未充电,1:充电中
    let charging = match integer(gps, "chargerState") {
        Some(0) => Some(false),
        Some(1) => Some(true),
        _ => None,
    };
    let mut device = Members::default();
    device.put("number", text(gps, "device"));
    device.put("state", state);
    device.put("charging", charging);
    device.put("batteryLevel", number(gps, "powerRate"));
    device.into_value()
}

/// With types and units as EPCIS has them; the document names none.
fn measurements(gps: &Value) -> Option<Value> {
    let measured =
        [("temperature", "Temperature", "CEL"), ("humidity", "RelativeHumidity", "P1"), ("speed", "Speed", "KMH")];
    let measurements: Vec<Value> = measured
        .into_iter()
        .filter_map(|(name, kind, unit)| Some(json!({"type": kind, "value": number(gps, name)?, "unit": unit})))
        .collect();
    (!measurements.is_empty()).then(|| json!(measurements))
}

/// With the digits that it was written with.
fn number(gps: &Value, name: &str) -> Option<Value> {
    gps.get(name).filter(|number| number.is_number()).cloned()
}
