//! Reading submissions and their results.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, StoreError, word};
use crate::canonical::{HoldReason, Operation, SubmissionResult, SubmissionState};

/// A submission as the ledger keeps it, with what was said of it.
#[derive(Clone)]
pub struct StoredSubmission {
    pub id: Uuid,
    pub order_id: Uuid,
    pub account_id: String,
    pub provider: String,
    pub endpoint: String,
    pub operation: Operation,
    pub state: SubmissionState,
    pub provider_order_number: Option<String>,
    pub attempts: i32,
    pub may_exist: bool,
    /// May go once it is due; a doubt that is not ready is left to a person
    pub ready: bool,
    pub due_at: DateTime<Utc>,
    pub held_by: Option<HoldReason>,
    /// When its lane has a token again, or it is due, whichever is later
    pub lane_free_at: DateTime<Utc>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub results: Vec<SubmissionResult>,
}

/// Which submissions a list shall hold; what is absent does not matter.
#[derive(Default)]
pub struct SubmissionFilter<'a> {
    pub account: Option<&'a str>,
    pub state: Option<&'a str>,
    pub operation: Option<&'a str>,
    pub order_id: Option<Uuid>,
    /// The accounts that the caller may see; nothing means all
    pub allowed: Option<&'a [String]>,
    /// The last item of the page before
    pub before: Option<(DateTime<Utc>, Uuid)>,
    pub limit: i64,
}

struct SubmissionRow {
    id: Uuid,
    order_id: Uuid,
    account_id: String,
    provider: String,
    endpoint: String,
    operation: String,
    state: String,
    provider_order_number: Option<String>,
    attempts: i32,
    may_exist: bool,
    ready: bool,
    due_at: DateTime<Utc>,
    held_by: Option<String>,
    lane_free_at: DateTime<Utc>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

impl TryFrom<SubmissionRow> for StoredSubmission {
    type Error = StoreError;

    fn try_from(row: SubmissionRow) -> Result<Self, StoreError> {
        let SubmissionRow {
            id,
            order_id,
            account_id,
            provider,
            endpoint,
            operation,
            state,
            provider_order_number,
            attempts,
            may_exist,
            ready,
            due_at,
            held_by,
            lane_free_at,
            created_at,
            updated_at,
        } = row;
        Ok(StoredSubmission {
            operation: word("submissions", "operation", id, &operation)?,
            state: word("submissions", "state", id, &state)?,
            held_by: held_by.map(|reason| word("submission_overview", "held_by", id, &reason)).transpose()?,
            id,
            order_id,
            account_id,
            provider,
            endpoint,
            provider_order_number,
            attempts,
            may_exist,
            ready,
            due_at,
            lane_free_at,
            created_at,
            updated_at,
            results: Vec::new(),
        })
    }
}

struct ResultRow {
    submission_id: Uuid,
    provider: String,
    scope: String,
    raw_code: String,
    raw_message: Option<String>,
    code: String,
    severity: String,
    retryable: bool,
    pointers: Vec<String>,
    message_zh: String,
    message_en: String,
}

impl TryFrom<ResultRow> for SubmissionResult {
    type Error = StoreError;

    fn try_from(row: ResultRow) -> Result<Self, StoreError> {
        Ok(SubmissionResult {
            severity: word("results", "severity", row.submission_id, &row.severity)?,
            category: row.code.split('.').next().unwrap_or_default().to_owned(),
            provider: row.provider,
            scope: row.scope,
            raw_code: row.raw_code,
            raw_message: row.raw_message,
            code: row.code,
            retryable: row.retryable,
            pointers: row.pointers,
            message_zh: row.message_zh,
            message_en: row.message_en,
        })
    }
}

macro_rules! select_submissions {
    ($where:tt, $($argument:expr),* $(,)?) => {
        sqlx::query_as!(
            SubmissionRow,
            r#"select s.id as "id!", s.order_id as "order_id!", s.account_id as "account_id!", s.provider as "provider!",
                   s.endpoint as "endpoint!", s.operation as "operation!", s.state as "state!",
                   s.provider_order_number, s.attempts as "attempts!", s.may_exist as "may_exist!", s.ready as "ready!", s.due_at as "due_at!",
                   s.held_by, coalesce(s.lane_free_at, s.due_at) as "lane_free_at!",
                   s.created_at as "created_at!", s.updated_at as "updated_at!"
               from submission_overview s "# + $where,
            $($argument),*
        )
    };
}

impl Store {
    pub async fn submission(&self, id: Uuid) -> Result<Option<StoredSubmission>, StoreError> {
        let rows = select_submissions!("where s.id = $1", id).fetch_all(self.pool()).await?;
        Ok(self.with_results(rows).await?.pop())
    }

