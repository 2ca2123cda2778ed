-- Documents are kept in the words in which they were written: to read one into jsonb takes ten times as long as to write it
-- down, and nothing in the ledger looks into it but the search, for the customer's reference, which has a column of its own.
--
-- Every order is written anew, so that nothing reads or writes orders meanwhile; docs/operations.md says how long that takes.
drop index orders_by_customer_reference;
alter table orders add column customer_reference text;
-- Compressed as before 0018, where the server knows how: the orders that are there, and those to come.
do $$
begin
    perform set_config('default_toast_compression', 'lz4', true);
exception when others then
    raise notice 'documents are compressed as before: %', sqlerrm;
end
$$;
alter table orders
    alter column customer_reference type text using document ->> 'customerReference',
    alter column document type text using document::text;
do $$
begin
    alter table orders alter column document set compression lz4;
exception when others then
    raise notice 'documents are compressed as before: %', sqlerrm;
end
$$;
create index orders_by_customer_reference on orders (customer_reference) where customer_reference is not null;

-- The functions of the ledger that write documents. Who kept orders before this goes on with the first two as they were
-- called then; the last one also makes only once what the two events of an outcome tell.
drop function keep_orders;
drop function keep_and_claim;

-- Keeps orders and queues their submissions, as far as there is room; one row for each, in their order.
create function keep_orders(
    -- Column by column. In an order that is the same everywhere, so that no two wait for each other
    order_ids         uuid[],
    submission_ids    uuid[],
    account_ids       text[],
    providers         text[],
    endpoints         text[],
    document_types    text[],
    order_numbers     text[],
    batch_keys        text[],
    documents         text[],                           -- in JSON
    event_ids         uuid[],
    trace_parents     text[],
    places            integer[],                        -- in which they came
    -- Their idempotency keys, where they have one
    key_owners        uuid[],
    key_methods       text[],
    key_paths         text[],
    keys              text[],
    key_fingerprints  bytea[],
    key_seconds       float8[],                         -- how long the first request may run
    -- Accounts for which it is counted what waits, and how much may
    limited_accounts  text[],
    limits            bigint[],
    -- Notices of the translation
    notice_ids        uuid[],                           -- of their submissions
    notice_providers  text[],
    notice_scopes     text[],
    notice_codes      text[],
    notice_severities text[],
    notice_pointers   jsonb[],
    notices_zh        text[],
    notices_en        text[],
    -- API keys and accounts as the orders were checked against them
    checked_for       uuid[],                           -- for each order, or null where they were looked up for it
    checked_keys      uuid[],
    checked_key_rows  bigint[],
    checked_accounts  text[],
    checked_account_rows bigint[],
    -- Customers' references of the orders. A replica from before this tells none: they are read out of the documents then
    customer_references text[] default null
) returns table (
    became       text,                                  -- 'new', 'outdated', 'full', 'key_known' or 'number_taken'
    waiting      bigint,                                -- before these, where that was counted
    kept_at      timestamptz,
    held_by      text,
    lane_free_at timestamptz
) language plpgsql volatile set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    now           timestamptz := onelane_now();
    gone_keys     uuid[];
    gone_accounts text[];
    waiting_of    bigint[];
    outdated      uuid[] := '{}';
    refused       uuid[] := '{}';                       -- there is no room for them
    with_key      integer := cardinality(array_remove(keys, null));
    new_keys      uuid[];
    known         uuid[] := '{}';                       -- their keys are
    left_out      uuid[];
    kept          uuid[];
    all_kept      boolean;                              -- then none of them is looked for among those that are
