-- From when on a tenant is told of its account: since it is this tenant's, without another's between. A confirmation, or a
-- connection that begins anew, moves connected_at. NULL: as connected_at.
alter table connections add column told_since timestamptz;
update connections set told_since = connected_at;

-- A process of the version before gives the account to another tenant, and does not know of the column.
create function forget_told_since() returns trigger language plpgsql as $$
begin
  if new.tenant_id is distinct from old.tenant_id and new.told_since is not distinct from old.told_since then
    new.told_since := null;
  end if;
  return new;
end $$;
create trigger forget_told_since before update on connections for each row execute function forget_told_since();
