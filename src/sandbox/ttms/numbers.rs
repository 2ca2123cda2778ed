//! The numbers that the simulator gives, which look like the document's, and what clocks in China
//! show: 所有时间均使用时间戳 but for a few texts, which are theirs.

use chrono::{DateTime, Datelike, NaiveDateTime, TimeDelta, Timelike, Utc};

pub fn in_china(now: DateTime<Utc>) -> NaiveDateTime {
    (now + TimeDelta::hours(8)).naive_utc()
}

/// Made from the clock and a serial. None is ever given twice, not even by a sandbox that was
/// started again, unless more orders came than ten thousand a second: a gateway's ledger still
/// holds the orders of the one before.
/// Held here is the last of each.
#[derive(Debug, Default)]
pub struct Numbers {
    order: u64,
    customer_order: u64,
    pack: u64,
    id: u64,
}

impl Numbers {
    /// `1901251709800228`: the minute, and six digits.
    pub fn order(&mut self, now: DateTime<Utc>) -> String {
        next(&mut self.order, of_second(now)).to_string()
    }

    /// `S1803261358607938`
    pub fn customer_order(&mut self, now: DateTime<Utc>) -> String {
        format!("S{}", next(&mut self.customer_order, of_second(now)))
    }

    /// `P1901255BCE400F0001`: the day, eight digits that are always the same for a company, and
    /// four of a serial.
    pub fn pack(&mut self, uid: &str, now: DateTime<Utc>) -> String {
        const SECONDS_PER_SERIAL: u64 = 9;
        let now = in_china(now);
        let of_day = u64::from(now.num_seconds_from_midnight()) / SECONDS_PER_SERIAL;
        let number = next(&mut self.pack, day(now) * 10_000 + of_day);
        let company = uid.get(..8).unwrap_or_default().to_ascii_uppercase();
        format!("P{:06}{company}{:04}", number / 10_000, number % 10_000)
    }

    /// `5c4ad2619c023a001044079a`: the second, a machine, and a serial.
    pub fn id(&mut self, now: DateTime<Utc>) -> String {
        self.id += 1;
        format!("{:08x}9c023a0010{:06x}", now.timestamp(), self.id)
    }
}

fn next(last: &mut u64, at_least: u64) -> u64 {
    *last = at_least.max(*last) + 1;
    *last
}

/// yyMMddHHmm, the second, and four zeros.
fn of_second(now: DateTime<Utc>) -> u64 {
    let now = in_china(now);
    let minute = (day(now) * 100 + u64::from(now.hour())) * 100 + u64::from(now.minute());
    (minute * 100 + u64::from(now.second())) * 10_000
}

/// yyMMdd
fn day(now: NaiveDateTime) -> u64 {
    let year = u64::from(now.year_ce().1 % 100);
    (year * 100 + u64::from(now.month())) * 100 + u64::from(now.day())
}
