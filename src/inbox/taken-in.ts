// Which stored events are part of their object's history: a piece of SQL.
/** Whether what a stored event says is in the rows: it neither failed before it got there, nor had no tenant. As a subselect for each row. */
export const wasTakenIn = (event: string): string => `coalesce((
    select outcome.status from stripe_event_outcomes as outcome
    where outcome.created = ${event}.created and outcome.event_id = ${event}.id and not outcome.stands), '') not in ('failed', 'unrouted')`;