begin
    if cardinality(checked_keys) > 0 then
        gone_keys := array(
            select u.id from unnest(checked_keys, checked_key_rows) as u (id, row)
            where not exists (
                select from api_keys k where k.id = u.id and k.xmin::text::bigint = u.row and k.revoked_at is null
                  and (k.expires_at is null or k.expires_at > now) offset 0));
        gone_accounts := array(
            select u.id from unnest(checked_accounts, checked_account_rows) as u (id, row)
            where not exists (select from accounts a where a.id = u.id and a.xmin::text::bigint = u.row offset 0));
        if gone_keys <> '{}' or gone_accounts <> '{}' then
            outdated := array(
                select g.id from unnest(order_ids, account_ids, checked_for) as g (id, account_id, checked_for)
                where g.checked_for is not null and (g.checked_for = any(gone_keys) or g.account_id = any(gone_accounts)));
        end if;
    end if;

    if cardinality(limited_accounts) > 0 then
        waiting_of := array(
            select (
                select count(*) from (
                    select from submissions s
                    where s.account_id = l.account_id and s.ready and s.state in ('queued', 'in_doubt') limit l.most) w)
            from unnest(limited_accounts, limits) with ordinality as l (account_id, most, nth) order by l.nth);
        refused := array(
            select c.id from (
                select account_id, id, is_new, count(*) filter (where is_new) over (partition by account_id order by place) as nth
                from (
                    -- What the ledger has, or these orders have before, takes no place.
                    select g.account_id, g.id, g.place,
                        row_number() over (partition by g.account_id, g.document_type, g.order_number order by g.place) = 1
                        and not exists (
                            select from orders o where o.account_id = g.account_id and o.document_type = g.document_type
                              and o.order_number = g.order_number offset 0) as is_new
                    from unnest(order_ids, account_ids, document_types, order_numbers, places)
                        as g (id, account_id, document_type, order_number, place)
                    where g.account_id = any(limited_accounts) and g.id <> all(outdated)) candidate) c
            join unnest(limited_accounts, limits, waiting_of) as l (account_id, most, waiting) on l.account_id = c.account_id
            where c.is_new and c.nth > l.most - l.waiting);
    end if;

    left_out := outdated || refused;
    if with_key > 0 then
        -- In an order that is the same everywhere, too.
        with new_key as (
            insert into idempotency_keys (api_key_id, method, path, key, fingerprint, resource_id, status, running_until, created_at)
            select owner, method, path, key, fingerprint, id, 202, now + make_interval(secs => seconds), now
            from unnest(key_owners, key_methods, key_paths, keys, key_fingerprints, order_ids, key_seconds)
                as g (owner, method, path, key, fingerprint, id, seconds)
            where key is not null and id <> all(left_out)
            order by key, path, owner
            on conflict (api_key_id, method, path, key) do nothing
            returning resource_id)
        select coalesce(array_agg(resource_id), '{}') into new_keys from new_key;
        if cardinality(new_keys) < with_key then
            known := array(
                select g.id from unnest(order_ids, keys) as g (id, key)
                where g.key is not null and g.id <> all(left_out) and g.id <> all(new_keys));
            left_out := left_out || known;
        end if;
    end if;

    with new_order as (
        insert into orders (id, account_id, provider, document_type, order_number, customer_reference, document, status, created_at, updated_at)
        select id, account_id, provider, document_type, order_number,
            case when customer_references is null then document::jsonb ->> 'customerReference' else customer_reference end,
            document, 'pending', now, now
        from unnest(order_ids, account_ids, providers, document_types, order_numbers, customer_references, documents)
            as g (id, account_id, provider, document_type, order_number, customer_reference, document)
        where id <> all(left_out)
        on conflict (account_id, document_type, order_number) do nothing
        returning id)
    select coalesce(array_agg(id), '{}') into kept from new_order;
    all_kept := cardinality(kept) = cardinality(order_ids);

    insert into submissions (id, order_id, account_id, provider, endpoint, operation, batch_key, trace_parent, state, ready, due_at, created_at, updated_at)
    select g.id, g.order_id, g.account_id, g.provider, g.endpoint, 'create', g.batch_key, g.trace_parent, 'queued', true, now, now, now
    from unnest(submission_ids, order_ids, account_ids, providers, endpoints, batch_keys, trace_parents, places)
        as g (id, order_id, account_id, provider, endpoint, batch_key, trace_parent, place)
    where all_kept or g.order_id = any(kept)
    order by g.place;

    if cardinality(notice_ids) > 0 then
        insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
        select n.id, n.provider, n.scope, n.code, n.code, n.severity, false, array(select jsonb_array_elements_text(n.pointers)), n.zh, n.en, true, now
        from unnest(notice_ids, notice_providers, notice_scopes, notice_codes, notice_severities, notice_pointers, notices_zh, notices_en)
            with ordinality as n (id, provider, scope, code, severity, pointers, zh, en, nth)
        join unnest(submission_ids, order_ids) as g (id, order_id) on g.id = n.id
        where all_kept or g.order_id = any(kept)
        order by n.nth;
    end if;

    insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
    select g.id, 'submission.queued', g.account_id, g.order_id, g.submission_id,
        jsonb_build_object('orderNumber', g.order_number, 'operation', 'create', 'state', 'queued'), now, now
    from unnest(event_ids, account_ids, order_ids, submission_ids, order_numbers) as g (id, account_id, order_id, submission_id, order_number)
    where all_kept or g.order_id = any(kept);

    return query
    with standing as materialized (
        -- Looked up once for all orders of an account.
        select u.account_id, u.provider, u.endpoint,
            case when a.paused_at is not null then 'account_paused' when a.circuit_open_until > now then 'circuit_open'
                when l.next_free_at > now then 'rate_limit' end as held_by,
            greatest(now, l.next_free_at) as lane_free_at
        from (select distinct account_id, provider, endpoint from unnest(account_ids, providers, endpoints)
                as u (account_id, provider, endpoint)) u
        left join lateral (
            select paused_at, circuit_open_until, throttle_group from accounts where id = u.account_id offset 0) a on true
        left join lateral (
            select next_free_at from lanes
            where provider = u.provider and throttle_group = a.throttle_group and endpoint = u.endpoint offset 0) l on true)
    select case when all_kept or g.id = any(kept) then 'new' when g.id = any(outdated) then 'outdated' when g.id = any(refused) then 'full'
            when g.id = any(known) then 'key_known' else 'number_taken' end,
        waiting_of[array_position(limited_accounts, g.account_id)], now, s.held_by, s.lane_free_at
    from unnest(order_ids, account_ids, providers, endpoints) with ordinality as g (id, account_id, provider, endpoint, nth)
    join standing s on s.account_id = g.account_id and s.provider = g.provider and s.endpoint = g.endpoint
    order by g.nth;
