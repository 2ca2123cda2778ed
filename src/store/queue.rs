//! How much waits for an account, and whether more may.
//!
//! What is counted is what could go out: of each order its earliest unfinished submission, while that is queued or in
//! doubt. Counting is cheap up to some thousands and then is not, so it is not done for each order that is accepted:
//! once counted, a process takes a share of the room for granted for a moment. So nothing is refused below the limit,
//! and each replica may go beyond it by that share.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::Instant;

use super::{Store, StoreError};

/// How long a count is good for.
const GOOD_FOR: Duration = Duration::from_secs(1);
/// Which part of the room that was found is taken for granted.
const SHARE: u32 = 8;
/// Beyond this number of accounts, those whose counts are old are forgotten.
const FEW: usize = 1024;

/// What this process may accept without counting, by account.
#[derive(Debug, Clone, Default)]
pub(super) struct Rooms {
    by_account: Arc<Mutex<HashMap<String, Room>>>,
}

#[derive(Debug, Clone, Copy)]
struct Room {
    limit: NonZeroU32,
    left: u32,
    /// When that was noted
    since: Instant,
}

impl Room {
    fn is_fresh(&self, now: Instant) -> bool {
        now.duration_since(self.since) < GOOD_FOR
    }
}

/// What was counted before something was accepted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count {
    /// Before it was counted
    pub asked: Instant,
    /// What waited
    pub waiting: i64,
    /// What was accepted on it
    pub accepted: i64,
}

impl Rooms {
    /// The limit up to which it has to be counted before one more is accepted; nothing when there is room, or no limit.
    pub fn limit_to_count(&self, account: &str, limit: Option<NonZeroU32>, now: Instant) -> Option<i64> {
        let limit = limit?;
        let mut rooms = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.get_mut(account).filter(|room| room.limit == limit && room.is_fresh(now));
        match room.filter(|room| room.left > 0) {
            Some(room) => {
                room.left -= 1;
                None
            }
            None => Some(limit.get().into()),
        }
    }

    /// Notes how much waits after it was counted.
    pub fn counted(&self, account: &str, limit: Option<NonZeroU32>, count: Count, now: Instant) {
        let Some(limit) = limit else { return };
        let Count { asked, waiting, accepted } = count;
        let mut rooms = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get_mut(account).filter(|room| room.limit == limit && room.since > asked) {
            // Another count was noted meanwhile, and neither saw what the other let in.
            room.left = room.left.saturating_sub(u32::try_from(accepted).unwrap_or(u32::MAX));
            return;
        }
        let room = i64::from(limit.get()).saturating_sub(waiting + accepted);
        let left = u32::try_from(room).unwrap_or_default() / SHARE;
        if rooms.len() >= FEW {
            rooms.retain(|_, room| room.is_fresh(now));
        }
        rooms.insert(account.to_owned(), Room { limit, left, since: now });
    }
}

impl Store {
    pub(super) fn rooms(&self) -> &Rooms {
        &self.rooms
    }
}

/// Whether as much waits for an account as may.
pub(super) async fn is_full(
    connection: &mut PgConnection,
    rooms: &Rooms,
    account: &str,
    limit: Option<NonZeroU32>,
) -> Result<bool, StoreError> {
    let asked = Instant::now();
    let Some(most) = rooms.limit_to_count(account, limit, asked) else { return Ok(false) };
    let waiting = sqlx::query_scalar!(
        r#"select count(*) as "waiting!" from (
               select from submissions
               where account_id = $1 and ready and state in ('queued', 'in_doubt') limit $2) w"#,
        account,
        most,
    )
    .fetch_one(connection)
    .await?;
    let is_full = waiting >= most;
    rooms.counted(account, limit, Count { asked, waiting, accepted: i64::from(!is_full) }, Instant::now());
    Ok(is_full)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(waiting: i64, asked: Instant) -> Count {
        Count { asked, waiting, accepted: 0 }
    }

    #[test]
    fn a_share_of_the_room_is_taken_for_granted_for_a_moment() {
        let (rooms, now) = (Rooms::default(), Instant::now());
        let limit = NonZeroU32::new(100);
        assert_eq!(rooms.limit_to_count("a", None, now), None);
        assert_eq!(rooms.limit_to_count("a", limit, now), Some(100));
        rooms.counted("a", limit, waiting(60, now), now);
        let free = (0..100).take_while(|_| rooms.limit_to_count("a", limit, now).is_none()).count();
        assert_eq!(free, 5, "an eighth of 40");
        rooms.counted("a", limit, waiting(60, now), now);
        assert_eq!(rooms.limit_to_count("b", limit, now), Some(100), "another account");
        assert_eq!(rooms.limit_to_count("a", NonZeroU32::new(50), now), Some(50), "another limit");
        assert_eq!(rooms.limit_to_count("a", limit, now + GOOD_FOR), Some(100), "an old count");
    }

    #[test]
    fn where_little_is_left_each_is_counted() {
        let (rooms, now) = (Rooms::default(), Instant::now());
        let limit = NonZeroU32::new(100);
        for count in [93, 100, 250] {
            rooms.counted("a", limit, waiting(count, now), now);
            assert_eq!(rooms.limit_to_count("a", limit, now), Some(100));
        }
    }

    /// Else the one that is noted last would promise room that the other has given away.
    #[test]
    fn of_two_counts_at_once_neither_promises_what_the_other_let_in() {
        let (rooms, asked) = (Rooms::default(), Instant::now());
        let (soon, later) = (asked + Duration::from_millis(1), asked + Duration::from_millis(2));
        let limit = NonZeroU32::new(20);
        for (accepted, at) in [(12, soon), (9, later)] {
            rooms.counted("a", limit, Count { asked, waiting: 0, accepted }, at);
        }
        assert_eq!(rooms.limit_to_count("a", limit, later), Some(20));
    }

    #[test]
    fn accounts_of_old_counts_are_forgotten() {
        let (rooms, now) = (Rooms::default(), Instant::now());
        for account in 0..FEW {
            rooms.counted(&account.to_string(), NonZeroU32::new(100), waiting(0, now), now);
        }
        rooms.counted("one more", NonZeroU32::new(100), waiting(0, now), now + GOOD_FOR);
        assert_eq!(rooms.by_account.lock().unwrap().len(), 1);
    }
}
