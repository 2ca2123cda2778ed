//! The feed under any interleaving of writers that commit late or never, turns of the sequencer, readers of pages of
//! any size with any filter, and retention: whoever follows its cursor gets every event, once, in the order of places.

use onelane::event::{FeedError, NextPage, read};
use onelane::store::Store;
use onelane::store::feed::{FeedFilter, FeedStart, Sequenced};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed, TestError, TestRunner};
use sqlx::{Executor, PgConnection};
use uuid::Uuid;

use super::{cases, runtime};
use crate::harness::TestDatabase;

const WRITERS: usize = 3;
const ACCOUNTS: [Option<&str>; 3] = [Some("a"), Some("b"), None];
const TYPES: [&str; 2] = ["account.paused", "account.resumed"];

#[derive(Debug, Clone)]
enum Step {
    /// A writer writes within its transaction, which it begins where there is none.
    Write {
        writer: usize,
        account: usize,
        event_type: usize,
    },
    End {
        writer: usize,
        commit: bool,
    },
    /// So many events at most get their places.
    Sequence(i64),
    Read {
        reader: usize,
        limit: i64,
    },
    /// All but so many of the newest places are forgotten.
    Forget {
        keep: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..WRITERS, 0..ACCOUNTS.len(), 0..TYPES.len())
            .prop_map(|(writer, account, event_type)| Step::Write { writer, account, event_type }),
        4 => (0..WRITERS, prop::bool::weighted(0.8)).prop_map(|(writer, commit)| Step::End { writer, commit }),
        4 => (1_i64..6).prop_map(Step::Sequence),
        5 => (0..filters().len(), 1_i64..5).prop_map(|(reader, limit)| Step::Read { reader, limit }),
        1 => (0_i64..6).prop_map(|keep| Step::Forget { keep }),
    ];
    vec(step, 10..60)
}

fn filters() -> [FeedFilter; 4] {
    [
        FeedFilter::default(),
        FeedFilter { account: Some("a".to_owned()), ..FeedFilter::default() },
        FeedFilter { types: Some(vec![TYPES[0].to_owned()]), ..FeedFilter::default() },
        FeedFilter { allowed: Some(vec!["a".to_owned(), "b".to_owned()]), ..FeedFilter::default() },
    ]
}

/// An event as its writer knows it.
#[derive(Debug, Clone)]
struct Written {
    id: Uuid,
    account: Option<&'static str>,
    event_type: &'static str,
}

impl Written {
    fn passes(&self, filter: &FeedFilter) -> bool {
        let is_of = |accounts: &[String]| self.account.is_some_and(|own| accounts.iter().any(|name| name == own));
        filter.account.as_ref().is_none_or(|account| is_of(std::slice::from_ref(account)))
            && filter.types.as_ref().is_none_or(|types| types.iter().any(|name| name == self.event_type))
            && filter.allowed.as_ref().is_none_or(|allowed| is_of(allowed))
    }
}

struct Writer {
    connection: PgConnection,
    /// What it wrote in the transaction that it has begun
    open: Option<Vec<Written>>,
}

/// Someone who follows the feed.
struct Reader {
    filter: FeedFilter,
    cursor: FeedStart,
    /// (after, next, what was read between them), page by page
    pages: Vec<(i64, i64, Vec<Uuid>)>,
}

struct Bench {
    store: Store,
    connection: PgConnection,
    writers: Vec<Writer>,
    readers: Vec<Reader>,
    committed: Vec<Written>,
    /// Every event by its place, from 1
    places: Vec<Uuid>,
    first_position: i64,
}

