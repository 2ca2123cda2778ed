//! Collects the books: from the callers' list, the ledger, the sandbox, and those who heard of events.

use std::collections::{HashMap, HashSet};

use onelane::provider;
use onelane::sandbox::MeterReading;
use serde_json::Value;
use uuid::Uuid;

use super::database::Database;
use super::laws::{
    Attempt, Books, Delivery, HeldOrder, Lane, LedgerEvent, LedgerOrder, LedgerSubmission, LedgerTrip, Limit,
    TakenCallback,
};
use super::listeners::WEBHOOK_TYPES;
use super::providers::Providers;
use super::proxy::TakenCall;

const ORDERS: &str = "
    select id, account_id, provider, document_type, order_number, status, provider_order_number,
        array_remove(array[d.told ->> 'remarks', d.told #>> '{customFields,text1}', d.told #>> '{shipTo,contact,name}'], null)
    from orders cross join lateral (select document::jsonb as told) d";

const SUBMISSIONS: &str = "
    select id, order_id, trip_id, operation, state, attempts, may_exist,
        coalesce(change ->> 'remarks', change #>> '{customFields,text1}', change #>> '{shipTo,contact,name}')
    from submissions order by sequence";

const RESULTS: &str = "select submission_id, raw_code, code from results order by submission_id, position";

const ATTEMPTS: &str = "
    select a.submission_id, a.outcome, e.provider, e.endpoint, e.url
    from attempts a join exchanges e on e.id = a.exchange_id order by a.submission_id, a.number";

const TRIPS: &str = "
    select t.id, t.provider_trip_number, array_agg(m.order_id order by m.position)
    from trips t join trip_orders m on m.trip_id = t.id group by t.id";

const DEPARTURES: &str = "
    select provider, endpoint, url, extract(epoch from sent_at)::float8 * 1000 from exchanges
    where sent_at is not null order by sent_at";

const EXCHANGES: &str = "select provider, endpoint, count(*) from exchanges group by provider, endpoint";

const EVENTS: &str = "
    select id, position, type, order_id, submission_id, (data ->> 'callbackId')::uuid,
        type = any($types) and recorded_at >= (select min(created_at) from webhook_endpoints)
    from events left join feed_places on event_id = id order by position nulls last";

/// Each with its law: rows that must not be.
const INCONSISTENCIES: [(&str, &str); 11] = [
    (
        "of an order more than one submission may go",
        "select order_id::text from submissions where ready and finished_at is null group by order_id having count(*) > 1",
    ),
    (
        "an attempt has no end although its exchange has",
        "select a.submission_id::text from attempts a join exchanges e on e.id = a.exchange_id
         where a.outcome is null and e.finished_at is not null",
    ),
    (
        "a submission ended while an earlier one of its order had not",
        "select l.id::text from submissions l join submissions e on e.order_id = l.order_id and e.sequence < l.sequence
         where l.finished_at is not null and l.state <> 'cancelled' and (e.finished_at is null or e.finished_at > l.finished_at)",
    ),
    ("an account is paused", "select id || ': ' || pause_reason from accounts where paused_at is not null"),
    (
        "a callback came to no good end",
        "select id::text || ' is ' || state || ': ' || coalesce(reason_en, '') from callbacks
         where state in ('received', 'ignored') or (state = 'quarantined' and reason_code <> 'callback.wrong_signature')",
    ),
    (
        "something was told that nobody verified",
        "select e.id::text from events e join callbacks c on c.id::text = e.data ->> 'callbackId' 
         where c.state = 'quarantined' and e.type <> 'callback.quarantined'",
    ),
    (
        "an order counts as placed, and no submission of it was taken",
        "select o.order_number from orders o where o.placed and not o.adopted and not exists (
             select from order_submissions s where s.order_id = o.id and s.operation in ('create', 'create_trip')
               and s.state in ('accepted', 'partially_accepted'))",
    ),
    (
        "an order was placed, and nobody was told",
        "select o.order_number from orders o where o.placed and not o.adopted and not exists (
             select from events e where e.order_id = o.id
               and e.type in ('order.placed', 'order.drafted', 'order.released', 'order.assigned'))",
    ),
    (
        "a callback moved an order backwards",
        "with stage (status, stage) as (values ('pending', 0), ('rejected', 0), ('unknown', 0), ('draft', 1), ('requested', 2),
             ('confirmed', 3), ('in_transit', 4), ('completed', 5), ('cancelled', 5)),
         told as (
             select order_id, data ->> 'orderNumber' as number, data ->> 'status' as status, data ? 'callbackId' as called,
                 lag(data ->> 'status') over (partition by order_id order by position) as before
             from events join feed_places on event_id = id where order_id is not null and data ? 'status')
         select number || ' from ' || before || ' to ' || told.status
         from told join stage n on n.status = told.status join stage b on b.status = told.before
         where called and n.stage < b.stage",
    ),
    (
        "of an exchange that took place a body is not kept",
        "select e.id::text from exchanges e where e.sent_at is not null and (
             not exists (select from exchange_bodies b where b.exchange_id = e.id and b.direction = 'request')
             or (e.response_status is not null
                 and not exists (select from exchange_bodies b where b.exchange_id = e.id and b.direction = 'response')))",
    ),
    (
        "a result has no code of its own",
        "select submission_id::text from results where raw_code = '' or code = ''",
    ),
];

