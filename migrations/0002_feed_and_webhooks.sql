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