impl Bench {
    async fn new(database: &TestDatabase) -> Self {
        let mut writers = Vec::new();
        for _ in 0..WRITERS {
            writers.push(Writer { connection: database.connection().await, open: None });
        }
        let readers = filters().map(|filter| Reader { filter, cursor: FeedStart::Oldest, pages: Vec::new() });
        let mut connection = database.connection().await;
        connection
            .execute("truncate events, feed_places, events_without_place cascade; update feed set first_position = 1, last_position = 0")
            .await
            .unwrap();
        Bench {
            store: database.store().await,
            connection,
            writers,
            readers: readers.into(),
            committed: Vec::new(),
            places: Vec::new(),
            first_position: 1,
        }
    }

    async fn take(&mut self, step: &Step) {
        match *step {
            Step::Write { writer, account, event_type } => self.write(writer, account, event_type).await,
            Step::End { writer, commit } => self.end(writer, commit).await,
            Step::Sequence(most) => {
                self.sequence(most).await;
            }
            Step::Read { reader, limit } => {
                self.read(reader, limit).await;
            }
            Step::Forget { keep } => self.forget(keep).await,
        }
    }

    async fn write(&mut self, writer: usize, account: usize, event_type: usize) {
        let Writer { connection, open } = &mut self.writers[writer];
        if open.is_none() {
            connection.execute("begin").await.unwrap();
        }
        let written = Written { id: Uuid::new_v4(), account: ACCOUNTS[account], event_type: TYPES[event_type] };
        sqlx::query(
            "insert into events (id, type, account_id, data, occurred_at, recorded_at)
             values ($1, $2, $3, '{}', onelane_now(), onelane_now())",
        )
        .bind(written.id)
        .bind(written.event_type)
        .bind(written.account)
        .execute(connection)
        .await
        .unwrap();
        open.get_or_insert_default().push(written);
    }

    async fn end(&mut self, writer: usize, commit: bool) {
        let Writer { connection, open } = &mut self.writers[writer];
        let Some(written) = open.take() else { return };
        connection.execute(if commit { "commit" } else { "rollback" }).await.unwrap();
        if commit {
            self.committed.extend(written);
        }
    }

    /// Gives places, and sees that no place that was given before has changed.
    async fn sequence(&mut self, most: i64) -> bool {
        let Sequenced::Events { events, deliveries: _, ends } = self.store.sequence_events(most).await.unwrap() else {
            panic!("nobody else gives places")
        };
        let kept: Vec<(i64, Uuid)> = sqlx::query_as("select position, event_id from feed_places order by position")
            .fetch_all(&mut self.connection)
            .await
            .unwrap();
        let known = i64::try_from(self.places.len()).unwrap();
        for (position, id) in kept {
            if position > known {
                self.places.push(id);
            }
            assert_eq!(self.places.get(usize::try_from(position).unwrap() - 1), Some(&id), "places do not change");
        }
        assert_eq!(ends.last_position, known + events);
        assert_eq!(i64::try_from(self.places.len()).unwrap(), ends.last_position, "no place is left out");
        events > 0
    }

