-- no-transaction
-- Results and bodies are written by the statement that has just brought their submission or exchange up to date, and an API
-- key is never taken away: to look them up again for every row, and to lock the key, tells nothing. Who forgets exchanges
-- forgets their bodies with them.
--
-- Each in a transaction of its own, which takes its locks in the order of those who write.

begin;
lock table submissions, results in access exclusive mode;
alter table results drop constraint if exists results_submission_id_fkey;
commit;
begin;
lock table exchanges, exchange_bodies in access exclusive mode;
alter table exchange_bodies drop constraint if exists exchange_bodies_exchange_id_fkey;
commit;
begin;
lock table api_keys, idempotency_keys in access exclusive mode;
alter table idempotency_keys drop constraint if exists idempotency_keys_api_key_id_fkey;
commit;
