// The operator's routes to received events: list, retrieve, replay.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { changesOfEvent } from "../inbox/billing-log.ts";
import { countReplay, replayEvent, replayRange } from "../inbox/replay.ts";
import type { ReplayRange } from "../inbox/replay.ts";
import { EVENT_STATUSES, listStripeEvents, readStripeEvent } from "../inbox/stripe-event-reads.ts";
import {
  id,
  idParams,
  isoTime,
  listOf,
  pageFields,
  rangeFields,
  scopeFields,
  searchText,
  time,
  wordList,
} from "./query-fields.ts";
import { operation, patient } from "./route.ts";

const TYPE = /^[!-)+-~]{1,255}$/;
const TYPE_OR_FAMILY = /^[!-)+-~]{1,255}\*?$|^\*$/;
const Status = z.enum(EVENT_STATUSES);

const eventFields = {
  id: z.string(),
  stripe_event_id: z.string(),
  type: z.string(),
  event_type: z.string().meta({ description: "The same as `type`." }),
  status: Status,
  livemode: z.boolean(),
  account: z.string().nullable().meta({ description: "The connected account; null for the platform's own." }),
  api_version: z.string().nullable(),
  object_type: z.string(),
  object_id: z.string().nullable(),
  customer_id: z.string().nullable(),
  tenant_id: z.string().nullable(),
  source: z.enum(["webhook", "pull"]),
  created: isoTime.meta({ description: "When it happened, by Stripe." }),
  created_at: isoTime.meta({ description: "When it was stored." }),
  attempts: z.int(),
  last_error: z.string().nullable(),
};

const StripeEvent = z.strictObject(eventFields).meta({ id: "StripeEvent" });

/** A tracked field, before and after; null: nothing. */
export const ChangeAnswer = z
  .strictObject({ field: z.string(), before: z.unknown(), after: z.unknown() })
  .meta({ id: "Change" });

const StripeEventDetail = z
  .strictObject({
    ...eventFields,
    head: z.boolean().meta({ description: "The object's row says what this event says." }),
    changes: z.array(ChangeAnswer).meta({ description: "What it changed of its object." }),
    failed_attempts: z.array(z.strictObject({ attempt: z.int(), at: isoTime, error: z.string() })),
    payload: z.unknown().meta({ description: "As received, digit for digit." }),
  })
  .meta({ id: "StripeEventDetail" });

export const listEvents = operation({
  tag: "Stripe events",
  query: z.strictObject({
    type: wordList(
      TYPE_OR_FAMILY,
      "must be event types such as `invoice.paid` or `invoice.*`, separated by commas",
    ).meta({ description: "Of a rare one a page may be short, or empty, and `has_more` all the same." }),
    status: Status.optional(),
    ...scopeFields,
    object_id: id.optional(),
    customer: id.optional(),
    ...rangeFields,
    text: searchText,
    ...pageFields,
  }),
  answers: { 200: listOf(StripeEvent) },
  run: async ({ deps, query }) => {
    const { type: types = [], object_id: objectId, ...rest } = query;
    return listStripeEvents(deps.database, { ...rest, types, objectId });
  },
});

export const readEvent = operation({
  tag: "Stripe events",
  params: idParams,
  answers: { 200: StripeEventDetail },
  run: async ({ deps, params, reply }) => {
    const found = await readStripeEvent(deps.database, params.id);
    if (found === null) throw publicError("not_found", { message: "There is no event with this id: check it." });
    const log = await changesOfEvent(deps.database, params.id);
    const { event, failedAttempts, payload } = found;
    const rest = { ...event, head: log?.head ?? false, changes: log?.changes ?? [], failed_attempts: failedAttempts };
    // Spliced in as text: parsed and written again, its numbers beyond 2^53 would change.
    const body = `${JSON.stringify(rest).slice(0, -1)},"payload":${payload}}`;
    return reply.type("application/json; charset=utf-8").send(body);
  },
});

const Replayed = z.strictObject({ replayed: z.int() });

export const replayOneEvent = operation({
  tag: "Stripe events",
  params: idParams,
  body: z.strictObject({}).nullish(),
  answers: { 202: Replayed },
  run: async ({ deps, params, reply, requestId }) => {
    if (!(await replayEvent(deps.database, params.id))) {
      throw publicError("not_found", { message: "There is no event with this id: check it." });
    }
    deps.wake();
    deps.log.unit("event.replayed", { request_id: requestId, stripe_event: params.id, count: 1, outcome: "queued" });
    reply.status(202);
    return { replayed: 1 };
  },
});

const ReplayBody = z.strictObject({
  type: wordList(TYPE, "must be whole event types, separated by commas").meta({
    description: "Whole types, separated by commas.",
  }),
  status: z.enum(["failed", "ignored", "unrouted"]).optional(),
  account: scopeFields.account,
  livemode: z.boolean().optional().meta({ description: "Left out: of both modes. No bound by itself." }),
  object_id: id.optional(),
  since: time.meta({ description: "ISO 8601 or Unix seconds, inclusive." }),
  until: time.meta({ description: "ISO 8601 or Unix seconds, exclusive." }),
  dry_run: z.boolean().default(false).meta({ description: "Only count." }),
});

/** By database: a second replay would walk the same events beside the first. */
const replaying = new WeakSet<object>();

export const replayEvents = operation({
  tag: "Stripe events",
  body: ReplayBody,
  answers: {
    200: z.strictObject({ count: z.int(), dry_run: z.literal(true) }),
    202: z.strictObject({ count: z.int(), dry_run: z.literal(false) }),
  },
  run: async ({ deps, body, reply, requestId }) => {
    const range = rangeOf(body);
    if (body.dry_run) return { count: await countReplay(patient(deps), range), dry_run: true };
    if (replaying.has(deps.database)) throw publicError("replay_in_progress");
    replaying.add(deps.database);
    try {
      const count = await replayRange(patient(deps), range);
      deps.log.unit("event.replayed", { request_id: requestId, count, outcome: "queued" });
      reply.status(202);
      return { count, dry_run: false };
    } finally {
      replaying.delete(deps.database);
      deps.wake();
    }
  },
});

function rangeOf({
  type,
  status,
  account,
  livemode,
  object_id: objectId,
  since,
  until,
}: z.output<typeof ReplayBody>): ReplayRange {
  if ([type, status, account, objectId, since, until].every((bound) => bound === undefined)) {
    throw publicError("invalid_request", {
      message: "Say which events: type, status, account, object_id, since or until. `since: 0` means all.",
    });
  }
  return { types: type ?? [], status, account, livemode, objectId, since, until };
}
