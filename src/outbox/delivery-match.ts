// Parts of SQL over an `event` and an `endpoint`: whether it takes it, and which delivery that is.

/** As the id of a delivery follows from its event and its endpoint: sortable by the event's time. */
export const deliveryIdOf = (event: string, endpoint: string): string =>
  `'dlv_' || substr(${event}, 5, 10) || substr(md5(${event} || ${endpoint}), 1, 16)`;
export const DELIVERY_ID = deliveryIdOf("event.id", "endpoint.id");

export const ORDERING_KEY = `
  case when endpoint.ordering = 'per_object' and event.object_id is not null
       then event.livemode || '|' || event.stripe_account || '|' || event.object_type || '|' || event.object_id end`;

/** Whether the endpoint takes anything, of this mode: as `takesMode` says it. */
export const takesModeSql = (livemode: string): string =>
  `endpoint.url is not null and endpoint.status = 'enabled' and coalesce(endpoint.livemode, ${livemode}) = ${livemode}`;

export const MATCHES = `
  exists (select from unnest(endpoint.enabled_events) as pattern
          where pattern = '*' or pattern = event.type
             or (right(pattern, 2) = '.*' and starts_with(event.type, left(pattern, -1))))`;

/** Of the events $1, $2, $3 the deliveries that there must be. */
export const WANTED = `
  select event.tenant_id, event.livemode, ${DELIVERY_ID} as id, endpoint.id as endpoint_id, event.id as event_id,
         ${ORDERING_KEY} as ordering_key
  from unnest($1::text[], $2::boolean[], $3::text[]) as told (tenant_id, livemode, id)
  cross join lateral (
    select * from webhook_endpoints as endpoint
    where endpoint.tenant_id = told.tenant_id and ${takesModeSql("told.livemode")}
    offset 0) as endpoint
  cross join lateral (
    select * from events as event
    where event.tenant_id = told.tenant_id and event.livemode = told.livemode and event.id = told.id
    limit 1) as event
  where ${MATCHES}`;

/** Of the events $4 in mode $2 the deliveries to the tenant $1's endpoint $3. */
export const WANTED_BY_ONE = `
  select event.tenant_id, event.livemode, ${DELIVERY_ID} as id, endpoint.id as endpoint_id, event.id as event_id,
         ${ORDERING_KEY} as ordering_key
  from webhook_endpoints as endpoint
  join events as event on event.tenant_id = endpoint.tenant_id and event.livemode = $2 and event.id = any ($4::text[])
  where endpoint.tenant_id = $1 and endpoint.id = $3 and ${takesModeSql("$2")}`;

/** The delivery $3 of the tenant $1 in mode $2, and whether it can be sent again. */
export const WANTED_AGAIN = `
  select delivery.*, event.id is not null and coalesce(${takesModeSql("delivery.livemode")}, false) as possible,
         ${ORDERING_KEY} as ordering_key
  from deliveries as delivery
  left join webhook_endpoints as endpoint
    on endpoint.tenant_id = delivery.tenant_id and endpoint.id = delivery.endpoint_id
  left join events as event
    on event.tenant_id = delivery.tenant_id and event.livemode = delivery.livemode and event.id = delivery.event_id
  where delivery.tenant_id = $1 and delivery.livemode = $2 and delivery.id = $3`;
