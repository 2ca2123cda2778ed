//! Hongxun's timestamps: `yyyy-MM-dd HH:mm:ss`, by the clocks of China, which have no summer time.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};

const AHEAD_OF_UTC: TimeDelta = TimeDelta::hours(8);

/// What a timestamp means, if it is one.
pub fn read(timestamp: &str) -> Option<DateTime<Utc>> {
    // chrono would take one digit for two.
    let is_padded = timestamp.len() == "yyyy-MM-dd HH:mm:ss".len();
    let local = NaiveDateTime::parse_from_str(timestamp, "%Y-%m-%d %H:%M:%S").ok().filter(|_| is_padded)?;
    local.checked_sub_signed(AHEAD_OF_UTC).map(|utc| utc.and_utc())
}

/// An instant as Hongxun would write it.
pub fn write(at: DateTime<Utc>) -> String {
    (at + AHEAD_OF_UTC).format("%Y-%m-%d %H:%M:%S").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_those_of_china() {
        let at = read("2011-06-16 13:23:30").unwrap();
        assert_eq!(at.to_rfc3339(), "2011-06-16T05:23:30+00:00");
        assert_eq!(write(at), "2011-06-16 13:23:30");
        for wrong in ["string", "", "2011-06-16", "2011-6-16 13:23:30", "2011-06-16T13:23:30", "2011-13-16 13:23:30"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
