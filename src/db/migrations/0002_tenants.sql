-- Who owns what. The platform is the first tenant; connected accounts belong to tenants.
create table tenants (
  id         text primary key,
  platform   boolean not null default false,
  created_at timestamptz not null default now()
);
create unique index tenants_one_platform on tenants (platform) where platform;

-- A tenant and its Stripe account, in one mode. Events of accounts that are not here stay unrouted.
create table connections (
  livemode       boolean not null,
  stripe_account text collate "C" not null,
  tenant_id      text not null references tenants (id),
  connected_at   timestamptz not null default now(),
  primary key (livemode, stripe_account)
);

-- What happened, each thing once, whatever the order of arrival.
create table facts (
  tenant_id      text collate "C" not null,
  livemode       boolean not null,
  type           text not null,
  natural_key    text collate "C" not null,
  stripe_account text collate "C" not null,
  object_type    text collate "C" not null,
  object_id      text collate "C",
  occurred_at    timestamptz not null,
  observation_id text collate "C" not null,
  created_at     timestamptz not null default now(),
  primary key (tenant_id, livemode, type, natural_key)
);
create index facts_object on facts (object_id) where object_id is not null;
