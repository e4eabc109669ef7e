// The operator's routes for payments that belong to no purchase of ours: list them, and decide whose they are.
import { z } from "zod";

import {
  type ListedUnmatched,
  listUnmatched,
  OPEN_REASONS,
  UNMATCHED_STATUSES,
} from "../accounts/unmatched-purchase-table.ts";
import { publicError } from "../base/errors.ts";
import { isId } from "../base/ids.ts";
import { assignUnmatched, dismissUnmatched } from "../billing/decide-unmatched.ts";
import type { Database } from "../db/database.ts";
import { actOf } from "./caller.ts";
import { id, idParams, isoTime, listOf, pageFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Operator: credits";

const Unmatched = z
  .strictObject({
    id: z.string(),
    status: z.enum(UNMATCHED_STATUSES).meta({
      description:
        "`resolving`: Stripe is asked what was bought · `open`: a person must decide · `matched`: its buyer was clear · `foreign`: no sale of credits · `assigned`, `dismissed`: decided.",
    }),
    reason: z.enum(OPEN_REASONS).nullable().meta({
      description:
        "`email_known`: somebody has this address, which proves nothing · `no_buyer`, `no_email`: nobody is named · `amount_differs`: another sum or currency than the pack's · `pack_inactive`: it is sold no more · `older_than_pack`: it was made before its price was known here · `other_items`: not credits alone · `session_missing`: Stripe does not know it.",
    }),
    tenant_id: z.string(),
    livemode: z.boolean(),
    stripe_account: z.string().nullable().meta({ description: "Null: the platform's own." }),
    session_id: z.string(),
    email: z.string().nullable(),
    name: z.string().nullable(),
    amount_subtotal: z.int().nullable(),
    amount_total: z.int().nullable(),
    currency: z.string().nullable(),
    credits: z.int().nullable(),
    credit_pack_id: z.string().nullable(),
    lines: z
      .array(
        z.strictObject({
          price_id: z.string().nullable(),
          description: z.string().nullable(),
          quantity: z.int(),
          amount: z.int(),
          pack_id: z.string().nullable(),
        }),
      )
      .nullable(),
    candidates: z
      .array(
        z.strictObject({
          account_id: z.string(),
          email_verified: z.boolean().nullable().meta({ description: "Null: nobody signs in to it." }),
        }),
      )
      .meta({ description: "Accounts of the tenant with this address, which anybody may have typed." }),
    account_id: z.string().nullable(),
    purchase_id: z.string().nullable(),
    created_at: isoTime,
    decided_at: isoTime.nullable(),
  })
  .meta({ id: "UnmatchedPurchase" });

export const listUnmatchedRoute = operation({
  tag: TAG,
  query: z.strictObject({
    status: z.enum(UNMATCHED_STATUSES).default("open"),
    tenant_id: id.optional(),
    ...pageFields,
  }),
  answers: { 200: listOf(Unmatched) },
  run: async ({ deps, query }) => {
    const { status, tenant_id: tenantId, cursor: after, limit } = query;
    if (after !== undefined && !isId(after, "unm")) {
      const message = "Send the next_cursor of the page before, unchanged.";
      throw publicError("invalid_request", { message, param: "cursor" });
    }
    const found = await listUnmatched(deps.database, { status, tenantId, after }, limit + 1);
    const items = found.slice(0, limit);
    const more = found.length > limit;
    return { data: items.map(viewOf), has_more: more, next_cursor: more ? (items.at(-1)?.id ?? null) : null };
  },
});

export const readUnmatchedRoute = operation({
  tag: TAG,
  params: idParams,
  answers: { 200: Unmatched },
  run: ({ deps, params }) => readOne(deps.database, params.id),
});

export const assignUnmatchedRoute = operation({
  tag: TAG,
  params: idParams,
  body: z.strictObject({ account_id: id.meta({ description: "Of the payment's tenant and mode." }) }),
  idempotent: true,
  answers: { 200: Unmatched },
  run: async ({ deps, params, body, caller }) => {
    const { database, people } = deps;
    const settling = { database, frontendUrl: people.frontendUrl };
    await assignUnmatched(settling, { id: params.id, accountId: body.account_id }, actOf(caller));
    return readOne(deps.database, params.id);
  },
});

export const dismissUnmatchedRoute = operation({
  tag: TAG,
  params: idParams,
  idempotent: true,
  answers: { 200: Unmatched },
  run: async ({ deps, params, caller }) => {
    await dismissUnmatched(deps.database, params.id, actOf(caller));
    return readOne(deps.database, params.id);
  },
});

async function readOne(database: Database, unmatchedId: string): Promise<z.output<typeof Unmatched>> {
  const [found] = await listUnmatched(database, { id: unmatchedId }, 1);
  if (found === undefined) throw publicError("not_found");
  return viewOf(found);
}

function viewOf(found: ListedUnmatched): z.output<typeof Unmatched> {
  const { status, reason, livemode, email, name, currency, credits, lines } = found;
  return {
    ...{ id: found.id, status, reason, tenant_id: found.tenantId, livemode },
    stripe_account: found.stripeAccount === "" ? null : found.stripeAccount,
    ...{ session_id: found.sessionId, email, name },
    ...{ amount_subtotal: found.amountSubtotal, amount_total: found.amountTotal, currency, credits },
    ...{ credit_pack_id: found.packId, lines, candidates: found.candidates },
    ...{ account_id: found.accountId, purchase_id: found.purchaseId },
    created_at: found.createdAt.toISOString(),
    decided_at: found.decidedAt?.toISOString() ?? null,
  };
}
