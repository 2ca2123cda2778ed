//! Every metric: its name, its labels, what it means. docs/metrics.md shows the same, and a test holds that it does.

use super::kinds::{Counter, Gauge, Histogram, Metric};

/// Requests and answers, in seconds
const OF_REQUESTS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
/// Waits for a slot, in seconds
const OF_WAITS: &[f64] = &[0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// From acceptance to the end, in seconds: up to a day
const OF_LIVES: &[f64] =
    &[0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 14_400.0, 86_400.0];
/// Items of a batch
const OF_BATCHES: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0];

// Callers

pub static HTTP_REQUESTS: Counter<3> = Counter::new(
    "onelane_http_requests_total",
    ["method", "route", "status"],
    "Requests that were answered, by route (its template, or `unmatched`) and class of status",
);
pub static HTTP_REQUEST_DURATION: Histogram<2> = Histogram::new(
    "onelane_http_request_duration_seconds",
    ["method", "route"],
    OF_REQUESTS,
    "Time until an answer began, with what a caller asked to wait",
);
pub static HTTP_REQUESTS_IN_FLIGHT: Gauge<0> =
    Gauge::new("onelane_http_requests_in_flight", [], "Requests that are being worked on");
pub static HTTP_REFUSALS: Counter<1> = Counter::new(
    "onelane_http_refusals_total",
    ["reason"],
    "Requests, and orders of batches, that there was no room for: rate_limited, queue_full, body_memory, unavailable",
);
pub static BODY_MEMORY: Gauge<0> =
    Gauge::new("onelane_body_memory_bytes", [], "Memory that is set apart for request bodies and their values");
pub static EVENT_STREAMS: Gauge<0> = Gauge::new("onelane_event_streams", [], "Event streams that are open");

// Orders

pub static OPERATIONS_ACCEPTED: Counter<2> = Counter::new(
    "onelane_operations_accepted_total",
    ["account", "operation"],
    "Operations on orders that callers asked for and that are in the ledger",
);
pub static SUBMISSIONS_SETTLED: Counter<3> = Counter::new(
    "onelane_submissions_settled_total",
    ["account", "operation", "state"],
    "Submissions by the state that an exchange left them in; queued: they are tried again",
);
pub static SUBMISSION_DURATION: Histogram<1> = Histogram::new(
    "onelane_submission_duration_seconds",
    ["account"],
    OF_LIVES,
    "Time from the acceptance of an operation to its end by an exchange",
);
pub static SUBMISSIONS_IN_DOUBT: Gauge<2> = Gauge::new(
    "onelane_submissions_in_doubt",
    ["account", "decided_by"],
    "Submissions that were sent and had no readable answer, by who ends the doubt: gateway, person",
);
pub static SUBMISSIONS_DEAD: Gauge<1> =
    Gauge::new("onelane_submissions_dead", ["account"], "Submissions whose tries are used up; a person may retry them");

// Exchanges with providers

