//! Which gateway may start, and go on, on which schema.

use std::borrow::Cow;

use onelane::store::MIGRATIONS;
use serde_json::{Value, json};
use sqlx::migrate::{Migration, MigrationType, Migrator};
use sqlx::{Connection, PgConnection, SqlSafeStr};

use super::accepted;
use crate::harness::{Bench, GatewayProcess, TestDatabase, order};

/// What the next version may bring.
const NEXT: &str = "
    alter table orders add column colour text not null default 'grey';
    alter table submissions add column weight integer;
    create index submissions_by_weight on submissions (weight);
    create table next_things (id bigint primary key);
";

fn newest() -> i64 {
    MIGRATIONS.iter().map(|migration| migration.version).max().unwrap()
}

/// The schema as it was before a migration.
async fn migrate_until(database: &TestDatabase, version: i64) {
    let earlier = MIGRATIONS.iter().filter(|migration| migration.version < version).cloned().collect();
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    Migrator::with_migrations(earlier).run_direct(None, &mut connection, false).await.unwrap();
}

/// As a newer onelane does.
async fn migrate_further(database: &TestDatabase) {
    let mut migrations: Vec<Migration> = MIGRATIONS.iter().cloned().collect();
    let next = NEXT.into_sql_str();
    migrations.push(Migration::new(newest() + 1, Cow::Borrowed("next"), MigrationType::Simple, next, false));
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    Migrator::with_migrations(migrations).run_direct(None, &mut connection, false).await.unwrap();
}

/// Every way to start; none of them may work. Gives what each says.
async fn does_not_start(database: &TestDatabase) -> Vec<String> {
    let mut said = Vec::new();
    for arguments in [&["serve"][..], &["serve", "--migrate"], &["migrate"]] {
        let (well, words) = GatewayProcess::run(arguments, &database.url, &[]).await;
        assert!(!well, "{arguments:?} on a schema that it must not touch: {words}");
        said.push(words);
    }
    said
}

#[tokio::test]
async fn a_gateway_goes_on_while_a_newer_one_migrates() {
    let bench = Bench::start().await;
    let running = GatewayProcess::start(&bench.database).await;
    // Each connection has its statements prepared before.
    let placed = running.caller.place(&order("SO-1")).await;
    assert!(accepted(&placed) && accepted(&bench.caller.place(&order("SO-2")).await));
    let load = async {
        for number in 10..30 {
            let caller = if number % 2 == 0 { &running.caller } else { &bench.caller };
            assert!(accepted(&caller.place(&order(&format!("SO-{number}"))).await));
        }
    };
    tokio::join!(load, migrate_further(&bench.database));

    let ready = running.caller.get("/readyz").await;
    assert_eq!((ready.status, &ready.body["status"]), (200, &json!("ok")), "{:#}", ready.body);
    assert!(ready.body["detail"].as_str().unwrap().contains("newer onelane"), "{:#}", ready.body);
    assert!(accepted(&running.caller.place(&order("SO-3")).await));
    let path = format!("/v1/orders/{}", placed.id());
    let amended = running
        .caller
        .send_with(reqwest::Method::PATCH, &path, &json!({"remarks": "x"}), &[("prefer", "wait=30")])
        .await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);

    // One of the old version that starts now does not.
    for said in does_not_start(&bench.database).await {
        assert!(said.contains(&format!("is at version {}", newest() + 1)), "{said}");
        assert!(said.contains(&format!("knows versions up to {}", newest())), "{said}");
        assert!(said.contains("Run that version"), "{said}");
    }
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let bench = Bench::start().await;
    let edited = "update _sqlx_migrations set checksum = 'x' where version = 2";
    sqlx::query(edited).execute(&mut bench.database.connection().await).await.unwrap();
    for said in does_not_start(&bench.database).await {
        assert!(said.contains("migration 2 was applied to the database with another content"), "{said}");
    }
    let refused = bench.caller.get("/readyz").await;
    refused.problem(503, "unavailable");
    assert!(refused.body["detail"].as_str().unwrap().contains("migration 2"), "{:#}", refused.body);
}

#[tokio::test]
async fn a_migration_that_did_not_end_is_refused() {
    let database = TestDatabase::create().await;
    let failed = "update _sqlx_migrations set success = false where version = 3";
    sqlx::query(failed).execute(&mut database.connection().await).await.unwrap();
    for said in does_not_start(&database).await {
        assert!(said.contains("migration 3 was begun on the database and did not end"), "{said}");
    }
}

/// Orders of a ledger from before documents were texts, and of a replica from before that goes on.
#[tokio::test]
async fn orders_from_before_keep_their_documents_and_are_found() {
    const DOCUMENT: &str = r#"{"orderNumber": "SO-1", "customerReference": "PO 1", "totals": {"grossWeight": "1.50"}}"#;
    let database = TestDatabase::create_empty().await;
    migrate_until(&database, 18).await;
    let mut connection = database.connection().await;
    let order = "insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
        values (gen_random_uuid(), 'a', 'otms', 'transport_order', $1, $2::jsonb, 'pending', now(), now())";
    for (number, document) in [("SO-1", DOCUMENT), ("SO-2", "{}")] {
        sqlx::query(order).bind(number).bind(document).execute(&mut connection).await.unwrap();
    }
    let store = database.store().await;
    store.migrate().await.unwrap();

    let keep = "select became from keep_orders(array[gen_random_uuid()], array[gen_random_uuid()], '{a}', '{otms}', '{orderImport}',
        '{transport_order}', '{SO-3}', '{\"\"}', array[$1], array[gen_random_uuid()], '{null}', '{0}', '{null}', '{null}', '{null}', '{null}',
        '{null}', '{null}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{null}', '{}', '{}', '{}', '{}')";
    let became: String = sqlx::query_scalar(keep).bind(DOCUMENT).fetch_one(&mut connection).await.unwrap();
    assert_eq!(became, "new");

    let kept: Vec<(String, Option<String>, Value)> =
        sqlx::query_as("select order_number, customer_reference, document::jsonb from orders order by order_number")
            .fetch_all(&mut connection)
            .await
            .unwrap();
    let (document, reference) = (serde_json::from_str::<Value>(DOCUMENT).unwrap(), Some("PO 1".to_owned()));
    let expected =
        [("SO-1", reference.clone(), document.clone()), ("SO-2", None, json!({})), ("SO-3", reference, document)];
    assert_eq!(kept, expected.map(|(number, reference, document)| (number.to_owned(), reference, document)));
    assert_eq!(store.orders_with_number("PO 1", None, 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_database_without_a_schema_is_migrated_by_many_at_once() {
    let database = TestDatabase::create_empty().await;
    let (well, said) = GatewayProcess::run(&["serve"], &database.url, &[]).await;
    assert!(!well && said.contains("no schema yet") && said.contains("onelane migrate"), "{said}");
    let store = database.store().await;
    let here = futures_util::future::join_all((0..4).map(|_| store.migrate()));
    let elsewhere =
        futures_util::future::join_all((0..2).map(|_| GatewayProcess::run(&["migrate"], &database.url, &[])));
    let (here, elsewhere) = tokio::join!(here, elsewhere);
    for migrated in here {
        migrated.unwrap();
    }
    for (well, said) in elsewhere {
        assert!(well, "{said}");
    }
    assert!(store.schema().await.unwrap().may_start());
    let versions = database.count("select count(*) from _sqlx_migrations where success").await;
    assert_eq!(versions, i64::try_from(MIGRATIONS.iter().count()).unwrap());
}
