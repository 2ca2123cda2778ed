//! Work that callers bring one by one and the ledger does together.
//!
//! A statement costs the database about the same for one row and for some dozens, and a commit costs the same for all
//! of them. So what comes while a statement is under way goes with the next one; in a crowd, that one waits a moment until
//! most of those who were answered are back. Whoever comes alone is not held up, and what a statement sees was never older
//! than the question.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;

use super::StoreError;

/// So many in one statement are a crowd.
const CROWD: usize = 3;
/// The patience of a statement after that of a crowd.
const GATHERING: Duration = Duration::from_millis(2);

/// For how many it waits: some may be gone.
fn most_of(crowd: usize) -> usize {
    crowd - crowd.div_ceil(10)
}

/// What waits for the next statement, and how many are under way.
pub(super) struct Grouped<Q, A>(Arc<Group<Q, A>>);

struct Group<Q, A> {
    /// Of questions in one statement
    most: usize,
    /// Statements under way at once
    at_once: usize,
    /// How long a statement after that of a crowd waits for more, at most
    patience: Duration,
    queue: Mutex<Queue<Q, A>>,
    /// As many wait as a statement waits for
    enough: Notify,
}

struct Queue<Q, A> {
    waiting: Vec<Waiting<Q, A>>,
    under_way: usize,
    /// The fewest that a statement waits for
    wanted: usize,
}

struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, StoreError>>,
}

impl<Q: Send + 'static, A: Send + 'static> Grouped<Q, A> {
    pub fn new(most: usize, at_once: usize) -> Self {
        Self::with_patience(most, at_once, GATHERING)
    }

    fn with_patience(most: usize, at_once: usize, patience: Duration) -> Self {
        let queue = Queue { waiting: Vec::new(), under_way: 0, wanted: usize::MAX };
        Grouped(Arc::new(Group { most, at_once, patience, queue: Mutex::new(queue), enough: Notify::new() }))
    }

    /// Has a question answered with those that came at the same time, by a task of its own: it goes on when who asked
    /// is gone. `work` gives one answer for each question, in their order.
    pub async fn ask<W, F>(&self, question: Q, work: W) -> Result<A, StoreError>
    where
        W: Fn(Vec<Q>) -> F + Send + 'static,
        F: Future<Output = Vec<Result<A, StoreError>>> + Send,
    {
        let (sender, answer) = oneshot::channel();
        let begins = {
            let mut queue = self.0.lock();
            queue.waiting.push(Waiting { question, answer: sender });
            if queue.waiting.len() >= queue.wanted {
                self.0.enough.notify_waiters();
            }
            let begins = queue.under_way < self.0.at_once;
            queue.under_way += usize::from(begins);
            begins
        };
        if begins {
            let turn = Turn { group: Arc::clone(&self.0), is_over: false };
            tokio::spawn(async move { turn.work_through(work).await });
        }
        answer.await.unwrap_or(Err(StoreError::NoAnswer))
    }
}

impl<Q, A> Group<Q, A> {
    fn lock(&self) -> MutexGuard<'_, Queue<Q, A>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until so many wait, but not for long.
    async fn gather(&self, wanted: usize) {
        let end = Instant::now() + self.patience;
        loop {
            let mut enough = pin!(self.enough.notified());
            enough.as_mut().enable();
            {
                let mut queue = self.lock();
                if queue.waiting.len() >= wanted {
                    queue.wanted = usize::MAX;
                    return;
                }
                queue.wanted = queue.wanted.min(wanted);
            }
            if tokio::time::timeout_at(end, enough).await.is_err() {
                self.lock().wanted = usize::MAX;
                return;
            }
        }
    }
}

/// One of the places under way; free again when it is dropped, however that comes.
struct Turn<Q, A> {
    group: Arc<Group<Q, A>>,
    /// The place was given up already
    is_over: bool,
}

impl<Q, A> Turn<Q, A> {
    async fn work_through<W, F>(mut self, work: W)
    where
        W: Fn(Vec<Q>) -> F,
        F: Future<Output = Vec<Result<A, StoreError>>>,
    {
        while let Some(next) = self.take() {
            let crowd = next.len();
            let (questions, answers): (Vec<Q>, Vec<_>) =
                next.into_iter().map(|waiting| (waiting.question, waiting.answer)).unzip();
            for (sender, answer) in answers.into_iter().zip(work(questions).await) {
                // Who is gone wants no answer.
                let _ = sender.send(answer);
            }
            if crowd >= CROWD {
                self.group.gather(most_of(crowd).min(self.group.most)).await;
            }
        }
    }

    /// What goes with the next statement. Where nothing does, the place is given up under the same lock: whoever comes
    /// later begins anew.
    fn take(&mut self) -> Option<Vec<Waiting<Q, A>>> {
        let mut queue = self.group.lock();
        if queue.waiting.is_empty() {
            queue.under_way -= 1;
            self.is_over = true;
            return None;
        }
        let count = queue.waiting.len().min(self.group.most);
        Some(queue.waiting.drain(..count).collect())
    }
}