end
$$;

-- Keeps an order and claims it in the same go, as keep_orders and claim_batch would one after the other, where nothing stands
-- in the way: what it was checked against still stands, its lane is its account's alone and idle, has a token, and has room for
-- one more exchange. Otherwise nothing is kept.
create function keep_and_claim(
    order_id            uuid,
    submission_id       uuid,
    account_id          text,
    provider            text,
    throttle_group      text,
    endpoint            text,
    document_type       text,
    order_number        text,
    batch_key           text,
    document            text,                           -- in JSON
    event_id            uuid,
    trace_parent        text,
    -- The API key and the account as the order was checked against them
    checked_key         uuid,
    checked_key_row     bigint,
    checked_account_row bigint,
    -- Its idempotency key, where it has one
    key_owner           uuid,
    key_method          text,
    key_path            text,
    key                 text,
    key_fingerprint     bytea,
    key_seconds         float8,                         -- how long the request may run
    queue_limit         bigint,                         -- how much may wait for the account, where that has to be counted
    -- Notices of the translation
    notice_providers    text[],
    notice_scopes       text[],
    notice_codes        text[],
    notice_severities   text[],
    notice_pointers     jsonb[],
    notices_zh          text[],
    notices_en          text[],
    -- The claim
    in_flight_limit     bigint,                         -- exchanges
    key_ids             text[],                         -- master keys at hand
    exchange_id         uuid,
    tolerance           float8,                         -- these are seconds: how much the lane may be ahead,
    ahead               float8,                         -- how long before it comes a slot may be booked,
    head_start          float8,                         -- how long it takes at least until the request can leave,
    spacing             float8,                         -- the time between two requests,
    lease               float8,                         -- and how long the order belongs to who claims it
    -- The customer's, or nothing; a replica from before this does not tell it, and then it is read out of the document
    customer_reference  text default ''
) returns table (
    became                text,                         -- 'claimed', 'key_known', 'number_taken' or 'not_now'
    waiting               bigint,                       -- for the account, where that was counted
    kept_at               timestamptz,
    seconds_to_slot       float8,                       -- from the booking
    seconds_to_booking    float8,                       -- from the beginning of this
    seconds_since_booking float8
) language plpgsql volatile set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_variable
declare
    begun   timestamptz := onelane_now();
    now     timestamptz;
    free_at timestamptz;
