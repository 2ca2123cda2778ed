//! Accepting an order: one statement, one commit. When it returns, the order is in the ledger.

use std::num::NonZeroU32;

use serde_json::Value;
use tokio::time::Instant;
use uuid::Uuid;

use super::idempotency::IdempotencyKey;
use super::{Store, StoreError};
use crate::canonical::{DocumentType, Operation, SubmissionResult};

/// An order with its first submission, ready to be kept.
pub struct NewOrder<'a> {
    pub order_id: Uuid,
    pub submission_id: Uuid,
    pub account_id: &'a str,
    pub provider: &'a str,
    pub endpoint: &'a str,
    pub document_type: DocumentType,
    pub order_number: &'a str,
    pub document: &'a Value,
    pub batch_key: &'a str,
    /// What the caller should know of the translation
    pub notices: &'a [SubmissionResult],
    pub idempotency: Option<&'a IdempotencyKey>,
    /// How much may wait for the account
    pub queue_limit: Option<NonZeroU32>,
    /// W3C traceparent of the request that brought it
    pub trace_parent: Option<&'a str>,
}

/// What became of an order that was to be kept.
#[derive(Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is in the ledger and queued.
    New,
    /// The idempotency key was used before; nothing was kept.
    KeyKnown,
    /// The account has an order of this number; nothing but the key was kept.
    NumberTaken,
    /// As much waits for the account as may; nothing was kept.
    QueueFull,
}

impl Store {
    /// Keeps an order and queues its submission.
    pub async fn accept_order(&self, new: &NewOrder<'_>) -> Result<Accepted, StoreError> {
        let notices = NoticeColumns::of(new.notices);
        let key = new.idempotency;
        let limit_to_count = self.rooms().limit_to_count(new.account_id, new.queue_limit, Instant::now());
        let row = sqlx::query!(
            r#"with clock as materialized (select onelane_now() as now),
            room as materialized (
                select $24::bigint is null or count(*) < $24 as is_left, count(*) as waiting from (
                    select from submissions s
                    where $24::bigint is not null and s.account_id = $3 and s.ready and s.state in ('queued', 'in_doubt') limit $24) w),
            key as (
                insert into idempotency_keys (api_key_id, method, path, key, fingerprint, resource_id, status, running_until, created_at)
                select $9::uuid, $10::text, $11::text, $12::text, $13::bytea, $1, 202, now + make_interval(secs => $14::float8), now
                from clock, room where $12::text is not null and room.is_left
                on conflict (api_key_id, method, path, key) do nothing
                returning key),
            new_order as (
                insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
                select $1, $3, $4, $5, $6, $7, 'pending', now, now from clock, room
                where room.is_left and ($12::text is null or exists (select from key))
                on conflict (account_id, document_type, order_number) do nothing
                returning id),
            new_submission as (
                insert into submissions (id, order_id, account_id, provider, endpoint, operation, batch_key, trace_parent, state, ready, due_at, created_at, updated_at)
                select $2, new_order.id, $3, $4, $8, $23, $15, $25, 'queued', true, now, now, now from new_order, clock
                returning id),
            notice as (
                insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
                select new_submission.id, n.provider, n.provider, n.code, n.code, n.severity, false, array[n.pointer], n.message_zh, n.message_en, true, now
                from new_submission, clock,
                    unnest($16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[])
                        as n (provider, code, severity, pointer, message_zh, message_en)),
            event as (
                insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
                select $22, 'submission.queued', $3, $1, new_submission.id,
                    jsonb_build_object('orderNumber', $6::text, 'operation', $23::text, 'state', 'queued'), now, now
                from new_submission, clock)
            select exists (select from key) as "key_is_new!", exists (select from new_order) as "order_is_new!",
                room.is_left as "is_left!", room.waiting as "waiting!"
            from room"#,
            new.order_id,
            new.submission_id,
            new.account_id,
            new.provider,
            <&str>::from(new.document_type),
            new.order_number,
            new.document,
            new.endpoint,
            key.map(|key| key.api_key_id),
            key.map(|key| key.method),
            key.map(|key| key.path.as_str()),
            key.map(|key| key.key.as_str()),
            key.map(|key| key.fingerprint.as_slice()),
            key.and_then(|key| key.running_seconds).map(f64::from),
            new.batch_key,
            &notices.provider as &[&str],
            &notices.code as &[&str],
            &notices.severity as &[&str],
            &notices.pointer as &[&str],
            &notices.message_zh as &[&str],
            &notices.message_en as &[&str],
            Uuid::now_v7(),
            <&str>::from(Operation::Create),
            limit_to_count,
            new.trace_parent,
        )
        .fetch_one(self.pool())
        .await?;
        if limit_to_count.is_some() {
            self.rooms().counted(new.account_id, new.queue_limit, row.waiting, Instant::now());
        }
        Ok(if row.order_is_new {
            self.tell_of_events();
            Accepted::New
        } else if !row.is_left {
            Accepted::QueueFull
        } else if key.is_some() && !row.key_is_new {
            Accepted::KeyKnown
        } else {
            Accepted::NumberTaken
        })
    }
}

/// Notices column by column, for `unnest`.
struct NoticeColumns<'a> {
    provider: Vec<&'a str>,
    code: Vec<&'a str>,
    severity: Vec<&'a str>,
    pointer: Vec<&'a str>,
    message_zh: Vec<&'a str>,
    message_en: Vec<&'a str>,
}

impl<'a> NoticeColumns<'a> {
    fn of(notices: &'a [SubmissionResult]) -> Self {
        NoticeColumns {
            provider: notices.iter().map(|notice| notice.provider.as_str()).collect(),
            code: notices.iter().map(|notice| notice.code.as_str()).collect(),
            severity: notices.iter().map(|notice| notice.severity.into()).collect(),
            pointer: notices.iter().map(|notice| notice.pointers.first().map_or("", String::as_str)).collect(),
            message_zh: notices.iter().map(|notice| notice.message_zh.as_str()).collect(),
            message_en: notices.iter().map(|notice| notice.message_en.as_str()).collect(),
        }
    }
}