pub static EXCHANGES: Counter<3> = Counter::new(
    "onelane_exchanges_total",
    ["account", "endpoint", "outcome"],
    "Exchanges of lanes: answered, throttled, no_answer (it may have arrived), unreachable, not_sent",
);
pub static EXCHANGE_DURATION: Histogram<2> = Histogram::new(
    "onelane_exchange_duration_seconds",
    ["account", "endpoint"],
    OF_REQUESTS,
    "Time from the first byte of a request to a provider to the last of its answer",
);
pub static EXCHANGE_ITEMS: Histogram<2> = Histogram::new(
    "onelane_exchange_items",
    ["provider", "endpoint"],
    OF_BATCHES,
    "Submissions that share a request to a provider",
);
pub static CALLS: Counter<3> = Counter::new(
    "onelane_calls_total",
    ["account", "endpoint", "outcome"],
    "Calls beside the lanes (sessions, lookups, live reads): done, refused, throttled, credentials_refused, \
     session_expired, unreachable, no_answer, unreadable, failed",
);
pub static PROVIDER_THROTTLED: Counter<2> = Counter::new(
    "onelane_provider_throttled_total",
    ["account", "endpoint"],
    "Answers of providers that requests come too often",
);
pub static CLAIM_DURATION: Histogram<2> = Histogram::new(
    "onelane_claim_duration_seconds",
    ["provider", "endpoint"],
    OF_WAITS,
    "Time that the ledger took to give a lane its token and a batch",
);
pub static TOKEN_WAIT: Histogram<2> = Histogram::new(
    "onelane_token_wait_seconds",
    ["provider", "endpoint"],
    OF_WAITS,
    "Time from taking a token until the request may leave",
);
pub static SLOTS_MISSED: Counter<2> = Counter::new(
    "onelane_slots_missed_total",
    ["account", "endpoint"],
    "Tokens that were taken and not used, because the slot had passed before the request could leave",
);
pub static LEASES_EXPIRED: Counter<0> = Counter::new(
    "onelane_leases_expired_total",
    [],
    "Submissions whose exchange was not settled within its lease: its process died, hangs, or lost the database",
);

// Lanes and accounts

pub static LANE_QUEUED: Gauge<2> = Gauge::new(
    "onelane_lane_queued",
    ["account", "endpoint"],
    "Submissions that could go out, of each order the earliest; at most 100,000 are counted",
);
pub static LANE_OLDEST_DUE: Gauge<2> = Gauge::new(
    "onelane_lane_oldest_due_seconds",
    ["account", "endpoint"],
    "How long the submission has been due that is due longest; back-off is not counted",
);
pub static LANE_IN_FLIGHT: Gauge<3> = Gauge::new(
    "onelane_lane_in_flight",
    ["provider", "throttle_group", "endpoint"],
    "Exchanges under way, of all processes",
);
pub static LANE_TOKENS: Gauge<3> = Gauge::new(
    "onelane_lane_tokens_available",
    ["provider", "throttle_group", "endpoint"],
    "Requests that may leave right now",
);
pub static LANE_QUOTA: Gauge<3> = Gauge::new(
    "onelane_lane_quota_requests_per_second",
    ["provider", "throttle_group", "endpoint"],
    "Requests per second that the quota allows in the long run",
);
pub static ACCOUNT_PAUSED: Gauge<2> = Gauge::new(
    "onelane_account_paused",
    ["provider", "account"],
    "1 while nothing goes out for the account until a person resumes it",
);
pub static ACCOUNT_CIRCUIT_OPEN: Gauge<2> = Gauge::new(
    "onelane_account_circuit_open",
    ["provider", "account"],
    "1 while the provider cannot be reached for the account, also while it is probed",
);

// Callbacks

pub static CALLBACKS: Counter<2> = Counter::new(
    "onelane_callbacks_total",
    ["provider", "state"],
    "Callbacks by the state that processing left them in",
);
pub static CALLBACKS_OPEN: Gauge<2> = Gauge::new(
    "onelane_callbacks_open",
    ["provider", "state"],
    "Callbacks that are received, waiting for an order, or quarantined; at most 10,000 of each state are counted",
);

// Events and webhooks

pub static EVENTS_PLACED: Counter<0> =
    Counter::new("onelane_events_placed_total", [], "Events that this process gave their place in the feed");
pub static FEED_POSITION: Gauge<0> = Gauge::new("onelane_feed_position", [], "The newest place in the feed");
pub static FEED_LAG: Gauge<0> = Gauge::new(
    "onelane_feed_lag_seconds",
    [],
    "How long the oldest event has waited for its place in the feed; 0 when none waits",
);
pub static WEBHOOK_DELIVERIES: Counter<1> = Counter::new(
    "onelane_webhook_deliveries_total",
    ["outcome"],
    "Tries to deliver a webhook: delivered, failed (tried again), dead (given up), disabled (with its endpoint), late",
);
pub static WEBHOOK_DURATION: Histogram<0> =
    Histogram::new("onelane_webhook_duration_seconds", [], OF_REQUESTS, "Time that a try to deliver a webhook took");
