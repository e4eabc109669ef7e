-- What was known before there were events is not told later.
update facts set event_id = '' where event_id is null;

-- A thin event names what happened, but brings no object: its name goes with the fetch of the object.
alter table stripe_fetches add column named text[] not null default '{}';