    /// The newest submission of an order.
    pub async fn latest_submission(&self, order_id: Uuid) -> Result<Option<StoredSubmission>, StoreError> {
        let row = select_submissions!(
            "where s.id = (select id from order_submissions where order_id = $1 order by sequence desc limit 1)",
            order_id,
        )
        .fetch_optional(self.pool());
        // At the same time; should another submission come in between, the results of neither are the other's.
        let results = sqlx::query_as!(
            ResultRow,
            "select submission_id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers, message_zh, message_en
             from results
             where submission_id = (select id from order_submissions where order_id = $1 order by sequence desc limit 1)
             order by position",
            order_id,
        )
        .fetch_all(self.pool());
        let (row, results) = tokio::try_join!(row, results)?;
        let Some(row) = row else { return Ok(None) };
        let mut submission = StoredSubmission::try_from(row)?;
        let own = results.into_iter().filter(|result| result.submission_id == submission.id);
        submission.results = own.map(SubmissionResult::try_from).collect::<Result<_, _>>()?;
        Ok(Some(submission))
    }

    /// The newest submission of each of these orders.
    pub async fn latest_submissions(&self, orders: &[Uuid]) -> Result<HashMap<Uuid, StoredSubmission>, StoreError> {
        let latest = sqlx::query!(
            r#"select wanted.order_id as "order_id!", latest.id as "id!" from unnest($1::uuid[]) as wanted (order_id)
               cross join lateral (
                   select id from order_submissions where order_id = wanted.order_id order by sequence desc limit 1) latest"#,
            orders,
        )
        .fetch_all(self.pool())
        .await?;
        let ids: Vec<Uuid> = latest.iter().map(|row| row.id).collect();
        let rows = select_submissions!("where s.id = any($1)", &ids).fetch_all(self.pool()).await?;
        let submissions = self.with_results(rows).await?;
        let by_id: HashMap<Uuid, StoredSubmission> =
            submissions.into_iter().map(|submission| (submission.id, submission)).collect();
        // Several orders of one trip have the same.
        Ok(latest.into_iter().filter_map(|row| Some((row.order_id, by_id.get(&row.id)?.clone()))).collect())
    }

    /// All submissions of an order, oldest first.
    pub async fn submissions_of_order(&self, order_id: Uuid) -> Result<Vec<StoredSubmission>, StoreError> {
        let rows = select_submissions!(
            "where s.id in (select id from order_submissions where order_id = $1) order by s.sequence",
            order_id,
        )
        .fetch_all(self.pool())
        .await?;
        self.with_results(rows).await
    }

    /// Submissions, newest first.
    pub async fn submissions(&self, filter: &SubmissionFilter<'_>) -> Result<Vec<StoredSubmission>, StoreError> {
        let rows = select_submissions!(
            "where ($1::text is null or s.account_id = $1)
               and ($2::text is null or s.state = $2)
               and ($3::text is null or s.operation = $3)
               and ($4::uuid is null or s.id in (select id from order_submissions where order_id = $4))
               and ($5::text[] is null or s.account_id = any($5))
               and ($6::timestamptz is null or (s.created_at, s.id) < ($6, $7::uuid))
             order by s.created_at desc, s.id desc limit $8",
            filter.account,
            filter.state,
            filter.operation,
            filter.order_id,
            filter.allowed,
            filter.before.map(|(created_at, _)| created_at),
            filter.before.map(|(_, id)| id),
            filter.limit,
        )
        .fetch_all(self.pool())
        .await?;
        self.with_results(rows).await
    }

    /// Whether a submission came to an end, without reading all of it; nothing when it is unknown.
    pub async fn submission_state(&self, id: Uuid) -> Result<Option<SubmissionState>, StoreError> {
        let state =
            sqlx::query_scalar!("select state from submissions where id = $1", id).fetch_optional(self.pool()).await?;
        state.map(|state| word("submissions", "state", id, &state)).transpose()
    }

    /// How many submissions of the account go at this endpoint before one that is due at this time; counts to 10,000.
    pub async fn queued_before(
        &self,
        account_id: &str,
        endpoint: &str,
        due_at: DateTime<Utc>,
    ) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar!(
            r#"select count(*) as "count!" from (
                   select from submissions
                   where account_id = $1 and endpoint = $2 and ready and state in ('queued', 'in_doubt') and due_at < $3
                   limit 10000) ahead"#,
            account_id,
            endpoint,
            due_at,
        )
        .fetch_one(self.pool())
        .await?)
    }

    async fn with_results(&self, rows: Vec<SubmissionRow>) -> Result<Vec<StoredSubmission>, StoreError> {
        let mut submissions = rows.into_iter().map(StoredSubmission::try_from).collect::<Result<Vec<_>, _>>()?;
        let ids: Vec<Uuid> = submissions.iter().map(|submission| submission.id).collect();
        let rows = sqlx::query_as!(
            ResultRow,
            "select submission_id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers, message_zh, message_en
             from results where submission_id = any($1) order by submission_id, position",
            &ids,
        )
        .fetch_all(self.pool())
        .await?;
        let mut results: HashMap<Uuid, Vec<SubmissionResult>> = HashMap::new();
        for row in rows {
            results.entry(row.submission_id).or_default().push(row.try_into()?);
        }
        for submission in &mut submissions {
            submission.results = results.remove(&submission.id).unwrap_or_default();
        }
        Ok(submissions)
    }
}
