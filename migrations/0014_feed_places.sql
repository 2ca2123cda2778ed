-- Places in the feed are kept beside the events. To write an event anew for its place took three times as long as to
-- write it, and left its first version behind for the vacuum; now it is written once.

-- In the order in which the sequencer takes them.
lock table feed, events in access exclusive mode;

-- Places of events in the feed.
create table feed_places (
    position bigint primary key,                        -- 1, 2, …; given after the commit of the event
    event_id uuid not null                              -- no foreign key: the two go together
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);

-- What the sequencer looks for: events that were just written and have no place. Empty most of the time.
create table events_without_place (
    recorded_at timestamptz not null,                   -- as the event's: they get their places in this order
    event_id    uuid not null,
    primary key (recorded_at, event_id)
) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

insert into feed_places (position, event_id) select position, id from events where position is not null order by position;
insert into events_without_place (recorded_at, event_id) select recorded_at, id from events where position is null;
-- The indexes of places go with the column.
alter table events drop column position;

-- Whoever writes an event has it get its place.
create function await_place() returns trigger language plpgsql as $$
begin
    insert into events_without_place (recorded_at, event_id) select recorded_at, id from written;
    return null;
end
$$;
create trigger await_place after insert on events referencing new table as written
    for each statement execute function await_place();
