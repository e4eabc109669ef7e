-- A process of a version before, which would claim what is claimed, is refused: it ends what it has, and claims when it is new.
-- What it holds now stays its own, so that rows from before are not asked.
alter table delivery_queue drop constraint delivery_queue_check;
alter table delivery_queue add constraint delivery_queue_claimed
  check (lease is null or (lease_until is not null and lease like 'clm\_%')) not valid;
