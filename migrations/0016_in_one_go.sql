-- What the ledger does in one go. A function costs one question instead of one for each of its statements, its statements
-- see what the ones before them did, and those that have nothing to do are passed over.
--
-- They go by keys alone. So they are planned once, and not for the first five times anew, which takes longer than to run
-- them; and no plan reads through a table that was empty when it was made.

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
    checked_account_rows bigint[]
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
        insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
        select id, account_id, provider, document_type, order_number, document::jsonb, 'pending', now, now
        from unnest(order_ids, account_ids, providers, document_types, order_numbers, documents)
            as g (id, account_id, provider, document_type, order_number, document)
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

-- Takes a token of a lane and a batch that is due. One row for each submission, or one that says why there is none.
create function claim_batch(
    provider        text,
    throttle_group  text,
    endpoint        text,
    in_flight_limit bigint,                             -- exchanges
    batch_limit     bigint,                             -- submissions
    doubtful_limit  bigint,                             -- the same for what the provider is asked about first
    most_bytes      bigint,                             -- of documents: a batch ends with the one that goes beyond
    few             integer,                            -- the orders of batches up to this size come along
    key_ids         text[],                             -- master keys at hand
    exchange_id     uuid,
    tolerance       float8,                             -- these are seconds: how much the lane may be ahead,
    ahead           float8,                             -- how long before it comes a slot may be booked,
    head_start      float8,                             -- how long it takes at least until the request can leave,
    spacing         float8,                             -- the time between two requests,
    lease           float8                              -- and how long the batch belongs to who claims it
) returns table (
    verdict               text,                         -- 'batch', 'nothing_due', 'no_token' or 'lane_full'
    seconds_to_slot       float8,                       -- from the booking; without a token, until it is worth to ask again
    seconds_to_booking    float8,                       -- from the beginning of this
    seconds_since_booking float8,
    account_id            text,
    account_row           bigint,
    more                  boolean,                      -- of the lane may be due
    submission_id         uuid,
    order_id              uuid,
    trip_id               uuid,
    operation             text,
    change                jsonb,
    may_exist             boolean,
    doubted               boolean,
    cleared               boolean,
    misses                integer,
    attempts              integer,
    trace_parent          text,
    age                   float8,                       -- seconds
    document              text,
    document_complete     boolean,
    provider_order_number text,
    adopted               boolean
) language plpgsql volatile set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    begun     timestamptz := onelane_now();
    booked    timestamptz;
    free_at   timestamptz;
    to_slot   float8;
    head      record;
    ids       uuid[];
    has_more  boolean;
