//! Everything that comes out of a gateway: what its database holds, and what its API answers.

use reqwest::Method;
use serde_json::Value;
use sqlx::{AssertSqlSafe, Row};

use super::needles::Needles;
use crate::harness::{Caller, TestDatabase};

/// More than any body holds.
const MOST_BYTES: usize = 64 * 1024 * 1024;
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// Searches every column of every table: as text, and what is bytes as they are and unpacked.
pub async fn search_database(database: &TestDatabase, needles: &Needles) {
    let columns = database
        .texts(
            "select table_name || ' ' || column_name || ' ' || data_type from information_schema.columns
             where table_schema = 'public' order by 1",
        )
        .await;
    assert!(columns.len() > 100, "{columns:?}");
    let mut connection = database.connection().await;
    let mut unpacked = 0;
    for described in columns {
        let mut parts = described.splitn(3, ' ');
        let [table, column, kind] = [(); 3].map(|()| parts.next().unwrap());
        let place = format!("{table}.{column}");
        let read = format!("select \"{column}\"::text from \"{table}\" where \"{column}\" is not null");
        for row in sqlx::query(AssertSqlSafe(read)).fetch_all(&mut connection).await.unwrap() {
            needles.search(&place, row.get::<String, _>(0).as_bytes());
        }
        if kind != "bytea" {
            continue;
        }
        let read = format!("select \"{column}\" from \"{table}\" where \"{column}\" is not null");
        for row in sqlx::query(AssertSqlSafe(read)).fetch_all(&mut connection).await.unwrap() {
            let bytes: Vec<u8> = row.get(0);
            needles.search(&place, &bytes);
            if bytes.starts_with(ZSTD) {
                needles.search(&place, &zstd::bulk::decompress(&bytes, MOST_BYTES).unwrap());
                unpacked += 1;
            }
        }
    }
    assert!(unpacked > 10, "bodies are unpacked: {unpacked}");
}

/// A caller all of whose answers are searched.
pub struct Searched<'a> {
    pub caller: Caller,
    pub needles: &'a Needles,
}

impl Searched<'_> {
    /// Asks, and searches the whole answer: status line, headers and body.
    pub async fn ask(&self, method: Method, path: &str, body: Option<&[u8]>) -> (u16, Value) {
        self.ask_where_some_belong(method, path, body, &[]).await
    }

    /// The same where secrets of these names belong into the answer.
    pub async fn ask_where_some_belong(
        &self,
        method: Method,
        path: &str,
        body: Option<&[u8]>,
        allowed: &[&str],
    ) -> (u16, Value) {
        let place = format!("the answer to {method} {path}");
        let mut request = self.caller.request(method, path);
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_vec());
        }
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let headers = format!("{:?}", response.headers());
        let bytes = response.bytes().await.unwrap();
        self.needles.search_but_for(&place, headers.as_bytes(), allowed);
        self.needles.search_but_for(&place, &bytes, allowed);
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "{path}: {body:#}");
        body
    }

    /// The ids of a list.
    pub async fn ids(&self, path: &str) -> Vec<String> {
        let list = self.get(&format!("{path}?limit=200")).await;
        let items = list["items"].as_array().unwrap_or_else(|| panic!("{path}: {list:#}"));
        items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Everything that can be read.
    pub async fn read_everything(&self, accounts: &[String], paths_of_callbacks: &[&str]) {
        for path in [
            "/healthz",
            "/readyz",
            "/metrics",
            "/openapi.json",
            "/docs/",
            "/v1/api-keys",
            "/v1/audit-log?limit=200",
            "/v1/events?limit=200",
            "/v1/providers",
            "/v1/events?after=latest",
            "/problems/validation-failed",
        ] {
            self.get(path).await;
        }
        // Administrators are shown where an account is called, and it alone.
        for path in
            ["/v1/accounts".to_owned()].into_iter().chain(accounts.iter().map(|id| format!("/v1/accounts/{id}")))
        {
            let (status, _) = self.ask_where_some_belong(Method::GET, &path, None, paths_of_callbacks).await;
            assert_eq!(status, 200, "{path}");
        }
        for account in accounts {
            self.get(&format!("/v1/accounts/{account}/throttle")).await;
        }
        for id in self.ids("/v1/orders").await {
            for below in ["", "/submissions", "/events", "/tracking"] {
                self.get(&format!("/v1/orders/{id}{below}")).await;
            }
        }
        for id in self.ids("/v1/submissions").await {
            self.get(&format!("/v1/submissions/{id}")).await;
            self.get(&format!("/v1/submissions/{id}/attempts")).await;
        }
        for id in self.ids("/v1/callbacks").await {
            self.get(&format!("/v1/callbacks/{id}")).await;
        }
        for id in self.ids("/v1/webhook-endpoints").await {
            self.get(&format!("/v1/webhook-endpoints/{id}")).await;
            self.get(&format!("/v1/webhook-endpoints/{id}/deliveries")).await;
        }
    }
}
