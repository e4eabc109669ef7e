-- Once, by a superuser, in the database that Billhook is to have: its owner, and what PgBouncer asks about logins.
--   psql -v owner_password=… -v pooler_password=… -f deploy/database.sql billhook

-- CREATEROLE: Billhook makes the API's own login (README.md, "On PostgreSQL").
create role billhook login createrole password :'owner_password';
-- Through PgBouncer a connection's own settings are anybody's. Queries over many partitions would be compiled for seconds.
alter role billhook set jit = off;
-- A statement whose node is gone ends, and what it holds or waits for with it.
alter role billhook set client_connection_check_interval = '10s';
do $$ begin execute format('alter database %I owner to billhook', current_database()); end $$;

create role billhook_pooler login password :'pooler_password';
create schema billhook_pooler;
create function billhook_pooler.login_of(asked text) returns table (name text, verifier text)
  language sql security definer set search_path = pg_catalog as $$
  -- Nobody comes through the pooler who could do more than Billhook itself.
  select rolname, rolpassword from pg_authid
  where rolname = asked and rolcanlogin and not rolsuper and not rolreplication
  $$;
revoke all on function billhook_pooler.login_of(text) from public;
grant usage on schema billhook_pooler to billhook_pooler;
grant execute on function billhook_pooler.login_of(text) to billhook_pooler;
