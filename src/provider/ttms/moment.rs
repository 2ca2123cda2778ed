//! 3TMS has one instant each for pick-up and delivery, in seconds since 1970 (接口中所有时间均使用时间戳,精确到秒).

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveTime};

use super::carried::{Carried, Reduced};
use crate::canonical::TimeWindow;

/// China has one time zone and no daylight saving.
pub const CHINA: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => unreachable!(),
};

/// How an instant is written where 3TMS has texts for it
pub const TEXT_FORMAT: &str = "%Y-%m-%d %H:%M:%S";

const NOTE: Option<&str> = Some("seconds since 1970");

/// deliveryTime (提货时间), which is the pick-up: its earliest instant, else its latest, else the begin of its day
/// in China.
pub fn pickup(window: Option<&TimeWindow>) -> Option<Carried<i64>> {
    let TimeWindow { date, start_time, end_time, remarks: _ } = window?;
    let instant = |instant: &Option<_>, member| instant.map(|instant| of_instant(instant, member));
    instant(start_time, "startTime")
        .or_else(|| instant(end_time, "endTime"))
        .or_else(|| of_day((*date)?, NaiveTime::MIN, "begin of the day in China, in seconds since 1970"))
}

/// appointArriveTime (预约送达时间): the latest instant of the delivery, else its earliest, else the end of its day
/// in China.
pub fn delivery(window: Option<&TimeWindow>) -> Option<Carried<i64>> {
    let TimeWindow { date, start_time, end_time, remarks: _ } = window?;
    let instant = |instant: &Option<_>, member| instant.map(|instant| of_instant(instant, member));
    instant(end_time, "endTime").or_else(|| instant(start_time, "startTime")).or_else(|| {
        of_day((*date)?, NaiveTime::from_hms_opt(23, 59, 59)?, "end of the day in China, in seconds since 1970")
    })
}

fn of_instant(instant: DateTime<FixedOffset>, member: &'static str) -> Carried<i64> {
    let reduced = (instant.timestamp_subsec_nanos() > 0).then_some(Reduced::Fraction);
    Carried { reduced, ..Carried::noted(instant.timestamp(), member, NOTE) }
}

fn of_day(date: NaiveDate, time: NaiveTime, note: &'static str) -> Option<Carried<i64>> {
    let instant = date.and_time(time).and_local_timezone(CHINA).single()?;
    Some(Carried { reduced: Some(Reduced::Day), ..Carried::noted(instant.timestamp(), "date", Some(note)) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn window(window: serde_json::Value) -> TimeWindow {
        serde_json::from_value(window).unwrap()
    }

    fn seconds_and_source(moment: Option<Carried<i64>>) -> Option<(i64, &'static str, Option<Reduced>)> {
        moment.map(|moment| (moment.value, moment.from[0].member, moment.reduced))
    }

    #[test]
    fn the_earliest_pickup_and_the_latest_delivery() {
        let both = window(json!({"startTime": "2026-11-24T09:00:00+08:00", "endTime": "2026-11-24T04:00:00Z"}));
        assert_eq!(seconds_and_source(pickup(Some(&both))), Some((1_795_482_000, "startTime", None)));
        assert_eq!(seconds_and_source(delivery(Some(&both))), Some((1_795_492_800, "endTime", None)));
        let start = window(json!({"startTime": "2026-11-24T09:00:00.5+08:00"}));
        let fraction = Some(Reduced::Fraction);
        assert_eq!(seconds_and_source(delivery(Some(&start))), Some((1_795_482_000, "startTime", fraction)));
        let end = window(json!({"endTime": "2026-11-24T09:00:00+08:00"}));
        assert_eq!(seconds_and_source(pickup(Some(&end))), Some((1_795_482_000, "endTime", None)));
        assert_eq!(pickup(None), None);
    }

    #[test]
    fn a_day_is_its_begin_or_its_end_in_china() {
        let day = window(json!({"date": "2026-11-24"}));
        let reduced = Some(Reduced::Day);
        assert_eq!(seconds_and_source(pickup(Some(&day))), Some((1_795_449_600, "date", reduced)));
        assert_eq!(seconds_and_source(delivery(Some(&day))), Some((1_795_535_999, "date", reduced)));
    }
}
