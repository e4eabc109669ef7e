-- Deliveries: what each one that ends need not write, and recoveries that are found by their end.

-- Nearly all end as delivered, and are listed by their ids; the others by their status.
drop index deliveries_status;
create index deliveries_undelivered on deliveries (tenant_id, livemode, status, id desc) where status <> 'delivered';

-- A delivery's id begins with its event's time, so that those of an event lie in a range of ids; by the event alone only
-- those that wait are asked for.
drop index deliveries_event;
create index deliveries_waiting on deliveries (tenant_id, livemode, event_id) where status = 'pending';

create index recoveries_ended on recoveries (ended_at) where status <> 'running';

-- Attempts are read with their delivery, and go with it or with their month.
drop index delivery_attempts_at;