pub static WEBHOOKS_PENDING: Gauge<0> = Gauge::new(
    "onelane_webhooks_pending",
    [],
    "Deliveries to enabled endpoints that are still to be made; at most 100,000 of each endpoint are counted",
);
pub static WEBHOOKS_OLDEST_DUE: Gauge<0> = Gauge::new(
    "onelane_webhooks_oldest_due_seconds",
    [],
    "How long the delivery to an enabled endpoint has been due that is due longest",
);
pub static WEBHOOK_ENDPOINTS: Gauge<1> =
    Gauge::new("onelane_webhook_endpoints", ["state"], "Webhook endpoints: working, failing, disabled");

// What the gateway does by itself

pub static TASK_FAILURES: Counter<1> = Counter::new(
    "onelane_task_failures_total",
    ["task"],
    "Rounds of background tasks that failed, by task: lane, and what the others do",
);
pub static RETENTION_REMOVED: Counter<1> = Counter::new(
    "onelane_retention_removed_total",
    ["kind"],
    "What was removed by this process because it was old, by kind",
);
pub static RETENTION_OVERDUE: Gauge<0> = Gauge::new(
    "onelane_retention_overdue_seconds",
    [],
    "How long the next removal of what is old has been due; it grows while one is under way, too",
);

// The ledger and the process

pub static LEDGER_UP: Gauge<0> = Gauge::new(
    "onelane_ledger_up",
    [],
    "1 when the ledger could be read for this answer; else 0, and what stands in the ledger is absent",
);
pub static LEDGER_READ: Gauge<0> =
    Gauge::new("onelane_ledger_read_seconds", [], "How long it took to read the gauges of the ledger");
pub static DATABASE_CONNECTIONS: Gauge<1> =
    Gauge::new("onelane_database_connections", ["state"], "Connections of this process to the database: in_use, idle");
pub static DATABASE_CONNECTIONS_LIMIT: Gauge<0> = Gauge::new(
    "onelane_database_connections_limit",
    [],
    "Connections that this process may open to the database (ONELANE_DATABASE_CONNECTIONS)",
);
pub static DATABASE_ACQUIRE: Gauge<0> = Gauge::new(
    "onelane_database_acquire_seconds",
    [],
    "How long it was waited for a connection when the ledger was read last",
);
pub static BUILD_INFO: Gauge<2> =
    Gauge::new("onelane_build_info", ["version", "role"], "1, with the version and the role of the process");
pub static PROCESS_CPU: Counter<0> =
    Counter::new("process_cpu_seconds_total", [], "Processor time of the process, in whole seconds");
pub static PROCESS_MEMORY: Gauge<0> = Gauge::new("process_resident_memory_bytes", [], "Resident memory of the process");
pub static PROCESS_VIRTUAL_MEMORY: Gauge<0> =
    Gauge::new("process_virtual_memory_bytes", [], "Virtual memory of the process");
pub static PROCESS_VIRTUAL_MEMORY_LIMIT: Gauge<0> =
    Gauge::new("process_virtual_memory_max_bytes", [], "Virtual memory that the process may have");
pub static PROCESS_FILES: Gauge<0> =
    Gauge::new("process_open_fds", [], "Files that the process has open, connections among them");
pub static PROCESS_FILES_LIMIT: Gauge<0> = Gauge::new("process_max_fds", [], "Files that the process may open");
pub static PROCESS_THREADS: Gauge<0> = Gauge::new("process_threads", [], "Threads of the process");
pub static PROCESS_START: Gauge<0> =
    Gauge::new("process_start_time_seconds", [], "When the process began, in seconds since 1970");

