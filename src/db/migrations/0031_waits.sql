-- Beside how many events came by minute and day: how deliveries to tenants ended, and how long events waited at most, as processes
-- that looked every few seconds have seen. Null: none looked.
alter table activity_counts
  add column delivered bigint not null default 0,
  add column given_up  bigint not null default 0,
  add column lag_ms    bigint,
  add column oldest_ms bigint;
