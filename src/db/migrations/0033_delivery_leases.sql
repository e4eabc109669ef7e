-- A claim of a delivery writes what no index has: with next_attempt_at, which three have, it cost four times as much.
alter table delivery_queue add column lease_until timestamptz;
update delivery_queue set lease_until = next_attempt_at where lease is not null;
alter table delivery_queue add check ((lease is null) = (lease_until is null));
-- The row as it is claimed finds room beside the row as it was queued.
alter table delivery_queue set (fillfactor = 50);