begin
    -- The lock that makes replicas take turns.
    loop
        select l.next_free_at into free_at from lanes l
        where l.provider = claim_batch.provider and l.throttle_group = claim_batch.throttle_group and l.endpoint = claim_batch.endpoint
        for update;
        exit when found;
        insert into lanes (provider, throttle_group, endpoint, next_free_at)
        values (claim_batch.provider, claim_batch.throttle_group, claim_batch.endpoint, onelane_now())
        on conflict do nothing;
    end loop;
    booked := onelane_now();
    to_slot := greatest(extract(epoch from free_at - make_interval(secs => tolerance) - booked), 0);
    verdict := case
        when (select count(*) from exchanges e
              where e.provider = claim_batch.provider and e.throttle_group = claim_batch.throttle_group
                and e.endpoint = claim_batch.endpoint and e.finished_at is null and e.lease_until > booked) >= in_flight_limit then 'lane_full'
        when to_slot > ahead then 'no_token'
    end;

    if verdict is null then
        select candidate.account_id, a.xmin::text::bigint as account_row, candidate.batch_key, candidate.doubtful,
            a.circuit_open_until is not null as is_probe
        into head
        from accounts a cross join lateral (
            select s.account_id, s.batch_key, s.may_exist and not s.cleared as doubtful, s.due_at, s.sequence from submissions s
            where s.account_id = a.id and s.endpoint = claim_batch.endpoint and s.ready and s.state in ('queued', 'in_doubt')
              and s.due_at <= booked
            order by s.due_at, s.sequence limit 1) candidate
        where a.provider = claim_batch.provider and a.throttle_group = claim_batch.throttle_group and a.paused_at is null
          and a.credentials_key = any(key_ids) and (a.circuit_open_until is null or a.circuit_open_until <= booked)
        order by candidate.due_at, candidate.sequence limit 1;

        if found then
            with locked as materialized (
                -- Against single values, so that the index gives the order and only the batch is read.
                select s.id, s.order_id, s.due_at, s.sequence from submissions s
                where s.account_id = head.account_id and s.endpoint = claim_batch.endpoint and s.ready and s.state in ('queued', 'in_doubt')
                  and s.due_at <= booked and s.batch_key = head.batch_key and (s.may_exist and not s.cleared) = head.doubtful
                order by s.due_at, s.sequence limit case when head.doubtful then doubtful_limit else batch_limit end
                for update of s skip locked)
            select array_agg(id order by due_at, sequence) into ids from (
                -- Sizes as they are stored: those of documents that are kept compressed are not known without reading them.
                select l.id, l.due_at, l.sequence, pg_column_size(o.document) as size,
                    sum(pg_column_size(o.document)) over (order by l.due_at, l.sequence) as so_far
                -- One by one: the planner takes a limit that it does not know for a tenth of what waits.
                from locked l cross join lateral (select document from orders where id = l.order_id offset 0) o) sized
            where so_far - size < most_bytes;
        end if;
        if ids is null then
            verdict := 'nothing_due';
        end if;
    end if;

    if verdict is not null then
        -- Nothing was done that would have to last.
        perform set_config('synchronous_commit', 'off', true);
        seconds_to_slot := to_slot - ahead;
        return next;
        return;
    end if;

    update lanes l set next_free_at = greatest(l.next_free_at, booked + make_interval(secs => greatest(to_slot, head_start)))
        + make_interval(secs => spacing)
    where l.provider = claim_batch.provider and l.throttle_group = claim_batch.throttle_group and l.endpoint = claim_batch.endpoint;
    if head.is_probe then
        -- While the circuit is half open one request goes out to see whether the provider is back.
        update accounts set circuit_open_until = booked + make_interval(secs => lease)
        where id = head.account_id and circuit_open_until is not null;
    end if;
    insert into exchanges (id, account_id, throttle_group, provider, endpoint, items, claimed_at, lease_until)
    values (claim_batch.exchange_id, head.account_id, claim_batch.throttle_group, claim_batch.provider, claim_batch.endpoint,
        cardinality(ids), booked, booked + make_interval(secs => lease));
    -- Looked for only behind a batch that is not full. What is taken here is still among what could go.
    has_more := cardinality(ids) >= batch_limit or exists (
        select from accounts a cross join lateral (
            select from submissions s
            where s.account_id = a.id and s.endpoint = claim_batch.endpoint and s.ready and s.state in ('queued', 'in_doubt')
              and s.due_at <= booked and s.id <> all(ids)
            limit 1) left_over
        where a.provider = claim_batch.provider and a.throttle_group = claim_batch.throttle_group);

    return query
    with taken as (
        update submissions s set state = 'sending', attempts = s.attempts + 1, exchanges = s.exchanges + 1,
            exchange_id = claim_batch.exchange_id, exchange_position = p.nth - 1, updated_at = booked
        from unnest(ids) with ordinality as p (id, nth)
        where s.id = p.id
        returning s.id, s.order_id, s.trip_id, s.operation, s.change, s.may_exist, s.cleared, s.misses, s.attempts,
            s.exchanges, s.exchange_position as position, s.trace_parent, s.created_at),
    attempt as (
        insert into attempts (submission_id, number, exchange_id, position)
        select id, exchanges, claim_batch.exchange_id, position from taken)
    select 'batch', to_slot, extract(epoch from booked - begun)::float8, extract(epoch from onelane_now() - booked)::float8,
        head.account_id, head.account_row, has_more,
        t.id, t.order_id, t.trip_id, t.operation, t.change, t.may_exist,
        t.may_exist and exists (select from attempts b where b.submission_id = t.id and b.outcome = 'in_doubt'),
        t.cleared, t.misses, t.attempts, t.trace_parent, extract(epoch from booked - t.created_at)::float8,
        o.document::text, o.document_complete, o.provider_order_number, o.adopted
    from taken t left join lateral (
        select document, document_complete, provider_order_number, adopted from orders
        where id = t.order_id and cardinality(ids) <= few offset 0) o on true
    order by t.position;
end
$$;

-- Closes an exchange if its lease still holds, the fence; keeps what was sent and received; locks the orders, so that
-- nothing is queued behind a submission while it ends; and brings submissions and their attempts up to date. An answer closes
-- the account's circuit. No row when it was too late.
create function close_exchange(
    exchange_id      uuid,
    method           text,
    url              text,
    request_headers  jsonb,
    sent_after       float8,                            -- seconds after the claim
    answered_after   float8,
    response_status  integer,
    response_headers jsonb,
    error            text,
    -- What was sent and received
    directions       text[],
    contents         bytea[],
    sizes            bigint[],
    truncated        boolean[],
    -- The submissions, column by column
    ids              uuid[],
    order_ids        uuid[],
    states           text[],
    due_in           float8[],                          -- seconds
    after_lease      boolean[],
    not_counted      integer[],
    may_exist        boolean[],
    numbers          text[],
    finished         boolean[],
    cleared          boolean[],
    misses           integer[],
    alone            boolean[],
    trip_ids         uuid[],
    account_id       text,
    reached          boolean
) returns table (
    closed_at     timestamptz,
    ended_circuit boolean
) language plpgsql volatile set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_column
declare
    closed record;
