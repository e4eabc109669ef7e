// Routes of what tenants are told: the catalogue of types, the events, and sending one again.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { firstIdAt, isId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import { retried } from "../db/retried.ts";
import { pageOf, readIdCursor } from "../inbox/list-query.ts";
import { deliveriesOf, type Delivery, DELIVERY_STATUSES } from "../outbox/delivery-reads.ts";
import { type EventKey, fanOutTo } from "../outbox/delivery-tables.ts";
import { type Endpoint, findEndpoint, listEndpoints, takesMode } from "../outbox/endpoint-table.ts";
import { NO_ENDPOINT } from "../outbox/endpoints.ts";
import { EVENT_API_VERSION, EVENT_OBJECTS, type EventObjectName } from "../outbox/event-objects.ts";
import { listEvents, readEvent, type StoredEvent } from "../outbox/event-table.ts";
import { EVENT_TYPES, isKnownPattern, matchesPattern } from "../outbox/event-types.ts";
import { bodyOf } from "../outbox/webhook-body.ts";
import { readTenant } from "../tenants/tenant-table.ts";
import { ownerFields, readAnyOperation } from "./any-tenants.ts";
import { type Caller, scopeOf, tenantOf } from "./caller.ts";
import { id, idParams, isoTime, listOf, moment, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Events";
const NO_EVENT = "There is no event with this id in this mode: check both.";
/** More than a tenant may have. */
const MOST_ENDPOINTS = 100;

const object = z.record(z.string(), z.unknown());

const EventTypeAnswer = z
  .strictObject({
    type: z.string(),
    description: z.string(),
    object: z.string().meta({ description: "What `data.object` calls itself." }),
    schema: object.meta({ description: "JSON Schema of `data.object`." }),
    example: object,
  })
  .meta({ id: "EventType" });

const schemas = new Map<EventObjectName, Record<string, unknown>>();

/** We hold ourselves to the fields that there are today; who checks what we send must take those that come. */
function schemaOf(name: EventObjectName): Record<string, unknown> {
  let schema = schemas.get(name);
  if (schema === undefined) {
    schema = z.toJSONSchema(EVENT_OBJECTS[name], {
      override: ({ jsonSchema }) => {
        if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
      },
    });
    schemas.set(name, schema);
  }
  return schema;
}

export const listEventTypes = operation({
  tag: TAG,
  answers: { 200: z.strictObject({ api_version: z.string(), data: z.array(EventTypeAnswer) }) },
  run: async () => ({
    api_version: EVENT_API_VERSION,
    data: EVENT_TYPES.map((one) => ({ ...one, schema: schemaOf(one.object) })),
  }),
});

const eventFields = {
  id: z.string(),
  object: z.literal("event"),
  type: z.string(),
  api_version: z.string(),
  livemode: z.boolean(),
  object_id: z.string().nullable(),
  stripe_account: z
    .string()
    .nullable()
    .meta({ description: "Where it happened; null for the platform's own account." }),
  created: isoTime.meta({ description: "When it happened." }),
  created_at: isoTime.meta({ description: "When it was told: the order of this list." }),
};

const EventAnswer = z.strictObject({ ...eventFields, data: z.strictObject({ object }) }).meta({ id: "Event" });

const EventDelivery = z
  .strictObject({
    id: z.string(),
    endpoint_id: z.string(),
    status: z.enum(DELIVERY_STATUSES),
    attempts: z.int(),
    created_at: isoTime,
    last_attempt_at: isoTime.nullable(),
    last_status_code: z.int().nullable(),
    last_error: z.string().nullable(),
    ended_at: isoTime.nullable(),
    next_attempt_at: isoTime.nullable(),
  })
  .meta({ id: "EventDelivery" });

const EventDetail = z
  .strictObject({
    ...eventFields,
    body: object.meta({ description: "As it is delivered." }),
    deliveries: z.array(EventDelivery),
  })
  .meta({ id: "EventDetail" });

const pattern = z
  .string()
  .max(100)
  .refine(isKnownPattern, "must be a type of GET /api/v1/event-types/, or a family such as `invoice.*`");

export const listEventsRoute = operation({
  tag: TAG,
  query: z.strictObject({
    type: pattern.optional().meta({ description: "A type, or a family such as `invoice.*`." }),
    object_id: id.optional(),
    since: moment.meta({ description: "Told then or later. ISO 8601 or Unix seconds." }),
    until: moment.meta({ description: "Told earlier than that. ISO 8601 or Unix seconds." }),
    ...pageFields,
  }),
  answers: { 200: listOf(EventAnswer) },
  run: async (call) => {
    const { type, object_id: objectId, since, until, limit, cursor } = call.query;
    const bounds = [until === undefined ? undefined : firstIdAt("msg", until), readIdCursor("msg", cursor)];
    const rows = await listEvents(scopeOf(call), {
      ...{ ...scopeFieldsOf(call.caller), type, objectId, limit },
      from: since === undefined ? undefined : firstIdAt("msg", since),
      until: bounds.filter((bound) => bound !== undefined).sort()[0],
    });
    return pageOf(rows, limit, viewOf, (row) => [row.id]);
  },
});

function scopeFieldsOf(caller: Caller): { tenantId: string; livemode: boolean } {
  return { tenantId: tenantOf(caller).id, livemode: caller.livemode };
}

function fieldsOf(event: StoredEvent) {
  return {
    ...{ id: event.id, object: "event" as const, type: event.type, api_version: event.apiVersion },
    ...{ livemode: event.livemode, object_id: event.objectId, created: event.created.toISOString() },
    stripe_account: event.stripeAccount === "" ? null : event.stripeAccount,
    created_at: event.createdAt.toISOString(),
  };
}

function viewOf(event: StoredEvent): z.output<typeof EventAnswer> {
  return { ...fieldsOf(event), data: { object: JSON.parse(event.object) as Record<string, unknown> } };
}

function deliveryOf(delivery: Delivery): z.output<typeof EventDelivery> {
  return {
    ...{ id: delivery.id, endpoint_id: delivery.endpointId, status: delivery.status, attempts: delivery.attempts },
    created_at: delivery.createdAt.toISOString(),
    last_attempt_at: delivery.lastAttemptAt?.toISOString() ?? null,
    ...{ last_status_code: delivery.lastStatusCode, last_error: delivery.lastError },
    ended_at: delivery.endedAt?.toISOString() ?? null,
    next_attempt_at: delivery.nextAttemptAt?.toISOString() ?? null,
  };
}

/** Throws `not_found`. */
async function mustFind(tx: Queryable, key: EventKey): Promise<StoredEvent> {
  const event = isId(key.id, "msg") ? await readEvent(tx, key) : undefined;
  if (event === undefined) throw publicError("not_found", { message: NO_EVENT });
  return event;
}

export const readEventRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: EventDetail },
  run: async (call) =>
    scopeOf(call).transaction((tx) => readDetail(tx, { ...scopeFieldsOf(call.caller), id: call.params.id })),
});