    /// Reads a page; whether the cursor moved.
    async fn read(&mut self, reader: usize, limit: i64) -> bool {
        let Reader { filter, cursor, pages } = &mut self.readers[reader];
        match read(&self.store, filter, *cursor, limit).await {
            Ok(NextPage { after, events, next, at_end: _ }) => {
                if let FeedStart::After(position) = *cursor {
                    assert_eq!(after, position);
                } else {
                    assert_eq!(after, self.first_position - 1);
                }
                let moved = *cursor != FeedStart::After(next);
                *cursor = FeedStart::After(next);
                pages.push((after, next, events.into_iter().map(|read| read.event.id).collect()));
                moved
            }
            Err(FeedError::Expired) => {
                let FeedStart::After(position) = *cursor else { panic!("the oldest is always there") };
                assert!(position < self.first_position - 1, "{position} is kept");
                *cursor = FeedStart::Oldest;
                true
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// As retention does: what is not kept, and the oldest place that is, in one commit.
    async fn forget(&mut self, keep: i64) {
        let last = i64::try_from(self.places.len()).unwrap();
        self.first_position = self.first_position.max(last - keep + 1);
        let statement = format!(
            "begin; delete from events where id in (select event_id from feed_places where position < {first});
             delete from feed_places where position < {first}; update feed set first_position = {first}; commit",
            first = self.first_position
        );
        self.connection.execute(sqlx::AssertSqlSafe(statement)).await.unwrap();
    }

    /// Lets everything come to its end, and checks what was read.
    async fn finish(mut self) {
        for writer in 0..WRITERS {
            self.end(writer, true).await;
        }
        while self.sequence(3).await {}
        for reader in 0..self.readers.len() {
            while self.read(reader, 4).await {}
        }
        let mut placed = self.places.clone();
        let mut committed: Vec<Uuid> = self.committed.iter().map(|written| written.id).collect();
        placed.sort();
        committed.sort();
        assert_eq!(placed, committed, "a place for every event that was committed, and for no other");
        for Reader { filter, cursor, pages } in &self.readers {
            assert_eq!(*cursor, FeedStart::After(i64::try_from(self.places.len()).unwrap()), "everything was read");
            for (after, next, read) in pages {
                let between = &self.places[usize::try_from(*after).unwrap()..usize::try_from(*next).unwrap()];
                let written = |id: &Uuid| self.committed.iter().find(|written| written.id == *id).unwrap();
                let expected: Vec<Uuid> = between.iter().copied().filter(|id| written(id).passes(filter)).collect();
                assert_eq!(*read, expected, "of the places after {after} up to {next}");
            }
        }
        self.store.close().await;
    }
}

#[test]
fn a_cursor_gets_every_event_once_and_in_the_order_of_places() {
    let runtime = runtime();
    let database = runtime.block_on(TestDatabase::create());
    proptest!(cases(32), |(steps in steps())| {
        runtime.block_on(async {
            let mut bench = Bench::new(&database).await;
            for step in &steps {
                bench.take(step).await;
            }
            bench.finish().await;
        });
    });
}

/// The same steps, for a consumer that follows a number which events draw while they are written. It shows that the
/// steps above are such that a feed of that kind loses events.
#[test]
fn a_cursor_over_numbers_that_are_drawn_while_writing_loses_events() {
    let runtime = runtime();
    let database = runtime.block_on(TestDatabase::create());
    runtime
        .block_on(async {
            let mut connection = database.connection().await;
            connection.execute("alter table events add column drawn bigint generated always as identity").await
        })
        .unwrap();
    let config = Config { cases: 64, rng_seed: RngSeed::Fixed(1), failure_persistence: None, ..Config::default() };
    let config = Config { max_shrink_iters: 0, ..config };
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        let (read, committed) = runtime.block_on(async {
            let mut bench = Bench::new(&database).await;
            let mut naive: (i64, Vec<Uuid>) = (0, Vec::new());
            for step in &steps {
                match step {
                    Step::Read { .. } => read_naively(&mut bench.connection, &mut naive).await,
                    Step::Write { .. } | Step::End { .. } => bench.take(step).await,
                    Step::Sequence(_) | Step::Forget { .. } => {}
                }
            }
            for writer in 0..WRITERS {
                bench.end(writer, true).await;
            }
            read_naively(&mut bench.connection, &mut naive).await;
            bench.store.close().await;
            (naive.1.len(), bench.committed.len())
        });
        prop_assert_eq!(read, committed);
        Ok(())
    });
    assert!(matches!(outcome, Err(TestError::Fail(..))), "{outcome:?}");
}

async fn read_naively(connection: &mut PgConnection, (cursor, read): &mut (i64, Vec<Uuid>)) {
    let rows: Vec<(i64, Uuid)> = sqlx::query_as("select drawn, id from events where drawn > $1 order by drawn")
        .bind(*cursor)
        .fetch_all(connection)
        .await
        .unwrap();
    for (drawn, id) in rows {
        *cursor = drawn;
        read.push(id);
    }
}
