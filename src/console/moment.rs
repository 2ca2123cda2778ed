//! Instants as people in China read them, and how long ago they were.

use askama::Template;
use chrono::{DateTime, FixedOffset, NaiveDate, SecondsFormat, TimeDelta, TimeZone, Utc};

use super::language::Language;

/// China has one time, all year.
const CHINA: FixedOffset = match FixedOffset::east_opt(8 * 3600) {
    Some(offset) => offset,
    None => unreachable!(),
};

/// An instant on a page.
#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<time datetime="{{ exact }}" title="{{ exact }}">{{ shown }} <span class="zone">+08:00</span> <span class="ago">{{ ago }}</span></time>"#
)]
pub struct Moment {
    /// RFC 3339, to the millisecond
    exact: String,
    shown: String,
    ago: String,
}

impl askama::filters::HtmlSafe for Moment {}

impl Moment {
    pub fn new(at: DateTime<Utc>, now: DateTime<Utc>, language: Language) -> Self {
        let local = at.with_timezone(&CHINA);
        Moment {
            exact: local.to_rfc3339_opts(SecondsFormat::Millis, false),
            shown: local.format("%Y-%m-%d %H:%M:%S").to_string(),
            ago: ago(now - at, language),
        }
    }
}

/// How long ago something was, or how long it still is.
fn ago(past: TimeDelta, language: Language) -> String {
    let text = span(past.abs(), language);
    match (past < TimeDelta::zero(), language) {
        _ if past.abs() < TimeDelta::seconds(1) => language.choose("now", "刚刚").to_owned(),
        (false, Language::English) => format!("{text} ago"),
        (false, Language::Chinese) => format!("{text}前"),
        (true, Language::English) => format!("in {text}"),
        (true, Language::Chinese) => format!("{text}后"),
    }
}

/// A length of time in its largest unit.
pub fn span(length: TimeDelta, language: Language) -> String {
    let (number, english, chinese) = match length.num_seconds() {
        seconds @ ..60 => (seconds, "s", "秒"),
        seconds @ 60..3600 => (seconds / 60, "min", "分钟"),
        seconds @ 3600..172_800 => (seconds / 3600, "h", "小时"),
        seconds => (seconds / 86_400, "d", "天"),
    };
    format!("{number} {}", language.choose(english, chinese))
}

/// How often something is allowed: so many in a length of time.
pub fn pace(number: u32, window: TimeDelta, language: Language) -> String {
    let (unit, in_chinese) = match window.num_seconds() {
        1 => ("second", "秒"),
        60 => ("minute", "分钟"),
        3600 => ("hour", "小时"),
        86_400 => ("day", "天"),
        _ => {
            let window = span(window, language);
            return match language {
                Language::English => format!("{number} in {window}"),
                Language::Chinese => format!("每 {window} {number} 次"),
            };
        }
    };
    match language {
        Language::English => format!("{number} per {unit}"),
        Language::Chinese => format!("每{in_chinese} {number} 次"),
    }
}

/// The time of day in China.
pub fn clock(at: DateTime<Utc>) -> String {
    at.with_timezone(&CHINA).format("%H:%M").to_string()
}

/// The day in China.
pub fn local_day(at: DateTime<Utc>) -> String {
    at.with_timezone(&CHINA).format("%Y-%m-%d").to_string()
}

/// Milliseconds as people read them.
pub fn milliseconds(length: TimeDelta) -> String {
    match length.num_milliseconds() {
        milliseconds @ ..1000 => format!("{milliseconds} ms"),
        milliseconds @ 1000..60_000 => format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100),
        milliseconds => format!("{} min {} s", milliseconds / 60_000, milliseconds % 60_000 / 1000),
    }
}

/// Where a day in China begins; `days` later if wished.
pub fn day_in_china(text: &str, days: i64) -> Option<DateTime<Utc>> {
    let day: NaiveDate = text.parse().ok()?;
    let day = day.checked_add_signed(TimeDelta::try_days(days)?)?;
    Some(CHINA.from_local_datetime(&day.and_hms_opt(0, 0, 0)?).single()?.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_in_china_and_relative() {
        let at: DateTime<Utc> = "2026-11-25T20:19:49.125Z".parse().unwrap();
        let shown = Moment::new(at, at + TimeDelta::minutes(3), Language::English).render().unwrap();
        assert!(shown.contains(r#"datetime="2026-11-26T04:19:49.125+08:00""#), "{shown}");
        assert!(shown.contains("2026-11-26 04:19:49 "), "{shown}");
        assert!(shown.contains("3 min ago"), "{shown}");
        let later = |seconds| ago(TimeDelta::seconds(seconds), Language::Chinese);
        assert_eq!(later(0), "刚刚");
        assert_eq!(
            (later(59), later(-61), later(7_300), later(200_000)),
            ("59 秒前".into(), "1 分钟后".into(), "2 小时前".into(), "2 天前".into())
        );
    }

    #[test]
    fn a_day_begins_in_china() {
        assert_eq!(day_in_china("2026-11-26", 0), Some("2026-11-25T16:00:00Z".parse().unwrap()));
        assert_eq!(day_in_china("2026-11-26", 1), Some("2026-11-26T16:00:00Z".parse().unwrap()));
        assert_eq!((day_in_china("26.11.", 0), day_in_china("262142-12-31", 1)), (None, None));
    }

    #[test]
    fn paces() {
        let words = |number, seconds| {
            let window = TimeDelta::seconds(seconds);
            (pace(number, window, Language::English), pace(number, window, Language::Chinese))
        };
        assert_eq!(words(40, 1), ("40 per second".to_owned(), "每秒 40 次".to_owned()));
        assert_eq!(words(10_000, 3600), ("10000 per hour".to_owned(), "每小时 10000 次".to_owned()));
        assert_eq!(words(6, 30), ("6 in 30 s".to_owned(), "每 30 秒 6 次".to_owned()));
    }

    #[test]
    fn lengths() {
        assert_eq!(milliseconds(TimeDelta::milliseconds(87)), "87 ms");
        assert_eq!(milliseconds(TimeDelta::milliseconds(1_870)), "1.8 s");
        assert_eq!(milliseconds(TimeDelta::milliseconds(125_000)), "2 min 5 s");
    }
}
