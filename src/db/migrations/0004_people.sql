-- People, their sessions and memberships, invitations, API keys, and the counters of rate limits.
--
-- Every table of a tenant carries tenant_id, and keys that other rows name carry it too, so that a row can never point into
-- another tenant. Secrets that are only ever compared are stored as SHA-256; a password as argon2id.

alter table tenants
  add column company_name          text not null default '',
  add column domain                text,
  -- AES-256-GCM under a key derived from SECRET_KEY: it signs what we send, so it must be read back.
  add column webhook_secret_sealed text,
  add column updated_at            timestamptz not null default now();
update tenants set company_name = 'Platform' where platform;

-- A person may belong to several tenants, or to none.
create table people (
  id                  text collate "C" primary key,
  email               text not null,
  name                text,
  password_hash       text not null,
  password_changed_at timestamptz not null default now(),
  email_verified_at   timestamptz,
  created_at          timestamptz not null default now(),
  updated_at          timestamptz not null default now()
);
create unique index people_email on people (lower(email));

create table memberships (
  tenant_id  text collate "C" not null references tenants (id),
  person_id  text collate "C" not null references people (id),
  role       text not null check (role in ('owner', 'admin', 'member')),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, person_id)
);
create index memberships_person on memberships (person_id);

-- Accepted only by the token that was mailed. Without an address: the platform's first operator, who is told by the log of the first start.
create table invitations (
  tenant_id   text collate "C" not null references tenants (id),
  id          text collate "C" not null,
  email       text,
  role        text not null check (role in ('owner', 'admin', 'member')),
  token_hash  bytea not null,
  invited_by  text collate "C" references people (id),
  created_at  timestamptz not null default now(),
  expires_at  timestamptz not null,
  accepted_at timestamptz,
  revoked_at  timestamptz,
  primary key (tenant_id, id)
);
create unique index invitations_token on invitations (token_hash);
create unique index invitations_open on invitations (tenant_id, lower(email)) where accepted_at is null and revoked_at is null;

-- One sign-in and all refresh tokens that came of it: a family. An ended session's access tokens stop at once.
create table sessions (
  id         text collate "C" primary key,
  person_id  text collate "C" not null references people (id),
  source     text,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at   timestamptz,
  end_reason text
);
create index sessions_person on sessions (person_id) where ended_at is null;
create index sessions_expired on sessions (expires_at);

create table refresh_tokens (
  token_hash bytea primary key,
  session_id text collate "C" not null references sessions (id) on delete cascade,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index refresh_tokens_session on refresh_tokens (session_id);

-- Mailed to a person: to verify an address, or to reset a password.
create table one_time_tokens (
  token_hash bytea primary key,
  purpose    text not null check (purpose in ('verify_address', 'reset_password')),
  person_id  text collate "C" not null references people (id),
  -- The address that it was sent to: an address that has changed since is not verified by it.
  email      text not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index one_time_tokens_person on one_time_tokens (person_id, purpose) where used_at is null;
create index one_time_tokens_expired on one_time_tokens (expires_at);

-- Two kinds in two modes. A public key is no secret and is kept whole; of a secret one, what a list shows.
create table api_keys (
  tenant_id      text collate "C" not null references tenants (id),
  id             text collate "C" not null,
  livemode       boolean not null,
  kind           text not null check (kind in ('public', 'secret')),
  hash           bytea not null,
  public_key     text,
  prefix         text not null,
  last4          text not null,
  created_at     timestamptz not null default now(),
  created_by     text collate "C",
  expires_at     timestamptz,
  revoked_at     timestamptz,
  revoked_reason text,
  last_used_at   timestamptz,
  primary key (tenant_id, id),
  check ((kind = 'public') = (public_key is not null))
);
create unique index api_keys_hash on api_keys (hash);
create unique index api_keys_id on api_keys (id);

-- Counters that all nodes share. Nothing is lost that matters when a crash empties them.
create unlogged table rate_limits (
  key     text collate "C" primary key,
  hits    bigint not null,
  ends_at timestamptz not null
);
create index rate_limits_ended on rate_limits (ends_at);