begin
    became := 'not_now';
    -- The lock that makes replicas take turns. Whoever would have to wait for it finds the lane busy.
    select l.next_free_at into free_at from lanes l
    where l.provider = keep_and_claim.provider and l.throttle_group = keep_and_claim.throttle_group and l.endpoint = keep_and_claim.endpoint
    for update skip locked;
    now := onelane_now();
    seconds_to_slot := greatest(extract(epoch from free_at - make_interval(secs => tolerance) - now), 0);
    if not found or seconds_to_slot > ahead then
        return next;
        return;
    end if;
    perform from accounts a
    where a.id = account_id and a.xmin::text::bigint = checked_account_row
      and a.paused_at is null and a.circuit_open_until is null and a.credentials_key = any(key_ids)
      and exists (
          select from api_keys k where k.id = checked_key and k.xmin::text::bigint = checked_key_row and k.revoked_at is null
            and (k.expires_at is null or k.expires_at > now))
      and not exists (
          select from accounts b
          where b.provider = keep_and_claim.provider and b.throttle_group = keep_and_claim.throttle_group and b.id <> account_id)
      and not exists (
          select from submissions s
          where s.account_id = keep_and_claim.account_id and s.endpoint = keep_and_claim.endpoint and s.ready
            and s.state in ('queued', 'in_doubt') and s.due_at <= now)
      and (select count(*) from exchanges e
           where e.provider = keep_and_claim.provider and e.throttle_group = keep_and_claim.throttle_group
             and e.endpoint = keep_and_claim.endpoint and e.finished_at is null and e.lease_until > now) < in_flight_limit;
    if not found then
        return next;
        return;
    end if;
    if queue_limit is not null then
        waiting := (
            select count(*) from (
                select from submissions s
                where s.account_id = keep_and_claim.account_id and s.ready and s.state in ('queued', 'in_doubt') limit queue_limit) w);
        if waiting >= queue_limit then
            return next;
            return;
        end if;
    end if;

    if key is not null then
        insert into idempotency_keys (api_key_id, method, path, key, fingerprint, resource_id, status, running_until, created_at)
        values (key_owner, key_method, key_path, key, key_fingerprint, order_id, 202, now + make_interval(secs => key_seconds), now)
        on conflict do nothing;
        if not found then
            became := 'key_known';
            return next;
            return;
        end if;
    end if;
    insert into orders (id, account_id, provider, document_type, order_number, customer_reference, document, status, created_at, updated_at)
    values (order_id, account_id, provider, document_type, order_number,
        case when customer_reference = '' then document::jsonb ->> 'customerReference' else customer_reference end,
        document, 'pending', now, now)
    on conflict do nothing;
    if not found then
        became := 'number_taken';
        return next;
        return;
    end if;
    insert into submissions (id, order_id, account_id, provider, endpoint, operation, batch_key, trace_parent, state, ready, due_at,
        attempts, exchanges, exchange_id, exchange_position, created_at, updated_at)
    values (submission_id, order_id, account_id, provider, endpoint, 'create', batch_key, trace_parent, 'sending', true, now,
        1, 1, exchange_id, 0, now, now);
    for i in 1 .. cardinality(notice_codes) loop
        insert into results (submission_id, provider, scope, raw_code, code, severity, retryable, pointers, message_zh, message_en, notice, recorded_at)
        values (submission_id, notice_providers[i], notice_scopes[i], notice_codes[i], notice_codes[i], notice_severities[i], false,
            array(select jsonb_array_elements_text(notice_pointers[i])), notices_zh[i], notices_en[i], true, now);
    end loop;
    insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
    values (event_id, 'submission.queued', account_id, order_id, submission_id,
        jsonb_build_object('orderNumber', order_number, 'operation', 'create', 'state', 'queued'), now, now);

    update lanes l set next_free_at = greatest(l.next_free_at, now + make_interval(secs => greatest(seconds_to_slot, head_start)))
        + make_interval(secs => spacing)
    where l.provider = keep_and_claim.provider and l.throttle_group = keep_and_claim.throttle_group and l.endpoint = keep_and_claim.endpoint;
    insert into exchanges (id, account_id, throttle_group, provider, endpoint, items, claimed_at, lease_until)
    values (exchange_id, account_id, throttle_group, provider, endpoint, 1, now, now + make_interval(secs => lease));
    insert into attempts (submission_id, number, exchange_id, position) values (submission_id, 1, exchange_id, 0);
    became := 'claimed';
    kept_at := now;
    seconds_to_booking := extract(epoch from now - begun);
    seconds_since_booking := extract(epoch from onelane_now() - now);
    return next;
