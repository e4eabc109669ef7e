// Routes of webhook endpoints: list, create, retrieve, update, rotate the secret, enable, disable, delete, statistics.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import type { Queryable } from "../db/database.ts";
import { retried } from "../db/retried.ts";
import { pageOf, readIdCursor } from "../inbox/list-query.ts";
import { deliveryStatistics } from "../outbox/delivery-statistics.ts";
import { type Endpoint, type EndpointKey, findEndpoint, listEndpoints } from "../outbox/endpoint-table.ts";
import {
  changeEndpoint,
  createEndpoint,
  DEFAULT_GRACE,
  deleteEndpoint,
  disableEndpoint,
  enableEndpoint,
  mustLock,
  rotateSecret,
} from "../outbox/endpoints.ts";
import { ownerFields, readAnyOperation } from "./any-tenants.ts";
import { actOf, type Caller, scopeOf, tenantOf } from "./caller.ts";
import { cancelWaiting } from "./endpoint-cancel.ts";
import {
  acceptedUrl,
  enabledEvents,
  EndpointAnswer,
  endpointMode,
  endpointUrl,
  graceSeconds,
  mustBeAllowedToChange,
  mustSee,
  ordering,
  signature,
  viewOfEndpoint,
} from "./endpoint-fields.ts";
import { plainLine } from "./people-fields.ts";
import { idParams, isoTime, listOf, moment, pageFields } from "./query-fields.ts";
import { type Call, operation } from "./route.ts";

const TAG = "Webhook endpoints";

export const listEndpointsRoute = operation({
  tag: TAG,
  query: z.strictObject(pageFields),
  answers: { 200: listOf(EndpointAnswer) },
  run: async (call) => {
    const { caller, query } = call;
    const rows = await listEndpoints(scopeOf(call), {
      tenantId: tenantOf(caller).id,
      livemode: caller.identity.kind === "key" ? caller.livemode : undefined,
      after: readIdCursor("whe", query.cursor),
      limit: query.limit + 1,
    });
    return pageOf(rows, query.limit, viewFor(call), ({ id }) => [id]);
  },
});

export const createEndpointRoute = operation({
  tag: TAG,
  body: z.strictObject({
    url: endpointUrl,
    enabled_events: enabledEvents.default(["*"]),
    livemode: endpointMode.optional(),
    description: plainLine(500).nullable().default(null),
    ordering: ordering.default("none"),
    signature: signature.default("v1"),
  }),
  idempotent: true,
  answers: { 201: EndpointAnswer.meta({ description: "Its secret is shown whole this once." }) },
  run: async (call) => {
    const { deps, body, caller, reply, idempotencyKey } = call;
    const wanted = {
      tenantId: tenantOf(caller).id,
      url: acceptedUrl(body.url, deps.addressPolicy),
      description: body.description,
      enabledEvents: body.enabled_events,
      livemode: modeFor(caller, body.livemode),
      ordering: body.ordering,
      ed25519: body.signature === "v1a",
      operationId: idempotencyKey,
    };
    const { ring } = deps.people;
    const { endpoint, secret } = await retried(scopeOf(call), (tx) => createEndpoint(tx, ring, wanted, actOf(caller)));
    reply.status(201);
    return viewFor(call, secret)(endpoint);
  },
});

/** Where nothing is said the caller's mode. Throws `invalid_request` where a key says another than its own. */
function modeFor({ identity, livemode }: Caller, wanted: boolean | null | undefined): boolean | null {
  if (wanted === undefined) return livemode;
  if (identity.kind === "key" && wanted !== livemode) {
    throw publicError("invalid_request", {
      message: "A key makes endpoints of its own mode: leave `livemode` out, use the other mode's key, or sign in.",
      param: "livemode",
    });
  }
  return wanted;
}

export const readEndpointRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: EndpointAnswer },
  run: async (call) => viewFor(call)(await seen(call, scopeOf(call))),
});

export const readAnyEndpointRoute = readAnyOperation({
  prefix: "whe",
  answer: EndpointAnswer.extend(ownerFields).meta({ id: "AnyWebhookEndpoint" }),
  read: async (tx, key, deps) => {
    const found = await findEndpoint(tx, key);
    if (found === undefined) throw publicError("not_found");
    return viewFor({ deps })(found);
  },
});

export const changeEndpointRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({
    url: endpointUrl.nullable().optional(),
    enabled_events: enabledEvents.optional(),
    livemode: endpointMode.optional(),
    description: plainLine(500).nullable().optional(),
    ordering: ordering.optional(),
    signature: signature.optional(),
  }),
  answers: { 200: EndpointAnswer },
  run: async (call) => {
    const { deps, body, caller } = call;
    const change = {
      url: typeof body.url === "string" ? acceptedUrl(body.url, deps.addressPolicy) : body.url,
      description: body.description,
      enabledEvents: body.enabled_events,
      livemode: body.livemode === undefined ? undefined : modeFor(caller, body.livemode),
      ordering: body.ordering,
      ed25519: body.signature === undefined ? undefined : body.signature === "v1a",
    };
    const { ring } = deps.people;
    const endpoint = await changed(call, (tx, key) => changeEndpoint(tx, ring, key, change, actOf(caller)));
    const mayLoseMode = body.livemode !== undefined && endpoint.livemode !== null;
    if (endpoint.url === null || mayLoseMode) await cancelWaiting(call, endpoint.id);
    return viewFor(call)(endpoint);
  },
});

