-- What an order costs when it is kept.

-- One index finds an order by its number, whatever its account, and keeps the number unique in it. Passed over where it
-- is there already: docs/operations.md says how to build it beforehand.
create unique index if not exists orders_by_order_number_and_account on orders (order_number, account_id, document_type);
alter table orders drop constraint orders_account_id_document_type_order_number_key;
drop index orders_by_order_number;

-- A submission is written with its order, or by who has locked it, and orders are never taken away: to look each up again
-- tells nothing.
alter table submissions drop constraint submissions_order_id_fkey;

-- Documents of two kilobytes are compressed; this way it takes a fraction of the time, where the server knows it.
do $$
begin
    alter table orders alter column document set compression lz4;
exception when others then
    raise notice 'documents are compressed as before: %', sqlerrm;
end
$$;

-- These are compressed already.
alter table exchange_bodies alter column content set storage external;
