//! The event feed, page by page and as a stream.

pub mod list;
pub mod stream;

use crate::api::auth::{Caller, Scope};
use crate::api::params::{read_cursor, write_cursor};
use crate::api::problem::{Kind, Problem};
use crate::canonical::EventType;
use crate::event::FeedError;
use crate::store::feed::{FeedFilter, FeedStart};

/// Instead of a cursor: nothing of what happened so far.
const LATEST: &str = "latest";
/// What stands before the place in a cursor of the feed, so that those of other lists are not taken for one.
const MARK: &str = "feed:";

pub(crate) fn write_feed_cursor(position: i64) -> String {
    write_cursor(&format!("{MARK}{position}"))
}

/// Where reading begins; without a cursor, with the oldest event that is kept.
pub(crate) fn read_start(cursor: Option<&str>) -> Result<FeedStart, Problem> {
    match cursor {
        None => Ok(FeedStart::Oldest),
        Some(LATEST) => Ok(FeedStart::Latest),
        Some(cursor) => read_cursor(cursor)?
            .strip_prefix(MARK)
            .and_then(|position| position.parse().ok())
            .filter(|position| *position >= 0)
            .map(FeedStart::After)
            .ok_or_else(|| Problem::new(Kind::MalformedRequest, "The cursor is none that this feed gave.")),
    }
}

/// Which events the caller asks for, of those that it may see.
fn filter(caller: &Caller, account: Option<String>, types: Option<&str>) -> Result<FeedFilter, Problem> {
    caller.require(Scope::OrdersRead)?;
    let types = types.map(|types| types.split(',').map(known_type).collect()).transpose()?;
    Ok(FeedFilter { account, types, allowed: caller.accounts().map(<[String]>::to_vec) })
}

fn known_type(name: &str) -> Result<String, Problem> {
    let known = name.trim().parse::<EventType>();
    known.map(|known| known.to_string()).map_err(|_| {
        Problem::new(
            Kind::MalformedRequest,
            format!("type: {name:?} is no type of event; see EventType in /openapi.json."),
        )
    })
}

impl From<FeedError> for Problem {
    fn from(error: FeedError) -> Self {
        match error {
            FeedError::Store(error) => error.into(),
            FeedError::Expired | FeedError::BeyondTheEnd => Problem::new(
                Kind::CursorExpired,
                format!("{}. Begin anew without a cursor, or with `after={LATEST}`.", sentence(&error)),
            ),
        }
    }
}

/// An error's words as the beginning of a sentence.
fn sentence(error: &FeedError) -> String {
    let words = error.to_string();
    let mut letters = words.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_of_other_lists_are_none_of_the_feed() {
        assert_eq!(read_start(Some(&write_feed_cursor(7))).unwrap(), FeedStart::After(7));
        assert_eq!(read_start(Some("latest")).unwrap(), FeedStart::Latest);
        assert_eq!(read_start(None).unwrap(), FeedStart::Oldest);
        for other in ["", "!", "7", &write_cursor("7"), &write_cursor("feed:-1"), &write_cursor("feed:7:8")] {
            assert!(read_start(Some(other)).is_err(), "{other}");
        }
    }
}
