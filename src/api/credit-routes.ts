// Routes of an account's credits: spend, grant, refund, and the ledger with each entry's cause.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { type CreditOperation, MAX_AMOUNT } from "../credits/credit-requests.ts";
import { readBalances, readEntries } from "../credits/ledger-reads.ts";
import type { StoredEntry } from "../credits/ledger-tables.ts";
import { modeOf } from "./account-admin-routes.ts";
import { actOf, scopeOf } from "./caller.ts";
import { REPLAYED_HEADER } from "./idempotency.ts";
import { plainLine } from "./people-fields.ts";
import { idParams, isoTime, listOf, pageFields, time } from "./query-fields.ts";
import { type Operation, operation } from "./route.ts";

const TAG = "Credits";

const ENTRY_KINDS = ["purchase", "grant", "spend", "reversal", "restoral", "expiry", "adjustment"] as const;

export const CreditEntry = z
  .strictObject({
    id: z.string(),
    account_id: z.string(),
    kind: z.enum(ENTRY_KINDS),
    amount: z.int().meta({ description: "Below zero for what is taken." }),
    balance_after: z.int(),
    reason: z.string(),
    reference: z.string().nullable(),
    purchase_id: z.string().nullable().meta({ description: "The purchase that it follows from." }),
    expires_at: isoTime.nullable().meta({ description: "When the credits that it brought expire." }),
    created_at: isoTime,
  })
  .meta({ id: "CreditEntry" });

export function viewOfEntry(entry: StoredEntry): z.output<typeof CreditEntry> {
  const { id, kind, amount, reason, reference } = entry;
  return {
    ...{ id, account_id: entry.accountId, kind, amount, balance_after: entry.balanceAfter, reason, reference },
    purchase_id: entry.purchaseId,
    expires_at: entry.expiresAt?.toISOString() ?? null,
    created_at: entry.createdAt.toISOString(),
  };
}

const amount = z.int().min(1).max(MAX_AMOUNT).meta({ description: "Whole credits." });
const reason = plainLine(500).meta({ description: "For people: stands in the ledger." });
const reference = plainLine(255).optional().meta({ description: "What it was for, such as an id of yours." });
const spendBody = z.strictObject({ amount, reason, reference });
const giveBody = z.strictObject({
  ...spendBody.shape,
  expires_at: time.meta({ description: "ISO 8601 or Unix seconds; without it they never expire." }),
});
const refundBody = z.strictObject({
  ...giveBody.shape,
  reference: plainLine(255).optional().meta({
    description: "The id of a spend's entry limits its refunds to what was spent; any other text is kept as it is.",
  }),
});

const KEY = /^[\x21-\x7e]{1,255}$/;

/** The key is the entry's source: it is kept as long as the entry, which is for ever. */
const KEY_HEADERS = z.looseObject({
  "idempotency-key": z
    .string()
    .regex(KEY, "Send one Idempotency-Key of 1 to 255 visible ASCII characters, such as a UUID.")
    .optional()
    .meta({
      description:
        "Required: at most 255 visible ASCII characters, kept for ever. The same request under the same key is carried out once and answered alike, with `Idempotent-Replayed: true`; another request under it is 409 `idempotency_key_reused`. A refusal (402) takes nothing and keeps nothing: the key is free for another try.",
    }),
});

interface Asked {
  amount: number;
  reason: string;
  reference?: string | undefined;
  /** Unix seconds. */
  expires_at?: number | undefined;
}

function creditOperation(name: CreditOperation, body: z.ZodType<Asked>): Operation {
  return operation({
    tag: TAG,
    params: idParams,
    body,
    headers: KEY_HEADERS,
    answers: { 201: CreditEntry },
    run: async (call) => {
      const { deps, params, headers, reply } = call;
      const { expires_at: expires, ...given } = call.body;
      const key = headers["idempotency-key"];
      if (typeof key !== "string" || key === "") throw publicError("idempotency_key_required");
      const { entry, replayed } = await deps.credits.post(scopeOf(call), {
        ...{ operation: name, livemode: call.caller.livemode, accountId: params.id, key, act: actOf(call.caller) },
        ...{ amount: given.amount, reason: given.reason, reference: given.reference ?? null },
        expiresAt: expires === undefined ? null : new Date(expires * 1000),
      });
      if (replayed) reply.header(REPLAYED_HEADER, "true");
      reply.status(201);
      return viewOfEntry(entry);
    },
  });
}

export const spendCreditsRoute = creditOperation("spend", spendBody);
export const grantCreditsRoute = creditOperation("grant", giveBody);
export const refundCreditsRoute = creditOperation("refund", refundBody);

export const readLedgerRoute = operation({
  tag: TAG,
  params: idParams,
  query: z.strictObject(pageFields),
  answers: { 200: listOf(CreditEntry) },
  run: async (call) => {
    const ref = { ...modeOf(call.caller), accountId: call.params.id };
    return scopeOf(call).transaction(async (tx) => {
      if ((await readBalances(tx, ref, [ref.accountId])).size === 0) throw publicError("not_found");
      const { items, next_cursor } = await readEntries(tx, ref, call.query);
      return { data: items.map(viewOfEntry), has_more: next_cursor !== null, next_cursor };
    });
  },
});
