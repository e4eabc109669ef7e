// Routes of recoveries: begin one or count, list, retrieve, cancel; and the operator's list of background jobs.
import { z } from "zod";

import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { idOfOperation } from "../base/ids.ts";
import { pageOf, readIdCursor } from "../inbox/list-query.ts";
import type { Endpoint } from "../outbox/endpoint-table.ts";
import {
  beginRecovery,
  cancelRecovery,
  countMissed,
  findRecovery,
  listRecoveries,
  type Recovery,
  RECOVERY_STATUSES,
  type SoughtRecovery,
} from "../outbox/recoveries.ts";
import { actOf, type Caller, scopeOf, tenantOf } from "./caller.ts";
import { seen } from "./endpoint-routes.ts";
import { id, idParams, isoTime, listOf, moment, pageFields, scopeFields } from "./query-fields.ts";
import { type Call, operation } from "./route.ts";

const TAG = "Webhook endpoints";

const MOST_PER_SECOND = 1000;

const status = z.enum(RECOVERY_STATUSES);
const count = z.int().nonnegative();

const recoveryFields = {
  id: z.string(),
  livemode: z.boolean(),
  status,
  total: count.meta({ description: "Events that were missing when it began, among the first 100,000 of the range." }),
  queued: count.meta({ description: "Deliveries that it has begun so far." }),
  per_second: z.int().positive(),
  since: isoTime,
  until: isoTime,
  created_at: isoTime,
  ended_at: isoTime.nullable(),
};

const RecoveryAnswer = z
  .strictObject({ ...recoveryFields, object: z.literal("recovery"), endpoint_id: z.string() })
  .meta({ id: "Recovery" });

function fieldsOf(recovery: Recovery) {
  return {
    id: recovery.id,
    livemode: recovery.livemode,
    status: recovery.status,
    total: recovery.total,
    queued: recovery.queued,
    per_second: recovery.perSecond,
    since: recovery.since.toISOString(),
    until: recovery.until.toISOString(),
    created_at: recovery.createdAt.toISOString(),
    ended_at: recovery.endedAt?.toISOString() ?? null,
  };
}

function viewOf(recovery: Recovery): z.output<typeof RecoveryAnswer> {
  return { ...fieldsOf(recovery), object: "recovery", endpoint_id: recovery.endpointId };
}

export const recoverRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({
    since: moment.unwrap().meta({
      description:
        "What we learned of from then on. ISO 8601 or Unix seconds. What lies so far back that deliveries are not kept is left out: the answer's `since` says from when on.",
    }),
    until: moment.meta({ description: "Exclusive. Default: now." }),
    dry_run: z.boolean().default(false).meta({ description: "true: only count." }),
    per_second: z.int().min(1).max(MOST_PER_SECOND).default(50).meta({
      description: "At most so many deliveries are begun in a second.",
    }),
  }),
  idempotent: true,
  answers: {
    200: z
      .strictObject({
        ...{ dry_run: z.literal(true), count },
        count_is_partial: z
          .boolean()
          .meta({ description: "Only the first 100,000 events of the range were looked at." }),
        ...{ livemode: z.boolean(), since: isoTime, until: isoTime },
      })
      .meta({
        description: "Of a dry run: the events that the endpoint takes and neither has had nor is about to get.",
      }),
    202: RecoveryAnswer.meta({ description: "It runs in the background: follow it by its id." }),
  },
  run: async (call) => {
    const { body, caller, reply, idempotencyKey } = call;
    const scope = scopeOf(call);
    const endpoint = await seen(call, scope);
    const range = { endpoint, livemode: endpoint.livemode ?? caller.livemode, ...rangeOf(call) };
    if (body.dry_run) {
      const { livemode, since, until } = range;
      const { count: missed, partial } = await countMissed(scope, range);
      return {
        ...{ dry_run: true, count: missed, count_is_partial: partial, livemode },
        ...{ since: since.toISOString(), until: until.toISOString() },
      };
    }
    const wanted = { id: idOfOperation("rcv", idempotencyKey), perSecond: body.per_second };
    const begun = await scope.transaction(async (tx) => {
      // It was begun before, and its answer was lost.
      const before = await findRecovery(tx, { tenantId: endpoint.tenantId, livemode: range.livemode, id: wanted.id });
      if (before !== undefined) return before;
      const recovery = await beginRecovery(tx, range, wanted);
      await tellAudit(tx, call, "recovery.started", recovery, endpoint);
      return recovery;
    });
    reply.status(202);
    return viewOf(begun);
  },
});

type Range = Pick<Recovery, "since" | "until">;

