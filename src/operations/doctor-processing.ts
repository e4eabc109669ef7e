// What was received and not processed, as the doctor sees it: failed, waiting, unrouted, unreadable, not fetched.
import { queueState, type QueueState } from "../inbox/queue-state.ts";
import { countFlagged } from "../inbox/projection-reads.ts";
import { check } from "./doctor-check.ts";
import { atMost, type Found } from "./doctor-report.ts";

interface FailedEvent {
  id: string;
  type: string;
  reason: string | null;
}

/** Seconds. */
const LATE = 120;
const STUCK = 900;

export const queueCheck = check({
  code: "processing",
  title: "Processing of events",
  needs: "database",
  look: async ({ ask }) => ({
    queue: await queueState(ask),
    failed: (await ask.query<FailedEvent>(LAST_FAILED)).rows[0],
    unread: (await countFlagged(ask)).unread,
  }),
  judge: ({ queue, failed, unread }): Found[] => [
    ...judgeQueue(queue),
    ...(failed === undefined ? [] : [failedEvents(queue.failed, failed)]),
    ...(unread > 0 ? [{ code: "shapes_unknown" as const, values: { count: unread } }] : []),
  ],
});

export function judgeQueue({ pending, oldestAge }: Pick<QueueState, "pending" | "oldestAge">): Found[] {
  if (oldestAge < LATE) return [];
  const values = { count: pending, age: Math.round(oldestAge) };
  return [{ code: oldestAge < STUCK ? "events_late" : "events_stuck", values }];
}

function failedEvents(count: number, { id, type, reason }: FailedEvent): Found {
  return { code: "events_failed", subject: id, values: { count, id, type, reason: oneLine(reason) } };
}

/** An error's own text: its first line says what it is. */
export function oneLine(text: string | null, otherwise = "the reason is not known"): string {
  const [first = ""] = (text ?? "").split("\n");
  return first === "" ? otherwise : first.slice(0, 300);
}

export const unroutedCheck = check({
  code: "unrouted",
  title: "Events that belong to nobody",
  needs: "database",
  look: async ({ ask }) => (await ask.query<{ account: string; count: number }>(UNROUTED)).rows,
  judge: (rows): Found[] =>
    atMost(rows.map((values): Found => ({ code: "events_unrouted", subject: values.account, values: { ...values } }))),
});

export const fetchesCheck = check({
  code: "fetches",
  title: "Objects to be fetched from Stripe",
  needs: "database",
  look: async ({ ask }) => (await ask.query<{ count: number; id: string; reason: string | null }>(FETCHES)).rows[0],
  judge: (failing): Found[] =>
    failing === undefined
      ? []
      : [
          {
            code: "fetches_failing",
            subject: failing.id,
            values: { ...failing, reason: oneLine(failing.reason, "no answer yet") },
          },
        ],
});

const LAST_FAILED = `
  select outcome.event_id as id, event.type,
         (select error from stripe_event_attempts as attempt
          where attempt.created = outcome.created and attempt.event_id = outcome.event_id order by at desc limit 1) as reason
  from stripe_event_outcomes as outcome
  join stripe_events as event on event.created = outcome.created and event.id = outcome.event_id
  where outcome.status = 'failed'
  order by outcome.created desc, outcome.event_id desc limit 1`;

// The newest are enough to say whose they are.
const UNROUTED = `
  select stripe_account as account, count(*) as count
  from (
    select stripe_account from stripe_event_outcomes where status = 'unrouted'
    order by created desc, event_id desc limit 10000) as newest
  where stripe_account <> '' group by stripe_account order by count(*) desc, stripe_account limit 200`;

const FETCHES = `
  select count(*) over () as count, object_id as id, last_error as reason from stripe_fetches
  where attempts >= 5 order by attempts desc, object_id limit 1`;
