-- Connections of tenants to Stripe accounts: how each stands, the states of flows on their way, accounts that are being made.

-- After its end a connection stays: late events still belong to that tenant, until another one connects the account.
alter table connections
  add column status              text not null default 'pending'
    check (status in ('pending', 'active', 'restricted', 'disconnected')),
  add column method              text not null default 'oauth' check (method in ('account_link', 'oauth', 'express_oauth')),
  add column disconnected_at     timestamptz,
  add column disconnected_reason text
    check (disconnected_reason in ('deauthorized', 'account_deleted', 'disconnected', 'unlinked', 'replaced')),
  add constraint connections_ended check (
    (status = 'disconnected') = (disconnected_at is not null)
    and (disconnected_at is null) = (disconnected_reason is null));
create unique index connections_current on connections (tenant_id, livemode) where disconnected_at is null;
create index connections_tenant on connections (tenant_id, livemode);

-- One flow through Stripe's pages, by the hash of the state that comes back from there. Works once.
create table connect_states (
  tenant_id      text collate "C" not null references tenants (id),
  state_hash     bytea not null,
  person_id      text collate "C" not null,
  livemode       boolean not null,
  method         text not null,
  -- Of an account link: the account that it is for. OAuth says it at the end.
  stripe_account text collate "C",
  redirect_uri   text not null,
  return_url     text,
  created_at     timestamptz not null default now(),
  expires_at     timestamptz not null,
  used_at        timestamptz,
  primary key (tenant_id, state_hash)
);
create unique index connect_states_hash on connect_states (state_hash);
create index connect_states_expired on connect_states (expires_at);
select isolate_table('connect_states',
  'select (tenant_id, person_id, livemode, method, stripe_account, redirect_uri, return_url, created_at, expires_at, used_at), insert');

-- An account that Stripe is asked to make: the key under which asking again makes no second one. Goes when it is recorded.
create table account_creations (
  tenant_id  text collate "C" not null references tenants (id),
  livemode   boolean not null,
  key        text not null,
  country    text,
  started_at timestamptz not null default now(),
  primary key (tenant_id, livemode)
);
select isolate_table('account_creations', 'select, insert, update, delete');
