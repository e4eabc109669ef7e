-- Plans; and what packs and plans share: the Stripe prices that they were ever sold at, and what is still to be told to Stripe.

alter table credit_packs
  -- The seller's own name for it: files and Stripe's metadata name it by this.
  add column key text collate "C",
  -- The request that made it: run again, it finds what it made.
  add column operation_id text collate "C";
create unique index credit_packs_key on credit_packs (tenant_id, livemode, key) where key is not null;
create unique index credit_packs_operation on credit_packs (tenant_id, livemode, operation_id) where operation_id is not null;

create table plans (
  tenant_id text collate "C" not null,
  livemode  boolean not null,
  id        text collate "C" not null,
  key       text collate "C",
  name      text not null,
  -- Minor units, for one period of one seat.
  amount    bigint not null check (amount >= 0),
  currency  text not null,
  billing_interval text not null check (billing_interval in ('day', 'week', 'month', 'year')),
  interval_count   smallint not null default 1 check (interval_count > 0),
  -- A list of texts.
  features   jsonb not null default '[]' check (jsonb_typeof(features) = 'array'),
  -- An account has one active subscription in a group.
  plan_group text not null default 'default',
  trial_days smallint check (trial_days > 0),
  stripe_product_id text collate "C",
  stripe_price_id   text collate "C",
  active       boolean not null default true,
  operation_id text collate "C",
  created_at   timestamptz not null default now(),
  updated_at   timestamptz not null default now(),
  primary key (tenant_id, livemode, id)
);
create unique index plans_key on plans (tenant_id, livemode, key) where key is not null;
create unique index plans_price on plans (tenant_id, livemode, stripe_price_id) where stripe_price_id is not null;
create unique index plans_operation on plans (tenant_id, livemode, operation_id) where operation_id is not null;

-- Every Stripe price that a pack or a plan is or was sold at, with its terms: a price never changes, and what was begun with an
-- old one is still resolved.
create table offer_prices (
  tenant_id         text collate "C" not null,
  livemode          boolean not null,
  -- '' for the platform's own account.
  stripe_account    text collate "C" not null,
  stripe_price_id   text collate "C" not null,
  stripe_product_id text collate "C" not null,
  offer_id          text collate "C" not null,
  credits           bigint,
  amount            bigint not null,
  currency          text not null,
  billing_interval  text,
  interval_count    smallint,
  created_at        timestamptz not null default now(),
  primary key (tenant_id, livemode, stripe_account, stripe_price_id)
);
create index offer_prices_offer on offer_prices (tenant_id, livemode, offer_id);

-- What Stripe is still to be told of a pack or a plan: `revision` counts its changes, `synced_revision` is the one that Stripe has.
create table offer_syncs (
  tenant_id       text collate "C" not null,
  livemode        boolean not null,
  offer_id        text collate "C" not null,
  -- Where its product and price are; null: nowhere yet.
  stripe_account  text collate "C",
  -- The product is for this offer alone, so that its name and its being active are ours to set.
  product_owned   boolean not null default true,
  revision        integer not null default 1,
  synced_revision integer not null default 0,
  synced_at       timestamptz,
  -- null: nobody goes on with it by itself.
  next_sync_at    timestamptz default now(),
  lease           text collate "C",
  attempts        integer not null default 0,
  error_code      text,
  error_message   text,
  primary key (tenant_id, livemode, offer_id),
  check (lease is null or next_sync_at is not null),
  check ((error_code is null) = (error_message is null))
) with (fillfactor = 60);
create index offer_syncs_due on offer_syncs (next_sync_at) where next_sync_at is not null;

select isolate_table('plans', 'select, insert, update');
select isolate_table('offer_prices', 'select');
select isolate_table('offer_syncs',
  'select, insert, update (revision, next_sync_at, attempts, error_code, error_message)');
