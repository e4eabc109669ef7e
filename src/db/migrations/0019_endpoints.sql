-- Endpoints: several old secrets at once, and recoveries that keep to their rate.

-- Their secrets are the endpoints' own since 0016, which has copied this one. Request code reads them sealed, in its own
-- tenant's rows, to show how one ends, to rotate it and to sign a test.
alter table tenants drop column webhook_secret_sealed;

-- The worker asks for endpoints of many tenants at once.
create unique index webhook_endpoints_id on webhook_endpoints (id);

-- Replaced secrets that still sign, the newest first: [{"sealed": "…", "until": "2026-01-31T00:00:00.000Z"}]. With one
-- place only, a secret replaced twice in a day would stop at once for whoever has not heard of either.
alter table webhook_endpoints
  drop column previous_secret_sealed,
  drop column previous_secret_until,
  add column previous_secrets jsonb not null default '[]',
  -- Of the attempts since failing_since, to the hour: two failures with days of silence between them are not days of failing.
  add column last_failed_at timestamptz;

-- A unit of a recovery is one transaction, which locks its row: it needs no lease. When the next one may begin says the rate.
drop index recoveries_running;
alter table recoveries
  drop column lease,
  drop column lease_until,
  add column next_at timestamptz not null default now();
create index recoveries_due on recoveries (next_at) where status = 'running';
create index recoveries_id on recoveries (id);

-- Shown as they were, and never searched: no tree is made of each.
alter table delivery_attempts alter column request_headers type json, alter column response_headers type json;

-- How many ended within an hour is counted by the index alone.
drop index deliveries_ended;
create index deliveries_ended on deliveries (ended_at) include (status) where ended_at is not null;

-- How long a delivery has waited: since its event, or since it was asked for again.
alter table delivery_queue add column queued_at timestamptz not null default now();
create index delivery_queue_queued on delivery_queue (endpoint_id, queued_at);