export const deleteEndpointRoute = operation({
  tag: TAG,
  params: idParams,
  answers: {
    200: z.strictObject({ id: z.string(), object: z.literal("webhook_endpoint"), deleted: z.literal(true) }),
  },
  run: async (call) => {
    await changed(call, (tx, key) => deleteEndpoint(tx, key, actOf(call.caller)));
    await cancelWaiting(call, call.params.id);
    return { id: call.params.id, object: "webhook_endpoint", deleted: true };
  },
});

export const rotateSecretRoute = operation({
  tag: TAG,
  params: idParams,
  body: z
    .strictObject({
      grace_seconds: graceSeconds.default(DEFAULT_GRACE).meta({
        description:
          "How long deliveries are signed with the old secret too, and with the ed25519 key that is replaced with it. 0: they and all older ones stop at once.",
      }),
    })
    .nullish(),
  idempotent: true,
  answers: {
    200: EndpointAnswer.meta({
      description: "The new secret is shown whole this once; of `v1a`, `public_key` is new too.",
    }),
  },
  run: async (call) => {
    const { deps, body, caller } = call;
    const rotation = { graceSeconds: body?.grace_seconds ?? DEFAULT_GRACE, now: deps.clock.now() };
    const { ring } = deps.people;
    const { endpoint, secret } = await changed(call, (tx, key) => rotateSecret(tx, ring, key, rotation, actOf(caller)));
    return viewFor(call, secret)(endpoint);
  },
});

export const enableEndpointRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({}).nullish(),
  answers: { 200: EndpointAnswer.meta({ description: "What it missed meanwhile is sent by a recovery." }) },
  run: async (call) => viewFor(call)(await changed(call, (tx, key) => enableEndpoint(tx, key, actOf(call.caller)))),
});

export const disableEndpointRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({}).nullish(),
  answers: {
    200: EndpointAnswer.meta({
      description:
        "What waits for it is canceled; what a worker has taken already is sent yet. Events are kept, and can be recovered.",
    }),
  },
  run: async (call) => {
    const act = actOf(call.caller);
    const endpoint = await changed(
      call,
      async (tx, key) => (await disableEndpoint(tx, key, "by_tenant", act)) ?? mustLock(tx, key),
    );
    await cancelWaiting(call, endpoint.id);
    return viewFor(call)(endpoint);
  },
});

const count = z.int().nonnegative();
const milliseconds = z.int().nonnegative().nullable();

const Statistics = z
  .strictObject({
    endpoint_id: z.string(),
    livemode: z.boolean(),
    since: isoTime,
    deliveries: z
      .strictObject({ delivered: count, failed: count, canceled: count, pending: count })
      .meta({ description: "Of the events since then." }),
    counts_are_partial: z.boolean().meta({ description: "Only the newest 100,000 deliveries were looked at." }),
    attempts: z.strictObject({ succeeded: count, failed: count }),
    latency_ms: z
      .strictObject({ p50: milliseconds, p95: milliseconds })
      .meta({ description: "How long the receiver took to answer 2xx; null: it never did." }),
    oldest_pending_age_seconds: z.number().nonnegative().nullable().meta({
      description: "Since it was queued, of all that wait; null: nothing does.",
    }),
  })
  .meta({ id: "WebhookEndpointStatistics" });

const DAY_MS = 86_400_000;
const MOST_DAYS = 7;

export const endpointStatisticsRoute = operation({
  tag: TAG,
  params: idParams,
  query: z.strictObject({
    since: moment.meta({ description: "ISO 8601 or Unix seconds, at most 7 days ago. Default: a day ago." }),
  }),
  answers: { 200: Statistics },
  run: async (call) => {
    const { caller, deps, query } = call;
    const scope = scopeOf(call);
    const endpoint = await seen(call, scope);
    const livemode = endpoint.livemode ?? caller.livemode;
    const now = deps.clock.now();
    const since = new Date(query.since ?? now - DAY_MS);
    if (since.getTime() < now - MOST_DAYS * DAY_MS) {
      const message = `\`since\` may lie at most ${MOST_DAYS} days back: list deliveries for what is older.`;
      throw publicError("invalid_request", { message, param: "since" });
    }
    const { oldestPendingAge, partial, ...found } = await deliveryStatistics(scope, {
      ...{ tenantId: endpoint.tenantId, livemode, endpointId: endpoint.id, since },
    });
    return {
      ...{ endpoint_id: endpoint.id, livemode, since: since.toISOString(), ...found },
      counts_are_partial: partial,
      oldest_pending_age_seconds: oldestPendingAge,
    };
  },
});

type EndpointCall = Call<{ id: string }, unknown, unknown>;

/** The caller's own. Throws `not_found`. */
export async function seen({ caller, params }: EndpointCall, tx: Queryable): Promise<Endpoint> {
  return mustSee(caller, await findEndpoint(tx, { tenantId: tenantOf(caller).id, id: params.id }));
}

/** Runs a change of the caller's own endpoint in one transaction. Throws `not_found`, `forbidden`. */
async function changed<T>(call: EndpointCall, work: (tx: Queryable, key: EndpointKey) => Promise<T>): Promise<T> {
  return retried(scopeOf(call), async (tx) => {
    const { tenantId, id, livemode } = await seen(call, tx);
    mustBeAllowedToChange(call.caller, livemode);
    return work(tx, { tenantId, id });
  });
}

function viewFor({ deps }: Pick<Call<unknown, unknown, unknown>, "deps">, secret?: string) {
  return (endpoint: Endpoint): z.output<typeof EndpointAnswer> =>
    viewOfEndpoint(endpoint, { ring: deps.people.ring, now: deps.clock.now(), secret });
}
