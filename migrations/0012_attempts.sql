-- Attempts are written by the statement that makes their exchange and takes their submission, and are updated once.

-- To look both up again for each of them took most of the time of a claim. Retention takes attempts away first.
alter table attempts
    drop constraint attempts_submission_id_fkey,
    drop constraint attempts_exchange_id_fkey;
-- What came of an attempt is written beside it.
alter table attempts set (fillfactor = 60);
