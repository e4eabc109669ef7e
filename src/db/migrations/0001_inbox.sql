-- The inbox: every observation as received, and the narrow queue of those that are not processed yet.

-- Wide and append-only. Only a greater API version of the same event id replaces a payload.
-- On a server it is partitioned by the event's own second, so that a late duplicate meets its first copy.
do $$
declare
  embedded constant boolean := current_setting('billhook.embedded', true) = 'on';
begin
  execute $table$
    create table stripe_events (
      created        bigint not null,
      id             text collate "C" not null,
      source         text not null check (source in ('webhook', 'pull')),
      type           text not null,
      livemode       boolean not null,
      stripe_account text collate "C" not null,
      api_version    text,
      object_type    text collate "C" not null,
      object_id      text collate "C",
      customer_id    text collate "C",
      email          text collate "C",
      tenant_id      text,
      received_at    timestamptz not null default now(),
      replaced_at    timestamptz,
      payload        text not null,
      primary key (created, id)
    )
  $table$ || case when embedded then '' else 'partition by range (created)' end;
  -- jsonb would cost half the rate and reject \u0000 and lone surrogates; lz4 keeps the text small where the server has it.
  if exists (select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)) and not embedded then
    execute 'alter table stripe_events alter column payload set compression lz4';
  else
    execute 'alter table stripe_events alter column payload set storage external';
  end if;
  -- Last: a partition takes the column's compression from its parent when it is made.
  if not embedded then
    execute 'create table stripe_events_default partition of stripe_events default';
  end if;
end $$;

create index stripe_events_id on stripe_events (id);
create index stripe_events_object on stripe_events (object_id, created) where object_id is not null;
create index stripe_events_customer on stripe_events (customer_id, created) where customer_id is not null;
create index stripe_events_email on stripe_events (email) where email is not null;
create index stripe_events_account on stripe_events (stripe_account, created) where stripe_account <> '';
create index stripe_events_untenanted on stripe_events (stripe_account, created) where stripe_account <> '' and tenant_id is null;

-- What is to be processed. next_attempt_at is also the end of a lease: a claim whose holder died falls due by itself.
create table stripe_event_queue (
  seq             bigint generated always as identity primary key,
  created         bigint not null,
  event_id        text collate "C" not null,
  object_key      text,
  refold          boolean not null default false,
  attempts        smallint not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease           text,
  queued_at       timestamptz not null default now(),
  unique (created, event_id)
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- How processing ended, where it did not simply succeed. An event with neither a queue row nor a row here is processed.
create table stripe_event_outcomes (
  created  bigint not null,
  event_id text collate "C" not null,
  status   text not null check (status in ('failed', 'ignored', 'unrouted')),
  stripe_account text not null default '',
  livemode boolean not null,
  at       timestamptz not null default now(),
  primary key (created, event_id)
);
create index stripe_event_outcomes_status on stripe_event_outcomes (status, created desc, event_id desc);

-- Attempts that did not succeed, with what went wrong. A first success leaves no row.
create table stripe_event_attempts (
  created  bigint not null,
  event_id text collate "C" not null,
  attempt  smallint not null,
  at       timestamptz not null default now(),
  error    text not null,
  primary key (created, event_id, attempt, at)
);

-- Objects to be fetched from Stripe: their order could not be decided, or a thin event named them.
create table stripe_fetches (
  livemode        boolean not null,
  stripe_account  text collate "C" not null,
  object_type     text collate "C" not null,
  object_id       text collate "C" not null,
  since           bigint not null,
  reason          text not null,
  attempts        smallint not null default 0,
  next_attempt_at timestamptz not null default now(),
  lease           text,
  last_error      text,
  primary key (livemode, stripe_account, object_type, object_id)
);
create index stripe_fetches_due on stripe_fetches (next_attempt_at);
