-- Mails as rows with their narrow queue, and the audit log.

-- One mail per cause. `fields` fill the template and may hold a one-time link: they are emptied when the mail has ended,
-- and stay only in a kept mail, which nobody but its reader here will see.
create table mails (
  id         text collate "C" primary key,
  tenant_id  text collate "C",
  cause      text collate "C" not null unique,
  template   text not null,
  recipient  text not null,
  fields     jsonb,
  status     text not null default 'queued' check (status in ('queued', 'sent', 'failed', 'dropped', 'kept')),
  created_at timestamptz not null default now(),
  ended_at   timestamptz
);
create index mails_status on mails (status, id desc);
create index mails_tenant on mails (tenant_id, id desc);
create index mails_ended on mails (ended_at) where ended_at is not null;

-- What is to be sent. next_attempt_at is also the end of a lease: a claim whose holder died falls due by itself.
create table mail_queue (
  mail_id         text collate "C" primary key references mails (id),
  attempts        smallint not null default 0,
  next_attempt_at timestamptz not null default now(),
  late_at         timestamptz not null,
  lease           text
) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
create index mail_queue_due on mail_queue (next_attempt_at);

-- Every attempt, written before it starts. One without an outcome ended with its process, and may have reached the server.
create table mail_attempts (
  mail_id text collate "C" not null references mails (id) on delete cascade,
  attempt smallint not null,
  at      timestamptz not null default now(),
  outcome text check (outcome in ('sent', 'refused', 'retry')),
  answer  text,
  primary key (mail_id, attempt)
);

-- Who did what, from where. tenant_id is null for an act that belongs to no tenant.
create table audit_log (
  id         text collate "C" primary key,
  tenant_id  text collate "C",
  at         timestamptz not null default now(),
  actor_kind text not null check (actor_kind in ('person', 'key', 'operator', 'system')),
  actor_id   text collate "C",
  action     text not null,
  target     text,
  source     text,
  before     jsonb,
  after      jsonb
);
create index audit_log_tenant on audit_log (tenant_id, id desc);

-- A trigger and not a right that is taken away: the owner and a superuser are bound too, and embedded there is no one else.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit_log is append-only: % is refused', lower(tg_op) using errcode = 'restrict_violation';
end $$;
create trigger audit_log_append_only before update or delete on audit_log
  for each row execute function refuse_audit_change();
create trigger audit_log_never_emptied before truncate on audit_log
  for each statement execute function refuse_audit_change();
