// Whose turn it is: the part of a claim that goes from endpoint to endpoint and takes a few deliveries of each.

/** How many endpoints one look passes by: with more of them it takes several looks to get round. */
export const ENDPOINTS_AT_ONCE = 200;

/** Of an endpoint that wants order so many more are looked at, as those that wait for an older one are met on the way. */
const LOOKED_AT_MORE = 32;

/** Nobody has it, or who had it is gone. */
export const UNCLAIMED = "(queue.lease_until is null or queue.lease_until <= now())";
const CLAIMABLE = `queue.next_attempt_at <= now() and ${UNCLAIMED}`;

/**
 * Common table expressions of a recursive WITH: `chosen.at` are the rows to claim, locked; `blocked` those that were met,
 * are locked, and wait for an older one; `seen.behind` is the endpoint to begin behind next time, "" where this look came
 * to the end. What waits for one endpoint is never passed over on the way to the next one: each step is one probe of the
 * index on (endpoint_id, next_attempt_at).
 *
 * $3: the endpoint to begin behind · $4: endpoints to pass by · $5: deliveries to choose · $6: room of an endpoint that is
 * not named · $7, $8: named endpoints and their room · $9: tenants left out
 */
export const CHOSEN = `
  turn as (
    (select endpoint_id, tenant_id, next_attempt_at, 1 as place from delivery_queue
     where endpoint_id > $3 order by endpoint_id, next_attempt_at limit 1)
    union all
    select next.endpoint_id, next.tenant_id, next.next_attempt_at, turn.place + 1
    from turn cross join lateral (
      select endpoint_id, tenant_id, next_attempt_at from delivery_queue
      where endpoint_id > turn.endpoint_id order by endpoint_id, next_attempt_at limit 1
    ) as next
    where turn.place < $4::int
  ), due as (
    select turn.endpoint_id, turn.place, least(coalesce(known.room, $6::int), $5::int) as room,
           count(*) over () as endpoints, case when front.ordering_key is null then 0 else ${LOOKED_AT_MORE} end as more
    from turn left join unnest($7::text[], $8::bigint[]) as known (endpoint_id, room) using (endpoint_id)
    -- One whose rows are all claimed has no share.
    cross join lateral (
      select ordering_key from delivery_queue as queue
      where queue.endpoint_id = turn.endpoint_id and ${CLAIMABLE} order by queue.next_attempt_at limit 1) as front
    where turn.next_attempt_at <= now() and coalesce(known.room, $6::int) > 0 and turn.tenant_id <> all ($9::text[])
    order by turn.place limit $5::int
  ), looked_at as materialized (
    select found.*, share.room
    -- Its share when there are many, so that each has a turn.
    from due cross join lateral (select least(due.room, greatest(1, $5::int / due.endpoints)) as room) as share
    cross join lateral (
      select queue.ctid as at, queue.endpoint_id, queue.delivery_id, queue.next_attempt_at,
             queue.ordering_key is null or not exists (
               select from delivery_queue as older
               where older.endpoint_id = queue.endpoint_id and older.ordering_key = queue.ordering_key
                 and older.event_id < queue.event_id) as free
      from delivery_queue as queue
      where queue.endpoint_id = due.endpoint_id and ${CLAIMABLE}
      order by queue.next_attempt_at
      limit share.room + due.more
      for update of queue skip locked
    ) as found
  ), chosen as materialized (
    select at
    from (select at, room, row_number() over (partition by endpoint_id order by next_attempt_at, delivery_id) as nth
          from looked_at where free) as found
    where nth <= room
  ), blocked as (
    select endpoint_id, delivery_id from looked_at where not free
  ), seen as (
    select coalesce(
      case when (select count(*) from due) = $5::int then (select max(endpoint_id) from due)
           when count(*) = $4::int then max(endpoint_id) end, '') as behind
    from turn
  )`;

// A plan that was made for an empty queue reads all of a full one, until the next ANALYZE: 16 ms for a claim instead of 1.
// What is off counts as so dear that it would be compiled: seconds for each claim.
export const BY_INDEX_ALONE = `
  select set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
         set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`;

// limit 1 makes what follows look-ups by key, whatever the plan's age.
/** Of the rows $1, $2 those that wait for an older one, and when the oldest is due. */
export const BEHIND_OLDER = `
  select met.endpoint_id, met.delivery_id, oldest.next_attempt_at as until
  from unnest($1::text[], $2::text[]) as met (endpoint_id, delivery_id)
  cross join lateral (
    select ordering_key, event_id from delivery_queue as own
    where own.endpoint_id = met.endpoint_id and own.delivery_id = met.delivery_id limit 1) as own
  cross join lateral (
    select event_id, next_attempt_at from delivery_queue as older
    where older.endpoint_id = met.endpoint_id and older.ordering_key = own.ordering_key
      and older.event_id < own.event_id
    order by older.event_id limit 1) as oldest`;

/** What comes next of the endpoints $1 and their keys $2. */
export const NEXT_IN_ORDER = `
  select next.*
  from (select distinct endpoint_id, ordering_key from unnest($1::text[], $2::text[]) as one (endpoint_id, ordering_key))
    as ended
  cross join lateral (
    select endpoint_id, delivery_id from delivery_queue as behind
    where behind.endpoint_id = ended.endpoint_id and behind.ordering_key = ended.ordering_key
    order by behind.event_id limit 1) as next`;
