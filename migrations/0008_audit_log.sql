-- Who administered what, and when: only ever added to.
create table audit_log (
    id           uuid primary key,                      -- version 7
    at           timestamptz not null,                  -- when it was committed
    actor        text not null check (actor in ('api_key', 'environment', 'command_line')), -- what kind of actor
    key_id       uuid,                                  -- the API key of an api_key
    actor_name   text not null,                         -- the name of the key, or which command
    action       text not null,                         -- e.g. account.update
    object       text not null,                         -- what was acted on: an id
    account_id   text,                                  -- the account that it concerns, if it concerns one
    details      jsonb not null,                        -- what was chosen, without any secret
    request_id   text,                                  -- x-request-id of the request
    check ((actor = 'api_key') = (key_id is not null))
);
create index audit_log_by_time on audit_log (at desc, id desc);
create index audit_log_by_account on audit_log (account_id, at desc, id desc) where account_id is not null;

create function refuse_to_change_the_audit_log() returns trigger language plpgsql as $$
begin
    raise exception 'the audit log is only ever added to';
end $$;
create trigger append_only before update or delete or truncate on audit_log
    for each statement execute function refuse_to_change_the_audit_log();

alter table api_keys add column last_used_at timestamptz; -- when it was used last, to the minute
