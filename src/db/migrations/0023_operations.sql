-- What the operator's upkeep remembers between runs: how far Stripe's events are known, and how far an import has come.

-- One Stripe account in one mode. Everything that happened from covered_since until covered_until is in the inbox.
create table catch_ups (
  livemode       boolean not null,
  stripe_account text collate "C" not null,
  covered_since  bigint,
  covered_until  bigint not null,
  -- The run that is going on, newest events first: cursor is the last event that was stored.
  window_since   bigint,
  window_until   bigint,
  cursor         text,
  -- What Stripe no longer had when we came to ask: only an import brings it.
  missed_since   bigint,
  missed_until   bigint,
  -- Of the run that is going on, or the last one.
  pages          bigint not null default 0,
  events         bigint not null default 0,
  new_events     bigint not null default 0,
  -- Those that could not be read, or were the other mode's.
  skipped        bigint not null default 0,
  failures       integer not null default 0,
  last_error     text,
  last_run_at    timestamptz,
  -- When its first page was asked for, and when somebody asked for a run: one that began earlier is not what was asked for.
  began_at       timestamptz,
  requested_at   timestamptz,
  next_run_at    timestamptz not null default now(),
  lease          text,
  lease_until    timestamptz,
  primary key (livemode, stripe_account)
);
create index catch_ups_due on catch_ups (next_run_at);

-- One kind of object of one account: what was imported last, and what is being imported.
create table imports (
  livemode       boolean not null,
  stripe_account text collate "C" not null,
  object_type    text collate "C" not null,
  -- Objects made from complete_since on are here as they were at complete_as_of; null: never imported to the end.
  complete_since bigint,
  complete_as_of bigint,
  -- Of the run that is going on; null: none is.
  running_since  bigint,
  running_as_of  bigint,
  objects        bigint not null default 0,
  pages          bigint not null default 0,
  last_error     text,
  updated_at     timestamptz not null default now(),
  primary key (livemode, stripe_account, object_type)
);

-- The parts of a run, by the second in which the objects were made: each is read by one worker at a time, newest first.
create table import_ranges (
  livemode       boolean not null,
  stripe_account text collate "C" not null,
  object_type    text collate "C" not null,
  range_since    bigint not null,
  -- Exclusive; null: until now.
  range_until    bigint,
  cursor         text,
  objects        bigint not null default 0,
  -- The second of the oldest object that was stored.
  reached        bigint,
  done           boolean not null default false,
  lease          text,
  lease_until    timestamptz,
  primary key (livemode, stripe_account, object_type, range_since),
  foreign key (livemode, stripe_account, object_type) references imports on delete cascade
);
