//! What was looked up a moment ago, and is forgotten soon. What must be true now is not decided by it alone.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long it is worth while to remember.
const MOMENT: Duration = Duration::from_secs(10);
/// So many are remembered at most.
const MOST: usize = 1024;

/// Values that are forgotten after a moment.
pub struct Lately<K, V>(Mutex<HashMap<K, (Arc<V>, Instant)>>);

impl<K, V> Default for Lately<K, V> {
    fn default() -> Self {
        Lately(Mutex::default())
    }
}

impl<K: Eq + Hash, V> Lately<K, V> {
    pub fn get<Q: Eq + Hash + ?Sized>(&self, key: &Q, now: Instant) -> Option<Arc<V>>
    where
        K: Borrow<Q>,
    {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(key).filter(|(_, since)| is_fresh(*since, now)).map(|(value, _)| Arc::clone(value))
    }

    pub fn keep(&self, key: K, value: Arc<V>, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.retain(|_, (_, since)| is_fresh(*since, now));
        }
        if known.len() < MOST || known.contains_key(&key) {
            known.insert(key, (value, now));
        }
    }
}

impl<K, V> fmt::Debug for Lately<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lately")
    }
}

fn is_fresh(since: Instant, now: Instant) -> bool {
    now.duration_since(since) < MOMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_forgotten_after_a_moment_and_never_grows_without_end() {
        let known: Lately<usize, usize> = Lately::default();
        let now = Instant::now();
        for number in 0..=MOST {
            known.keep(number, Arc::new(number * 2), now);
        }
        assert_eq!((known.get(&7, now).as_deref(), known.get(&MOST, now)), (Some(&14), None));
        let later = now + MOMENT;
        assert_eq!(known.get(&7, later), None);
        known.keep(MOST, Arc::new(1), later);
        assert_eq!((known.get(&MOST, later).as_deref(), known.0.lock().unwrap().len()), (Some(&1), 1));
    }
}
