//! pgbench, the yardstick of whatever writes rows.

use std::time::Duration;

use sqlx::{Connection, Executor, PgConnection};
use tokio::process::Command;

use crate::order;

/// What a measurement inserts into.
const TABLES: &str = "
    create table yardstick (id uuid primary key, document jsonb not null);
    create table yardstick_of_texts (id uuid primary key, document text not null)";

/// How a yardstick keeps documents.
#[derive(Clone, Copy)]
pub enum Kept {
    /// So that the database can look into them
    Jsonb,
    /// As they came
    Text,
}

/// Rows a second that `clients` insert, each `rows` in one statement and commit.
pub async fn insert(database_url: &str, kept: Kept, clients: usize, rows: usize, time: Duration) -> f64 {
    // The document goes with each statement, as it does from an application.
    let (table, row) = match kept {
        Kept::Jsonb => ("yardstick", "(gen_random_uuid(), :document::jsonb)"),
        Kept::Text => ("yardstick_of_texts", "(gen_random_uuid(), :document)"),
    };
    let script = format!("insert into {table} values {};\n", vec![row; rows].join(", "));
    let file = std::env::temp_dir().join(format!("onelane-load-{}.sql", uuid::Uuid::new_v4().simple()));
    std::fs::write(&file, script).unwrap();
    let output = Command::new(onelane::postgres::program("pgbench").await.unwrap())
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2"])
        .arg(format!("--client={clients}"))
        .arg(format!("--time={}", time.as_secs()))
        .arg(format!("--define=document={}", order::order("SO-000000000")))
        .arg(format!("--file={}", file.display()))
        .arg(database_url)
        .output()
        .await
        .unwrap();
    std::fs::remove_file(file).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse::<f64>().ok());
    let rate = rate.unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    rate * rows as f64
}

/// Makes the tables of a yardstick.
pub async fn create_tables(database_url: &str) {
    let mut connection = PgConnection::connect(database_url).await.unwrap();
    connection.execute(TABLES).await.unwrap();
}
