-- What happened, told to others: the feed, its order, and webhooks.

-- The feed. Its one row is the lock under which committed events get their places, one replica at a time.
create table feed (
    single         boolean primary key default true check (single), -- there is one row
    first_position bigint not null,                     -- the oldest place that is still kept; a cursor before it has expired
    last_position  bigint not null                      -- the newest place that was given; 0 before the first
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
insert into feed (first_position, last_position) values (1, 0);

alter table events
    add column position bigint,                         -- place in the feed: 1, 2, …; given after the commit, null until then
    alter column account_id drop not null;              -- null for what is about no account
alter table events set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
create unique index events_by_position on events (position) where position is not null;
-- What the sequencer looks for: holds only what was just written.
create index events_without_position on events (recorded_at, id) where position is null;

-- Webhook endpoints: where events are delivered to.
create table webhook_endpoints (
    id                    uuid primary key,
    url                   text not null,                -- http or https, without credentials and fragment
    description           text,                         -- for people
    types                 text[],                       -- the types of events that it wants; null means all
    accounts              text[],                       -- the accounts whose events it wants; null means all, and what is about none
    secret                bytea not null,               -- sealed (AEAD, bound to the endpoint's id): what signs deliveries
    secret_key            text not null,                -- id of the master key that sealed it
    previous_secret       bytea,                        -- sealed likewise: the one before, while both sign
    previous_secret_key   text,                         -- id of the master key that sealed it
    previous_secret_until timestamptz,                  -- it signs until then
    disabled_at           timestamptz,                  -- set while nothing is delivered
    disabled_reason       text,                         -- why, for people
    failing_since         timestamptz,                  -- when the first delivery began that failed after the last success
    version               bigint not null default 1,    -- ETag; rises with every change but that of failing_since
    created_at            timestamptz not null,         -- when it was added; events that were written earlier are not delivered
    updated_at            timestamptz not null          -- when it was last changed
);

-- Deliveries: one event on its way to one endpoint, made when the event gets its place in the feed.
create table webhook_deliveries (
    endpoint_id     uuid not null references webhook_endpoints (id) on delete cascade,
    event_id        uuid not null,                      -- also its webhook-id; no foreign key, since events go by age
    position        bigint not null,                    -- the event's place in the feed
    state           text not null check (state in ('pending', 'delivered', 'dead')),
    due_at          timestamptz not null,               -- not to be tried before; while it is tried, when its lease ends
    attempts        integer not null default 0,         -- tries in all; the fence of a late worker
    tries           integer not null default 0,         -- tries since it was begun, or begun anew
    tries_until     timestamptz,                        -- a try that fails after it is the last one; null before the first try
    lease_until     timestamptz,                        -- set while it is tried: another worker may try it after that
    attempted_at    timestamptz,                        -- when it was tried last
    response_status integer,                            -- HTTP status of the last answer; null when there was none
    error           text,                               -- why the last try failed
    created_at      timestamptz not null,               -- when it was made
    finished_at     timestamptz,                        -- when it was delivered or given up
    primary key (endpoint_id, event_id)
) with (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
-- What an endpoint waits for, in the order in which it may go: the index of the claim.
create index webhook_deliveries_claimable on webhook_deliveries (endpoint_id, due_at, position) where state = 'pending';
create index webhook_deliveries_in_flight on webhook_deliveries (endpoint_id, lease_until) where lease_until is not null;
create unique index webhook_deliveries_by_position on webhook_deliveries (endpoint_id, position);