function rangeOf({ body, deps }: Call<unknown, unknown, { since: number; until?: number | undefined }>): Range {
  const now = deps.clock.now();
  const asked = body.since;
  // What is yet to come is delivered anyway.
  const until = Math.min(body.until ?? now, now);
  if (asked >= until) {
    throw publicError("invalid_request", {
      message: "`since` must be before `until`, and in the past.",
      param: "since",
    });
  }
  const known = now - knownMs(deps.deliveriesRetentionDays);
  if (until <= known) {
    throw publicError("invalid_request", {
      message: `What was delivered before ${new Date(known).toISOString()} is not known any more, and would be sent again: give a later \`until\`, or resend single events.`,
      param: "until",
    });
  }
  return { since: new Date(Math.max(asked, known)), until: new Date(until) };
}

/** With time to spare, while the recovery runs and deliveries are deleted: what was delivered is not sent again. */
function knownMs(retentionDays: number): number {
  return Math.max(retentionDays - 1, retentionDays / 2) * 86_400_000;
}

async function tellAudit(
  tx: Parameters<typeof audit>[0],
  { caller }: { caller: Caller },
  action: string,
  recovery: Recovery,
  endpoint?: Endpoint,
): Promise<void> {
  const { tenantId, id: target, since, until, total, queued, endpointId } = recovery;
  const after = {
    ...{
      endpoint_id: endpoint?.id ?? endpointId,
      since: since.toISOString(),
      until: until.toISOString(),
      total,
      queued,
    },
  };
  await audit(tx, { tenantId, ...actOf(caller), action, target, after });
}

export const listRecoveriesRoute = operation({
  tag: TAG,
  query: z.strictObject({ endpoint_id: id.optional(), status: status.optional(), ...pageFields }),
  answers: { 200: listOf(RecoveryAnswer) },
  run: async (call) => {
    const { caller, query } = call;
    const rows = await listRecoveries(scopeOf(call), {
      tenantId: tenantOf(caller).id,
      livemode: query.endpoint_id === undefined ? caller.livemode : modeSeenBy(caller),
      endpointId: query.endpoint_id,
      status: query.status,
      after: readIdCursor("rcv", query.cursor),
      limit: query.limit + 1,
    });
    return pageOf(rows, query.limit, viewOf, (recovery) => [recovery.id]);
  },
});

export const readRecoveryRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: RecoveryAnswer },
  run: async (call) => {
    const found = await findRecovery(scopeOf(call), soughtBy(call));
    if (found === undefined) throw missing();
    return viewOf(found);
  },
});

export const cancelRecoveryRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({}).nullish(),
  answers: { 200: RecoveryAnswer.meta({ description: "What it has begun by then is delivered all the same." }) },
  run: async (call) =>
    scopeOf(call).transaction(async (tx) => {
      const canceled = await cancelRecovery(tx, soughtBy(call));
      if (canceled !== undefined) {
        await tellAudit(tx, call, "recovery.canceled", canceled);
        return viewOf(canceled);
      }
      const found = await findRecovery(tx, soughtBy(call));
      if (found === undefined) throw missing();
      if (found.status !== "canceled") throw publicError("recovery_ended");
      return viewOf(found);
    }),
});

function soughtBy({ caller, params }: Call<{ id: string }, unknown, unknown>): SoughtRecovery {
  return { tenantId: tenantOf(caller).id, livemode: modeSeenBy(caller), id: params.id };
}

/** People see the endpoints of both modes, and begin a recovery in its endpoint's: by endpoint or id they see those of both, too. */
function modeSeenBy({ identity, livemode }: Caller): boolean | undefined {
  return identity.kind === "key" ? livemode : undefined;
}

const missing = () =>
  publicError("not_found", {
    message: "There is no recovery with this id, or it is not of this key's mode: check both.",
  });

const Job = z
  .strictObject({
    ...recoveryFields,
    kind: z.literal("recovery").meta({ description: "recovery: what an endpoint missed is delivered again." }),
    tenant_id: z.string(),
    endpoint_id: z.string(),
  })
  .meta({ id: "Job" });

export const listJobsRoute = operation({
  tag: "Operator",
  query: z.strictObject({
    tenant: id.optional(),
    livemode: scopeFields.livemode,
    status: status.optional(),
    ...pageFields,
  }),
  answers: { 200: listOf(Job) },
  run: async ({ deps, query }) => {
    const { tenant: tenantId, livemode, status: wanted, cursor, limit } = query;
    const filter = { tenantId, livemode, status: wanted, after: readIdCursor("rcv", cursor), limit: limit + 1 };
    const view = (recovery: Recovery): z.output<typeof Job> => ({
      ...{ ...fieldsOf(recovery), kind: "recovery" as const },
      ...{ tenant_id: recovery.tenantId, endpoint_id: recovery.endpointId },
    });
    return pageOf(await listRecoveries(deps.database, filter), limit, view, (recovery) => [recovery.id]);
  },
});