export const readAnyEventRoute = readAnyOperation({
  prefix: "msg",
  answer: EventDetail.extend(ownerFields).meta({ id: "AnyEventDetail" }),
  read: readDetail,
});

/** Throws `not_found`. */
async function readDetail(tx: Queryable, key: EventKey): Promise<z.output<typeof EventDetail>> {
  const event = await mustFind(tx, key);
  const { id: tenantId, companyName } = await readTenant(tx, event.tenantId);
  const deliveries = await deliveriesOf(tx, event);
  const body = JSON.parse(bodyOf(event, { id: tenantId, companyName })) as Record<string, unknown>;
  return { ...fieldsOf(event), body, deliveries: deliveries.map(deliveryOf) };
}

export const resendEventRoute = operation({
  tag: TAG,
  params: idParams,
  body: z
    .strictObject({
      endpoint_id: id.optional().meta({
        description:
          "Only there, also an event that it does not take by its types. Default: every endpoint that takes it.",
      }),
    })
    .nullish(),
  answers: {
    202: z
      .strictObject({ data: z.array(EventDelivery) })
      .meta({ description: "The deliveries that begin again, or for the first time, under the same webhook-id." }),
  },
  run: async (call) => {
    const { deps, caller, params, body, reply, requestId } = call;
    const deliveries = await retried(scopeOf(call), async (tx) => {
      const event = await mustFind(tx, { ...scopeFieldsOf(caller), id: params.id });
      const queued = new Set<string>();
      for (const { id: endpointId } of await receiversOf(tx, event, body?.endpoint_id)) {
        const to = { tenantId: event.tenantId, livemode: event.livemode, endpointId };
        for (const delivery of await fanOutTo(tx, to, [event.id], { again: true, hasten: true })) queued.add(delivery);
      }
      return (await deliveriesOf(tx, event)).filter((one) => queued.has(one.id));
    });
    deps.wakeDeliveries();
    deps.log.unit("event.resent", { request_id: requestId, count: deliveries.length, outcome: "queued" });
    reply.status(202);
    return { data: deliveries.map(deliveryOf) };
  },
});

/** In ascending order of their ids. Throws `not_found` and `endpoint_disabled` for one that was named. */
async function receiversOf(tx: Queryable, event: StoredEvent, named: string | undefined): Promise<Endpoint[]> {
  const { tenantId, livemode, type } = event;
  if (named !== undefined) {
    const endpoint = isId(named, "whe") ? await findEndpoint(tx, { tenantId, id: named }) : undefined;
    if (endpoint === undefined) throw publicError("not_found", { message: NO_ENDPOINT, param: "endpoint_id" });
    if (!takesMode(endpoint, livemode)) throw publicError("endpoint_disabled");
    return [endpoint];
  }
  const all = await listEndpoints(tx, { tenantId, livemode, limit: MOST_ENDPOINTS });
  return all
    .filter((one) => takesMode(one, livemode) && one.enabledEvents.some((pattern) => matchesPattern(pattern, type)))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
