//! How long what is kept.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The word for no age at all.
const FOREVER: &str = "forever";
/// What is younger may still be needed: deliveries are tried for a day, and keys are promised for as long.
const LEAST: Duration = DAY;
/// Beyond it an age is a slip of the pen, and no instant can be reckoned with it.
const MOST: Duration = Duration::from_secs(1_000 * 365 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How old something gets until it is removed: `30d`, `72h`, `1year`, or `forever`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Age {
    Of(Duration),
    Forever,
}

/// A text that is no age.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoAge {
    #[error("{0:?} is no age; write e.g. 30d, 72h or {FOREVER}")]
    Unreadable(String),
    #[error("{0:?} is less than a day; what is younger may still be needed")]
    TooShort(String),
    #[error("{0:?} is more than a thousand years; write {FOREVER}")]
    TooLong(String),
}

impl Age {
    const fn days(days: u32) -> Self {
        Age::Of(DAY.saturating_mul(days))
    }

    /// Nothing for what stays for ever.
    pub fn duration(self) -> Option<Duration> {
        match self {
            Age::Of(duration) => Some(duration),
            Age::Forever => None,
        }
    }
}

impl FromStr for Age {
    type Err = NoAge;

    fn from_str(text: &str) -> Result<Self, NoAge> {
        let text = text.trim();
        if text == FOREVER {
            return Ok(Age::Forever);
        }
        match humantime::parse_duration(text) {
            Err(_) => Err(NoAge::Unreadable(text.to_owned())),
            Ok(duration) if duration < LEAST => Err(NoAge::TooShort(text.to_owned())),
            Ok(duration) if duration > MOST => Err(NoAge::TooLong(text.to_owned())),
            Ok(duration) => Ok(Age::Of(duration)),
        }
    }
}

impl TryFrom<String> for Age {
    type Error = NoAge;

    fn try_from(text: String) -> Result<Self, NoAge> {
        text.parse()
    }
}

impl From<Age> for String {
    fn from(age: Age) -> Self {
        age.to_string()
    }
}

impl fmt::Display for Age {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Age::Of(duration) => humantime::format_duration(*duration).fmt(formatter),
            Age::Forever => formatter.write_str(FOREVER),
        }
    }
}

/// How long each kind of thing is kept, counted from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Bodies of exchanges and of settled callbacks
    pub bodies: Age,
    /// Exchanges and attempts of finished submissions
    pub attempts: Age,
    /// Events with their webhook deliveries
    pub events: Age,
    /// Callbacks that came to their end
    pub callbacks: Age,
    /// What was told, so that it is not told twice
    pub happenings: Age,
    /// Idempotency keys
    pub idempotency_keys: Age,
}

impl Default for RetentionPolicy {
    fn default() -> Self {
        RetentionPolicy {
            bodies: Age::days(30),
            attempts: Age::days(365),
            events: Age::days(90),
            callbacks: Age::days(365),
            happenings: Age::days(730),
            idempotency_keys: Age::days(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_read_as_people_write_them() {
        for (text, days) in [("30d", 30), (" 24h ", 1), ("2days 24h", 3), ("1440m", 1), ("52w", 364)] {
            assert_eq!(text.parse(), Ok(Age::days(days)), "{text}");
        }
        assert_eq!("forever".parse(), Ok(Age::Forever));
        assert_eq!((Age::days(2).to_string(), Age::Forever.to_string()), ("2days".to_owned(), "forever".to_owned()));
    }

    #[test]
    fn what_is_no_age_is_refused_with_the_reason() {
        let wrong = |text: &str| text.parse::<Age>().unwrap_err();
        for text in ["", "30", "a month", "-30d", "never", "99999999999999999999d"] {
            assert_eq!(wrong(text), NoAge::Unreadable(text.to_owned()));
        }
        assert_eq!(wrong("23h 59m"), NoAge::TooShort("23h 59m".to_owned()));
        // A minute, not a month.
        assert_eq!(wrong("6m"), NoAge::TooShort("6m".to_owned()));
        assert_eq!(wrong("1001years"), NoAge::TooLong("1001years".to_owned()));
    }
}