/// The table.
pub static ALL: &[&dyn Metric] = &[
    &HTTP_REQUESTS,
    &HTTP_REQUEST_DURATION,
    &HTTP_REQUESTS_IN_FLIGHT,
    &HTTP_REFUSALS,
    &BODY_MEMORY,
    &EVENT_STREAMS,
    &OPERATIONS_ACCEPTED,
    &SUBMISSIONS_SETTLED,
    &SUBMISSION_DURATION,
    &SUBMISSIONS_IN_DOUBT,
    &SUBMISSIONS_DEAD,
    &EXCHANGES,
    &EXCHANGE_DURATION,
    &EXCHANGE_ITEMS,
    &CALLS,
    &PROVIDER_THROTTLED,
    &CLAIM_DURATION,
    &TOKEN_WAIT,
    &SLOTS_MISSED,
    &LEASES_EXPIRED,
    &LANE_QUEUED,
    &LANE_OLDEST_DUE,
    &LANE_IN_FLIGHT,
    &LANE_TOKENS,
    &LANE_QUOTA,
    &ACCOUNT_PAUSED,
    &ACCOUNT_CIRCUIT_OPEN,
    &CALLBACKS,
    &CALLBACKS_OPEN,
    &EVENTS_PLACED,
    &FEED_POSITION,
    &FEED_LAG,
    &WEBHOOK_DELIVERIES,
    &WEBHOOK_DURATION,
    &WEBHOOKS_PENDING,
    &WEBHOOKS_OLDEST_DUE,
    &WEBHOOK_ENDPOINTS,
    &TASK_FAILURES,
    &RETENTION_REMOVED,
    &RETENTION_OVERDUE,
    &LEDGER_UP,
    &LEDGER_READ,
    &DATABASE_CONNECTIONS,
    &DATABASE_CONNECTIONS_LIMIT,
    &DATABASE_ACQUIRE,
    &BUILD_INFO,
    &PROCESS_CPU,
    &PROCESS_MEMORY,
    &PROCESS_VIRTUAL_MEMORY,
    &PROCESS_VIRTUAL_MEMORY_LIMIT,
    &PROCESS_FILES,
    &PROCESS_FILES_LIMIT,
    &PROCESS_THREADS,
    &PROCESS_START,
];

/// Has the counters stand there with 0 that have no labels: what begins with its first move would not be seen to rise.
pub fn prepare() {
    for counter in [&LEASES_EXPIRED, &EVENTS_PLACED] {
        counter.add([], 0);
    }
    for reason in ["rate_limited", "queue_full", "body_memory", "unavailable"] {
        HTTP_REFUSALS.add([reason], 0);
    }
    for outcome in ["delivered", "failed", "dead", "disabled", "late"] {
        WEBHOOK_DELIVERIES.add([outcome], 0);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::kinds::Kind;
    use super::*;

    #[test]
    fn names_are_those_that_prometheus_wants_and_each_stands_there_once() {
        let mut seen = BTreeSet::new();
        for metric in ALL {
            let metric = metric.definition();
            assert!(seen.insert(metric.name), "{} twice", metric.name);
            assert!(metric.name.starts_with("onelane_") || metric.name.starts_with("process_"), "{}", metric.name);
            assert_eq!(metric.name.ends_with("_total"), metric.kind == Kind::Counter, "{}", metric.name);
            assert_eq!(metric.buckets.is_empty(), metric.kind != Kind::Histogram, "{}", metric.name);
            assert!(metric.buckets.is_sorted(), "{}", metric.name);
            for name in [metric.name].iter().chain(metric.labels) {
                assert!(name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_'), "{name}");
            }
            // Words that would stand for what nobody bounds.
            for label in metric.labels {
                assert!(
                    !["id", "path", "order", "submission", "code", "le"].contains(label),
                    "{}: {label}",
                    metric.name
                );
            }
        }
    }
}
