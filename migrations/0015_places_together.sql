-- Events that were written together wait for their places together: a row for each of them and an entry in an index were
-- written and taken away again for every event.

lock table feed, events in access exclusive mode;
alter table events_without_place rename to events_without_place_singly;

-- What the sequencer looks for: events that were just written and have no place. Empty most of the time.
create table events_without_place (
    recorded_at timestamptz not null,                   -- as the events': they get their places in this order
    event_ids   uuid[] not null                         -- few enough to be kept in the row
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
create index events_without_place_by_age on events_without_place (recorded_at);

create or replace function await_place() returns trigger language plpgsql as $$
begin
    insert into events_without_place (recorded_at, event_ids)
    select recorded_at, array_agg(id order by id)
    from (select recorded_at, id, (row_number() over (partition by recorded_at order by id) - 1) / 100 as part from written) numbered
    group by recorded_at, part;
    return null;
end
$$;

insert into events_without_place (recorded_at, event_ids) select recorded_at, array[event_id] from events_without_place_singly;
drop table events_without_place_singly;
