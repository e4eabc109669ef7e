-- When a connection began, or began anew after an end: a confirmation of one that stands moves connected_at and not this. Catch-up
-- begins there. NULL: as connected_at.
alter table connections add column began_at timestamptz;
