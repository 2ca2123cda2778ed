-- Callbacks: what providers tell on their own account, as it came, and what became of it.

alter table accounts
    add column callback_token      bytea,               -- last part of the account's callback path: sealed (AEAD, bound to the account id); null until it is first needed
    add column callback_token_key  text,                -- id of the master key that sealed it
    add column callback_token_hash bytea;               -- SHA-256 of it: what a call is compared with

-- Callbacks. Kept before anything else is done with them.
create table callbacks (
    id             uuid primary key,
    account_id     text not null,                       -- whose path was called; no foreign key: they outlive it
    provider       text not null,                       -- as the account's
    state          text not null check (state in ('received', 'processed', 'duplicate', 'waiting', 'quarantined', 'ignored')),
    headers        jsonb not null,                      -- as received, credentials masked: [[name, value], …]
    body           bytea,                               -- as received; zstd; null once it was dropped by age
    size           bigint not null,                     -- bytes of the body
    received_at    timestamptz not null,                -- when it was kept
    due_at         timestamptz,                         -- while it is received or waiting: when it is looked at again
    tries          integer not null default 0,          -- how often the processing of it was begun in the background
    processed_at   timestamptz,                         -- when it came into its state; null while it is received
    reason_code    text,                                -- why it is quarantined, ignored, waiting or a duplicate: stable code
    reason_en      text,                                -- the same in English
    reason_zh      text,                                -- the same in Chinese
    warnings       jsonb not null default '[]'          -- what is worth a look though it was taken: [{code, detail, detailZh}, …]
);
create index callbacks_newest_first on callbacks (received_at desc, id desc);
create index callbacks_by_account on callbacks (account_id, received_at desc, id desc);
create index callbacks_by_state on callbacks (state, received_at desc, id desc) where state <> 'processed';
-- What the background looks at: holds nothing that came to an end.
create index callbacks_due on callbacks (due_at) where due_at is not null;

-- Orders that a waiting callback names and the ledger does not know yet.
create table callback_waits (
    callback_id           uuid not null references callbacks (id),
    position              integer not null,             -- of the happening in the callback, from 0
    account_id            text not null,                -- as the callback's
    document_type         text,                         -- null where the provider does not tell the kinds apart
    order_number          text,                         -- the caller's number, where the callback names it
    provider_order_number text,                         -- the provider's number, where the callback names it
    primary key (callback_id, position)
);
create index callback_waits_by_order_number on callback_waits (account_id, order_number) where order_number is not null;
create index callback_waits_by_provider_order_number on callback_waits (account_id, provider_order_number)
    where provider_order_number is not null;

-- Happenings that were told in an event: each once.
create table happenings (
    account_id    text not null,
    dedupe_key    text not null,                        -- equal for what is the same happening, told again
    callback_id   uuid not null references callbacks (id), -- the callback that told it first, or last by a person's wish
    event_id      uuid not null,                        -- the event that tells it
    subject       text,                                 -- of a receipt of goods: what the receipts of one order have in common
    quantity      bigint,                               -- of a receipt: as the provider counts
    occurred_at   timestamptz not null,                 -- when it happened, as far as is known
    primary key (account_id, dedupe_key)
);
create index happenings_of_callback on happenings (callback_id);
create index happenings_of_subject on happenings (account_id, subject, occurred_at) where subject is not null;
