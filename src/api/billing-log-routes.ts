// The billing log, and any object with its story from it.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { billingLog } from "../inbox/billing-log.ts";
import { findObject, ROW_STATUSES } from "../inbox/find-object.ts";
import { readCursor } from "../inbox/list-query.ts";
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

const OF_CUSTOMER =
  "All that names this Stripe customer, and its refunds, disputes and invoice payments, which do not: the newest 100 of each, of its 100 newest charges, of its 100 newest that were refunded or disputed, and of its 100 newest invoices.";

export const readBillingLog = operation({
  tag: "Billing log",
  query: z.strictObject({
    ...scopeFields,
    customer: id.optional().meta({ description: OF_CUSTOMER }),
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
    row_status: z.enum(ROW_STATUSES).meta({
      description:
        "`pending`: an event, or the object itself, asked of Stripe, waits to be processed. `failed`: it can be replayed. `unrouted`: its account is connected to no tenant. `unknown`: events named it, and none brought it.",
    }),
    row: z.record(z.string(), z.unknown()).nullable().meta({ description: "Null unless `stored`." }),
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
    const { key, table, rowStatus, row, snapshot, others } = found;
    const { account, livemode, objectId } = key;
    const story = await billingLog(deps.database, { objectId, account, livemode, limit: STORY_LENGTH });
    const answer = { id: objectId, ...placeOf(key), table, row_status: rowStatus, row, snapshot };
    return { ...answer, story, others: others.map(placeOf) };
  },
});

function placeOf(key: { livemode: boolean; account: string; objectType: string }): z.infer<typeof Place> {
  return { livemode: key.livemode, account: key.account === "" ? null : key.account, object_type: key.objectType };
}
