-- Isolation: request code works in a role that owns nothing, and the database shows it one tenant's rows only.
--
-- billhook_tenant has no login. src/db/tenant-scope.ts takes it for one transaction, and names the tenant in the setting
-- billhook.tenant; without that setting nothing is visible. The owner of the tables (the pipe, workers, the operator) passes
-- by a policy of its own: FORCE binds it too, so that a table whose policies were forgotten shows nothing to anyone.
-- A later migration calls isolate_table() for each table that it makes with a tenant_id.

do $$
begin
  if not exists (select from pg_roles where rolname = 'billhook_tenant') then
    create role billhook_tenant nologin noinherit;
  end if;
exception
  -- Roles belong to the whole server: another database's migration was faster.
  when duplicate_object or unique_violation then null;
  when insufficient_privilege then
    raise exception using errcode = 'insufficient_privilege', message = format(
      'The database role %1$I may not create the role billhook_tenant. Let an administrator of the server run: '
      'create role billhook_tenant nologin noinherit; grant billhook_tenant to %1$I with admin option; and start again.',
      current_user);
end $$;

-- May the owner take the role? Where the API has a login of its own it need not; where it has none, it must.
do $$
begin
  if current_setting('server_version_num')::int < 160000 then
    if not pg_has_role(current_user, 'billhook_tenant', 'MEMBER') then
      execute format('grant billhook_tenant to %I', current_user);
    end if;
  elsif not pg_has_role(current_user, 'billhook_tenant', 'SET') then
    execute format('grant billhook_tenant to %I with inherit false, set true', current_user);
  end if;
exception when insufficient_privilege then
  raise notice 'the role % may not take the role billhook_tenant: the API needs a login of its own', current_user;
end $$;

do $$
begin
  if not has_schema_privilege('billhook_tenant', current_schema(), 'USAGE') then
    execute format('grant usage on schema %I to billhook_tenant', current_schema());
  end if;
end $$;

-- Binds a table to its tenant. `grants`: what request code may do, such as 'select, update (name)'; by default nothing.
-- `owned`: which rows are a tenant's. Called again, it replaces what was.
create function isolate_table(
  of_tenants regclass,
  grants text default '',
  owned text default $sql$tenant_id = current_setting('billhook.tenant', true)$sql$
) returns void language plpgsql as $$
declare
  table_owner constant name := (select pg_get_userbyid(relowner) from pg_class where oid = of_tenants);
begin
  execute format('alter table %s enable row level security', of_tenants);
  execute format('alter table %s force row level security', of_tenants);
  execute format('drop policy if exists of_tenant on %s', of_tenants);
  execute format('create policy of_tenant on %s to billhook_tenant using (%s) with check (%2$s)', of_tenants, owned);
  execute format('drop policy if exists of_owner on %s', of_tenants);
  execute format('create policy of_owner on %s to %I using (true) with check (true)', of_tenants, table_owner);
  execute format('revoke all on %s from public, billhook_tenant', of_tenants);
  if grants <> '' then
    execute format('grant %s on %s to billhook_tenant', grants, of_tenants);
  end if;
end $$;
revoke execute on function isolate_table(regclass, text, text) from public;

-- What Stripe told us is written by the pipe alone.
do $$
declare
  projection regclass;
begin
  for projection in
    select class.oid::regclass from pg_class as class
    join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attname = 'head_event_id'
    where class.relkind = 'r' and class.relnamespace = current_schema()::regnamespace order by class.relname
  loop
    perform isolate_table(projection, 'select');
  end loop;
end $$;
select isolate_table('subscription_items', 'select');
select isolate_table('stripe_events', 'select');
select isolate_table('facts', 'select');
select isolate_table('connections', 'select');

-- People and keys. Nothing that is compared (a hash) and nothing that is sealed can be read.
select isolate_table('tenants',
  'select (id, platform, company_name, domain, created_at, updated_at), update (company_name, domain, webhook_secret_sealed, updated_at)',
  $sql$id = current_setting('billhook.tenant', true)$sql$);
select isolate_table('memberships', 'select, insert, update, delete');
select isolate_table('people', 'select (id, email, name, email_verified_at, created_at)', $sql$exists (
  select from memberships as membership
  where membership.person_id = people.id and membership.tenant_id = current_setting('billhook.tenant', true))$sql$);
select isolate_table('invitations',
  'select (tenant_id, id, email, role, invited_by, created_at, expires_at, accepted_at, revoked_at), insert, update');
select isolate_table('api_keys', 'select (tenant_id, id, livemode, kind, public_key, prefix, last4, created_at, created_by, '
  'expires_at, revoked_at, revoked_reason, last_used_at), insert, update');

-- Written along with what request code does. A mail may hold a one-time link, so that only its identity can be read.
-- mail_queue has no tenant of its own, and its rows cannot be read: inserting is all that queueing needs.
select isolate_table('audit_log', 'select, insert');
select isolate_table('mails', 'select (id, tenant_id, cause), insert');
grant insert (mail_id, late_at) on mail_queue to billhook_tenant;
