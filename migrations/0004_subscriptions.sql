-- What the gateway does by itself to hear of its orders: subscriptions at providers, and questions now and then.

-- Subscriptions: what a provider was asked to call an account about.
create table subscriptions (
    account_id        text not null references accounts (id) on delete cascade,
    topic             text not null,                    -- family of callbacks, as the API names it
    states            text[] not null,                  -- by the provider's words; empty means all
    callback_url      bytea not null,                   -- where it was to call: sealed (AEAD, bound to the account id), since its path is a secret
    callback_url_key  text not null,                    -- id of the master key that sealed it
    callback_url_hash bytea not null,                   -- SHA-256 of it: tells whether the account is called elsewhere now
    automatic         boolean not null,                 -- made by the gateway for the account's publicCallbackUrl, not by a caller
    wanted            boolean not null,                 -- false once a caller ended it: the gateway does not make it again
    subscribed_at     timestamptz,                      -- when the provider agreed last; null until it did
    due_at            timestamptz not null,             -- while the provider did not agree: when it is asked again
    error             text,                             -- why it did not agree, for people
    primary key (account_id, topic)
);

-- Orders that may have gone on without a callback.
alter table orders add column polled_at timestamptz;    -- when the gateway last asked the provider by itself
create index orders_to_poll on orders (provider, coalesce(polled_at, created_at))
    where placed and status in ('draft', 'requested', 'confirmed', 'in_transit', 'unknown');
