-- From when on a tenant is told of its account: the first time that it connected it. A confirmation, or a connection that
-- begins anew, moves connected_at. NULL: as connected_at, also where a process of the version before connects one.
alter table connections add column told_since timestamptz;
update connections set told_since = connected_at;
