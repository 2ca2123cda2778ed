-- For an order that comes alone and whose caller waits: what would take four questions takes two. The functions of the
-- migration before do what these do for many at once, and whatever is out of the ordinary.

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
    lease               float8                          -- and how long the order belongs to who claims it
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
    insert into orders (id, account_id, provider, document_type, order_number, document, status, created_at, updated_at)
    values (order_id, account_id, provider, document_type, order_number, document::jsonb, 'pending', now, now)
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

-- Settles the exchange of one creation that the provider took, as close_exchange and record_outcomes would, behind the same
-- fence; they are told of what happened where the order does not stand where its creation left it, or callbacks wait. No row
-- when it was too late.
create function settle_creation(
    exchange_id        uuid,
    method             text,
    url                text,
    request_headers    jsonb,
    sent_after         float8,                          -- seconds after the claim
    answered_after     float8,
    response_status    integer,
    response_headers   jsonb,
    error              text,
    -- What was sent and received
    request            bytea,
    request_size       bigint,
    request_truncated  boolean,
    response           bytea,
    response_size      bigint,
    response_truncated boolean,
    -- The submission
    submission_id      uuid,
    order_id           uuid,
    account_id         text,
    state              text,
    may_exist          boolean,
    cleared            boolean,
    misses             integer,
    told_status        text,
    may_stand_at       text[],                          -- where the order may stand for the status to count
    told_number        text,
    event_id           uuid,
    event              text,
    order_event_id     uuid,
    order_event        text,
    -- Its results
    providers          text[],
    scopes             text[],
    raw_codes          text[],
    raw_messages       text[],
    codes              text[],
    severities         text[],
    retryable          boolean[],
    pointers           jsonb[],
    messages_zh        text[],
    messages_en        text[],
    told_once          text[]                           -- types of events that tell of an order what happens once
) returns table (
    closed_at     timestamptz,
    ended_circuit boolean,
    lets_go       boolean,                              -- something that waited
    status        text,                                 -- these are the order's from now on, where nothing is out of the ordinary
    number        text,                                 -- the provider's
    version       bigint
) language plpgsql volatile set enable_seqscan = off set plan_cache_mode = force_generic_plan as $$
#variable_conflict use_variable
declare
    now    timestamptz := onelane_now();
    locked timestamptz;                                 -- what is told of the order stands behind what was told until then
    before record;
    told   jsonb;
begin
    update exchanges e set finished_at = now, method = settle_creation.method, url = settle_creation.url,
        request_headers = settle_creation.request_headers, sent_at = e.claimed_at + make_interval(secs => sent_after),
        answered_at = e.claimed_at + make_interval(secs => answered_after), response_status = settle_creation.response_status,
        response_headers = settle_creation.response_headers, error = settle_creation.error
    where e.id = exchange_id and e.finished_at is null and e.lease_until > now;
    if not found then
        return;
    end if;
    insert into exchange_bodies (exchange_id, direction, content, size, truncated, recorded_at)
    values (exchange_id, 'request', request, request_size, request_truncated, now),
        (exchange_id, 'response', response, response_size, response_truncated, now);

    select o.account_id, o.order_number, o.status, o.provider_order_number into before from orders o where o.id = order_id for update;
    locked := onelane_now();
    update attempts t set outcome = settle_creation.state
    where t.submission_id = settle_creation.submission_id and t.number = (
        select s.exchanges from submissions s
        where s.id = settle_creation.submission_id and s.exchange_id = settle_creation.exchange_id and s.state = 'sending');
    update submissions s set state = settle_creation.state, ready = false, may_exist = s.may_exist or settle_creation.may_exist,
        cleared = settle_creation.cleared, misses = settle_creation.misses,
        provider_order_number = coalesce(told_number, s.provider_order_number), updated_at = now, finished_at = now
    where s.id = settle_creation.submission_id and s.exchange_id = settle_creation.exchange_id and s.state = 'sending';
    update accounts a set transport_failures = 0, circuit_open_until = null
    where a.id = settle_creation.account_id and (a.transport_failures > 0 or a.circuit_open_until is not null);
    closed_at := now;
    ended_circuit := found;

    if before.status <> 'pending' or exists (select from callback_waits) then
        lets_go := record_outcomes(array[submission_id], array[order_id], array['create'], array[state], array[told_status],
            array[to_jsonb(may_stand_at)], array[told_number], array[null::jsonb], array[true], array[true], array[true], array[false],
            array[event_id], array[event], array[order_event_id], array[order_event], array[true],
            array_fill(submission_id, array[cardinality(codes)]), providers, scopes, raw_codes, raw_messages, codes, severities,
            retryable, pointers, messages_zh, messages_en, told_once, now);
        return next;
        return;
    end if;

    status := case when before.status = any(may_stand_at) then told_status else before.status end;
    number := coalesce(told_number, before.provider_order_number);
    update orders o set status = settle_creation.status, provider_order_number = number, document_complete = true, placed = true,
        version = o.version + case when (o.status, o.provider_order_number) is distinct from (settle_creation.status, number) then 1 else 0 end,
        updated_at = now
    where o.id = order_id
    returning o.version into version;
    told := jsonb_strip_nulls(jsonb_build_object('orderNumber', before.order_number, 'providerOrderNumber', number,
        'operation', 'create', 'state', state, 'status', status));
    insert into events (id, type, account_id, order_id, submission_id, data, occurred_at, recorded_at)
    select e.id, e.type, before.account_id, order_id, submission_id, told, now, locked
    from (values (event_id, event), (order_event_id, order_event)) as e (id, type) where e.type is not null;

    delete from results r where r.submission_id = settle_creation.submission_id and not r.notice;
    for i in 1 .. cardinality(codes) loop
        insert into results (submission_id, provider, scope, raw_code, raw_message, code, severity, retryable, pointers,
            message_zh, message_en, notice, recorded_at)
        values (submission_id, providers[i], scopes[i], raw_codes[i], raw_messages[i], codes[i], severities[i], retryable[i],
            array(select jsonb_array_elements_text(pointers[i])), messages_zh[i], messages_en[i], false, now);
    end loop;
    -- Against a single row, so that the index gives the next one and no more is read.
    update submissions s set ready = true
    where s.id = (
            select w.id from submissions w
            where w.order_id = settle_creation.order_id and w.finished_at is null order by w.sequence limit 1)
      and not s.ready and s.state = 'queued';
    lets_go := found;
    return next;
end
$$;