impl<Q, A> Drop for Turn<Q, A> {
    fn drop(&mut self) {
        if !self.is_over {
            self.group.lock().under_way -= 1;
        }
    }
}

/// The answer to each question, where what was found is known by its question.
pub(super) fn each_of<Q: Eq + Hash, A: Clone>(
    questions: &[Q],
    found: Result<HashMap<Q, A>, StoreError>,
) -> Vec<Result<Option<A>, StoreError>> {
    match found {
        Ok(found) => questions.iter().map(|question| Ok(found.get(question).cloned())).collect(),
        Err(error) => {
            let error = Arc::new(error);
            questions.iter().map(|_| Err(StoreError::Shared(Arc::clone(&error)))).collect()
        }
    }
}

impl<Q, A> Clone for Grouped<Q, A> {
    fn clone(&self) -> Self {
        Grouped(Arc::clone(&self.0))
    }
}

impl<Q, A> fmt::Debug for Grouped<Q, A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Grouped")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn what_comes_meanwhile_goes_together_and_each_gets_its_own_answer() {
        let group: Grouped<usize, usize> = Grouped::new(10, 1);
        let (statements, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
        let work = {
            let (statements, gate) = (Arc::clone(&statements), Arc::clone(&gate));
            move |questions: Vec<usize>| {
                statements.fetch_add(1, Ordering::Relaxed);
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.unwrap().forget();
                    questions.into_iter().map(|number| Ok(number * 2)).collect()
                }
            }
        };
        let ask = |number| {
            let (group, work) = (group.clone(), work.clone());
            tokio::spawn(async move { group.ask(number, work).await.unwrap() })
        };
        // The first goes alone; the others wait for it, and go ten at a time.
        let first = ask(0);
        while statements.load(Ordering::Relaxed) == 0 {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (1..=25).map(ask).collect();
        while group.0.lock().waiting.len() < 25 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(10);
        assert_eq!(first.await.unwrap(), 0);
        for (number, other) in (1..).zip(others) {
            assert_eq!(other.await.unwrap(), number * 2);
        }
        assert_eq!(statements.load(Ordering::Relaxed), 4);
        // The place is free again.
        assert_eq!(ask(30).await.unwrap(), 60);
        assert_eq!(group.0.lock().under_way, 0);
    }

    #[tokio::test]
    async fn after_a_crowd_most_of_it_is_waited_for() {
        let (back, took) = after_a_crowd_of_eight(7, Duration::from_secs(3600)).await;
        assert_eq!((back, took < Duration::from_secs(60)), (vec![7], true));
    }

    #[tokio::test]
    async fn but_not_for_long() {
        let (back, took) = after_a_crowd_of_eight(1, Duration::from_millis(30)).await;
        assert_eq!((back, took >= Duration::from_millis(20)), (vec![1], true));
    }

    /// How many go in each statement after that of a crowd, when so many are back, and how long that takes.
    async fn after_a_crowd_of_eight(back: usize, patience: Duration) -> (Vec<usize>, Duration) {
        let group: Grouped<usize, usize> = Grouped::with_patience(100, 1, patience);
        let (sizes, gate) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let work = {
            let (sizes, gate) = (Arc::clone(&sizes), Arc::clone(&gate));
            move |questions: Vec<usize>| {
                sizes.lock().unwrap().push(questions.len());
                let gate = Arc::clone(&gate);
                async move {
                    gate.acquire().await.unwrap().forget();
                    questions.into_iter().map(Ok).collect()
                }
            }
        };
        let ask = |number| {
            let (group, work) = (group.clone(), work.clone());
            tokio::spawn(async move { group.ask(number, work).await.unwrap() })
        };
        let first = ask(0);
        while sizes.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let crowd: Vec<_> = (1..=8).map(ask).collect();
        while group.0.lock().waiting.len() < 8 {
            tokio::task::yield_now().await;
        }
        gate.add_permits(100);
        for one in std::iter::once(first).chain(crowd) {
            one.await.unwrap();
        }
        assert_eq!(*sizes.lock().unwrap(), [1, 8]);
        let begun = Instant::now();
        for one in (0..back).map(ask).collect::<Vec<_>>() {
            one.await.unwrap();
        }
        let after = sizes.lock().unwrap().split_off(2);
        (after, begun.elapsed())
    }

    #[tokio::test]
    async fn who_asked_may_go_and_a_statement_that_dies_is_no_answer() {
        let group: Grouped<(), ()> = Grouped::new(10, 1);
        let died = group.ask((), |_| async { panic!("as a bug would") }).await;
        assert!(matches!(died, Err(StoreError::NoAnswer)));
        assert_eq!(group.0.lock().under_way, 0);
        group.ask((), |questions| async move { questions.into_iter().map(Ok).collect() }).await.unwrap();
    }
}
