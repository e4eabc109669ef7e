-- What tenants are told, and each attempt to tell it, by month on a server: what is old goes with its table, and no row is
-- deleted by itself. Embedded both stay as they are.
--
-- They are cut by their ids, which begin with the time: the key stays what it was, a look-up by id meets one partition, and
-- a list by id reads them one behind the other. That an event is told once is for `facts` to know, which is not cut.
do $$
declare
  cut record;
  indexed record;
  milliseconds bigint := extract(epoch from date_trunc('month', now() at time zone 'UTC') + interval '1 month')::bigint * 1000;
  bound text := '';
begin
  if current_setting('billhook.embedded', true) = 'on' then
    return;
  end if;
  -- The first id of the next month, as firstIdAt() of src/base/ids.ts writes it.
  for place in 1..10 loop
    bound := substr('0123456789abcdefghjkmnpqrstvwxyz', (milliseconds % 32)::int + 1, 1) || bound;
    milliseconds := milliseconds / 32;
  end loop;
  bound := bound || repeat('0', 16);
  for cut in select * from (values ('events', 'id', 'msg_'), ('delivery_attempts', 'delivery_id', 'dlv_')) as one (name, cut_by, prefix) loop
    -- What there is becomes the first partition as it stands, up to the end of this month.
    execute format('alter table %I rename to %I', cut.name, cut.name || '_first');
    for indexed in
      select relname as name from pg_index join pg_class on pg_class.oid = indexrelid
      where indrelid = (cut.name || '_first')::regclass
    loop
      execute format('alter index %I rename to %I', indexed.name, indexed.name || '_first');
    end loop;
    execute format('create table %I (like %I including all excluding indexes) partition by range (%I)', cut.name, cut.name || '_first', cut.cut_by);
    if cut.name = 'events' then
      alter table events add primary key (tenant_id, livemode, id);
      create index events_type on events (tenant_id, livemode, type, id desc);
      create index events_object on events (tenant_id, livemode, object_id, id desc) where object_id is not null;
      create index events_created_at on events (created_at);
      perform isolate_table('events', 'select, insert');
    else
      alter table delivery_attempts add primary key (tenant_id, livemode, delivery_id, id);
      create index delivery_attempts_at on delivery_attempts (at);
      perform isolate_table('delivery_attempts', 'select');
    end if;
    -- Request code reaches a partition through its table alone, whose policies bind it.
    execute format('drop policy of_tenant on %I', cut.name || '_first');
    execute format('drop policy of_owner on %I', cut.name || '_first');
    execute format('alter table %I disable row level security, no force row level security', cut.name || '_first');
    execute format('revoke all on %I from billhook_tenant', cut.name || '_first');
    execute format('alter table %I attach partition %I for values from (minvalue) to (%L)', cut.name, cut.name || '_first', cut.prefix || bound);
    execute format('create table %I partition of %I default', cut.name || '_default', cut.name);
  end loop;
end $$;

-- How far the rows that are deleted one by one are done with: everything before that second has been looked through.
create table retention_marks (
  name       text collate "C" primary key,
  -- Unix seconds.
  done_until bigint not null,
  at         timestamptz not null default now()
);
