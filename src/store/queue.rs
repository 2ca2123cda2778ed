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
    until: Instant,
}

impl Rooms {
    /// The limit up to which it has to be counted before one more is accepted; nothing when there is room, or no limit.
    pub fn limit_to_count(&self, account: &str, limit: Option<NonZeroU32>, now: Instant) -> Option<i64> {
        let limit = limit?;
        let mut rooms = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        let room = rooms.get_mut(account).filter(|room| room.limit == limit && now < room.until);
        match room.filter(|room| room.left > 0) {
            Some(room) => {
                room.left -= 1;
                None
            }
            None => Some(limit.get().into()),
        }
    }

    /// Notes how much waited when it was counted.
    pub fn counted(&self, account: &str, limit: Option<NonZeroU32>, waiting: i64, now: Instant) {
        let Some(limit) = limit else { return };
        let room = i64::from(limit.get()).saturating_sub(waiting);
        let left = u32::try_from(room).unwrap_or_default() / SHARE;
        let mut rooms = self.by_account.lock().unwrap_or_else(PoisonError::into_inner);
        if rooms.len() >= FEW {
            rooms.retain(|_, room| now < room.until);
        }
        rooms.insert(account.to_owned(), Room { limit, left, until: now + GOOD_FOR });
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
    let Some(most) = rooms.limit_to_count(account, limit, Instant::now()) else { return Ok(false) };
    let waiting = sqlx::query_scalar!(
        r#"select count(*) as "waiting!" from (
               select from submissions
               where account_id = $1 and ready and state in ('queued', 'in_doubt') limit $2) w"#,
        account,
        most,
    )
    .fetch_one(connection)
    .await?;
    rooms.counted(account, limit, waiting, Instant::now());
    Ok(waiting >= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_of_the_room_is_taken_for_granted_for_a_moment() {
        let (rooms, now) = (Rooms::default(), Instant::now());
        let limit = NonZeroU32::new(100);
        assert_eq!(rooms.limit_to_count("a", None, now), None);
        assert_eq!(rooms.limit_to_count("a", limit, now), Some(100));
        rooms.counted("a", limit, 60, now);
        let free = (0..100).take_while(|_| rooms.limit_to_count("a", limit, now).is_none()).count();
        assert_eq!(free, 5, "an eighth of 40");
        rooms.counted("a", limit, 60, now);
        assert_eq!(rooms.limit_to_count("b", limit, now), Some(100), "another account");
        assert_eq!(rooms.limit_to_count("a", NonZeroU32::new(50), now), Some(50), "another limit");
        assert_eq!(rooms.limit_to_count("a", limit, now + GOOD_FOR), Some(100), "an old count");
    }

    #[test]
    fn where_little_is_left_each_is_counted() {
        let (rooms, now) = (Rooms::default(), Instant::now());
        let limit = NonZeroU32::new(100);
        for waiting in [93, 100, 250] {
            rooms.counted("a", limit, waiting, now);
            assert_eq!(rooms.limit_to_count("a", limit, now), Some(100));
        }
    }

    #[test]
    fn accounts_of_old_counts_are_forgotten() {
        let (rooms, now) = (Rooms::default(), Instant::now());
        for account in 0..FEW {
            rooms.counted(&account.to_string(), NonZeroU32::new(100), 0, now);
        }
        rooms.counted("one more", NonZeroU32::new(100), 0, now + GOOD_FOR);
        assert_eq!(rooms.by_account.lock().unwrap().len(), 1);
    }
}
