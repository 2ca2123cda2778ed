//! When goods are picked up and delivered: one day in China for each, and times of that day.

use super::encoder::OrderEncoder;
use crate::canonical::{Order, Severity, SubmissionResult, TimeWindow};
use crate::provider::xml::at;

/// China has one time zone and no daylight saving.
const CHINA: chrono::FixedOffset = match chrono::FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => unreachable!(),
};

impl OrderEncoder<'_, '_> {
    pub fn time_schedule(&mut self, order: &Order) {
        let pickup = self.window(order.pickup.as_ref(), "/pickup");
        let delivery = self.window(order.delivery.as_ref(), "/delivery");
        self.element("timeSchedule", |encoder| {
            for (window, parent, date, remarks) in [
                (&pickup, "/pickup", "pickupDate", "pickupDateRemarks"),
                (&delivery, "/delivery", "deliveryDate", "deliveryDateRemarks"),
            ] {
                encoder.xml.value(date, window.date.as_ref(), at(parent, window.date_member));
                encoder.xml.value(remarks, window.remarks, at(parent, "remarks"));
            }
            for (window, parent, from, to) in [
                (&pickup, "/pickup", "pickupTimeFrom", "pickupTimeTo"),
                (&delivery, "/delivery", "deliveryTimeFrom", "deliveryTimeTo"),
            ] {
                let note = Some("China standard time");
                encoder.xml.converted(from, window.from.as_ref(), at(parent, "startTime"), note);
                encoder.xml.converted(to, window.to.as_ref(), at(parent, "endTime"), note);
            }
        });
    }

    /// A window as oTMS writes it: one day, and times of that day, in China.
    fn window<'o>(&mut self, window: Option<&'o TimeWindow>, parent: &str) -> Window<'o> {
        let Some(TimeWindow { date, start_time, end_time, remarks }) = window else { return Window::default() };
        let start = start_time.map(|instant| instant.with_timezone(&CHINA));
        let end = end_time.map(|instant| instant.with_timezone(&CHINA));
        if let (Some(start), Some(end)) = (start, end)
            && start.date_naive() != end.date_naive()
        {
            self.unsupported_value(
                at(parent, "endTime"),
                "must fall on the same day in China as startTime: oTMS has one date for both",
                "必须与 startTime 为同一中国日期:oTMS 仅有一个日期字段",
            );
        }
        for (instant, member) in [(start, "startTime"), (end, "endTime")] {
            if instant.is_some_and(|instant| instant.timestamp_subsec_nanos() > 0) {
                self.encoding.notices.push(
                    SubmissionResult::gateway(
                        "translation.precision_reduced",
                        Severity::Warning,
                        false,
                        "oTMS takes whole seconds",
                        "oTMS 时间精确到秒",
                    )
                    .at(at(parent, member)),
                );
            }
        }
        let (day, date_member) = match (date, start, end) {
            (Some(date), _, _) => (Some(*date), "date"),
            (None, Some(start), _) => (Some(start.date_naive()), "startTime"),
            (None, None, Some(end)) => (Some(end.date_naive()), "endTime"),
            (None, None, None) => (None, "date"),
        };
        let time = |instant: chrono::DateTime<chrono::FixedOffset>| instant.format("%H:%M:%S").to_string();
        Window { date: day, date_member, from: start.map(time), to: end.map(time), remarks: remarks.as_deref() }
    }
}

/// A time window in oTMS's members.
#[derive(Default)]
struct Window<'o> {
    date: Option<chrono::NaiveDate>,
    /// The canonical member that gave the date
    date_member: &'static str,
    from: Option<String>,
    to: Option<String>,
    remarks: Option<&'o str>,
}
