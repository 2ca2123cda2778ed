-- The ledger: what was accepted, what was sent, what came back.
-- Times are instants of onelane_now(); ids are UUIDv7 made by the gateway unless said otherwise.

-- The one clock of the ledger. Tests replace this function to inject time; nothing else may.
create function onelane_now() returns timestamptz
    language sql volatile parallel safe
    as $$ select clock_timestamp() $$;

-- Downstream accounts: a login at a provider.
create table accounts (
    id                  text primary key check (id ~ '^[a-z0-9][a-z0-9-]{1,62}$'), -- chosen by the administrator
    provider            text not null,                  -- provider id; the adapter registry knows which exist
    display_name        text not null,                  -- for people
    base_url            text not null,                  -- where the provider is reached
    credentials         bytea not null,                 -- sealed (AEAD, bound to the account id); never in the clear
    credentials_key     text not null,                  -- id of the master key that sealed them
    settings            jsonb not null,                 -- checked against the adapter's schema
    throttles           jsonb not null,                 -- endpoint -> {requests, windowSeconds, inFlight}: overrides of documented limits
    throttle_group      text not null,                  -- accounts of one group and provider share their lanes
    public_callback_url text,                           -- where the provider reaches this gateway from outside
    paused_at           timestamptz,                    -- set while nothing may go out
    pause_reason        text,                           -- why, for people
    circuit_open_until  timestamptz,                    -- set while the provider cannot be reached; a probe may go after it
    transport_failures  integer not null default 0,     -- failures in a row that open the circuit
    version             bigint not null default 1,      -- ETag; rises with every change of the account
    created_at          timestamptz not null,           -- when it was added
    updated_at          timestamptz not null            -- when it was last changed
);
create index accounts_by_throttle_group on accounts (provider, throttle_group);

-- Sessions: what a provider gave for an account's credentials. One for all replicas.
create table provider_sessions (
    account_id     text primary key references accounts (id) on delete cascade,
    session        bytea,                               -- sealed (AEAD, bound to the account id); null until the first one came
    session_key    text,                                -- id of the master key that sealed it
    generation     bigint not null default 0,           -- rises with every new session; the fence of a late refusal
    refused        boolean not null default false,      -- the provider refused it: it must be replaced
    quick_refusals integer not null default 0,          -- sessions in a row that were refused soon after they came
    renewing_until timestamptz,                         -- set while one replica asks for another
    obtained_at    timestamptz                          -- when it came
);

-- API keys of internal applications. Only the hash of a key is kept.
create table api_keys (
    id           uuid primary key,                      -- public id
    name         text not null,                         -- for people
    hash         bytea not null unique,                 -- SHA-256 of the key
    scopes       text[] not null,                       -- orders:write, orders:read, admin
    accounts     text[],                                -- the accounts it is limited to; null means all
    expires_at   timestamptz,                           -- refused from then on
    revoked_at   timestamptz,                           -- refused since then
    created_at   timestamptz not null                   -- when it was made
);

-- Orders: the canonical document and where it stands.
create table orders (
    id                    uuid primary key,
    account_id            text not null,                -- no foreign key: every accept would lock the account's row
    provider              text not null,                -- copied from the account: the account cannot change it
    document_type         text not null check (document_type in ('transport_order', 'customer_order')),
    order_number          text not null,                -- the caller's number
    document              jsonb not null,               -- as last confirmed by the provider; before that, as created
    document_complete     boolean not null default true, -- false for adopted orders whose whole document is not known
    adopted               boolean not null default false, -- made outside the gateway
    placed                boolean not null default false, -- the provider took it at some time, or it was adopted
    status                text not null check (status in ('pending', 'rejected', 'draft', 'requested', 'confirmed', 'in_transit', 'completed', 'cancelled', 'unknown')),
    provider_order_number text,                         -- the provider's number, once known
    version               bigint not null default 1,    -- ETag; rises when document, status or provider number change
    refreshed_at          timestamptz,                  -- when the provider was last asked where it stands
    created_at            timestamptz not null,         -- when it was accepted
    updated_at            timestamptz not null,         -- when it last changed
    unique (account_id, document_type, order_number)
);
create index orders_newest_first on orders (created_at desc, id desc);
create index orders_by_account on orders (account_id, created_at desc, id desc);
create index orders_by_order_number on orders (order_number);
create index orders_by_provider_order_number on orders (provider_order_number) where provider_order_number is not null;