type OrderRow = (Uuid, String, String, String, String, String, Option<String>, Vec<String>);
type SubmissionRow = (Uuid, Uuid, Option<Uuid>, String, String, i32, bool, Option<String>);
type EventRow = (Uuid, Option<i64>, String, Option<Uuid>, Option<Uuid>, Option<Uuid>, bool);

/// What the ledger and the providers have.
pub async fn collect(database: &Database, providers: &Providers, calls: &[TakenCall]) -> Books {
    let (held, held_trips) = held(providers);
    let [(last_position,)] = database
        .rows::<(i64,)>("select last_position from feed")
        .await
        .try_into()
        .unwrap_or_else(|_| panic!("one feed"));
    let deliveries = database.rows::<(Uuid, String)>("select event_id, state from webhook_deliveries").await;
    let mut inconsistencies = Vec::new();
    for (law, sql) in INCONSISTENCIES {
        inconsistencies.extend(database.rows::<(String,)>(sql).await.into_iter().map(|(offender,)| (law, offender)));
    }
    let orders = orders(database).await;
    let kept = kept_callbacks(database).await;
    Books {
        callbacks: callbacks(&kept, calls, &orders, &held),
        events: events(database, &kept).await,
        orders,
        submissions: submissions(database).await,
        held,
        trips: trips(database).await,
        held_trips,
        lanes: lanes(database, providers).await,
        last_position,
        deliveries: deliveries.into_iter().map(|(event_id, state)| Delivery { event_id, state }).collect(),
        inconsistencies,
        ..Books::default()
    }
}

async fn orders(database: &Database) -> Vec<LedgerOrder> {
    let rows = database.rows::<OrderRow>(ORDERS).await;
    rows.into_iter()
        .map(|(id, account, provider, document_type, number, status, provider_number, texts)| LedgerOrder {
            id,
            account,
            provider,
            document_type,
            number,
            status,
            provider_number,
            markers: texts.into_iter().filter(|text| text.starts_with("marker-")).collect(),
        })
        .collect()
}

async fn submissions(database: &Database) -> Vec<LedgerSubmission> {
    let mut results: HashMap<Uuid, Vec<(String, String)>> = HashMap::new();
    for (id, raw_code, code) in database.rows::<(Uuid, String, String)>(RESULTS).await {
        results.entry(id).or_default().push((raw_code, code));
    }
    let mut attempts: HashMap<Uuid, Vec<Attempt>> = HashMap::new();
    let rows = database.rows::<(Uuid, Option<String>, String, String, Option<String>)>(ATTEMPTS).await;
    for (id, outcome, provider, endpoint, url) in rows {
        let question = url.is_some_and(|url| !goes_to(&provider, &endpoint, &url));
        attempts.entry(id).or_default().push(Attempt { outcome, question });
    }
    let rows = database.rows::<SubmissionRow>(SUBMISSIONS).await;
    rows.into_iter()
        .map(|(id, order_id, trip_id, operation, state, tries, may_exist, marker)| LedgerSubmission {
            results: results.remove(&id).unwrap_or_default(),
            attempts: attempts.remove(&id).unwrap_or_default(),
            marker: marker.filter(|text| text.starts_with("marker-")),
            id,
            order_id,
            trip_id,
            operation,
            state,
            tries,
            may_exist,
        })
        .collect()
}

