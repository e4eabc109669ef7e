// What a claim chooses: SQL that finds places (ctid) of stripe_event_queue and locks them; event-tables.ts writes. Pure.

/** Of events that were tried before, one of which may be what kills us, so many are claimed at once: few share the blame. */
const MAX_TRIED = 20;
/** Of events for which their object is folded anew: each brings all that is stored of it, payloads and all. */
export const MAX_REFOLDED = 100;
/**
 * A claim of objects looks so many times as far as it takes. Stripe tells of one object several times, mostly within seconds:
 * what waits of it is folded once, and its row is written once.
 */
const LOOK_AHEAD = 4;

/** $3: events. What others claim at the same time is passed over. */
export const OLDEST = `
  select ctid from (
    select ctid, attempts > 0 as tried, refold, row_number() over (partition by attempts > 0, refold order by seq) as place
    from (
      select ctid, seq, attempts, refold from stripe_event_queue
      where next_attempt_at <= now() order by seq limit $3 for update skip locked) as due
  ) as placed
  where place <= case when tried then ${MAX_TRIED} when refold then ${MAX_REFOLDED} else $3 end`;

/**
 * $3: events, $4: objects, $5 and $6: the lane. Objects are told apart by their hash. Only what is chosen is locked, because a
 * lock writes to its row: of all that was looked at another may have claimed some meanwhile, which is passed over.
 * `case` tells the planner nothing of how many rows are in the lane: by its own guess, one in 200, it would sort the whole queue.
 */
export const OLDEST_OBJECTS = `
  with due as materialized (
    select ctid, seq, attempts > 0 as tried, refold, hashtext(coalesce(object_key, event_id)) as object from stripe_event_queue
    where next_attempt_at <= now() and case when hashtext(coalesce(object_key, event_id)) & $5 = $6 then true else false end
    order by seq limit $3 * ${LOOK_AHEAD}
  ), again as (
    select ctid from due where refold and not tried order by seq limit least($4, ${MAX_REFOLDED})
  ), objects as (
    select object, min(seq) as first from due where not tried and not refold
    group by object order by first limit $4 - (select count(*) from again)
  ), chosen as (
    (select ctid from objects join due using (object) where not tried and not refold order by first, seq limit $3)
    union all (select ctid from due where tried order by seq limit ${MAX_TRIED})
    union all select ctid from again
  )
  select ctid from stripe_event_queue where ctid = any (array(select ctid from chosen)) and next_attempt_at <= now()
  for update skip locked`;