-- Exchanges: one request to a provider and its answer. Committed before the first byte leaves.
create table exchanges (
    id                uuid primary key,
    account_id        text not null,                    -- whose credentials it carries
    throttle_group    text not null,                    -- with account's provider and endpoint: the lane whose token it took
    provider          text not null,
    endpoint          text not null,
    items             integer not null,                 -- submissions that it carries
    claimed_at        timestamptz not null,             -- when it was claimed
    lease_until       timestamptz not null,             -- the worker that claimed it may settle it until then
    finished_at       timestamptz,                      -- when it was settled, released or given up
    method            text,                             -- HTTP method; null while nothing was sent
    url               text,                             -- as sent, secrets masked
    request_headers   jsonb,                            -- as sent, secrets masked: [[name, value], …]
    sent_at           timestamptz,                      -- just before the first byte
    answered_at       timestamptz,                      -- after the last byte of the answer
    response_status   integer,                          -- HTTP status
    response_headers  jsonb,                            -- as received: [[name, value], …]
    error             text                              -- what went wrong on the way, if something did
);
-- What is under way: counts exchanges in flight of a lane, and finds leases that ran out.
create index exchanges_open on exchanges (provider, throttle_group, endpoint, lease_until) where finished_at is null;
create index exchanges_leases on exchanges (lease_until) where finished_at is null;

-- Bodies of exchanges, apart from the ledger so that they can be dropped by age.
create table exchange_bodies (
    exchange_id  uuid not null references exchanges (id),
    direction    text not null check (direction in ('request', 'response')),
    content      bytea not null,                        -- zstd; secrets masked; at most a bounded prefix
    size         bigint not null,                       -- bytes as sent or received
    truncated    boolean not null,                      -- whether content is only a prefix
    recorded_at  timestamptz not null,                  -- for dropping by age
    primary key (exchange_id, direction)
);

-- Trips: several orders on one vehicle, sent in one request.
create table trips (
    id                   uuid primary key,
    account_id           text not null,                 -- as its orders'
    provider             text not null,
    driver_phone         text not null,                 -- as the caller wrote it
    provider_trip_number text,                          -- the provider's number, once known
    created_at           timestamptz not null,          -- when it was accepted
    updated_at           timestamptz not null           -- when it last changed
);
create table trip_orders (
    trip_id  uuid not null references trips (id),
    position integer not null,                          -- its place in the request, from 0
    order_id uuid not null unique references orders (id),
    primary key (trip_id, position)
);

