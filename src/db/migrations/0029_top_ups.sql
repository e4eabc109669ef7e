-- Automatic top-ups: those that are under way by their time; the others are looked at in turn, by their key.
drop index auto_top_ups_due;
create index auto_top_ups_under_way on auto_top_ups (next_attempt_at) where purchase_id is not null;
