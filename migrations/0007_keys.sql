-- The secret of an account's callback path can be changed: the one before is taken for a while.

alter table accounts
    add column previous_callback_token_hash  bytea,       -- SHA-256 of the secret before; tells by whom the old path is still called
    add column previous_callback_token_until timestamptz; -- a call with it is taken until then
