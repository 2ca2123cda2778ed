comment on column submissions.misses is 'questions in a row at which the provider did not have it; below zero when the last answer was unclear';

-- Where the request of an administrative act came from.
alter table audit_log add column address text; -- IP address, as far as trusted proxies say it; null for what no request did