-- Submissions: one operation on one order, or on all orders of a trip. The hot table: small rows, partial indexes, room for updates in place.
create table submissions (
    id                    uuid primary key,
    sequence              bigint generated always as identity, -- order of acceptance
    order_id              uuid not null references orders (id), -- of a trip, its first
    trip_id               uuid references trips (id),   -- for create_trip
    account_id            text not null,                -- as the order's
    provider              text not null,
    endpoint              text not null,                -- the provider's interface that carries it
    operation             text not null check (operation in ('create', 'amend', 'update_custom_fields', 'cancel', 'create_trip')),
    change                jsonb,                        -- its own merge patch; null when the order's document is meant as it is
    batch_key             text not null default '',     -- only submissions with the same key share a request
    state                 text not null check (state in ('queued', 'sending', 'accepted', 'partially_accepted', 'rejected', 'in_doubt', 'dead', 'cancelled')),
    ready                 boolean not null,             -- may be claimed once due: it is the earliest unfinished of its order
    due_at                timestamptz not null,         -- not to be claimed before
    attempts              integer not null default 0,   -- tries; an exchange in which the provider did nothing is none
    exchanges             integer not null default 0,   -- all exchanges; numbers the attempts
    may_exist             boolean not null default false, -- an earlier attempt may have reached the provider; never taken back
    cleared               boolean not null default false, -- evidence allows to send it again although it may exist
    misses                integer not null default 0,   -- questions in a row at which the provider did not have it
    exchange_id           uuid references exchanges (id), -- the exchange that carries it; the fence of a late worker
    exchange_position     integer,                      -- its place there, from 0
    provider_order_number text,                         -- the number that its answer gave
    created_at            timestamptz not null,         -- when it was accepted
    updated_at            timestamptz not null,         -- when its state last changed
    finished_at           timestamptz                   -- when it came to an end
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- What can go, in the order in which it may: the index of the claim. Holds nothing that must wait for another.
create index submissions_claimable on submissions (account_id, endpoint, due_at, sequence)
    include (batch_key, may_exist, cleared) where ready and state in ('queued', 'in_doubt');
create index submissions_of_exchange on submissions (exchange_id) where state = 'sending';
-- Unfinished work of an order, to find the next one.
create index submissions_unfinished on submissions (order_id, sequence) where finished_at is null;
create index submissions_of_order on submissions (order_id, sequence);
create index submissions_of_trip on submissions (trip_id) where trip_id is not null;
create index submissions_newest_first on submissions (created_at desc, id desc);

-- Attempts: which submission went with which exchange, and what became of it.
create table attempts (
    submission_id uuid not null references submissions (id),
    number        integer not null,                     -- 1, 2, … of this submission
    exchange_id   uuid not null references exchanges (id),
    position      integer not null,                     -- its place in the exchange, from 0
    outcome       text,                                 -- the submission's state after it; null while under way
    primary key (submission_id, number)
);
create index attempts_of_exchange on attempts (exchange_id);

-- Results: what the provider or the gateway said of a submission.
create table results (
    submission_id uuid not null references submissions (id),
    position      bigint generated always as identity,  -- order in which they were said
    provider      text not null,                        -- provider id, or gateway
    scope         text not null,                        -- where the code appears
    raw_code      text not null,                        -- as the provider wrote it
    raw_message   text,                                 -- the provider's own words
    code          text not null,                        -- canonical code
    severity      text not null check (severity in ('info', 'warning', 'error')),
    retryable     boolean not null,                     -- whether the same document may succeed later
    pointers      text[] not null,                      -- RFC 6901 pointers into the order
    message_zh    text not null,
    message_en    text not null,
    notice        boolean not null,                     -- said at acceptance about the translation; stays through retries
    recorded_at   timestamptz not null,
    primary key (submission_id, position)
);

-- Events: written in the commit that makes them true. A sequencer numbers them afterwards for the feed.
create table events (
    id            uuid primary key,
    type          text not null,                        -- CloudEvents type
    account_id    text not null,
    order_id      uuid,
    submission_id uuid,
    data          jsonb not null,                       -- CloudEvents data
    occurred_at   timestamptz not null,                 -- when it happened, as far as is known
    recorded_at   timestamptz not null                  -- when it was written
);
create index events_of_order on events (order_id, recorded_at) where order_id is not null;

-- Lanes: the unit to which a provider's quota applies. Shared by all replicas, alive across restarts.
create table lanes (
    provider       text not null,
    throttle_group text not null,
    endpoint       text not null,
    next_free_at   timestamptz not null,                -- GCRA's theoretical arrival time
    primary key (provider, throttle_group, endpoint)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);

-- Idempotency keys: a repeated request finds what the first one made.
create table idempotency_keys (
    api_key_id    uuid not null references api_keys (id),
    method        text not null,
    path          text not null,
    key           text not null,
    fingerprint   bytea not null,                       -- SHA-256 of the body
    resource_id   uuid not null,                        -- what the first request made, or tried to make
    status        integer not null,                     -- HTTP status of the first answer
    answer        jsonb,                                -- what a batch made, item by item
    running_until timestamptz,                          -- set while the first request still waits for its answer
    created_at    timestamptz not null,
    primary key (api_key_id, method, path, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);

-- Which submissions are about an order: its own, and that of its trip.
create view order_submissions as
select order_id, id, sequence, operation, state, finished_at from submissions
union all
select m.order_id, s.id, s.sequence, s.operation, s.state, s.finished_at
from trip_orders m join submissions s on s.trip_id = m.trip_id
where m.position > 0;

-- Submissions with what each waits for.
create view submission_overview as
select s.*,
    case
        when s.finished_at is not null or s.state = 'sending' then null
        when not s.ready and s.state = 'queued' then 'earlier_submission'
        when a.paused_at is not null then 'account_paused'
        when a.circuit_open_until > onelane_now() then 'circuit_open'
        when s.due_at > onelane_now() then 'retry_backoff'
        when l.next_free_at > onelane_now() then 'rate_limit'
    end as held_by,
    a.throttle_group,
    greatest(s.due_at, l.next_free_at) as lane_free_at
from submissions s
left join accounts a on a.id = s.account_id
left join lanes l on l.provider = s.provider and l.throttle_group = a.throttle_group and l.endpoint = s.endpoint;
