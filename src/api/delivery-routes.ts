// Routes of deliveries: list, retrieve with every attempt, try again.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import type { Queryable } from "../db/database.ts";
import { pageOf, readIdCursor } from "../inbox/list-query.ts";
import {
  type Delivery,
  type DeliveryAttempt,
  DELIVERY_STATUSES,
  listDeliveries,
  readDelivery,
} from "../outbox/delivery-reads.ts";
import { type DeliveryKey, retryDelivery } from "../outbox/delivery-tables.ts";
import { ownerFields, readAnyOperation } from "./any-tenants.ts";
import { scopeOf, tenantOf } from "./caller.ts";
import { id, idParams, isoTime, listOf, moment, pageFields } from "./query-fields.ts";
import { type Call, operation } from "./route.ts";

const TAG = "Deliveries";

const status = z.enum(DELIVERY_STATUSES).meta({
  description:
    "pending: it is tried again at `next_attempt_at` · failed: it was given up · canceled: its endpoint was disabled, deleted, lost its url, or takes no events of this mode any more.",
});

const deliveryFields = {
  id: z.string(),
  object: z.literal("delivery"),
  livemode: z.boolean(),
  endpoint_id: z.string(),
  event_id: z.string().meta({ description: "What the receiver gets as `webhook-id`, however often it is sent." }),
  event_type: z.string().nullable().meta({ description: "null: the event is not kept any more." }),
  status,
  attempts: z.int(),
  last_attempt_at: isoTime.nullable(),
  last_status_code: z.int().nullable(),
  last_error: z.string().nullable(),
  next_attempt_at: isoTime.nullable(),
  created_at: isoTime,
  ended_at: isoTime.nullable(),
};

const DeliveryAnswer = z.strictObject(deliveryFields).meta({ id: "Delivery" });

const Attempt = z
  .strictObject({
    id: z.string(),
    attempt: z.int(),
    at: isoTime,
    url: z.string(),
    request_headers: z.record(z.string(), z.string()).meta({
      description: "As they were sent, with the signatures. No secret is in them.",
    }),
    status_code: z.int().nullable().meta({ description: "null: there was no answer, and `error_code` says why." }),
    latency_ms: z.int(),
    response_headers: z.record(z.string(), z.unknown()).nullable(),
    response_body: z.string().nullable().meta({ description: "Its first 16 KiB." }),
    error_code: z.string().nullable(),
    error: z.string().nullable(),
  })
  .meta({ id: "DeliveryAttempt" });

const DeliveryDetail = z
  .strictObject({ ...deliveryFields, attempt_list: z.array(Attempt).meta({ description: "The first one first." }) })
  .meta({ id: "DeliveryDetail" });

function viewOf(delivery: Delivery): z.output<typeof DeliveryAnswer> {
  return {
    id: delivery.id,
    object: "delivery",
    livemode: delivery.livemode,
    endpoint_id: delivery.endpointId,
    event_id: delivery.eventId,
    event_type: delivery.eventType,
    status: delivery.status,
    attempts: delivery.attempts,
    last_attempt_at: delivery.lastAttemptAt?.toISOString() ?? null,
    last_status_code: delivery.lastStatusCode,
    last_error: delivery.lastError,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
    created_at: delivery.createdAt.toISOString(),
    ended_at: delivery.endedAt?.toISOString() ?? null,
  };
}

function viewOfAttempt(attempt: DeliveryAttempt): z.output<typeof Attempt> {
  return {
    id: attempt.id,
    attempt: attempt.attempt,
    at: attempt.at.toISOString(),
    url: attempt.url,
    request_headers: attempt.requestHeaders,
    status_code: attempt.statusCode,
    latency_ms: attempt.latencyMs,
    response_headers: attempt.responseHeaders,
    response_body: attempt.responseBody,
    error_code: attempt.errorCode,
    error: attempt.error,
  };
}

const ONE_ENDPOINT = "`endpoint` and `endpoint_id` say the same: give one of them.";

export const listDeliveriesRoute = operation({
  tag: TAG,
  query: z.strictObject({
    endpoint: id.optional(),
    endpoint_id: id.optional().meta({ description: "The same as `endpoint`." }),
    status: status.optional(),
    since: moment.meta({ description: "Of events told then or later. ISO 8601 or Unix seconds." }),
    until: moment.meta({ description: "Of events told earlier than that. ISO 8601 or Unix seconds." }),
    ...pageFields,
  }),
  answers: { 200: listOf(DeliveryAnswer) },
  run: async (call) => {
    const { caller, query } = call;
    if (query.endpoint !== undefined && query.endpoint_id !== undefined && query.endpoint !== query.endpoint_id)
      throw publicError("invalid_request", { message: ONE_ENDPOINT, param: "endpoint_id" });
    const rows = await listDeliveries(scopeOf(call), {
      ...{ tenantId: tenantOf(caller).id, livemode: caller.livemode },
      ...{
        endpointId: query.endpoint ?? query.endpoint_id,
        status: query.status,
        since: at(query.since),
        until: at(query.until),
      },
      after: readIdCursor("dlv", query.cursor),
      limit: query.limit,
    });
    return pageOf(rows, query.limit, viewOf, (delivery) => [delivery.id]);
  },
});

const at = (milliseconds: number | undefined): Date | undefined =>
  milliseconds === undefined ? undefined : new Date(milliseconds);

export const readDeliveryRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: DeliveryDetail },
  run: async (call) => readDetail(scopeOf(call), keyOf(call)),
});

export const readAnyDeliveryRoute = readAnyOperation({
  prefix: "dlv",
  answer: DeliveryDetail.extend(ownerFields).meta({ id: "AnyDeliveryDetail" }),
  read: readDetail,
});

/** Throws `not_found`. */
async function readDetail(tx: Queryable, key: DeliveryKey): Promise<z.output<typeof DeliveryDetail>> {
  const found = await readDelivery(tx, key);
  if (found === undefined) throw missing();
  return { ...viewOf(found), attempt_list: found.attemptList.map(viewOfAttempt) };
}

export const retryDeliveryRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({}).nullish(),
  answers: {
    202: DeliveryAnswer.meta({
      description:
        "It is due now, and begins another round of attempts, under the same `webhook-id`. Of one whose attempt is under way the outcome counts: retry it again where that fails.",
    }),
  },
  run: async (call) => {
    const { deps, reply } = call;
    const queued = await scopeOf(call).transaction(async (tx) => {
      const outcome = await retryDelivery(tx, keyOf(call));
      if (outcome === "unavailable") throw publicError("delivery_not_retriable");
      return outcome === "missing" ? undefined : readDelivery(tx, keyOf(call));
    });
    if (queued === undefined) throw missing();
    deps.wakeDeliveries();
    reply.status(202);
    return viewOf(queued);
  },
});

function keyOf({ caller, params }: Call<{ id: string }, unknown, unknown>): DeliveryKey {
  return { tenantId: tenantOf(caller).id, livemode: caller.livemode, id: params.id };
}

const missing = () =>
  publicError("not_found", { message: "There is no delivery with this id in this mode: check both." });
