-- no-transaction
-- Orders are found by any number that somebody may have of them.
--
-- Each index in a transaction of its own, so that no lock is held but that on its table, and passed over where it is
-- there already: for a large ledger, docs/operations.md says how to build them beforehand without any lock.

begin;
create index if not exists orders_by_customer_reference on orders ((document ->> 'customerReference'))
    where (document ->> 'customerReference') is not null;
commit;
begin;
create index if not exists trips_by_provider_trip_number on trips (provider_trip_number)
    where provider_trip_number is not null;
commit;
