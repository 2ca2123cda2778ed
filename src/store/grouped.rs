//! Work that callers bring one by one and the ledger does together.
//!
//! A statement costs the database about the same for one row and for some dozens, and a commit costs the same for all
//! of them. So what comes while a statement is under way goes with the next one; in a crowd, that one waits a moment for
//! more. Whoever comes alone is not held up, and what a statement sees was never older than the question.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::StoreError;

/// So many in one statement are a crowd.
const CROWD: usize = 3;
/// How long a statement after that of a crowd waits for more.
const GATHERING: Duration = Duration::from_millis(2);

/// What waits for the next statement, and how many are under way.
pub(super) struct Grouped<Q, A>(Arc<Group<Q, A>>);

struct Group<Q, A> {
    /// Of questions in one statement
    most: usize,
    /// Statements under way at once
    at_once: usize,
    queue: Mutex<Queue<Q, A>>,
}

struct Queue<Q, A> {
    waiting: Vec<Waiting<Q, A>>,
    under_way: usize,
}

struct Waiting<Q, A> {
    question: Q,
    answer: oneshot::Sender<Result<A, StoreError>>,
}

impl<Q: Send + 'static, A: Send + 'static> Grouped<Q, A> {
    pub fn new(most: usize, at_once: usize) -> Self {
        Grouped(Arc::new(Group { most, at_once, queue: Mutex::new(Queue { waiting: Vec::new(), under_way: 0 }) }))
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
            let is_crowd = next.len() >= CROWD;
            let (questions, answers): (Vec<Q>, Vec<_>) =
                next.into_iter().map(|waiting| (waiting.question, waiting.answer)).unzip();
            for (sender, answer) in answers.into_iter().zip(work(questions).await) {
                // Who is gone wants no answer.
                let _ = sender.send(answer);
            }
            if is_crowd {
                tokio::time::sleep(GATHERING).await;
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
    async fn who_asked_may_go_and_a_statement_that_dies_is_no_answer() {
        let group: Grouped<(), ()> = Grouped::new(10, 1);
        let died = group.ask((), |_| async { panic!("as a bug would") }).await;
        assert!(matches!(died, Err(StoreError::NoAnswer)));
        assert_eq!(group.0.lock().under_way, 0);
        group.ask((), |questions| async move { questions.into_iter().map(Ok).collect() }).await.unwrap();
    }
}