begin
    update exchanges e set finished_at = onelane_now(), method = close_exchange.method, url = close_exchange.url,
        request_headers = close_exchange.request_headers, sent_at = e.claimed_at + make_interval(secs => sent_after),
        answered_at = e.claimed_at + make_interval(secs => answered_after), response_status = close_exchange.response_status,
        response_headers = close_exchange.response_headers, error = close_exchange.error
    where e.id = close_exchange.exchange_id and e.finished_at is null and e.lease_until > onelane_now()
    returning e.finished_at as at, e.lease_until into closed;
    if not found then
        return;
    end if;
    if cardinality(directions) > 0 then
        insert into exchange_bodies (exchange_id, direction, content, size, truncated, recorded_at)
        select close_exchange.exchange_id, b.direction, b.content, b.size, b.truncated, closed.at
        from unnest(directions, contents, sizes, truncated) as b (direction, content, size, truncated);
    end if;

    perform from orders
    where id = any(order_ids || array(select order_id from trip_orders where trip_id = any(trip_ids)))
    order by id for update;
    with settled as (
        update submissions s set state = u.state, ready = u.due_in is not null,
            due_at = case when u.due_in is null or (u.due_in = 0 and not u.after_lease) then s.due_at
                when u.after_lease then greatest(closed.at + make_interval(secs => u.due_in), closed.lease_until)
                else closed.at + make_interval(secs => u.due_in) end,
            attempts = s.attempts - u.not_counted, may_exist = s.may_exist or u.may_exist, cleared = u.cleared, misses = u.misses,
            batch_key = case when u.alone then s.id::text else s.batch_key end,
            provider_order_number = coalesce(u.number, s.provider_order_number),
            updated_at = closed.at, finished_at = case when u.finished then closed.at end
        from unnest(ids, states, due_in, after_lease, not_counted, close_exchange.may_exist, numbers, finished,
                close_exchange.cleared, close_exchange.misses, alone)
            as u (id, state, due_in, after_lease, not_counted, may_exist, number, finished, cleared, misses, alone)
        where s.id = u.id and s.exchange_id = close_exchange.exchange_id and s.state = 'sending'
        returning s.id, s.state, s.exchanges)
    update attempts t set outcome = settled.state from settled
    where t.submission_id = settled.id and t.number = settled.exchanges;

    closed_at := closed.at;
    ended_circuit := false;
    if reached then
        update accounts set transport_failures = 0, circuit_open_until = null
        where id = close_exchange.account_id and (transport_failures > 0 or circuit_open_until is not null);
        ended_circuit := found;
    end if;
    return next;
end
$$;

-- Records what came of submissions whose own rows are up to date already, and whose orders are locked: the orders' status,
-- number and document; the results, in the place of those of earlier answers, while notices of the translation stay; one
-- event for each submission that came to an end or into doubt, and one for what happened to its order; what waits next for
-- an order may go; and callbacks that waited for its number are looked at. Whether something may go that waited.
create function record_outcomes(
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
        select u.*, o.account_id, o.order_number, o.status as status_before,
            case when u.may_stand_at ? o.status then u.told_status else o.status end as status,
            coalesce(u.told_number, o.provider_order_number) as number
        from unnest(submission_ids, order_ids, operations, states, told_statuses, may_stand_at, told_numbers, documents, touch_orders,
                are_taken, are_whole, are_changed, event_ids, events, order_event_ids, order_events)
            as u (submission_id, order_id, operation, state, told_status, may_stand_at, told_number, document, touches_order,
                is_taken, is_whole, is_changed, event_id, event, order_event_id, order_event)
        cross join lateral (
            select account_id, order_number, status, provider_order_number from orders where id = u.order_id offset 0) o),
    moved as (
        update orders o set status = i.status, provider_order_number = i.number, document = coalesce(i.document, o.document),
            document_complete = o.document_complete or i.is_whole, placed = o.placed or i.is_taken,
            version = o.version + case when i.is_changed
                or (o.status, o.provider_order_number) is distinct from (i.status, i.number) then 1 else 0 end,
            updated_at = record_outcomes.at
        from item i where o.id = i.order_id and o.id = any(order_ids) and i.touches_order)
    insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
    select e.id, e.type, i.account_id, i.order_id, i.submission_id,
        jsonb_strip_nulls(jsonb_build_object('orderNumber', i.order_number, 'providerOrderNumber', i.number,
            'operation', i.operation, 'state', i.state, 'status', i.status)), record_outcomes.at, (select onelane_now())
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
            array(select jsonb_array_elements_text(u.pointers)), u.message_zh, u.message_en, false, record_outcomes.at
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
