-- A process of a version before, which would claim what is claimed, is refused: it ends what it has, and claims when it is new.
-- Nor can it renew: what it holds stays its own for longer than any exchange takes.
update delivery_queue set lease_until = greatest(lease_until, now() + interval '2 minutes') where lease is not null;
alter table delivery_queue drop constraint delivery_queue_check;
alter table delivery_queue add constraint delivery_queue_claimed
  check (lease is null or (lease_until is not null and lease like 'clm\_%')) not valid;
