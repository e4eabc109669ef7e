-- Answers kept for Idempotency-Key, and the claims of requests that are about to give one.
--
-- A caller may have no tenant (a person on its own account, the operator), and a claim is made before the operation has
-- entered any tenant's scope: only the owner writes here. Request code sees no more than that a row is its tenant's.
create table kept_answers (
  -- Who asked, in which tenant and mode; another caller's key is another key.
  caller           text collate "C" not null,
  -- 'POST /accounts/invoices/'
  route            text collate "C" not null,
  key_hash         bytea not null,
  tenant_id        text collate "C",
  -- Of method, path, query and body: the same key with another one is refused.
  request_hash     bytea not null,
  -- Stands for the operation: the request that claimed the key first, also when a later one runs it again.
  first_request_id text collate "C" not null,
  -- The request that runs it now, or ran it. A claim whose process died ends by itself.
  lease            text collate "C" not null,
  leased_until     timestamptz not null,
  status           smallint,
  -- Sealed: an answer may hold secrets.
  answer           text,
  expires_at       timestamptz not null,
  primary key (caller, route, key_hash),
  check ((status is null) = (answer is null))
);
create index kept_answers_expired on kept_answers (expires_at);
select isolate_table('kept_answers', 'select (tenant_id)');