end
$$;

-- Records what came of submissions whose own rows are up to date already, and whose orders are locked: the orders' status,
-- number and document; the results, in the place of those of earlier answers, while notices of the translation stay; one
-- event for each submission that came to an end or into doubt, and one for what happened to its order; what waits next for
-- an order may go; and callbacks that waited for its number are looked at. Whether something may go that waited.
create or replace function record_outcomes(
    -- The submissions, column by column
    submission_ids   uuid[],
    order_ids        uuid[],
    operations       text[],
    states           text[],
    told_statuses    text[],
    may_stand_at     jsonb[],                           -- where the order may stand for the status to count
    told_numbers     text[],
    documents        jsonb[],
    touch_orders     boolean[],
    are_taken        boolean[],
    are_whole        boolean[],
    are_changed      boolean[],
    event_ids        uuid[],
    events           text[],
    order_event_ids  uuid[],
    order_events     text[],
    let_next_go      boolean[],
    -- Their results
    result_ids       uuid[],                            -- of their submissions
    providers        text[],
    scopes           text[],
    raw_codes        text[],
    raw_messages     text[],
    codes            text[],
    severities       text[],
    retryable        boolean[],
    pointers         jsonb[],
    messages_zh      text[],
    messages_en      text[],
    told_once        text[],                            -- types of events that tell of an order what happens once
    at               timestamptz
) returns boolean language plpgsql volatile set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    lets_go boolean := false;
begin
    with item as materialized (
        select found.*, jsonb_strip_nulls(jsonb_build_object('orderNumber', order_number, 'providerOrderNumber', number,
            'operation', operation, 'state', state, 'status', status)) as data
        from (
            select u.*, o.account_id, o.order_number, o.status as status_before,
                case when u.may_stand_at ? o.status then u.told_status else o.status end as status,
                coalesce(u.told_number, o.provider_order_number) as number
            from unnest(submission_ids, order_ids, operations, states, told_statuses, may_stand_at, told_numbers, documents, touch_orders,
                    are_taken, are_whole, are_changed, event_ids, events, order_event_ids, order_events)
                as u (submission_id, order_id, operation, state, told_status, may_stand_at, told_number, document, touches_order,
                    is_taken, is_whole, is_changed, event_id, event, order_event_id, order_event)
            cross join lateral (
                select account_id, order_number, status, provider_order_number from orders where id = u.order_id offset 0) o) found),
    moved as (
        update orders o set status = i.status, provider_order_number = i.number,
            document = coalesce(i.document::text, o.document),
            customer_reference = case when i.document is null then o.customer_reference else i.document ->> 'customerReference' end,
            document_complete = o.document_complete or i.is_whole, placed = o.placed or i.is_taken,
            version = o.version + case when i.is_changed
                or (o.status, o.provider_order_number) is distinct from (i.status, i.number) then 1 else 0 end,
            updated_at = record_outcomes.at
        from item i where o.id = i.order_id and o.id = any(order_ids) and i.touches_order)
    insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
    select e.id, e.type, i.account_id, i.order_id, i.submission_id, i.data, record_outcomes.at, (select onelane_now())
    from item i cross join lateral (
        select i.event_id, i.event where i.event is not null
        union all
        -- What a callback told before is not told again. Only of an order that a callback moved; the others have no such event,
        -- and theirs are not looked through. An order that was cancelled here, and then corrected, may be cancelled again.
        select i.order_event_id, i.order_event
        where i.order_event is not null and not (i.order_event = any(told_once) and i.status_before <> 'pending' and exists (
            select from (
                select recorded_at from events where order_id = i.order_id and type = i.order_event
                union all
                select recorded_at from milestones where order_id = i.order_id and type = i.order_event) told
            where i.order_event <> 'order.cancelled' or told.recorded_at >= coalesce(
                (select max(created_at) from submissions where order_id = i.order_id and operation = 'create'), '-infinity')))) e (id, type);

    delete from results where submission_id = any(submission_ids) and not notice;
    if cardinality(result_ids) > 0 then
        insert into results (submission_id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers,
            message_zh, message_en, notice, recorded_at)
        select u.id, u.provider, u.scope, u.raw_code, u.raw_message, u.code, u.severity, u.retryable,
            case when u.pointers = '[]' then '{}' else array(select jsonb_array_elements_text(u.pointers)) end, u.message_zh, u.message_en, false, record_outcomes.at
        from unnest(result_ids, providers, scopes, raw_codes, raw_messages, codes, severities, retryable, pointers, messages_zh, messages_en)
            with ordinality
            as u (id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers, message_zh, message_en, place)
        order by u.place;
    end if;

    if true = any(let_next_go) then
        -- Against single rows, so that the index gives the next one and no more is read.
        update submissions set ready = true
        where id = any(array(
                select next.id from unnest(order_ids, let_next_go) as u (order_id, lets_next_go) cross join lateral (
                    select id from submissions where order_id = u.order_id and finished_at is null order by sequence limit 1) next
                where u.lets_next_go))
          and not ready and state = 'queued';
        lets_go := found;
    end if;

    if exists (select from callback_waits) then
        -- One that is being processed right now is passed over, so that neither waits for the other; it looks again by itself.
        update callbacks set due_at = onelane_now()
        where id in (
            select c.id from callbacks c
            where c.state = 'waiting' and c.id in (
                select w.callback_id from unnest(order_ids, told_numbers) as u (order_id, number)
                join orders o on o.id = u.order_id
                join callback_waits w on w.account_id = o.account_id and w.order_number = o.order_number
                where u.number is not null
                union all
                select w.callback_id from unnest(order_ids, told_numbers) as u (order_id, number)
                join orders o on o.id = u.order_id
                join callback_waits w on w.account_id = o.account_id and w.provider_order_number = u.number
                where u.number is not null)
            for update skip locked);
    end if;
    return lets_go;
end
$$;
