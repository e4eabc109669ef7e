-- Who may ask for the status of which Stripe object; what is read from Stripe while somebody waits for it; how fast we may ask.

-- Written when Stripe has told us the id. `account_id` null: only who has the status_url may ask.
create table status_grants (
  tenant_id      text collate "C" not null references tenants (id),
  object_id      text collate "C" not null,
  livemode       boolean not null,
  -- '' for the platform's own account.
  stripe_account text collate "C" not null,
  account_id     text collate "C",
  created_at     timestamptz not null default now(),
  primary key (tenant_id, object_id, livemode, stripe_account)
);
create index status_grants_object on status_grants (object_id);
select isolate_table('status_grants', 'select, insert, update (account_id)');

-- Objects that somebody waits for: Stripe is asked when no event has come in time. Of the nodes one asks, by its lease.
-- A row goes when nobody waits any more.
create table status_pulls (
  livemode       boolean not null,
  stripe_account text collate "C" not null,
  object_type    text not null,
  object_id      text collate "C" not null,
  due_at         timestamptz not null,
  wanted_until   timestamptz not null,
  asked_at       timestamptz,
  attempts       integer not null default 0,
  lease          text,
  leased_until   timestamptz,
  primary key (livemode, stripe_account, object_type, object_id)
) with (fillfactor = 60);
create index status_pulls_due on status_pulls (due_at);
create index status_pulls_wanted on status_pulls (wanted_until);

-- Token buckets that all nodes share: `tokens` as they were at `filled_at`; `granted` is what the last one who came was given.
create table token_buckets (
  key       text collate "C" primary key,
  rate      double precision not null,
  burst     double precision not null,
  tokens    double precision not null,
  granted   double precision not null,
  filled_at timestamptz not null
) with (fillfactor = 50);
create index token_buckets_filled on token_buckets (filled_at);
