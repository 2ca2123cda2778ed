-- Where the request of an administrative act came from.
alter table audit_log add column address text; -- IP address, as far as trusted proxies say it; null for what no request did
