-- Results and bodies are written by the statement that has just brought their submission or exchange up to date, and an API
-- key is never taken away: to look them up again for every row, and to lock the key, tells nothing. Who forgets exchanges
-- forgets their bodies with them.
alter table results drop constraint results_submission_id_fkey;
alter table exchange_bodies drop constraint exchange_bodies_exchange_id_fkey;
alter table idempotency_keys drop constraint idempotency_keys_api_key_id_fkey;
