// The billing log, and any object with its story from it.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { billingLog } from "../inbox/billing-log.ts";
import { readCursor } from "../inbox/list-query.ts";
import { findObject } from "../inbox/projection-reads.ts";
import { id, idParams, isoTime, listOf, pageFields, rangeFields, scopeFields } from "./query-fields.ts";
import { operation } from "./route.ts";
import { ChangeAnswer } from "./stripe-event-routes.ts";

const LogEntry = z
  .strictObject({
    event_id: z.string(),
    type: z.string(),
    created: isoTime,
    received_at: isoTime,
    object_type: z.string(),
    object_id: z.string().nullable(),
    livemode: z.boolean(),
    account: z.string().nullable(),
    source: z.enum(["webhook", "pull"]),
    head: z.boolean().meta({ description: "The object's row says what this observation says." }),
    changes: z.array(ChangeAnswer),
  })
  .meta({ id: "LogEntry" });

export const readBillingLog = operation({
  tag: "Billing log",
  query: z.strictObject({
    ...scopeFields,
    customer: id.optional(),
    object_id: id.optional(),
    ...rangeFields,
    ...pageFields,
  }),
  answers: { 200: listOf(LogEntry) },
  run: async ({ deps, query }) => {
    const { object_id: objectId, ...rest } = query;
    if (query.cursor !== undefined) readCursor(query.cursor, ["seconds", "string"]);
    return billingLog(deps.database, { ...rest, objectId });
  },
});

const Place = z.strictObject({ livemode: z.boolean(), account: z.string().nullable(), object_type: z.string() });

const StripeObjectAnswer = z
  .strictObject({
    id: z.string(),
    ...Place.shape,
    table: z.string(),
    row: z.record(z.string(), z.unknown()).nullable().meta({ description: "Null while its first event waits." }),
    snapshot: z.unknown().meta({ description: "The newest snapshot, as Stripe wrote it." }),
    story: listOf(LogEntry).meta({ description: "Newest first; the billing log has the rest." }),
    others: z.array(Place).meta({ description: "The same id elsewhere: ask with `account` and `livemode`." }),
  })
  .meta({ id: "StripeObject" });

const STORY_LENGTH = 100;

export const readObject = operation({
  tag: "Billing log",
  params: idParams,
  query: z.strictObject(scopeFields),
  answers: { 200: StripeObjectAnswer },
  run: async ({ deps, params, query }) => {
    const found = await findObject(deps.database, params.id, query);
    if (found === null)
      throw publicError("not_found", { message: "No event has brought an object with this id: check it." });
    const { key, table, row, snapshot, others } = found;
    const { account, livemode, objectId } = key;
    const story = await billingLog(deps.database, { objectId, account, livemode, limit: STORY_LENGTH });
    return { id: objectId, ...placeOf(key), table, row, snapshot, story, others: others.map(placeOf) };
  },
});

function placeOf(key: { livemode: boolean; account: string; objectType: string }): z.infer<typeof Place> {
  return { livemode: key.livemode, account: key.account === "" ? null : key.account, object_type: key.objectType };
}