/// Whether a request went to the interface that carries the operation, and did not ask about it elsewhere.
fn goes_to(provider: &str, endpoint: &str, url: &str) -> bool {
    let declared = provider::find(provider).and_then(|provider| provider.profile().endpoint(endpoint));
    let path = url.split(['?', '#']).next().unwrap_or_default();
    declared.is_some_and(|declared| path.ends_with(declared.path))
}

async fn trips(database: &Database) -> Vec<LedgerTrip> {
    let rows = database.rows::<(Uuid, Option<String>, Vec<Uuid>)>(TRIPS).await;
    rows.into_iter().map(|(id, provider_number, orders)| LedgerTrip { id, provider_number, orders }).collect()
}

/// All orders and trips of the providers.
fn held(providers: &Providers) -> (Vec<HeldOrder>, Vec<(String, Vec<String>)>) {
    let mut held = Vec::new();
    let mut trips = Vec::new();
    for provider in provider::ALL.iter().map(|provider| provider.profile().id) {
        let Some(simulator) = providers.sandbox.simulator(provider) else { continue };
        held.extend(simulator.books(None).into_iter().map(|entry| HeldOrder {
            provider: provider.to_owned(),
            number: entry.order_number.unwrap_or_default(),
            provider_number: entry.provider_order_number,
            created: entry.created,
            received_creates: entry.received_creates,
            cancelled: entry.cancelled,
            document: entry.document.get().to_owned(),
        }));
        let listed = simulator.holdings().remove("trips").unwrap_or_default();
        trips.extend(listed.as_array().into_iter().flatten().map(|trip| {
            let numbers = trip["orderNumbers"].as_array().into_iter().flatten();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            (text(&trip["packNumber"]), numbers.map(text).collect())
        }));
    }
    (held, trips)
}

async fn lanes(database: &Database, providers: &Providers) -> Vec<Lane> {
    let mut departures: HashMap<(String, String), Vec<f64>> = HashMap::new();
    let rows = database.rows::<(String, String, Option<String>, f64)>(DEPARTURES).await;
    for (provider, endpoint, url, at) in rows {
        if url.is_some_and(|url| goes_to(&provider, &endpoint, &url)) {
            departures.entry((provider, endpoint)).or_default().push(at);
        }
    }
    let recorded: HashMap<(String, String), i64> = database
        .rows::<(String, String, i64)>(EXCHANGES)
        .await
        .into_iter()
        .map(|(provider, endpoint, count)| ((provider, endpoint), count))
        .collect();
    let lane = |limit: &Limit| {
        let simulator = providers.sandbox.simulator(limit.provider)?;
        let readings: Vec<MeterReading> =
            simulator.meter().into_iter().filter(|reading| reading.endpoint == limit.endpoint).collect();
        let mut arrivals: Vec<f64> = readings.iter().flat_map(|reading| reading.arrivals.clone()).collect();
        arrivals.sort_by(f64::total_cmp);
        let key = (limit.provider.to_owned(), limit.endpoint.to_owned());
        let profile = provider::find(limit.provider)?.profile();
        let carries = profile.operations.iter().any(|operation| operation.endpoint == limit.endpoint);
        Some(Lane {
            limit: limit.clone(),
            arrivals,
            departures: departures.get(&key).cloned().unwrap_or_default(),
            refusals: readings.iter().map(|reading| reading.refusals).sum(),
            received: readings.iter().map(|reading| reading.requests).sum(),
            recorded: carries.then(|| recorded.get(&key).copied().unwrap_or_default().unsigned_abs()),
        })
    };
    providers.limits().iter().filter_map(lane).collect()
}

