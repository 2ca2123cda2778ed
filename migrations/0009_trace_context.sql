-- no-transaction
-- Which trace brought what, so that a caller's trace goes on in the exchange that sends its order, in the events that
-- tell of it, and in webhooks; and an index for what an operator should look at.
--
-- In transactions of their own, so that no lock is held while the index is built but that on its table; what was done
-- before a failure is passed over when the migration is run again.

begin;
alter table submissions add column if not exists trace_parent text; -- W3C traceparent of the request that it came with; null when it came with an older version
alter table callbacks add column if not exists trace_parent text;   -- the same of the call
alter table events add column if not exists trace_parent text;      -- of the callback that told it; null where it is that of its submission
commit;

begin;
-- What may be for a person: counted for the metrics, and listed. Few of many.
create index if not exists submissions_of_concern on submissions (state, created_at desc, id desc) include (account_id)
    where state in ('in_doubt', 'dead');
commit;
