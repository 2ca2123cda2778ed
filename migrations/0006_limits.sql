-- Limits: how often a key may call, and how much may wait for an account.

alter table api_keys
    add column requests_per_second integer check (requests_per_second > 0), -- in the long run, of each replica; null: as configured
    add column burst               integer check (burst > 0);               -- requests at once after a rest; null: as many as in a second

alter table accounts
    add column queue_limit integer check (queue_limit > 0); -- submissions that may wait before no more are accepted; null: as configured
