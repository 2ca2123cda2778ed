-- no-transaction
-- What is old goes, in small steps, and what it leaves behind.
--
-- In transactions of its own, so that no lock is held while an index is built but that on its table; what was done
-- before a failure is passed over when the migration is run again.

begin;
-- Whose turn it is to remove what is old. One row.
create table if not exists retention (
    single     boolean primary key default true check (single), -- there is one row
    holder     uuid,                                    -- the replica whose turn it is, by a number of its own; null between turns
    held_until timestamptz,                             -- its turn ends then unless it goes on: that of a dead replica ends by itself
    due_at     timestamptz not null                     -- the next turn does not begin before
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
insert into retention (due_at) values ('epoch') on conflict do nothing;

-- What happened to orders by events that are not kept any more: of each type the last one. Shows that it was told,
-- and when it happened. No foreign key: its check would wait for whoever has the order locked.
create table if not exists milestones (
    order_id    uuid not null,
    type        text not null,                          -- as the event's
    event_id    uuid not null,                          -- the event that told it
    occurred_at timestamptz not null,                   -- as the event's
    recorded_at timestamptz not null,                   -- as the event's
    primary key (order_id, type)
);
commit;

begin;
-- In the order in which a settlement takes them.
lock table exchanges, submissions in access exclusive mode;
-- Exchanges go by age while the submission that they carried stays. Without an index of its own the check of this
-- key would also read all submissions for each exchange that is removed.
alter table submissions drop constraint if exists submissions_exchange_id_fkey;
comment on column submissions.exchange_id is
    'The exchange that carries it, or carried it last; the fence of a late worker. Exchanges go by age, so it may be gone';
commit;

begin;
lock table callbacks, happenings in access exclusive mode;
-- That something was told is kept for longer than the callback that told it.
alter table happenings drop constraint if exists happenings_callback_id_fkey;
comment on column happenings.callback_id is
    'The callback that told it first, or last by a person''s wish. Callbacks go by age, so it may be gone';
-- What is there already counts as told now: longer is safe. now() is a constant here and rewrites no table.
alter table happenings add column if not exists told_at timestamptz not null default now(); -- when it was told
alter table happenings alter column told_at set default onelane_now();
commit;

-- In what order things grow old.
begin;
create index if not exists exchanges_by_age on exchanges (finished_at, id) where finished_at is not null;
commit;
begin;
create index if not exists exchange_bodies_by_age on exchange_bodies (recorded_at, exchange_id);
commit;
begin;
create index if not exists callbacks_by_age on callbacks (processed_at, id)
    where state in ('processed', 'duplicate', 'ignored', 'quarantined');
commit;
begin;
create index if not exists callbacks_with_body on callbacks (processed_at, id)
    where body is not null and state in ('processed', 'duplicate', 'ignored');
commit;
begin;
create index if not exists happenings_by_age on happenings (told_at, event_id);
commit;

-- Space is free again soon after a batch was removed, and not once a fifth of a large table is dead.
alter table exchange_bodies set (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02);
alter table exchanges set (autovacuum_vacuum_scale_factor = 0.02);
alter table attempts set (autovacuum_vacuum_scale_factor = 0.02);
alter table callbacks set (autovacuum_vacuum_scale_factor = 0.02, toast.autovacuum_vacuum_scale_factor = 0.02);
alter table happenings set (autovacuum_vacuum_scale_factor = 0.02);
alter table idempotency_keys set (autovacuum_vacuum_scale_factor = 0.02);
