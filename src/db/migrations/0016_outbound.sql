-- What tenants are told: events, their endpoints, and the deliveries between them.

-- An endpoint takes the events of one mode, or of both where livemode is null. Secrets are sealed with SECRET_KEY.
create table webhook_endpoints (
  tenant_id              text collate "C" not null references tenants (id),
  id                     text collate "C" not null,
  livemode               boolean,
  -- The one that the single-endpoint view shows: made with the tenant, without a url.
  first                  boolean not null default false,
  url                    text,
  description            text,
  enabled_events         text[] not null default '{*}',
  ordering               text not null default 'none' check (ordering in ('none', 'per_object')),
  status                 text not null default 'enabled' check (status in ('enabled', 'disabled')),
  -- by_tenant: a person or key did it · gone: the receiver answered 410 · failing: nothing was delivered for days
  disabled_reason        text check (disabled_reason in ('by_tenant', 'gone', 'failing')),
  disabled_at            timestamptz,
  -- Since when every attempt has failed; null: the last one was answered 2xx, or there was none.
  failing_since          timestamptz,
  secret_sealed          text not null,
  previous_secret_sealed text,
  previous_secret_until  timestamptz,
  -- An ed25519 private key, where the tenant has asked for v1a signatures.
  ed25519_sealed         text,
  created_at             timestamptz not null default now(),
  updated_at             timestamptz not null default now(),
  primary key (tenant_id, id),
  check ((status = 'disabled') = (disabled_reason is not null))
);
create unique index webhook_endpoints_first on webhook_endpoints (tenant_id) where first;
select isolate_table('webhook_endpoints', 'select, insert, update, delete');

-- The tenants that are there get theirs, with the secret that they were given at registration.
insert into webhook_endpoints (tenant_id, id, first, secret_sealed)
select id, 'whe_0' || substr(md5(id || clock_timestamp()::text || random()::text), 1, 25), true, webhook_secret_sealed
from tenants where webhook_secret_sealed is not null;

-- What happened in a tenant's billing, as it is told: never changed after its insert.
create table events (
  tenant_id      text collate "C" not null,
  livemode       boolean not null,
  id             text collate "C" not null,
  type           text collate "C" not null,
  -- When it happened; created_at is when we knew.
  created        timestamptz not null,
  created_at     timestamptz not null default now(),
  api_version    text not null,
  stripe_account text collate "C" not null default '',
  object_type    text collate "C" not null,
  object_id      text collate "C",
  -- JSON: the body's data.object.
  object         text not null,
  primary key (tenant_id, livemode, id)
);
create index events_type on events (tenant_id, livemode, type, id desc);
create index events_object on events (tenant_id, livemode, object_id, id desc) where object_id is not null;
create index events_created_at on events (created_at);
select isolate_table('events', 'select, insert');
-- The event that told of a fact; null where it was not told.
alter table facts add column event_id text collate "C";

-- One event for one endpoint. Its id follows from both.
create table deliveries (
  tenant_id        text collate "C" not null,
  livemode         boolean not null,
  id               text collate "C" not null,
  endpoint_id      text collate "C" not null,
  event_id         text collate "C" not null,
  status           text not null default 'pending' check (status in ('pending', 'delivered', 'failed', 'canceled')),
  -- Of all rounds; attempts_before are those before a retry, a resend or a recovery began the present one.
  attempts         smallint not null default 0,
  attempts_before  smallint not null default 0,
  created_at       timestamptz not null default now(),
  last_attempt_at  timestamptz,
  last_status_code smallint,
  last_error       text,
  ended_at         timestamptz,
  primary key (tenant_id, livemode, id),
  unique (tenant_id, livemode, endpoint_id, event_id)
);
create index deliveries_event on deliveries (tenant_id, livemode, event_id);
create index deliveries_status on deliveries (tenant_id, livemode, status, id desc);
create index deliveries_ended on deliveries (ended_at) where ended_at is not null;
select isolate_table('deliveries', 'select, insert, update');

-- What is to be delivered: narrow, because every attempt writes it. next_attempt_at is also the end of a lease.
create table delivery_queue (
  endpoint_id     text collate "C" not null,
  delivery_id     text collate "C" not null,
  tenant_id       text collate "C" not null,
  livemode        boolean not null,
  event_id        text collate "C" not null,
  -- Where the endpoint wants order: of two with one key the older event goes first. Null: whenever.
  ordering_key    text collate "C",
  -- Of this round.
  attempts        smallint not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease           text,
  primary key (endpoint_id, delivery_id)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index delivery_queue_due on delivery_queue (endpoint_id, next_attempt_at);
create index delivery_queue_order on delivery_queue (endpoint_id, ordering_key, event_id) where ordering_key is not null;
select isolate_table('delivery_queue', 'select, insert, update');

-- Every exchange with a receiver.
create table delivery_attempts (
  tenant_id        text collate "C" not null,
  livemode         boolean not null,
  delivery_id      text collate "C" not null,
  id               text collate "C" not null,
  attempt          smallint not null,
  at               timestamptz not null,
  url              text not null,
  request_headers  jsonb not null,
  -- Null: there was no answer; error_code says why.
  status_code      smallint,
  latency_ms       integer not null,
  response_headers jsonb,
  -- At most 16 KiB.
  response_body    text,
  error_code       text,
  error            text,
  primary key (tenant_id, livemode, delivery_id, id)
);
create index delivery_attempts_at on delivery_attempts (at);
select isolate_table('delivery_attempts', 'select');

-- A tenant's wish to have what an endpoint missed delivered again, worked off in the background.
create table recoveries (
  tenant_id   text collate "C" not null,
  livemode    boolean not null,
  id          text collate "C" not null,
  endpoint_id text collate "C" not null,
  since       timestamptz not null,
  until       timestamptz not null,
  status      text not null default 'running' check (status in ('running', 'done', 'canceled')),
  -- Events in the range that the endpoint takes and has not had, counted when it began.
  total       bigint not null,
  queued      bigint not null default 0,
  per_second  integer not null,
  -- The last event that was looked at.
  cursor      text collate "C",
  lease       text,
  lease_until timestamptz,
  created_at  timestamptz not null default now(),
  ended_at    timestamptz,
  primary key (tenant_id, livemode, id)
);
create index recoveries_running on recoveries (created_at) where status = 'running';
create unique index recoveries_one on recoveries (tenant_id, livemode, endpoint_id) where status = 'running';
select isolate_table('recoveries', 'select, insert, update');
