-- Deliveries: what their reads and their end need.

-- A delivery's id follows from its event and its endpoint, so that its key already allows one for both.
alter table deliveries drop constraint deliveries_tenant_id_livemode_endpoint_id_event_id_key;
create index deliveries_endpoint on deliveries (tenant_id, livemode, endpoint_id, id desc);

-- A tenant that deletes an endpoint ends what waits for it.
grant delete on delivery_queue to billhook_tenant;

-- Queued by a retry, a resend or a recovery: how long after its event it is delivered says nothing about us.
alter table delivery_queue add column again boolean not null default false;