async fn events(database: &Database, callbacks: &HashMap<Uuid, Vec<u8>>) -> Vec<LedgerEvent> {
    let types = WEBHOOK_TYPES.map(|name| format!("'{name}'")).join(", ");
    let rows = database.rows::<EventRow>(&EVENTS.replace("$types", &format!("array[{types}]"))).await;
    rows.into_iter()
        .map(|(id, position, event_type, order_id, submission_id, callback, wanted)| LedgerEvent {
            id,
            position,
            event_type,
            order_id,
            submission_id,
            detail: callback.and_then(|id| callbacks.get(&id)).map(|body| said(body)).unwrap_or_default(),
            wanted,
        })
        .collect()
}

/// What a callback says, as far as that tells it from others about the same order.
fn said(body: &[u8]) -> String {
    let call: Value = serde_json::from_slice(body).unwrap_or_default();
    match &call["request"]["actualQuantity"] {
        // Every call has another time and signature.
        Value::Null => call.to_string(),
        quantity => quantity.to_string(),
    }
}

/// The bodies of all callbacks that the ledger has.
async fn kept_callbacks(database: &Database) -> HashMap<Uuid, Vec<u8>> {
    let rows = database.rows::<(Uuid, Vec<u8>, i64)>("select id, body, size from callbacks where body is not null");
    let unpacked = |(id, body, size): (Uuid, Vec<u8>, i64)| {
        (id, zstd::bulk::decompress(&body, usize::try_from(size).unwrap()).unwrap())
    };
    rows.await.into_iter().map(unpacked).collect()
}

/// Each body that was taken, how often, and how often the ledger has it.
fn callbacks(
    kept: &HashMap<Uuid, Vec<u8>>,
    calls: &[TakenCall],
    orders: &[LedgerOrder],
    held: &[HeldOrder],
) -> Vec<TakenCallback> {
    let mut times: HashMap<&[u8], usize> = HashMap::new();
    for body in kept.values() {
        *times.entry(body).or_default() += 1;
    }
    let mut taken: HashMap<&[u8], usize> = HashMap::new();
    for call in calls {
        *taken.entry(&call.body).or_default() += 1;
    }
    let by_provider_number: HashMap<&str, &str> =
        orders.iter().filter_map(|order| Some((order.provider_number.as_deref()?, order.number.as_str()))).collect();
    // A warehouse that confirmed all of it and then less has not confirmed all of it.
    let received: HashSet<&str> = held
        .iter()
        .filter(|order| is_whole(&serde_json::from_str(&order.document).unwrap_or_default()))
        .map(|order| order.number.as_str())
        .collect();
    taken
        .into_iter()
        .map(|(body, taken)| {
            let call: Value = serde_json::from_slice(body).unwrap_or_default();
            TakenCallback {
                about: String::from_utf8_lossy(body).chars().take(200).collect(),
                taken,
                kept: times.get(body).copied().unwrap_or_default(),
                stands: completed(&call, &by_provider_number, &received).map(|number| (number, "completed".to_owned())),
            }
        })
        .collect()
}

/// The order that a call says is at its end.
fn completed(call: &Value, by_provider_number: &HashMap<&str, &str>, received: &HashSet<&str>) -> Option<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    if call["subscribeState"] == 4 {
        return text(&call["wmsNumber"]);
    }
    if call["subscribeState"] == 601 && call["isFinished"] == true {
        let number = by_provider_number.get(call["customerOrderNumber"].as_str()?)?;
        return Some((*number).to_owned());
    }
    let number = text(&call["request"]["customerNumber"])?;
    (is_whole(&call["request"]) && received.contains(number.as_str())).then_some(number)
}

/// Whether a confirmation says that all of an inbound order came.
fn is_whole(confirmation: &Value) -> bool {
    confirmation["actualQuantity"].is_number() && confirmation["actualQuantity"] == confirmation["totalQuantity"]
}
