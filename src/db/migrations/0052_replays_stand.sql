-- An event that was taken in and is processed once more: should that fail for good, it stays part of its object's history, which
-- its row tells already. False: it was never taken in, or a process of the version before queued it.
alter table stripe_event_queue add column stands boolean not null default false;
alter table stripe_event_outcomes add column stands boolean not null default false;
